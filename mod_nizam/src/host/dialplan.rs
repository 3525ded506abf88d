//! The dialplan interface `nizam`: routes without an event, a document and regular expressions.

use super::guard::guard;
use super::text::{bytes, c_string};
use super::time::now;
use crate::module;
use freeswitch_sys::{
    switch_bool_t, switch_caller_extension_add_application, switch_caller_extension_new,
    switch_caller_extension_t, switch_caller_get_field_by_name, switch_caller_profile_t,
    switch_channel_get_caller_profile, switch_channel_get_variable_dup, switch_channel_t,
    switch_core_session_get_channel, switch_core_session_t,
};
use nizam_engine::{Channel, DialplanQuestion, Route};
use std::ffi::{CStr, CString, c_void};
use std::ptr;

/// The hunt function. It runs on the thread of the session, under the read lock of this module, on a stack of 240 KiB.
pub(super) unsafe extern "C" fn hunt(
    session: *mut switch_core_session_t,
    _argument: *mut c_void,
    profile: *mut switch_caller_profile_t,
) -> *mut switch_caller_extension_t {
    guard("hunt", ptr::null_mut(), || {
        // SAFETY: the arguments as they came, used before this function returns.
        let Some(call) = (unsafe { Call::new(session, profile) }) else { return ptr::null_mut() };
        module::route(&call.question()).map_or(ptr::null_mut(), |route| call.extension(&route))
    })
}

/// The call that is hunted for, while the hunt function runs.
struct Call {
    session: *mut switch_core_session_t,
    channel: *mut switch_channel_t,
    profile: *mut switch_caller_profile_t,
}

impl Call {
    /// # Safety
    /// The arguments of a hunt function as FreeSWITCH gave them, for the time in which it runs.
    unsafe fn new(
        session: *mut switch_core_session_t,
        profile: *mut switch_caller_profile_t,
    ) -> Option<Self> {
        if session.is_null() {
            return None;
        }
        // SAFETY: the session is alive, by the caller's promise.
        let channel = unsafe { switch_core_session_get_channel(session) };
        if channel.is_null() {
            return None;
        }
        let profile = if profile.is_null() {
            // SAFETY: the channel of a session that is alive.
            unsafe { switch_channel_get_caller_profile(channel) }
        } else {
            profile
        };
        (!profile.is_null()).then_some(Self { session, channel, profile })
    }

    fn question(&self) -> DialplanQuestion<'_> {
        DialplanQuestion {
            context: self.field(c"context"),
            number: self.field(c"destination_number"),
            caller_number: self.field(c"caller_id_number"),
            address: self.field(c"network_addr"),
            caller: self.value(c"user_name"),
            caller_domain: self.value(c"domain_name"),
            gateway: self.value(c"nizam_gateway"),
            admitted: self.value(c"nizam_admitted"),
            path: self.value(c"nizam_path"),
            channel: self,
            now: now(),
        }
    }

    /// A field of the profile; an empty one does not exist, as in an event.
    fn field(&self, name: &CStr) -> Option<&[u8]> {
        // SAFETY: a profile of a session that is alive, and a NUL-terminated name.
        let value = unsafe { switch_caller_get_field_by_name(self.profile, name.as_ptr()) };
        // SAFETY: NULL, or a text in the session's pool, where texts are added, but neither changed nor freed.
        unsafe { bytes(value) }.filter(|value| !value.is_empty())
    }

    /// A variable of the channel; an empty one does not exist, as in an event.
    fn value(&self, name: &CStr) -> Option<&[u8]> {
        // A copy: other threads may set the variable meanwhile (`uuid_setvar`), and FreeSWITCH frees its old value.
        // SAFETY: the channel of a session that is alive, and a NUL-terminated name; -1 is the whole value.
        let value = unsafe {
            switch_channel_get_variable_dup(self.channel, name.as_ptr(), switch_bool_t::SWITCH_TRUE, -1)
        };
        // SAFETY: NULL, or a copy in the session's pool.
        unsafe { bytes(value) }.filter(|value| !value.is_empty())
    }

    /// The route as FreeSWITCH's own list of steps, in the session's pool. NULL: there was no memory.
    fn extension(&self, route: &Route) -> *mut switch_caller_extension_t {
        // SAFETY: as in `field`.
        let number = unsafe { switch_caller_get_field_by_name(self.profile, c"destination_number".as_ptr()) };
        let number = if number.is_null() { c"".as_ptr() } else { number };
        // SAFETY: a session that is alive, and NUL-terminated texts, which are copied.
        let extension = unsafe { switch_caller_extension_new(self.session, c"nizam".as_ptr(), number) };
        if extension.is_null() {
            return extension;
        }
        for action in route.actions() {
            let (application, data) = (c_string(action.application), c_string(action.data));
            // SAFETY: the extension was just made for this session; both texts are copied.
            unsafe {
                switch_caller_extension_add_application(
                    self.session,
                    extension,
                    application.as_ptr(),
                    data.as_ptr(),
                );
            }
        }
        extension
    }
}

impl Channel for Call {
    fn variable(&self, name: &str) -> Option<&[u8]> {
        self.value(&CString::new(name).ok()?)
    }
}
