//! Time conditions whose rules always or never match, or that lead nowhere.

use serde_json::{Map, Value};

use super::Warning;
use crate::resource::Record;
use crate::resource::schedule::{MONTHS, minutes, numbers};

pub(super) fn lint(record: &Record, warnings: &mut Vec<Warning>) {
    for (field, when) in [("match_destination_id", "matches"), ("no_match_destination_id", "does not match")]
    {
        if record.value(field).is_null() {
            let message =
                format!("Calls that come when the time {when} have nowhere to go: they are refused.");
            warnings.push(Warning::new(field, "dead_end", message));
        }
    }
    let rules = record.value("conditions").as_array().map(Vec::as_slice).unwrap_or_default();
    let mut never = 0;
    for (i, rule) in rules.iter().filter_map(Value::as_object).enumerate() {
        if rule.is_empty() {
            let message = "The rule says nothing, so it always matches: the other destination is never used.";
            warnings.push(Warning::new(format!("conditions.{i}"), "unreachable", message));
        } else if let Some(why) = never_matches(rule) {
            never += 1;
            warnings.push(Warning::new(format!("conditions.{i}"), "unreachable", why));
        }
    }
    if never > 0 && never == rules.len() {
        let message = "No rule ever matches: this destination is never used.";
        warnings.push(Warning::new("match_destination_id", "unreachable", message));
    }
}

/// Why a rule never matches.
fn never_matches(rule: &Map<String, Value>) -> Option<&'static str> {
    let text = |name: &str| rule.get(name).and_then(Value::as_str);
    if let (Some(from), Some(to)) = (text("time_from"), text("time_to"))
        && minutes(from) == minutes(to)
    {
        return Some("The rule begins and ends at the same minute, so it never matches.");
    }
    let days = numbers(text("mday")?, 1, &[""; 31])?;
    let months = numbers(text("mon")?, 1, &MONTHS)?;
    let longest = |month: u32| match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let some = months.iter().any(|&month| days.iter().any(|&day| day <= longest(month)));
    (!some).then_some("None of the months has such a day, so the rule never matches.")
}
