//! Where a call goes, whatever it is.

use super::json::{text, uuid};
use super::walk::Walk;
use super::{extension, flow, inert, policy, queue, ring_group, schedule};
use nizam_core::resource::Record;
use serde_json::Value;
use uuid::Uuid;

/// A kind of row and an id.
#[derive(Clone, Copy)]
pub(super) struct Destination<'m> {
    pub(super) kind: &'m str,
    pub(super) id: Uuid,
}

/// The step of a flow where a call goes that nobody took.
#[derive(Clone, Copy)]
pub(super) struct Fallback<'m> {
    pub(super) flow: &'m Record,
    pub(super) step: usize,
}

/// What a pair of fields of a row says.
pub(super) fn of_row<'m>(row: &'m Record, name: &str) -> Option<Destination<'m>> {
    let id = uuid(row.text(&format!("{name}_id")))?;
    Some(Destination { kind: row.text(&format!("{name}_type")), id })
}

/// What an entry says, in either of the two spellings.
pub(super) fn of_entry(entry: &Value) -> Option<Destination<'_>> {
    let (kind, id) = if entry.get("destination_type").is_some() {
        ("destination_type", "destination_id")
    } else if entry.get("type").is_some() {
        ("type", "id")
    } else {
        return None;
    };
    Some(Destination { kind: text(entry, kind)?, id: uuid(text(entry, id)?)? })
}

/// Whether there are destinations of that kind.
pub(super) fn is_kind(kind: &str) -> bool {
    [
        "extension",
        "ring_group",
        "ivr",
        "time_condition",
        "voicemail",
        "call_routing_policy",
        "call_flow",
        "queue",
    ]
    .contains(&kind)
}

/// Goes there. The walk is over when this returns.
pub(super) fn go<'m>(walk: &mut Walk<'m>, to: Option<Destination<'m>>, fallback: Option<Fallback<'m>>) {
    let Some(Destination { kind, id }) = to else { return nothing(walk, fallback) };
    if !walk.passes() {
        return;
    }
    let scope = walk.scope;
    let model = scope.model;
    match kind {
        "extension" => match scope.extension(id) {
            Some(row) => extension::ring(walk, row, fallback),
            None => nothing(walk, fallback),
        },
        "voicemail" => match scope.extension(id) {
            Some(row) if row.voicemail_enabled => extension::mailbox(walk, row),
            Some(_) | None => nothing(walk, fallback),
        },
        "ring_group" => match scope.row_of(&model.ring_groups, id) {
            Some(row) => ring_group::ring(walk, row, fallback),
            None => nothing(walk, fallback),
        },
        "time_condition" => match scope.row_of(&model.time_conditions, id) {
            Some(row) => {
                let holds = schedule::one_holds(scope, row.value("conditions"), walk.call.now);
                let name = if holds { "match_destination" } else { "no_match_destination" };
                go(walk, of_row(row, name), fallback);
            }
            None => nothing(walk, fallback),
        },
        "call_routing_policy" => match scope.row_of(&model.policies, id) {
            Some(row) => policy::go(walk, row, fallback),
            None => nothing(walk, fallback),
        },
        "ivr" => match scope.row_of(&model.ivrs, id) {
            Some(row) => menu(walk, row),
            None => nothing(walk, fallback),
        },
        "queue" => match scope.row_of(&model.queues, id) {
            Some(row) => queue::wait(walk, row, None),
            None => nothing(walk, fallback),
        },
        "call_flow" => match scope.row_of(&model.flows, id) {
            Some(row) => flow::begin(walk, row),
            None => nothing(walk, fallback),
        },
        _ => nothing(walk, fallback),
    }
}

/// There is nothing there: the fallback, if there is one.
pub(super) fn nothing<'m>(walk: &mut Walk<'m>, fallback: Option<Fallback<'m>>) {
    match fallback {
        Some(fallback) => flow::go_on(walk, fallback.flow, Some(fallback.step)),
        None => walk.nowhere(),
    }
}

/// A menu, and where it leads when the caller does not choose.
fn menu(walk: &mut Walk<'_>, row: &Record) {
    walk.step("answer", "");
    walk.step("sleep", "500");
    walk.step("ivr", format!("{}.{}", walk.scope.id().simple(), row.id.simple()));
    match of_row(row, "timeout_destination") {
        Some(to) => transfer(walk, &format!("{}:{}", to.kind, to.id)),
        None => walk.step("hangup", "NORMAL_CLEARING"),
    }
}

/// Continues in another lookup.
pub(super) fn transfer(walk: &mut Walk<'_>, continuation: &str) {
    let domain = walk.scope.domain();
    debug_assert!(inert::is_inert(continuation), "continuations are of our own making");
    walk.step("transfer", format!("nizam:{continuation} XML {domain}"));
}
