//! Random destinations: mostly to what is there.

use super::Ids;
use crate::random::Random;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The kinds of destinations.
pub(super) const KINDS: &[&str] = &[
    "extension",
    "ring_group",
    "ivr",
    "time_condition",
    "voicemail",
    "call_routing_policy",
    "call_flow",
    "queue",
];

/// A kind and an id; some ids are of nothing, of another kind, or another tenant's.
pub(super) fn destination(random: &Random, ids: &Ids) -> (&'static str, Uuid) {
    // Most can happen in flows.
    let kind = if random.percent(15) { "call_flow" } else { random.one(KINDS) };
    let id = match random.below(100) {
        0..=3 => random.uuid(),
        4 | 5 => random.one_or(&ids.foreign, 0, ids.tenant),
        6 => random.one(&ids.extensions),
        _ => random.one_or(ids.of_kind(kind), 0, ids.extensions[0]),
    };
    // What has no rows is not worth many calls.
    if ids.of_kind(kind).is_empty() && random.percent(90) {
        return ("extension", random.one(&ids.extensions));
    }
    (kind, id)
}

/// Both fields of a destination, or null in both so many times of a hundred.
pub(super) fn fields(random: &Random, ids: &Ids, name: &str, nulls: usize, into: &mut Value) {
    let (kind, id) = destination(random, ids);
    let there = !random.percent(nulls);
    let fields: &mut Map<String, Value> = into.as_object_mut().unwrap();
    fields.insert(format!("{name}_type"), if there { json!(kind) } else { Value::Null });
    fields.insert(format!("{name}_id"), if there { json!(id) } else { Value::Null });
}

/// A map that names a destination, in one of the two spellings.
pub(super) fn entry(random: &Random, ids: &Ids) -> Value {
    let (kind, id) = destination(random, ids);
    if random.percent(70) {
        json!({"destination_type": kind, "destination_id": id})
    } else {
        json!({"type": kind, "id": id})
    }
}
