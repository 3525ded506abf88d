//! Extensions and their mailboxes.

use super::destination::Fallback;
use super::flow;
use super::json::integer_in;
use super::walk::Walk;
use crate::model::Extension;

/// How long the tenant's extensions ring where nothing is said.
const RING_TIMEOUT: i64 = 30;

/// Rings it; then the fallback, or its mailbox.
pub(super) fn ring<'m>(walk: &mut Walk<'m>, row: &Extension, fallback: Option<Fallback<'m>>) {
    let number = &row.number;
    let tenants = integer_in(walk.scope.setting("ring_timeout"), 5, 300).unwrap_or(RING_TIMEOUT);
    let seconds = row.ring_timeout.filter(|&seconds| seconds > 0).unwrap_or(tenants);
    walk.set_variable("dialed_extension", number);
    walk.set_variable("call_timeout", seconds.to_string());
    walk.set_variable("hangup_after_bridge", "true");
    walk.set_variable("continue_on_fail", "true");
    walk.step("bridge", format!("user/{number}@{}", walk.scope.domain()));
    if let Some(fallback) = fallback {
        flow::go_on(walk, fallback.flow, Some(fallback.step));
    } else if row.voicemail_enabled {
        mailbox(walk, row);
    } else {
        walk.step("hangup", "${originate_disposition}");
    }
}

/// Records a message for it.
pub(super) fn mailbox(walk: &mut Walk<'_>, row: &Extension) {
    if !row.voicemail_enabled {
        return walk.nowhere();
    }
    walk.step("answer", "");
    walk.step("sleep", "500");
    walk.step("voicemail", format!("default {} {}", walk.scope.domain(), row.number));
}
