//! The XML binding.

use super::guard::guard;
use super::log::{Level, log};
use super::params::Question;
use super::{Buffer, text, tree};
use crate::module;
use freeswitch_sys::{
    switch_bool_t, switch_event_t, switch_status_t, switch_xml_bind_search_function_ret,
    switch_xml_binding_t, switch_xml_error, switch_xml_free, switch_xml_parse_str_dynamic,
    switch_xml_section_enum_t, switch_xml_t, switch_xml_unbind_search_function,
};
use nizam_engine::Element;
use std::ffi::{c_char, c_void};
use std::ptr;

/// What a lookup is answered with.
pub(crate) enum Answer {
    /// FreeSWITCH asks its other sources.
    Pass,
    /// A document as text.
    Text(Buffer),
    /// A document as a tree.
    Tree(Element),
}

/// Our one binding. A second one with the same function would be lost at unbind
/// (`switch_xml.c:switch_xml_unbind_search_function_ptr` skips every other neighbour).
pub(crate) struct XmlBinding(*mut switch_xml_binding_t);

// SAFETY: a handle that FreeSWITCH guards with its own lock; it is used once, to unbind.
unsafe impl Send for XmlBinding {}
// SAFETY: nothing can be done with a shared reference.
unsafe impl Sync for XmlBinding {}

impl XmlBinding {
    /// Binds directory, dialplan and configuration.
    pub(crate) fn new() -> Result<Self, String> {
        let sections = switch_xml_section_enum_t::SWITCH_XML_SECTION_DIRECTORY.0
            | switch_xml_section_enum_t::SWITCH_XML_SECTION_DIALPLAN.0
            | switch_xml_section_enum_t::SWITCH_XML_SECTION_CONFIG.0;
        let mut binding = ptr::null_mut();
        // SAFETY: `search` has the right type and stays mapped (`-z nodelete`); it needs no user data.
        let status = unsafe {
            switch_xml_bind_search_function_ret(Some(search), sections, ptr::null_mut(), &raw mut binding)
        };
        if status == switch_status_t::SWITCH_STATUS_SUCCESS && !binding.is_null() {
            Ok(Self(binding))
        } else {
            Err(format!("FreeSWITCH refused the XML binding: status {}", status.0))
        }
    }

    /// Unbinds; when this returns, no lookup of ours is running. Never from inside a lookup.
    pub(crate) fn unbind(mut self) {
        // SAFETY: the handle that FreeSWITCH gave, used once.
        unsafe { switch_xml_unbind_search_function(&raw mut self.0) };
    }
}

/// The search function. It runs under FreeSWITCH's read lock on a thread with a 240 KiB stack, so it neither
/// waits nor recurses.
unsafe extern "C" fn search(
    section: *const c_char,
    tag: *const c_char,
    key_name: *const c_char,
    key_value: *const c_char,
    params: *mut switch_event_t,
    _user_data: *mut c_void,
) -> switch_xml_t {
    guard("lookup", ptr::null_mut(), || {
        // SAFETY: the arguments as they came, used before this function returns.
        let question = unsafe { Question::new(section, tag, key_name, key_value, params) };
        match module::answer(&question) {
            Answer::Pass => ptr::null_mut(),
            Answer::Text(buffer) => parse(buffer),
            Answer::Tree(root) => tree::build(&root).unwrap_or(ptr::null_mut()),
        }
    })
}

/// Hands the text to FreeSWITCH's parser, which takes the memory over and frees it with the tree.
fn parse(buffer: Buffer) -> switch_xml_t {
    let Some(document) = buffer.into_raw() else { return ptr::null_mut() };
    // SAFETY: memory of malloc, NUL-terminated, not empty, ours to give.
    let xml = unsafe { switch_xml_parse_str_dynamic(document, switch_bool_t::SWITCH_FALSE) };
    if xml.is_null() {
        return xml;
    }
    // SAFETY: the tree is alive.
    let error = unsafe { switch_xml_error(xml) };
    // SAFETY: NUL-terminated, and lives as long as the tree.
    let error = unsafe { text::lossy(error) };
    if error.is_empty() {
        return xml;
    }
    log(Level::Error, &format!("FreeSWITCH could not parse our answer: {error}; please report it"));
    // SAFETY: the tree is ours until it is returned.
    unsafe { switch_xml_free(xml) };
    ptr::null_mut()
}
