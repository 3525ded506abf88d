//! Random policies.

use super::{Ids, destination, record};
use crate::model::Model;
use crate::random::Random;
use serde_json::{Value, json};

/// Patterns of callers.
pub(super) const PATTERNS: &[&str] = &[
    "+1555*",
    "*001",
    "+49301234567",
    "100",
    "*",
    "+49*",
    "0*",
    "*55*0*",
    "anonymous",
    "+15551001001",
    "5551001001",
    "",
    "+",
];
const TIMES: &[&str] = &["00:00", "09:00", "17:00", "22:00", "06:00", "23:59"];
const DAYS: &[&str] = &["mon", "TUE", "wed", "thu", "Fri", "sat", "sun"];

pub(super) fn rows(random: &Random, model: &mut Model, ids: &Ids) {
    for &id in &ids.policies {
        let conditions: Vec<Value> = (0..random.within(1, 3)).map(|_| condition(random)).collect();
        let mut values = json!({
            "name": format!("Policy {id}"), "conditions": conditions, "priority": random.within(0, 2),
        });
        destination::fields(random, ids, "match_destination", 60, &mut values);
        destination::fields(random, ids, "no_match_destination", 85, &mut values);
        let row = record(random, ids, id, model.made_at, values);
        model.policies.push(row);
    }
}

fn condition(random: &Random) -> Value {
    let patterns = |random: &Random| -> Vec<&str> {
        (0..random.within(1, 3)).map(|_| random.one(&PATTERNS[..PATTERNS.len() - 2])).collect()
    };
    match random.below(5) {
        0 => {
            let mut params = json!({});
            if random.percent(80) {
                params["start"] = json!(random.one(TIMES));
            }
            if random.percent(80) || params == json!({}) {
                params["end"] = json!(random.one(TIMES));
            }
            json!({"type": "time_of_day", "params": params})
        }
        1 => {
            let mut days = random.some(DAYS, 5);
            days.push(random.one(DAYS));
            json!({"type": "day_of_week", "params": {"days": days}})
        }
        2 => json!({"type": "caller_id_pattern", "params": {"pattern": patterns(random)[0]}}),
        3 => json!({"type": "blacklist", "params": {"numbers": blacklist(random)}}),
        _ => json!({"type": "geo_prefix", "params": {"prefixes": patterns(random)}}),
    }
}

/// Few callers are on it, or every policy would reject.
fn blacklist(random: &Random) -> Vec<&'static str> {
    let mut numbers = vec!["+49177*"];
    if random.percent(40) {
        numbers.push(random.one(PATTERNS));
    }
    numbers.retain(|number| !number.is_empty() && (*number != "*" || random.percent(10)));
    numbers
}
