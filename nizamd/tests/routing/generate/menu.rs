//! Random menus and uploaded prompts.

use super::{Ids, destination, internal_number, record, text};
use crate::model::Model;
use crate::random::Random;
use serde_json::{Map, Value, json};

pub(super) fn rows(random: &Random, model: &mut Model, ids: &Ids) {
    for &id in &ids.ivrs {
        let options = options(random, ids);
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

/// What can be pressed: a list, or a map from digits.
fn options(random: &Random, ids: &Ids) -> Value {
    let mut digits = random.some(&["1", "2", "3", "0", "*", "12", "#"], 4);
    if digits.is_empty() {
        digits.push("9");
    }
    if random.percent(30) {
        let entry = |digit: &str| {
            let (kind, id) = destination::destination(random, ids);
            (digit.to_owned(), json!({"type": kind, "id": id}))
        };
        return digits.into_iter().map(entry).collect::<Map<_, _>>().into();
    }
    let entry = |digit: &str| {
        let mut entry = destination::entry(random, ids);
        entry["digit"] = if digit == "1" && random.percent(50) { json!(1) } else { json!(digit) };
        entry
    };
    digits.into_iter().map(entry).collect::<Vec<_>>().into()
}

pub(super) fn prompts(random: &Random, model: &mut Model, ids: &Ids) {
    for &id in &ids.prompts {
        let values = json!({"name": format!("Prompt {id}"), "file_name": null, "size": 1, "duration_ms": 1});
        let mut row = record(random, ids, id, model.made_at, values);
        row.values.remove("is_active");
        model.prompts.push(row);
    }
}
