//! Random menus and uploaded prompts.

use super::{Ids, destination, internal_number, record, text};
use crate::model::Model;
use crate::random::Random;
use serde_json::{Value, json};

pub(super) fn rows(random: &Random, model: &mut Model, ids: &Ids) {
    for &id in &ids.ivrs {
        let options: Vec<Value> = random
            .some(&["1", "2", "3", "0", "*", "12", "#"], 4)
            .into_iter()
            .map(|digit| {
                let mut entry = destination::entry(random, ids);
                entry["digit"] = json!(digit);
                entry
            })
            .collect();
        let mut values = json!({
            "name": format!("Menu {id}"), "number": internal_number(random, model, ids), "options": options,
            "greet_long": text::prompt(random, &ids.prompts), "greet_short": text::prompt(random, &ids.prompts),
            "timeout": random.within(1, 60), "max_failures": random.within(1, 10),
            "direct_dial": random.percent(30),
        });
        destination::fields(random, ids, "timeout_destination", 40, &mut values);
        let row = record(random, ids, id, model.made_at, values);
        model.ivrs.push(row);
    }
}

pub(super) fn prompts(random: &Random, model: &mut Model, ids: &Ids) {
    for &id in &ids.prompts {
        let values = json!({"name": format!("Prompt {id}"), "file_name": null, "size": 1, "duration_ms": 1});
        let mut row = record(random, ids, id, model.made_at, values);
        row.values.remove("is_active");
        model.prompts.push(row);
    }
}
