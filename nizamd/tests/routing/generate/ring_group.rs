//! Random ring groups.

use super::{Ids, destination, internal_number, record};
use crate::model::Model;
use crate::random::Random;
use serde_json::json;

pub(super) fn rows(random: &Random, model: &mut Model, ids: &Ids) {
    for &id in &ids.ring_groups {
        let mut members = random.some(&ids.extensions, 4);
        if members.is_empty() || random.percent(10) {
            members.push(random.one_or(&ids.foreign, 50, id));
        }
        let mut values = json!({
            "name": format!("Group {id}"), "number": internal_number(random, model, ids), "members": members,
            "strategy": random.one(&["simultaneous", "sequential"]), "ring_timeout": random.within(5, 300),
        });
        destination::fields(random, ids, "fallback_destination", 40, &mut values);
        let row = record(random, ids, id, model.made_at, values);
        model.ring_groups.push(row);
    }
}
