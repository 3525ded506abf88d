//! The step of a flow that goes one of several ways.

use super::caller_pattern::is_caller;
use super::flow::{named, variable_name};
use super::json::{list, text};
use super::schedule::one_holds;
use super::walk::Walk;
use nizam_core::resource::Record;
use serde_json::Value;

/// The first case that holds, else `default`, else `next`, else the end.
pub(super) fn decide(walk: &Walk<'_>, flow: &Record, step: &Value) -> Option<usize> {
    let data = step.get("data")?;
    let cases = data.get("branches").or_else(|| data.get("cases")).unwrap_or(&Value::Null);
    if let Some(case) = list(cases).iter().find(|case| holds(walk, case)) {
        return named(flow, case.get("next"));
    }
    named(flow, data.get("default")).or_else(|| match step.get("next") {
        Some(Value::Object(map)) => named(flow, map.get("default")),
        next => named(flow, next),
    })
}

fn holds(walk: &Walk<'_>, case: &Value) -> bool {
    if let Some(digits) = case.get("digits") {
        digits.as_str().is_some_and(|digits| is(walk, "digits", digits))
    } else if let Some(pattern) = case.get("caller") {
        pattern.as_str().is_some_and(|pattern| is_caller(walk.scope, walk.call, pattern))
    } else if let Some(rules) = case.get("conditions") {
        one_holds(walk.scope, rules, walk.call.now)
    } else if let (Some(name), Some(wanted)) = (text(case, "variable"), text(case, "equals")) {
        is(walk, name, wanted)
    } else {
        false
    }
}

/// Whether a variable is this. One that is not set is nothing.
fn is(walk: &Walk<'_>, name: &str, wanted: &str) -> bool {
    !wanted.is_empty() && walk.flow_variable(&variable_name(name)) == wanted.as_bytes()
}
