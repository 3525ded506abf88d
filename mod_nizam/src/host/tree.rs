//! A list answer as FreeSWITCH's own nodes.

use super::text::c_string;
use freeswitch_sys::{
    switch_xml_add_child_d, switch_xml_free, switch_xml_new, switch_xml_set_attr_d, switch_xml_t,
};
use nizam_engine::Element;
use std::ffi::CString;

/// Builds the tree. `None`: FreeSWITCH had no memory.
pub(super) fn build(root: &Element) -> Option<switch_xml_t> {
    // SAFETY: a root keeps the pointer to its name, which is static; its memory is FreeSWITCH's.
    let node = unsafe { switch_xml_new(c"document".as_ptr()) };
    if node.is_null() {
        return None;
    }
    if fill(node, root).is_none() {
        // SAFETY: made above and handed to nobody.
        unsafe { switch_xml_free(node) };
        return None;
    }
    Some(node)
}

fn fill(node: switch_xml_t, element: &Element) -> Option<()> {
    for (name, value) in &element.attributes {
        let (name, value): (CString, CString) = (c_string(name), c_string(value));
        // SAFETY: the node is alive; `_d` copies both strings.
        unsafe { switch_xml_set_attr_d(node, name.as_ptr(), value.as_ptr()) };
    }
    // From the last to the first: `switch_xml_insert` walks the list of children up to the place given by the
    // offset, so that each of them lands at the head at once, and a list of 20,000 takes 3 ms instead of seconds.
    for (offset, child) in element.children.iter().enumerate().rev() {
        let name = c_string(child.name);
        // SAFETY: the node is alive; `_d` copies the name.
        let child_node = unsafe { switch_xml_add_child_d(node, name.as_ptr(), offset) };
        if child_node.is_null() {
            return None;
        }
        fill(child_node, child)?;
    }
    Some(())
}
