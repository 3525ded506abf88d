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

/// The same, those more often at which most can happen.
const LIKELY: &[&str] = &[
    "extension",
    "extension",
    "extension",
    "voicemail",
    "ring_group",
    "ivr",
    "time_condition",
    "time_condition",
    "time_condition",
    "call_routing_policy",
    "call_flow",
    "call_flow",
    "queue",
    "queue",
];

/// A kind and an id; some ids are of nothing, of another kind, or another tenant's.
pub(super) fn destination(random: &Random, ids: &Ids) -> (&'static str, Uuid) {
    let kind = random.one(LIKELY);
    let own = ids.of_kind(kind);
    match random.below(100) {
        0 | 1 => (kind, random.uuid()),
        2 => (kind, random.one_or(&ids.foreign, 0, ids.tenant)),
        3 => (kind, random.one(&ids.extensions)),
        _ if own.is_empty() => ("extension", random.one(&ids.extensions)),
        _ => (kind, random.one(own)),
    }
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
