//! Reading a configuration file.

use super::text::lossy;
use freeswitch_sys::{switch_xml_attr_soft, switch_xml_child, switch_xml_free, switch_xml_open_cfg};
use std::ffi::CStr;
use std::ptr;

/// The `settings/param` of a file as names and values. `None`: there is no such file.
pub(crate) fn settings(file: &CStr) -> Option<Vec<(String, String)>> {
    let mut configuration = ptr::null_mut();
    // SAFETY: a NUL-terminated name and a place for the node.
    let root = unsafe { switch_xml_open_cfg(file.as_ptr(), &raw mut configuration, ptr::null_mut()) };
    if root.is_null() {
        return None;
    }
    let mut found = Vec::new();
    // SAFETY: a node of the tree that was just opened.
    let list = unsafe { switch_xml_child(configuration, c"settings".as_ptr()) };
    // SAFETY: a node of the tree, or NULL, which switch_xml_child takes.
    let mut param = unsafe { switch_xml_child(list, c"param".as_ptr()) };
    // SAFETY: NULL or a node of the tree; reading `next` is stable in all releases.
    while let Some(node) = unsafe { param.as_ref() } {
        // SAFETY: the node is alive, and its attributes live as long as it does.
        let [name, value] =
            [c"name", c"value"].map(|name| unsafe { switch_xml_attr_soft(param, name.as_ptr()) });
        // SAFETY: NULL or NUL-terminated, freed below.
        let [name, value] = [name, value].map(|text| unsafe { lossy(text) });
        found.push((name.into_owned(), value.into_owned()));
        param = node.next;
    }
    // SAFETY: the tree that was opened, used no more.
    unsafe { switch_xml_free(root) };
    Some(found)
}
