//! Which events are kept.

use super::allowed::{BASE, CALL, CENTER, CONFERENCE, END, HEART, MAIL, OURS, RECORD, SIP};
use nizam_engine::spool::Class;
use std::ffi::CStr;

/// An event that is bound.
pub(super) struct Hook {
    /// Its name; its number differs between releases.
    pub(super) name: &'static CStr,
    /// The kinds of headers that are kept of it. Of CUSTOM events the subclass says that: [`custom`].
    pub(super) kinds: u16,
    pub(super) class: Class,
}

const fn trace(name: &'static CStr, kinds: u16) -> Hook {
    Hook { name, kinds, class: Class::Trace }
}

/// All of them.
pub(super) static HOOKS: [Hook; 16] = [
    trace(c"CHANNEL_CREATE", BASE | CALL),
    trace(c"CHANNEL_PROGRESS", BASE | CALL),
    trace(c"CHANNEL_PROGRESS_MEDIA", BASE | CALL),
    trace(c"CHANNEL_ANSWER", BASE | CALL),
    trace(c"CHANNEL_BRIDGE", BASE | CALL),
    trace(c"CHANNEL_UNBRIDGE", BASE | CALL),
    trace(c"CHANNEL_HOLD", BASE | CALL),
    trace(c"CHANNEL_UNHOLD", BASE | CALL),
    Hook { name: c"CHANNEL_HANGUP_COMPLETE", kinds: BASE | CALL | END, class: Class::Final },
    trace(c"CALL_UPDATE", BASE | CALL),
    trace(c"CHANNEL_UUID", BASE | CALL),
    trace(c"RECORD_START", BASE | CALL | RECORD),
    trace(c"RECORD_STOP", BASE | CALL | RECORD),
    trace(c"HEARTBEAT", BASE | HEART),
    trace(c"SHUTDOWN", BASE | HEART),
    trace(c"CUSTOM", 0),
];

/// What is fired to know that all events before it were delivered.
pub(super) const FENCE: &CStr = c"nizam::fence";

/// The kinds of headers that are kept of a CUSTOM event. `None`: it is of no interest.
pub(super) fn custom(subclass: &[u8]) -> Option<u16> {
    Some(match subclass {
        b"sofia::register"
        | b"sofia::unregister"
        | b"sofia::expire"
        | b"sofia::register_failure"
        | b"sofia::gateway_state"
        | b"sofia::gateway_add" => BASE | SIP,
        b"vm::maintenance" => BASE | CALL | MAIL,
        b"conference::maintenance" => BASE | CALL | CONFERENCE,
        b"callcenter::info" => BASE | CALL | CENTER,
        _ if subclass == FENCE.to_bytes() => return None,
        _ if subclass.starts_with(b"nizam::") => BASE | CALL | OURS,
        _ => return None,
    })
}
