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

    /// Calls `take` for every header whose lower-case name it may want to know, with the name's index in `names`.
    fn headers(&self, names: &[&[u8]], mut take: impl FnMut(usize, &'a [u8])) {
        let mut next = self.params.map_or(std::ptr::null_mut(), |params| params.headers);
        // SAFETY: a list that ends with NULL and does not change while the search function runs
        // (switch_event.c:switch_event_base_add_header builds it).
        while let Some(header) = unsafe { next.as_ref() } {
            next = header.next;
            if header.name.is_null() {
                continue;
            }
            // SAFETY: the name is a NUL-terminated string.
            let found = names.iter().position(|name| unsafe { is(header.name, name) });
            if let Some(index) = found
                // SAFETY: the value is NULL or a NUL-terminated string.
                && let Some(value) = unsafe { bytes(header.value) }
            {
                take(index, value);
            }
        }
    }

    /// The question as one for the directory.
    pub(crate) fn directory(&self) -> DirectoryQuestion<'a> {
        const NAMES: [&[u8]; 13] = [
            b"key",
            b"user",
            b"domain",
            b"group_name",
            b"group",
            b"action",
            b"purpose",
            b"number_alias",
            b"event-calling-function",
            b"sip_auth_method",
            b"sip_to_user",
            b"sip_to_host",
            b"sip_from_host",
        ];
        let mut found: [Option<&[u8]>; 13] = [None; 13];
        self.headers(&NAMES, |index, value| {
            if let Some(place) = found.get_mut(index) {
                // Of several headers of a name FreeSWITCH itself reads the first.
                place.get_or_insert(value);
            }
        });
        let [key, user, domain, group_name, group, action, purpose, number_alias, calling_function, sip @ ..] =
            found;
        let [method, to_user, to_host, from_host] = sip;
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
        const NAMES: [&[u8]; 4] =
            [b"hunt-context", b"hunt-destination-number", b"variable_user_name", b"variable_domain_name"];
        let mut found: [Option<&[u8]>; 4] = [None; 4];
        self.headers(&NAMES, |index, value| {
            if let Some(place) = found.get_mut(index) {
                place.get_or_insert(value);
            }
        });
        let [context, number, caller, caller_domain] = found;
        DialplanQuestion { context, number, caller, caller_domain }
    }
}

/// Whether a C string is `name`, which is in lower case, whatever the case of its letters. Stops at the first
/// difference: a dialplan lookup has hundreds of headers, and most differ early.
///
/// # Safety
/// `text` is NUL-terminated.
unsafe fn is(text: *const c_char, name: &[u8]) -> bool {
    let mut at = text.cast::<u8>();
    for &expected in name {
        // SAFETY: every byte before was equal to one of `name`, so was not the NUL; this one is at most it.
        let byte = unsafe { *at };
        if byte.to_ascii_lowercase() != expected {
            return false;
        }
        // SAFETY: `byte` was not the NUL, so another byte follows.
        at = unsafe { at.add(1) };
    }
    // SAFETY: as above; this byte is at most the NUL.
    unsafe { *at == 0 }
}
