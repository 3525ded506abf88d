//! What FreeSWITCH asks, read in place.

use super::text::bytes;
use freeswitch_sys::switch_event_t;
use nizam_engine::{DialplanQuestion, DirectoryQuestion};
use std::ffi::c_char;

/// The section a lookup is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// `directory`.
    Directory,
    /// `dialplan`.
    Dialplan,
    /// `configuration`, or one that we did not ask for.
    Other,
}

/// The arguments of a search function, valid while it runs.
pub(crate) struct Question<'a> {
    section: &'a [u8],
    tag: Option<&'a [u8]>,
    key_name: Option<&'a [u8]>,
    key_value: Option<&'a [u8]>,
    params: Option<&'a switch_event_t>,
}

impl<'a> Question<'a> {
    /// # Safety
    /// The arguments of a search function as FreeSWITCH gave them, for the time in which it runs.
    pub(super) unsafe fn new(
        section: *const c_char,
        tag: *const c_char,
        key_name: *const c_char,
        key_value: *const c_char,
        params: *mut switch_event_t,
    ) -> Self {
        // SAFETY: NULL or NUL-terminated, by the caller's promise (switch_xml.c:switch_xml_locate).
        let [section, tag, key_name, key_value] =
            [section, tag, key_name, key_value].map(|text| unsafe { bytes(text) });
        // SAFETY: NULL or an event that nobody changes while the search function runs.
        let params = unsafe { params.as_ref() };
        Self { section: section.unwrap_or_default(), tag, key_name, key_value, params }
    }

    pub(crate) fn section(&self) -> Section {
        match self.section {
            b"directory" => Section::Directory,
            b"dialplan" => Section::Dialplan,
            _ => Section::Other,
        }
    }

    /// The values of the first header of each of these names, which are in lower case and sorted: of several headers of
    /// a name FreeSWITCH itself reads the first.
    fn headers<const N: usize>(&self, names: &[&[u8]; N]) -> [Option<&'a [u8]>; N] {
        let mut found = [None; N];
        // One bit for each letter that a name begins with: most headers begin with none of them.
        let initials = names.iter().fold(0, |bits, name| bits | name.first().map_or(0, |&byte| bit(byte)));
        let mut next = self.params.map_or(std::ptr::null_mut(), |params| params.headers);
        // SAFETY: a list that ends with NULL and does not change while the search function runs
        // (switch_event.c:switch_event_base_add_header builds it).
        while let Some(header) = unsafe { next.as_ref() } {
            next = header.next;
            // SAFETY: the name is NULL or a NUL-terminated string.
            let Some(index) = (unsafe { find(header.name, names, initials) }) else { continue };
            if let Some(place @ None) = found.get_mut(index) {
                // SAFETY: the value is NULL or a NUL-terminated string.
                *place = unsafe { bytes(header.value) };
            }
        }
        found
    }

    /// The question as one for the directory.
    pub(crate) fn directory(&self) -> DirectoryQuestion<'a> {
        let [action, domain, calling_function, group, group_name, key, number_alias, purpose, sip @ .., user] =
            self.headers(&[
                b"action",
                b"domain",
                b"event-calling-function",
                b"group",
                b"group_name",
                b"key",
                b"number_alias",
                b"purpose",
                b"sip_auth_method",
                b"sip_from_host",
                b"sip_to_host",
                b"sip_to_user",
                b"user",
            ]);
        let [method, from_host, to_host, to_user] = sip;
        let by_name = self.key_name.is_none_or(|name| name == b"name");
        DirectoryQuestion {
            tag: self.tag,
            domain: self.key_value.or(domain).filter(|_| by_name),
            has_params: self.params.is_some(),
            key,
            user,
            group_name,
            group,
            action,
            purpose,
            number_alias,
            calling_function,
            method,
            to_user,
            to_host,
            from_host,
        }
    }

    /// The question as one for the dialplan. `Hunt-…`, not `Caller-…`: the latter is the channel's, not the
    /// lookup's, when an extension is executed (`switch_core_session.c:switch_core_session_execute_exten`).
    pub(crate) fn dialplan(&self) -> DialplanQuestion<'a> {
        let [context, number, caller_domain, caller] = self.headers(&[
            b"hunt-context",
            b"hunt-destination-number",
            b"variable_domain_name",
            b"variable_user_name",
        ]);
        DialplanQuestion { context, number, caller, caller_domain }
    }
}

fn bit(byte: u8) -> u32 {
    1 << (byte & 31)
}

/// Which of the sorted lower-case names a C string is, whatever the case of its letters. Stops at the first byte that
/// no name has there: a dialplan lookup has hundreds of headers, and a REGISTER passes here for each of them.
///
/// # Safety
/// `text` is NULL or NUL-terminated.
unsafe fn find(text: *const c_char, names: &[&[u8]], initials: u32) -> Option<usize> {
    if text.is_null() {
        return None;
    }
    let mut at = text.cast::<u8>();
    // The names from `first` up to `last` begin with what was read so far.
    let (mut first, mut last) = (0, names.len());
    for position in 0.. {
        // SAFETY: every byte before was one of a name, so was not the NUL; this one is at most it.
        let byte = unsafe { *at }.to_ascii_lowercase();
        if position == 0 && initials & bit(byte) == 0 {
            return None;
        }
        if byte == 0 {
            // Sorted, so that the name which ends here comes before those that go on.
            return names.get(first).filter(|name| name.len() == position).map(|_| first);
        }
        let has = |index: usize| names.get(index).and_then(|name| name.get(position)) == Some(&byte);
        while first < last && !has(first) {
            first += 1;
        }
        while first < last && !has(last - 1) {
            last -= 1;
        }
        if first == last {
            return None;
        }
        // SAFETY: `byte` was not the NUL, so another byte follows.
        at = unsafe { at.add(1) };
    }
    None
}
