//! Event bindings.

use super::guard::guard;
use super::text::c_string;
use crate::module;
use freeswitch_sys::{
    switch_event_bind_removable, switch_event_node_t, switch_event_t, switch_event_types_t,
    switch_event_unbind, switch_name_event, switch_status_t,
};
use std::ptr;

/// One bound event.
pub(crate) struct EventBinding(*mut switch_event_node_t);

// SAFETY: a handle that FreeSWITCH guards with its own lock; it is used once, to unbind.
unsafe impl Send for EventBinding {}
// SAFETY: nothing can be done with a shared reference.
unsafe impl Sync for EventBinding {}

impl EventBinding {
    /// Binds RELOADXML, which says that the configuration files were read again.
    pub(crate) fn reload_xml() -> Result<Self, String> {
        // By name: the numbers differ between releases (switch_types.h:switch_event_types_t).
        let name = c_string("RELOADXML");
        let mut id = switch_event_types_t(0);
        // SAFETY: a NUL-terminated name and a place for the answer.
        let known = unsafe { switch_name_event(name.as_ptr(), &raw mut id) };
        if known != switch_status_t::SWITCH_STATUS_SUCCESS {
            return Err("FreeSWITCH knows no event RELOADXML".into());
        }
        let mut node = ptr::null_mut();
        // SAFETY: `reloaded` has the right type and stays mapped; the id string is static.
        let status = unsafe {
            switch_event_bind_removable(
                c"mod_nizam".as_ptr(),
                id,
                ptr::null(),
                Some(reloaded),
                ptr::null_mut(),
                &raw mut node,
            )
        };
        if status == switch_status_t::SWITCH_STATUS_SUCCESS && !node.is_null() {
            Ok(Self(node))
        } else {
            Err(format!("FreeSWITCH refused the event binding: status {}", status.0))
        }
    }

    /// Unbinds; when this returns, the callback is not running. Never from inside it.
    pub(crate) fn unbind(mut self) {
        // SAFETY: the handle that FreeSWITCH gave, used once.
        unsafe { switch_event_unbind(&raw mut self.0) };
    }
}

unsafe extern "C" fn reloaded(_event: *mut switch_event_t) {
    guard("event", (), module::configuration_changed);
}
