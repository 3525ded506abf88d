//! Random calendars and rules of time.

use super::{Ids, destination, record};
use crate::model::Model;
use crate::random::Random;
use serde_json::{Map, Value, json};

const DAYS: &[&str] = &["mon-fri", "2-6", "sat,sun", "1,7", "fri-mon", "WED", "3", "tue-tue", "sun-sat"];
/// The times of day that rules name.
pub(super) const TIMES: &[&str] =
    &["00:00", "09:00", "12:30", "17:00", "22:00", "06:00", "23:59", "02:30", "00:01"];

pub(super) fn holidays(random: &Random, model: &mut Model, ids: &Ids) {
    for &id in &ids.holidays {
        let dates: Vec<Value> = (0..random.within(1, 60))
            .map(|_| {
                let (month, day) = (random.within(1, 12), random.within(1, 28));
                let date = match random.below(8) {
                    0 => "02-29".to_owned(),
                    1..=4 => format!("{month:02}-{day:02}"),
                    _ => format!("{}-{month:02}-{day:02}", random.within(2026, 2036)),
                };
                json!({"date": date, "name": null})
            })
            .collect();
        let values = json!({"name": format!("Calendar {id}"), "dates": dates});
        let row = record(random, ids, id, model.made_at, values);
        model.holidays.push(row);
    }
}

pub(super) fn time_conditions(random: &Random, model: &mut Model, ids: &Ids) {
    for &id in &ids.time_conditions {
        let rules = rules(random, ids);
        let mut values = json!({"name": format!("Hours {id}"), "conditions": rules});
        destination::fields(random, ids, "match_destination", 5, &mut values);
        destination::fields(random, ids, "no_match_destination", 10, &mut values);
        let row = record(random, ids, id, model.made_at, values);
        model.time_conditions.push(row);
    }
}

/// Some rules.
pub(super) fn rules(random: &Random, ids: &Ids) -> Vec<Value> {
    (0..random.within(1, 3)).map(|_| rule(random, ids)).collect()
}

fn rule(random: &Random, ids: &Ids) -> Value {
    let mut rule = Map::new();
    let mut name = |name: &str, value: Value| drop(rule.insert(name.to_owned(), value));
    if random.percent(50) {
        name("wday", json!(random.one(DAYS)));
    }
    if random.percent(75) {
        // Every other one goes over midnight.
        let times = (random.one(TIMES), random.one(TIMES));
        let (from, to) = if random.percent(40) { ("22:00", "06:00") } else { times };
        name("time_from", json!(from));
        name("time_to", json!(to));
    }
    if random.percent(15) {
        name("mday", json!(random.one(&["1-15", "16-31", "31", "01,15", "28-3"])));
    }
    if random.percent(15) {
        name("mon", json!(random.one(&["1-6", "dec", "JUN,jul", "10-3", "02"])));
    }
    if random.percent(20) {
        let unknown = random.uuid();
        name("holiday_id", json!(random.one_or(&ids.holidays, 10, unknown)));
    }
    Value::Object(rule)
}
