//! Decisions by time and caller: time conditions and call routing policies.

use nizam_wire::record::{self, Condition, ListBuf, TimeRule};
use serde_json::Value;

use super::{destination, time_rules};
use crate::resource::schedule::minutes;
use crate::resource::{DAYS, Record};

/// A time condition.
pub(super) fn time_condition(record: &Record) -> Vec<u8> {
    let rules: ListBuf = ListBuf::of::<TimeRule>(time_rules(record.value("conditions")));
    record::TimeCondition {
        rules: rules.as_list(),
        matched: destination::of(record, "match_"),
        otherwise: destination::of(record, "no_match_"),
    }
    .encode()
}

/// A call routing policy.
pub fn policy(record: &Record) -> Vec<u8> {
    let mut conditions = ListBuf::default();
    for condition in record.value("conditions").as_array().map(Vec::as_slice).unwrap_or_default() {
        push(&mut conditions, condition);
    }
    record::Policy {
        conditions: conditions.as_list(),
        matched: destination::of(record, "match_"),
        otherwise: destination::of(record, "no_match_"),
    }
    .encode()
}

fn push(conditions: &mut ListBuf, condition: &Value) {
    let params = condition.get("params").unwrap_or(&Value::Null);
    let text = |name: &str| params.get(name).and_then(Value::as_str);
    let texts = |name: &str| {
        let list = params.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    };
    match condition.get("type").and_then(Value::as_str).unwrap_or_default() {
        "time_of_day" => {
            let minute = |name: &str, usual: &'static str| {
                minutes(text(name).unwrap_or(usual)).and_then(|minute| u16::try_from(minute).ok())
            };
            let times = minute("start", "00:00").zip(minute("end", "23:59"));
            conditions.push(&times.map_or(Condition::Never, |(start, end)| Condition::TimeOfDay(start, end)));
        }
        "day_of_week" => {
            let bit = |name: &str| {
                let day = DAYS.iter().position(|day| day.eq_ignore_ascii_case(name));
                day.map_or(0, |day| 1_u8 << day)
            };
            conditions.push(&Condition::Weekdays(texts("days").fold(0, |days, name| days | bit(name))));
        }
        "caller_id_pattern" => conditions.push(&text("pattern").map_or(Condition::Never, Condition::Caller)),
        "blacklist" => {
            let numbers = ListBuf::of(texts("numbers"));
            conditions.push(&Condition::Blacklist(numbers.as_list()));
        }
        "geo_prefix" => {
            // A star at the end says again that it is a beginning.
            let prefixes = ListBuf::of(texts("prefixes").map(|prefix| prefix.trim_end_matches('*')));
            conditions.push(&Condition::Prefixes(prefixes.as_list()));
        }
        _ => conditions.push(&Condition::Never),
    }
}

#[cfg(test)]
mod tests {
    use nizam_wire::record::{Destination, DestinationKind};
    use serde_json::json;
    use uuid::Uuid;

    use super::super::testing::record as row;
    use super::*;

    const A: Uuid = Uuid::from_u128(0xa);

    #[test]
    fn a_time_condition_has_rules_and_two_ways() {
        let bytes = time_condition(&row(json!({
            "conditions": [{"wday": "mon-fri"}, {"time_from": "09:00", "time_to": "09:00"}, {"mday": "1"}],
            "match_destination_type": "ring_group", "match_destination_id": A,
        })));
        let condition = record::TimeCondition::decode(&bytes).unwrap();
        let rules: Vec<TimeRule> = condition.rules.iter().collect();
        assert_eq!(rules.len(), 2, "what never holds is left out");
        assert_eq!((rules[0].weekdays, rules[1].days), (0b1_1111, 1));
        let group = Destination { kind: DestinationKind::RingGroup, id: A.into_bytes() };
        assert_eq!((condition.matched, condition.otherwise), (Some(group), None));
    }

    #[test]
    fn every_kind_of_condition() {
        let condition = |kind: &str, params: Value| json!({"type": kind, "params": params});
        let bytes = policy(&row(json!({
            "conditions": [
                condition("time_of_day", json!({"start": "22:00", "end": "06:30"})),
                condition("time_of_day", json!({"start": "10:00"})),
                condition("time_of_day", json!({"start": "25:00"})),
                condition("day_of_week", json!({"days": ["mon", "SUN"]})),
                condition("caller_id_pattern", json!({"pattern": "+49*"})),
                condition("caller_id_pattern", json!({})),
                condition("blacklist", json!({"numbers": ["+1555*", "+49301"]})),
                condition("geo_prefix", json!({"prefixes": ["+44*", "+1"]})),
                condition("moon", json!({})),
            ],
            "no_match_destination_type": "ivr", "no_match_destination_id": A,
        })));
        let policy = record::Policy::decode(&bytes).unwrap();
        let listed = ListBuf::of(["+1555*", "+49301"]);
        let prefixes = ListBuf::of(["+44", "+1"]);
        assert_eq!(
            policy.conditions.iter().collect::<Vec<_>>(),
            [
                Condition::TimeOfDay(22 * 60, 6 * 60 + 30),
                Condition::TimeOfDay(600, 23 * 60 + 59),
                Condition::Never,
                Condition::Weekdays(0b100_0001),
                Condition::Caller("+49*"),
                Condition::Never,
                Condition::Blacklist(listed.as_list()),
                Condition::Prefixes(prefixes.as_list()),
                Condition::Never,
            ]
        );
        assert!(policy.matched.is_none() && policy.otherwise.is_some());
    }
}
