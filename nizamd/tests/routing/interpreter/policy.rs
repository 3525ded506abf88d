//! Policies: what they decide, and which come before routing.

use super::caller_pattern::{caller_begins, is_caller};
use super::destination::{self, Destination, Fallback, of_row};
use super::json::{list, text, uuid};
use super::schedule::{clock, local, minute, weekday};
use super::walk::Walk;
use nizam_core::resource::Record;
use serde_json::Value;

enum Decision<'m> {
    Allow,
    Reject,
    Redirect(Destination<'m>),
}

/// Asks the policies that no active DID leads to. Whether one of them took the call.
pub(super) fn before_routing(walk: &mut Walk<'_>) -> bool {
    let scope = walk.scope;
    let dids = scope.own(&scope.model.dids);
    let is_led_to = |policy: &Record| {
        dids.iter().any(|did| {
            did.text("destination_type") == "call_routing_policy"
                && uuid(did.text("destination_id")) == Some(policy.id)
        })
    };
    let mut policies = scope.own(&scope.model.policies);
    policies.retain(|policy| !is_led_to(policy));
    policies.sort_by_key(|policy| (policy.value("priority").as_i64(), policy.id));
    for policy in policies {
        match decide(walk, policy) {
            Decision::Allow => {}
            Decision::Reject => {
                walk.reject();
                return true;
            }
            Decision::Redirect(to) => {
                destination::go(walk, Some(to), None);
                return true;
            }
        }
    }
    false
}

/// A policy as a destination.
pub(super) fn go<'m>(walk: &mut Walk<'m>, policy: &'m Record, fallback: Option<Fallback<'m>>) {
    match decide(walk, policy) {
        Decision::Allow => destination::nothing(walk, fallback),
        Decision::Reject => walk.reject(),
        Decision::Redirect(to) => destination::go(walk, Some(to), fallback),
    }
}

fn decide<'m>(walk: &Walk<'_>, policy: &'m Record) -> Decision<'m> {
    let conditions = list(policy.value("conditions"));
    let is_blacklist = |condition: &&Value| text(condition, "type") == Some("blacklist");
    if conditions.iter().filter(is_blacklist).any(|condition| !holds(walk, condition)) {
        return Decision::Reject;
    }
    let all = conditions.iter().all(|condition| holds(walk, condition));
    let name = if all { "match_destination" } else { "no_match_destination" };
    of_row(policy, name).map_or(Decision::Allow, Decision::Redirect)
}

fn holds(walk: &Walk<'_>, condition: &Value) -> bool {
    let (scope, call) = (walk.scope, walk.call);
    let params = condition.get("params").unwrap_or(&Value::Null);
    let texts = |name: &str| list(params.get(name).unwrap_or(&Value::Null)).iter().filter_map(Value::as_str);
    let now = local(scope, call.now);
    match text(condition, "type") {
        Some("time_of_day") => {
            let bound = |name: &str, otherwise: &str| clock(text(params, name).unwrap_or(otherwise));
            let (Some(start), Some(end)) = (bound("start", "00:00"), bound("end", "23:59")) else {
                return false;
            };
            let minute = minute(now);
            if start <= end { start <= minute && minute <= end } else { minute >= start || minute <= end }
        }
        Some("day_of_week") => texts("days").any(|day| day.eq_ignore_ascii_case(weekday(now.date()))),
        Some("caller_id_pattern") => {
            text(params, "pattern").is_some_and(|pattern| is_caller(scope, call, pattern))
        }
        Some("blacklist") => !texts("numbers").any(|pattern| is_caller(scope, call, pattern)),
        Some("geo_prefix") => texts("prefixes").any(|prefix| caller_begins(scope, call, prefix)),
        _ => false,
    }
}
