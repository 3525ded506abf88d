//! The functions by which modules make, read and free trees.

use crate::memory;
use crate::xml_tree::Node;
use freeswitch_sys::switch_xml_t;
use libc::c_char;
use std::ptr;

#[unsafe(no_mangle)]
extern "C" fn switch_xml_new(name: *const c_char) -> switch_xml_t {
    Node::new_document(name.cast_mut()).as_ptr()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_xml_add_child_d(
    xml: switch_xml_t,
    name: *const c_char,
    off: usize,
) -> switch_xml_t {
    // SAFETY: modules pass nodes of trees that are theirs.
    let Some(parent) = (unsafe { Node::from_raw(xml) }) else {
        return ptr::null_mut();
    };
    // SAFETY: a C string of the caller.
    let mut child = parent.add_child(memory::string(unsafe { memory::bytes(name) }), off);
    child.own_name();
    child.as_ptr()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_xml_set_attr_d(
    xml: switch_xml_t,
    name: *const c_char,
    value: *const c_char,
) -> switch_xml_t {
    // SAFETY: modules pass nodes of trees that are theirs.
    let Some(mut node) = (unsafe { Node::from_raw(xml) }) else {
        return ptr::null_mut();
    };
    // SAFETY: C strings of the caller; a null value counts as empty.
    let (name, value) = unsafe { (memory::bytes(name), memory::bytes(value)) };
    node.set_attr(name, value);
    xml
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_xml_child(xml: switch_xml_t, name: *const c_char) -> switch_xml_t {
    // SAFETY: modules pass nodes of living trees, and C strings.
    let (node, name) = unsafe { (Node::from_raw(xml), memory::bytes(name)) };
    node.and_then(|node| node.child(name)).map_or(ptr::null_mut(), Node::as_ptr)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_xml_attr(xml: switch_xml_t, attr: *const c_char) -> *const c_char {
    // SAFETY: modules pass nodes of living trees, and C strings.
    let (node, name) = unsafe { (Node::from_raw(xml), memory::bytes(attr)) };
    let Some(node) = node else {
        return ptr::null();
    };
    node.attr(name).map_or(ptr::null(), |value| value.as_ptr().cast())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_xml_attr_soft(xml: switch_xml_t, attr: *const c_char) -> *const c_char {
    // SAFETY: passed on.
    let value = unsafe { switch_xml_attr(xml, attr) };
    if value.is_null() { c"".as_ptr() } else { value }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_xml_error(xml: switch_xml_t) -> *const c_char {
    // SAFETY: modules pass nodes of living trees.
    unsafe { Node::from_raw(xml) }.map_or(c"".as_ptr(), Node::error_ptr)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_xml_free(xml: switch_xml_t) {
    // SAFETY: modules pass roots that they own and forget.
    if let Some(node) = unsafe { Node::from_raw(xml) } {
        node.free();
    }
}
