//! Random queues and agents.

use super::{Ids, record, text};
use crate::model::{Membership, Model};
use crate::random::Random;
use serde_json::{Value, json};

pub(super) fn rows(random: &Random, model: &mut Model, ids: &Ids) {
    let agents = agents(random, model, ids);
    for &id in &ids.queues {
        let overflow = match random.below(5) {
            0 => Value::Null,
            1 => json!(random.one(&ids.extensions)),
            2 => json!("nobody"),
            _ => json!(random.one(&["100", "101", "102", "alice", "200"])),
        };
        let values = json!({
            "name": format!("Queue {id}"), "strategy": random.one(&["ring_all", "round_robin", "least_recent"]),
            "max_wait_time": random.within(10, 600),
            "overflow_action": random.one(&["voicemail", "hangup", "extension"]),
            "overflow_destination": overflow, "music_on_hold": text::prompt(random, &ids.prompts),
            "service_level_threshold": 20, "wrapup_seconds": 0,
        });
        let row = record(random, ids, id, model.made_at, values);
        model.queues.push(row);
        for &agent_id in agents.iter().filter(|_| random.percent(75)) {
            model.memberships.push(Membership { queue_id: id, agent_id, priority: random.within(0, 2) });
        }
    }
}

fn agents(random: &Random, model: &mut Model, ids: &Ids) -> Vec<uuid::Uuid> {
    let mut agents = Vec::new();
    for &extension in ids.extensions.iter().filter(|_| random.percent(80)) {
        // Several change their state within one second.
        let changed = (model.made_at - random.within(0, 3)) * 1_000_000 + random.within(0, 999_999);
        let values = json!({
            "extension_id": extension, "name": random.one(&["Ann", "Bo", "Cy", "Ann Lee"]), "role": "agent",
            "state": random.one_or(&["busy", "paused", "offline", "ringing"], 75, "available"),
            "pause_reason": null, "state_changed_at": if random.percent(85) { json!(changed) } else { Value::Null },
        });
        let id = random.uuid();
        let row = record(random, ids, id, model.made_at, values);
        model.agents.push(row);
        agents.push(id);
    }
    agents
}
