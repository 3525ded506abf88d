//! Calls in a tenant's own context: the first thing that fits counts.

use super::scope::Scope;
use super::walk::{Walk, Walked};
use super::{
    admission, caller_id, continuation, destination, emergency, extension, number, outbound, outside, policy,
};
use crate::call::Call;
use crate::model::Extension;
use nizam_core::resource::Record;

pub(super) fn route(scope: Scope<'_>, call: &Call) -> Walked {
    let mut walk = Walk::begin(scope, call);
    if scope.is_closed() {
        walk.step("respond", "403");
        return walk.end();
    }
    let caller = scope.caller(call);
    if let Some(caller) = caller {
        caller_id::inside(&mut walk, caller);
    }
    if !before_admission(&mut walk, caller) {
        admission::admit(&mut walk, caller);
        if !policy::before_routing(&mut walk) && !internal(&mut walk) && !outbound::call(&mut walk, caller) {
            walk.step("respond", "404");
        }
    }
    walk.end()
}

/// What no policy is asked for. Whether it was that.
fn before_admission(walk: &mut Walk<'_>, caller: Option<&Extension>) -> bool {
    if emergency::call(walk, caller) {
        return true;
    }
    if walk.scope.is_suspended() {
        walk.refuse("suspended", 403);
        return true;
    }
    if let Some(target) = continuation::read(walk.call.number()) {
        admission::admit(walk, caller);
        continuation::go(walk, target);
        return true;
    }
    caller.is_some_and(|caller| feature_code(walk, caller))
}

fn feature_code(walk: &mut Walk<'_>, caller: &Extension) -> bool {
    let domain = walk.scope.domain();
    let number = &caller.number;
    let mailbox = match walk.call.number() {
        b"*97" if !caller.voicemail_enabled => {
            walk.nowhere();
            return true;
        }
        b"*97" => format!("check default {domain} {number}"),
        b"*98" => format!("check default {domain}"),
        _ => return false,
    };
    walk.step("answer", "");
    walk.step("sleep", "500");
    walk.step("voicemail", mailbox);
    true
}

/// A DID, an extension, or an internal number. Whether it was one.
fn internal(walk: &mut Walk<'_>) -> bool {
    let scope = walk.scope;
    let dialled = walk.call.number();
    let did = number::digits(dialled, scope.home()).and_then(|digits| outside::did_of(scope, &digits));
    if let Some(did) = did {
        destination::go(walk, destination::of_row(did, "destination"), None);
        return true;
    }
    if let Some(row) = scope.extension_numbered(dialled) {
        if walk.passes() {
            extension::ring(walk, row, None);
        }
        return true;
    }
    let model = scope.model;
    let numbered = [("ring_group", &model.ring_groups), ("ivr", &model.ivrs), ("call_flow", &model.flows)];
    for (kind, rows) in numbered {
        let is_it = |row: &&Record| {
            let number = row.text("number");
            !number.is_empty() && number.as_bytes().eq_ignore_ascii_case(dialled)
        };
        if let Some(row) = scope.own(rows).into_iter().find(is_it) {
            destination::go(walk, Some(destination::Destination { kind, id: row.id }), None);
            return true;
        }
    }
    false
}
