//! How many calls there may be.

use super::walk::Walk;
use crate::model::Extension;

/// Counts the call, once, where anything bounds it.
pub(super) fn admit(walk: &mut Walk<'_>, caller: Option<&Extension>) {
    if walk.call.admitted.as_deref() == Some(b"true") {
        return;
    }
    let domain = walk.scope.domain();
    let tenant = walk.scope.row;
    let mut bounds = Vec::new();
    if tenant.max_concurrent_calls > 0 {
        bounds.push(("concurrent_calls", format!("calls {}", tenant.max_concurrent_calls)));
    }
    if walk.scope.row.max_calls_per_minute > 0 {
        bounds.push(("calls_per_minute", format!("rate {}/60", walk.scope.row.max_calls_per_minute)));
    }
    if let Some(caller) = caller.filter(|caller| caller.max_channels > 0) {
        let number = &caller.number;
        bounds.push(("extension_channels", format!("channels-{number} {}", caller.max_channels)));
    }
    if bounds.is_empty() {
        return;
    }
    walk.set_variable("nizam_admitted", "true");
    for (reason, bound) in bounds {
        walk.set_variable("nizam_refused", reason);
        walk.step("limit", format!("hash {domain} {bound} !NORMAL_TEMPORARY_FAILURE"));
    }
    walk.step("unset", "nizam_refused");
}
