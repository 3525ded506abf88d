//! What a call routing policy decides. Pure: the time of day is told.

use serde::Serialize;
use serde_json::{Value, json};

use crate::resource::Record;
use crate::resource::schedule::minutes;

/// A time of day in the zone of the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The day of the week, 0 for Monday.
    pub weekday: u8,
    /// Minutes since midnight.
    pub minute: u32,
}

/// What a policy decides.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "decision", rename_all = "lowercase")]
pub enum Decision {
    /// The call goes on as if there were no policy.
    Allow,
    /// The call goes elsewhere.
    Redirect {
        /// Where: `{"type": …, "id": …}`.
        redirect_to: Value,
    },
    /// The call is refused.
    Reject {
        /// Why.
        reason: String,
    },
}

/// Decides on a call. A policy without a match destination only filters.
pub fn evaluate(policy: &Record, operational: bool, caller: &str, moment: Moment) -> Decision {
    if !operational {
        return Decision::Reject { reason: "Tenant is suspended or terminated.".to_owned() };
    }
    if !policy.is("is_active") {
        return Decision::Allow;
    }
    let conditions = policy.value("conditions").as_array().map(Vec::as_slice).unwrap_or_default();
    let blacklisted = |condition: &Value| {
        condition.get("type").is_some_and(|kind| kind == "blacklist")
            && !caller.is_empty()
            && texts(condition, "numbers").any(|number| matches(number, caller))
    };
    if conditions.iter().any(blacklisted) {
        return Decision::Reject { reason: "Caller is blacklisted.".to_owned() };
    }
    let matched = conditions.iter().all(|condition| holds(condition, caller, moment));
    let side = if matched { "match" } else { "no_match" };
    let (kind, id) =
        (policy.value(&format!("{side}_destination_type")), policy.value(&format!("{side}_destination_id")));
    if kind.is_null() || id.is_null() {
        return Decision::Allow;
    }
    Decision::Redirect { redirect_to: json!({"type": kind, "id": id}) }
}

/// Whether a condition holds; one of an unknown kind does not.
fn holds(condition: &Value, caller: &str, moment: Moment) -> bool {
    let text =
        |name: &str| condition.get("params").and_then(|params| params.get(name)).and_then(Value::as_str);
    match condition.get("type").and_then(Value::as_str).unwrap_or_default() {
        "time_of_day" => {
            let (start, end) = (text("start").unwrap_or("00:00"), text("end").unwrap_or("23:59"));
            let (Some(start), Some(end)) = (minutes(start), minutes(end)) else { return false };
            if start <= end {
                (start..=end).contains(&moment.minute)
            } else {
                // Over midnight.
                moment.minute >= start || moment.minute <= end
            }
        }
        "day_of_week" => {
            let today = crate::resource::DAYS.get(usize::from(moment.weekday)).copied().unwrap_or_default();
            texts(condition, "days").any(|day| day.eq_ignore_ascii_case(today))
        }
        "caller_id_pattern" => {
            text("pattern").is_some_and(|pattern| !caller.is_empty() && matches(pattern, caller))
        }
        "blacklist" => {
            caller.is_empty() || !texts(condition, "numbers").any(|number| matches(number, caller))
        }
        "geo_prefix" => {
            texts(condition, "prefixes").any(|prefix| caller.starts_with(prefix.trim_end_matches('*')))
        }
        _ => false,
    }
}

/// The texts of a list in the parameters of a condition.
fn texts<'v>(condition: &'v Value, name: &str) -> impl Iterator<Item = &'v str> {
    let list = condition.get("params").and_then(|params| params.get(name)).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// Whether a number is as a pattern says; `*` stands for anything, also nothing.
fn matches(pattern: &str, number: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return false };
    let Some(mut rest) = number.strip_prefix(first) else { return false };
    let Some(mut last) = parts.next() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(last) else { return false };
        rest = after;
        last = part;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn policy(conditions: &Value, matched: bool, unmatched: bool) -> Record {
        let destination =
            |there: bool| if there { (json!("extension"), json!("x")) } else { (Value::Null, Value::Null) };
        let ((mt, mi), (nt, ni)) = (destination(matched), destination(unmatched));
        let values = json!({"is_active": true, "conditions": conditions,
            "match_destination_type": mt, "match_destination_id": mi,
            "no_match_destination_type": nt, "no_match_destination_id": ni});
        let Value::Object(values) = values else { panic!("no map") };
        Record { id: Uuid::nil(), tenant_id: Uuid::nil(), version: 1, values, created_at: 0, updated_at: 0 }
    }

    const NOON_MONDAY: Moment = Moment { weekday: 0, minute: 720 };

    fn matched(kind: &str, params: &Value, caller: &str, moment: Moment) -> bool {
        let policy = policy(&json!([{"type": kind, "params": params}]), true, false);
        matches!(evaluate(&policy, true, caller, moment), Decision::Redirect { .. })
    }

    #[test]
    fn times_go_over_midnight() {
        let night = json!({"start": "22:00", "end": "06:00"});
        for (minute, want) in
            [(22 * 60, true), (23 * 60, true), (0, true), (360, true), (361, false), (720, false)]
        {
            assert_eq!(matched("time_of_day", &night, "", Moment { weekday: 0, minute }), want, "{minute}");
        }
        assert!(matched("time_of_day", &json!({"start": "09:00"}), "", NOON_MONDAY));
        assert!(!matched("time_of_day", &json!({"start": "x"}), "", NOON_MONDAY));
    }

    #[test]
    fn days_patterns_and_prefixes() {
        assert!(matched("day_of_week", &json!({"days": ["MON"]}), "", NOON_MONDAY));
        assert!(!matched("day_of_week", &json!({"days": ["tue"]}), "", NOON_MONDAY));
        for (pattern, want) in [
            ("+1555*", true),
            ("*001", true),
            ("+1*1", true),
            ("+1555", false),
            ("*", true),
            ("*555*0*", true),
        ] {
            assert_eq!(
                matched("caller_id_pattern", &json!({"pattern": pattern}), "+15551001", NOON_MONDAY),
                want,
                "{pattern}"
            );
        }
        assert!(!matched("caller_id_pattern", &json!({"pattern": "*"}), "", NOON_MONDAY));
        assert!(matched("geo_prefix", &json!({"prefixes": ["+44", "+1"]}), "+1555", NOON_MONDAY));
        assert!(!matched("geo_prefix", &json!({"prefixes": ["+44"]}), "+1555", NOON_MONDAY));
        assert!(!matched("moon", &json!({}), "+1555", NOON_MONDAY));
    }

    #[test]
    fn a_blacklist_comes_first_and_filters() {
        let listed = json!([{"type": "blacklist", "params": {"numbers": ["+1555*"]}}]);
        let filter = policy(&listed, false, false);
        let rejected = Decision::Reject { reason: "Caller is blacklisted.".into() };
        assert_eq!(evaluate(&filter, true, "+15551", NOON_MONDAY), rejected);
        assert_eq!(evaluate(&filter, true, "+49301", NOON_MONDAY), Decision::Allow);
        assert_eq!(evaluate(&filter, true, "", NOON_MONDAY), Decision::Allow);
        let suspended = evaluate(&filter, false, "+49301", NOON_MONDAY);
        assert_eq!(suspended, Decision::Reject { reason: "Tenant is suspended or terminated.".into() });
        let mut off = policy(&listed, true, true);
        off.values.insert("is_active".into(), json!(false));
        assert_eq!(evaluate(&off, true, "+15551", NOON_MONDAY), Decision::Allow);
    }

    #[test]
    fn the_shapes_that_clients_know() {
        let shape = |decision: Decision| serde_json::to_value(decision).unwrap();
        assert_eq!(shape(Decision::Allow), json!({"decision": "allow"}));
        let elsewhere = evaluate(&policy(&json!([]), true, false), true, "", NOON_MONDAY);
        assert_eq!(
            shape(elsewhere),
            json!({"decision": "redirect", "redirect_to": {"type": "extension", "id": "x"}})
        );
        assert_eq!(
            shape(Decision::Reject { reason: "r".into() }),
            json!({"decision": "reject", "reason": "r"})
        );
    }
}
