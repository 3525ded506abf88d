//! Event bindings.

use super::guard::guard;
use super::hook::{FENCE, HOOKS, Hook};
use super::log::{Level, log};
use super::occurrence;
use crate::module;
use freeswitch_sys::{
    switch_event_bind_removable, switch_event_callback_t, switch_event_create_subclass_detailed,
    switch_event_fire_detailed, switch_event_node_t, switch_event_t, switch_event_types_t,
    switch_event_unbind, switch_name_event, switch_status_t,
};
use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// One bound event.
pub(crate) struct EventBinding(*mut switch_event_node_t);

// SAFETY: a handle that FreeSWITCH guards with its own lock; it is used once, to unbind.
unsafe impl Send for EventBinding {}
// SAFETY: nothing can be done with a shared reference.
unsafe impl Sync for EventBinding {}

impl EventBinding {
    /// Binds RELOADXML, which says that the configuration files were read again.
    pub(crate) fn reload_xml() -> Result<Self, String> {
        Self::new(c"RELOADXML", Some(reloaded), ptr::null_mut())
    }

    fn new(name: &CStr, callback: switch_event_callback_t, user_data: *mut c_void) -> Result<Self, String> {
        // By name: the numbers differ between releases (switch_types.h:switch_event_types_t).
        let mut id = switch_event_types_t(0);
        // SAFETY: a NUL-terminated name and a place for the answer.
        let known = unsafe { switch_name_event(name.as_ptr(), &raw mut id) };
        if known != switch_status_t::SWITCH_STATUS_SUCCESS {
            return Err(format!("FreeSWITCH knows no event {}", name.to_string_lossy()));
        }
        let mut node = ptr::null_mut();
        // SAFETY: the callback has the right type and stays mapped; id and user data are static. Without a subclass the callback gets
        // all CUSTOM events, and no name is reserved that another module may want.
        let status = unsafe {
            switch_event_bind_removable(
                c"mod_nizam".as_ptr(),
                id,
                ptr::null(),
                callback,
                user_data,
                &raw mut node,
            )
        };
        if status == switch_status_t::SWITCH_STATUS_SUCCESS && !node.is_null() {
            Ok(Self(node))
        } else {
            Err(format!("FreeSWITCH refused the binding of {}: status {}", name.to_string_lossy(), status.0))
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

/// The events that are kept, while they are bound.
pub(crate) struct Hooks(Vec<EventBinding>);

impl Hooks {
    /// Binds them. One that this FreeSWITCH does not have is left out.
    pub(crate) fn new() -> Self {
        let bind = |hook: &'static Hook| {
            let data = ptr::from_ref(hook).cast_mut().cast();
            EventBinding::new(hook.name, Some(happened), data)
                .inspect_err(|error| log(Level::Warning, &format!("{error}; it is not kept")))
                .ok()
        };
        Self(HOOKS.iter().filter_map(bind).collect())
    }

    /// Unbinds them, after the events that were fired before.
    pub(crate) fn unbind(self) {
        // Twice: FreeSWITCH may deliver with several threads, and one that has taken an event from the queue before the first fence
        // has delivered it by the time of the second.
        let delivered = self.0.is_empty() || fence() && fence();
        if !delivered {
            log(Level::Warning, "the last events were not delivered in time, and may be missing");
        }
        self.0.into_iter().for_each(EventBinding::unbind);
    }
}

/// How many fences were delivered.
static FENCES: Mutex<u64> = Mutex::new(0);
static DELIVERED: Condvar = Condvar::new();

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Fires an event, and waits until it was delivered. False: it was not.
fn fence() -> bool {
    let before = *FENCES.lock().unwrap_or_else(PoisonError::into_inner);
    let mut event: *mut switch_event_t = ptr::null_mut();
    // SAFETY: static strings and a place for the event; CUSTOM has the same number in all releases.
    let made = unsafe {
        switch_event_create_subclass_detailed(
            c"mod_nizam".as_ptr(),
            c"nizam".as_ptr(),
            0,
            &raw mut event,
            switch_event_types_t::SWITCH_EVENT_CUSTOM,
            FENCE.as_ptr(),
        )
    };
    if made != switch_status_t::SWITCH_STATUS_SUCCESS || event.is_null() {
        return false;
    }
    // SAFETY: the event was just made, and is given away.
    unsafe {
        switch_event_fire_detailed(
            c"mod_nizam".as_ptr(),
            c"nizam".as_ptr(),
            0,
            &raw mut event,
            ptr::null_mut(),
        )
    };
    let seen = FENCES.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = DELIVERED.wait_timeout_while(seen, PATIENCE, |seen| *seen == before);
    !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
}

/// Runs under FreeSWITCH's lock of all bindings, and before everybody else who waits for the event: it copies, and waits for nothing.
unsafe extern "C" fn happened(event: *mut switch_event_t) {
    guard("event", (), || {
        // SAFETY: NULL, or an event that nobody changes while the callback runs.
        let Some(event) = (unsafe { event.as_ref() }) else { return };
        // SAFETY: what `Hooks::new` bound it with, which is static.
        let Some(hook) = (unsafe { event.bind_user_data.cast::<Hook>().as_ref() }) else { return };
        // SAFETY: the event as it came.
        if unsafe { occurrence::keep(event, hook) } == occurrence::Kept::Fence {
            *FENCES.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            DELIVERED.notify_all();
        }
    });
}
