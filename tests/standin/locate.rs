//! The search for XML: bindings in the order in which they were bound, then the static document
//! (`switch_xml_locate`).

use crate::event::{Caller, Event};
use crate::lock::HostLock;
use crate::log;
use crate::memory;
use crate::static_xml;
use crate::xml_tree::Node;
use freeswitch_sys::{
    switch_event_t, switch_status_t, switch_xml_binding_t, switch_xml_search_function_t,
    switch_xml_section_t, switch_xml_t,
};
use libc::{c_char, c_void};
use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

/// What `switch_xml_binding_t` points to.
struct Binding {
    function: switch_xml_search_function_t,
    sections: u32,
    user_data: *mut c_void,
}

// SAFETY: a binding is only read after it was bound; its user data is the module's affair, as in FreeSWITCH.
unsafe impl Send for Binding {}
// SAFETY: as above.
unsafe impl Sync for Binding {}

/// Boxed, since the address of a binding is the module's handle.
#[expect(clippy::vec_box, reason = "the address is what the module holds")]
static BINDINGS: HostLock<Vec<Box<Binding>>> = HostLock::new(Vec::new());

/// Answers of bindings that were no well-formed XML.
static ERRORS: AtomicU64 = AtomicU64::new(0);

/// A tree that is freed with this, and the tag in it that was asked for.
pub(crate) struct Found {
    pub(crate) root: Node,
    pub(crate) node: Node,
}

impl Drop for Found {
    fn drop(&mut self) {
        self.root.free();
    }
}

/// What is looked for. `tag`, `key` and `value` count only together.
#[derive(Clone, Default)]
pub(crate) struct Question {
    pub(crate) section: CString,
    pub(crate) tag: Option<CString>,
    pub(crate) key: Option<CString>,
    pub(crate) value: Option<CString>,
}

impl Question {
    /// The whole section.
    pub(crate) fn section(section: &CStr) -> Self {
        Self { section: section.to_owned(), ..Self::default() }
    }

    pub(crate) fn domain(domain: &CStr) -> Self {
        let words = [c"domain", c"name", domain].map(|word| Some(word.to_owned()));
        let [tag, key, value] = words;
        Self { section: c"directory".to_owned(), tag, key, value }
    }
}

pub(crate) fn errors() -> u64 {
    ERRORS.load(Ordering::Relaxed)
}

/// How many searches are bound.
pub(crate) fn bound() -> usize {
    BINDINGS.read().len()
}

/// The tag that is asked for, from the first binding that answers, else from the static document.
pub(crate) fn locate(question: &Question, params: Option<&Event>) -> Option<Found> {
    let answer = ask_bindings(question, params.map_or(ptr::null_mut(), Event::as_ptr));
    answer.and_then(|root| find(question, root)).or_else(|| find(question, static_xml::root()?))
}

fn ask_bindings(question: &Question, params: *mut switch_event_t) -> Option<Node> {
    let sections = parse_sections(question.section.to_bytes());
    let pointer = |word: &Option<CString>| word.as_ref().map_or(ptr::null(), |word| word.as_ptr());
    let (tag, key, value) = (pointer(&question.tag), pointer(&question.key), pointer(&question.value));
    let bindings = BINDINGS.read();
    for binding in bindings.iter().filter(|binding| binding.sections == 0 || sections & binding.sections != 0)
    {
        let Some(function) = binding.function else {
            continue;
        };
        // SAFETY: the module keeps its function callable until it has unbound it, which waits for this lock; the
        // strings and the event outlive the call.
        let raw = unsafe { function(question.section.as_ptr(), tag, key, value, params, binding.user_data) };
        // SAFETY: a binding answers with null or a tree that it made with the functions of this program, given away.
        let Some(root) = (unsafe { Node::from_raw(raw) }) else {
            continue;
        };
        if !root.error().is_empty() {
            ERRORS.fetch_add(1, Ordering::Relaxed);
            log::line(log::ERR, &format!("Error[{}]", String::from_utf8_lossy(root.error())));
        } else if !says_not_found(root) {
            return Some(root);
        }
        root.free();
    }
    None
}

/// `<section name="result"><result status="not found"/></section>`: ask the next one.
fn says_not_found(root: Node) -> bool {
    let result =
        find_child(root, b"section", b"name", b"result").and_then(|section| section.child(b"result"));
    result.is_some_and(|result| {
        result.attr(b"status").is_some_and(|status| status.eq_ignore_ascii_case(b"not found"))
    })
}

fn find(question: &Question, root: Node) -> Option<Found> {
    let section = find_child(root, b"section", b"name", question.section.to_bytes());
    let node = section.and_then(|section| match (&question.tag, &question.key, &question.value) {
        (Some(tag), Some(key), Some(value)) => {
            find_child(section, tag.to_bytes(), key.to_bytes(), value.to_bytes())
        }
        _ => Some(section),
    });
    // From here on the tree goes when this goes.
    let found = Found { root, node: node.unwrap_or(root) };
    node.map(|_| found)
}

/// Names of tags and attributes are case-sensitive, values are not (`switch_xml_find_child`).
pub(crate) fn find_child(node: Node, tag: &[u8], name: &[u8], value: &[u8]) -> Option<Node> {
    let is_it = |child: &Node| child.attr(name).is_some_and(|found| found.eq_ignore_ascii_case(value));
    node.children(tag).find(is_it)
}

/// `switch_xml_parse_section_string`: by parts of the text, so "configuration" has "config" in it.
fn parse_sections(section: &[u8]) -> u32 {
    const NAMES: [(&[u8], u32); 6] = [
        (b"config", 1),
        (b"directory", 2),
        (b"dialplan", 4),
        (b"languages", 8),
        (b"chatplan", 16),
        (b"channels", 32),
    ];
    let lower = section.to_ascii_lowercase();
    let has = |name: &[u8]| lower.windows(name.len()).any(|window| window == name);
    NAMES.iter().filter(|(name, _)| has(name)).fold(0, |mask, (_, bit)| mask | bit)
}

/// The configuration of a module; the answer is the tree to be freed, `node` the tag in it.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_xml_open_cfg(
    file_path: *const c_char,
    node: *mut switch_xml_t,
    params: *mut switch_event_t,
) -> switch_xml_t {
    // SAFETY: a C string of the caller.
    let value = CString::new(unsafe { memory::bytes(file_path) }).ok();
    let word = || Some(c"name".to_owned());
    let question = Question {
        section: c"configuration".to_owned(),
        tag: Some(c"configuration".to_owned()),
        key: word(),
        value,
    };
    let answer = ask_bindings(&question, params);
    let found =
        answer.and_then(|root| find(&question, root)).or_else(|| find(&question, static_xml::root()?));
    let (root, tag) = match found.map(std::mem::ManuallyDrop::new) {
        Some(found) => (found.root.as_ptr(), found.node.as_ptr()),
        None => (ptr::null_mut(), ptr::null_mut()),
    };
    // SAFETY: the caller's variable for the answer.
    unsafe { node.write(tag) };
    root
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_xml_bind_search_function_ret(
    function: switch_xml_search_function_t,
    sections: switch_xml_section_t,
    user_data: *mut c_void,
    ret_binding: *mut *mut switch_xml_binding_t,
) -> switch_status_t {
    let made = Box::new(Binding { function, sections, user_data });
    let mut bindings = BINDINGS.write();
    if !ret_binding.is_null() {
        // SAFETY: the caller's variable for the handle.
        unsafe { ret_binding.write(ptr::from_ref::<Binding>(&made).cast_mut().cast()) };
    }
    bindings.push(made);
    switch_status_t::SWITCH_STATUS_SUCCESS
}

/// Returns when the function is not running any more. The handle stays as it was, as in FreeSWITCH.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_xml_unbind_search_function(
    binding: *mut *mut switch_xml_binding_t,
) -> switch_status_t {
    // SAFETY: the caller's variable.
    let handle = unsafe { binding.read() };
    let mut bindings = BINDINGS.write();
    let Some(index) = bindings.iter().position(|known| ptr::addr_eq(ptr::from_ref::<Binding>(known), handle))
    else {
        return switch_status_t::SWITCH_STATUS_FALSE;
    };
    bindings.remove(index);
    switch_status_t::SWITCH_STATUS_SUCCESS
}

/// `switch_xml_locate_domain`: without parameters it makes some, with the domain alone.
pub(crate) fn domain(domain: &CStr, params: Option<&Event>) -> Option<Found> {
    let question = Question::domain(domain);
    if params.is_some() {
        return locate(&question, params);
    }
    let mut made =
        Event::new("REQUEST_PARAMS", &Caller::new("switch_xml.c", "switch_xml_locate_domain")).ok()?;
    made.add("domain", domain.to_bytes());
    locate(&question, Some(&made))
}
