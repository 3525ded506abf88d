//! What FreeSWITCH asks, read in place.

use super::names::{Names, hashes_agree};
use super::text::bytes;
use super::time::now;
use freeswitch_sys::switch_event_t;
use nizam_engine::{Channel, DialplanQuestion, DirectoryQuestion};
use std::ffi::c_char;

/// The section a lookup is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// `directory`.
    Directory,
    /// `dialplan`.
    Dialplan,
    /// `configuration`, for the menus of an IVR.
    Menu,
    /// `configuration` for anything else, or a section that we did not ask for.
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
            // Every `*.conf` of the process is asked for here, often under locks: told apart by its name alone.
            b"configuration" if self.key_value == Some(b"ivr.conf") => Section::Menu,
            _ => Section::Other,
        }
    }

    /// The values of the first header of each of these names: of several headers of a name FreeSWITCH itself reads the
    /// first.
    fn headers<const N: usize>(&self, names: &Names<N>) -> [Option<&'a [u8]>; N] {
        let mut found = [None; N];
        let hashed = hashes_agree();
        let mut next = self.params.map_or(std::ptr::null_mut(), |params| params.headers);
        // SAFETY: a list that ends with NULL and does not change while the search function runs
        // (switch_event.c:switch_event_base_add_header builds it).
        while let Some(header) = unsafe { next.as_ref() } {
            next = header.next;
            // SAFETY: the name is NULL or a NUL-terminated string.
            let Some(index) = (unsafe { names.find(header, hashed) }) else { continue };
            if let Some(place @ None) = found.get_mut(index) {
                // SAFETY: the value is NULL or a NUL-terminated string.
                *place = unsafe { bytes(header.value) };
            }
        }
        found
    }

    /// The question as one for the directory.
    pub(crate) fn directory(&self) -> DirectoryQuestion<'a> {
        const NAMES: Names<16> = Names::new([
            "action",
            "domain",
            "event-calling-function",
            "group",
            "group_name",
            "key",
            "number_alias",
            "purpose",
            "sip_auth_method",
            "sip_from_host",
            "sip_from_user",
            "sip_to_host",
            "sip_to_user",
            "user",
            "vm-action",
            "vm-user-password",
        ]);
        let [
            action,
            domain,
            calling_function,
            group,
            group_name,
            key,
            number_alias,
            purpose,
            sip @ ..,
            user,
            mailbox_action,
            mailbox_password,
        ] = self.headers(&NAMES);
        let [method, from_host, from_user, to_host, to_user] = sip;
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
            from_user,
            from_host,
            new_pin: mailbox_password.filter(|_| mailbox_action == Some(b"change-password")),
        }
    }

    /// The question as one for the dialplan. `Hunt-…`, not `Caller-…`: the latter is the channel's, not the
    /// lookup's, when an extension is executed (`switch_core_session.c:switch_core_session_execute_exten`).
    pub(crate) fn dialplan(&self) -> DialplanQuestion<'_> {
        const NAMES: Names<9> = Names::new([
            "hunt-caller-id-number",
            "hunt-context",
            "hunt-destination-number",
            "hunt-network-addr",
            "variable_domain_name",
            "variable_nizam_admitted",
            "variable_nizam_gateway",
            "variable_nizam_path",
            "variable_user_name",
        ]);
        let [caller_number, context, number, address, caller_domain, admitted, gateway, path, caller] =
            self.headers(&NAMES);
        DialplanQuestion {
            context,
            number,
            caller_number,
            address,
            caller,
            caller_domain,
            gateway,
            admitted,
            path,
            channel: self,
            now: now(),
        }
    }

    /// The name of the menu that is asked for (`mod_dptools.c:ivr_application_function`).
    pub(crate) fn menu(&self) -> Option<&'a [u8]> {
        const NAMES: Names<1> = Names::new(["menu-name"]);
        let [name] = self.headers(&NAMES);
        name
    }
}

impl Channel for Question<'_> {
    fn variable(&self, name: &str) -> Option<&[u8]> {
        let mut next = self.params.map_or(std::ptr::null_mut(), |params| params.headers);
        // SAFETY: as in `headers`.
        while let Some(header) = unsafe { next.as_ref() } {
            next = header.next;
            // SAFETY: the name is NULL or a NUL-terminated string.
            let found = (unsafe { bytes(header.name) }).and_then(|header| header.strip_prefix(b"variable_"));
            if found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
                // SAFETY: the value is NULL or a NUL-terminated string.
                return unsafe { bytes(header.value) };
            }
        }
        None
    }
}
