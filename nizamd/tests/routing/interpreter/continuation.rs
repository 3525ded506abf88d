//! Numbers that only steps of ours lead to.

use super::destination::{self, Destination, is_kind};
use super::json::uuid;
use super::walk::Walk;
use super::{extension, flow, queue};
use uuid::Uuid;

/// Where a continuation goes.
#[derive(Clone, Copy)]
pub(super) enum Continuation<'m> {
    /// `nizam:KIND:ID`
    Destination(Destination<'m>),
    /// `nizam:direct:IVR:DIGITS`
    Direct(Uuid, &'m str),
    /// `nizam:queue:QUEUE:UNTIL`
    Queue(Uuid, i64),
    /// `nizam:flow:FLOW:INDEX`
    Flow(Uuid, usize),
    /// None of these.
    Nowhere,
}

/// The continuation that a number is, if it is one.
pub(super) fn read(number: &[u8]) -> Option<Continuation<'_>> {
    let rest = number.strip_prefix(b"nizam:")?;
    Some(std::str::from_utf8(rest).ok().and_then(known).unwrap_or(Continuation::Nowhere))
}

fn known(rest: &str) -> Option<Continuation<'_>> {
    let parts: Vec<&str> = rest.split(':').collect();
    match parts.as_slice() {
        ["direct", ivr, digits] => Some(Continuation::Direct(uuid(ivr)?, digits)),
        ["flow", flow, index] if index.chars().all(|c| c.is_ascii_digit()) => {
            Some(Continuation::Flow(uuid(flow)?, index.parse().ok()?))
        }
        ["queue", queue, until] => Some(Continuation::Queue(uuid(queue)?, until.parse().ok()?)),
        [kind, id] if is_kind(kind) => Some(Continuation::Destination(Destination { kind, id: uuid(id)? })),
        _ => None,
    }
}

pub(super) fn go<'m>(walk: &mut Walk<'m>, to: Continuation<'m>) {
    walk.continues = true;
    let scope = walk.scope;
    match to {
        Continuation::Destination(to) => destination::go(walk, Some(to), None),
        Continuation::Direct(ivr, digits) => match scope.extension_numbered(digits.as_bytes()) {
            Some(row) => {
                if walk.passes() {
                    extension::ring(walk, row, None);
                }
            }
            None => destination::go(walk, Some(Destination { kind: "ivr", id: ivr }), None),
        },
        Continuation::Flow(id, index) => match scope.row_of(&scope.model.flows, id) {
            Some(row) => flow::resume(walk, row, index),
            None => walk.nowhere(),
        },
        Continuation::Queue(id, until) => match scope.row_of(&scope.model.queues, id) {
            Some(row) => queue::wait(walk, row, Some(until)),
            None => walk.nowhere(),
        },
        Continuation::Nowhere => walk.nowhere(),
    }
}
