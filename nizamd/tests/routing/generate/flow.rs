//! Random flows: graphs with loops, dead ends and steps that cannot be understood.

use super::{Ids, destination, internal_number, policy, record, schedule, text};
use crate::model::Model;
use crate::random::Random;
use serde_json::{Map, Value, json};

const KINDS: &[&str] = &[
    "play_prompt",
    "play_prompt",
    "collect_input",
    "branch",
    "branch",
    "api_call",
    "bridge",
    "bridge",
    "record",
    "webhook",
    "set_variable",
    "set_variable",
    "hangup",
];
/// What is pressed.
pub(super) const DIGITS: &[&str] = &["1", "2", "12", "0", "9"];
/// Names of variables, without `flow_`.
pub(super) const VARIABLES: &[&str] = &["digits", "choice", "lang", "a b"];

pub(super) fn rows(random: &Random, model: &mut Model, ids: &Ids) {
    for &id in &ids.flows {
        let names = names(random);
        let nodes: Vec<Value> = (0..names.len()).map(|at| node(random, ids, &names, at)).collect();
        let values = json!({"name": format!("Flow {id}"), "number": internal_number(random, model, ids), "nodes": nodes});
        let row = record(random, ids, id, model.made_at, values);
        model.flows.push(row);
    }
}

fn names(random: &Random) -> Vec<String> {
    let odd = |at: usize| ["wel come", "a,b", "$x", "default"][at % 4].to_owned();
    let name = |random: &Random, at| {
        if random.percent(6) { format!("{}{at}", odd(at)) } else { format!("s{at}") }
    };
    (0..usize::try_from(random.within(1, 8)).unwrap()).map(|at| name(random, at)).collect()
}

fn node(random: &Random, ids: &Ids, names: &[String], at: usize) -> Value {
    let kind = random.one(KINDS);
    let next = if random.percent(if kind == "collect_input" { 60 } else { 4 }) {
        let keys = random.some(&["1", "2", "12", "default", "0"], 4);
        keys.into_iter().map(|key| (key.to_owned(), step(random, names, at))).collect::<Map<_, _>>().into()
    } else {
        next(random, names, at)
    };
    json!({"id": names[at], "type": kind, "data": data(random, ids, names, at, kind), "next": next})
}

/// The name of a step: mostly a later one, now and then any, or none that there is.
fn step(random: &Random, names: &[String], at: usize) -> Value {
    match random.below(20) {
        0 => json!("nowhere"),
        1 | 2 => json!(names[random.below(names.len())]),
        _ => names.get(at + 1 + random.below(2)).map_or_else(|| json!("end"), |name| json!(name)),
    }
}

fn next(random: &Random, names: &[String], at: usize) -> Value {
    if random.percent(12) { Value::Null } else { step(random, names, at) }
}

fn data(random: &Random, ids: &Ids, names: &[String], at: usize, kind: &str) -> Value {
    match kind {
        "play_prompt" => prompt(random, ids),
        "collect_input" => collect(random, ids),
        "branch" => branch(random, ids, names, at),
        "bridge" if random.percent(4) => json!({"destination_type": "extension"}),
        "bridge" => destination::entry(random, ids),
        "record" if random.percent(50) => json!({"max_seconds": random.within(1, 900)}),
        "set_variable" => {
            let value = if random.percent(75) { digits(random).to_owned() } else { text::text(random) };
            json!({"name": variable(random), "value": value})
        }
        "hangup" => json!({"cause": random.one(&["NORMAL_CLEARING", "USER_BUSY", "CALL_REJECTED"])}),
        _ => json!({"url": "https://hooks.example.org/x"}),
    }
}

fn prompt(random: &Random, ids: &Ids) -> Value {
    match random.below(10) {
        0 => json!({"text": "Hello there"}),
        1 => json!({"text": text::text(random)}),
        2 => json!({"prompt_id": random.one_or(&ids.prompts, 20, ids.tenant)}),
        _ => match text::prompt(random, &ids.prompts) {
            Value::Null => json!({"x": 1}),
            file => json!({"file": file}),
        },
    }
}

fn collect(random: &Random, ids: &Ids) -> Value {
    let mut data = if random.percent(60) { prompt(random, ids) } else { json!({"x": 1}) };
    let least = random.within(1, 3);
    let numbers = [
        ("min_digits", least),
        ("max_digits", least + random.within(0, 4)),
        ("timeout", random.within(1, 20)),
        ("tries", random.within(1, 5)),
    ];
    // Most digits are only said together with fewest.
    let from = if random.percent(50) { 0 } else { 2 };
    for (name, number) in &numbers[from..] {
        data[*name] = json!(number);
    }
    if random.percent(30) {
        data["terminators"] = json!(random.one(&["#", "*", "*#"]));
    }
    if random.percent(40) {
        data["variable"] = json!(random.one(VARIABLES));
    }
    data
}

/// Mostly one of two, so that what is set is also what is asked for.
fn digits(random: &Random) -> &'static str {
    if random.percent(60) { random.one(&DIGITS[..2]) } else { random.one(DIGITS) }
}

fn variable(random: &Random) -> &'static str {
    if random.percent(50) { "digits" } else { random.one_or(VARIABLES, 8, "é=$x") }
}

fn branch(random: &Random, ids: &Ids, names: &[String], at: usize) -> Value {
    let cases: Vec<Value> = (0..random.within(1, 3))
        .map(|_| {
            let mut case = match random.below(9) {
                0 | 1 => json!({"digits": digits(random)}),
                2 => json!({"caller": random.one(&policy::PATTERNS[..11])}),
                3 | 4 => json!({"conditions": schedule::rules(random, ids)}),
                5..=7 => json!({"variable": variable(random), "equals": digits(random)}),
                _ => json!({"moon": "full"}),
            };
            case["next"] = next(random, names, at);
            case
        })
        .collect();
    let mut data = json!({random.one(&["branches", "branches", "cases"]): cases});
    if random.percent(40) {
        data["default"] = step(random, names, at);
    }
    data
}
