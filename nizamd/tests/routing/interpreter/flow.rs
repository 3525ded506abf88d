//! Call flows, step by step.

use super::destination::{self, Fallback, of_entry, transfer};
use super::flow_case::decide;
use super::flow_input;
use super::inert::is_inert;
use super::json::{integer, integer_in, list, text};
use super::prompt;
use super::walk::Walk;
use nizam_core::resource::Record;
use serde_json::Value;

/// Longest recording where nothing is said, in seconds.
const RECORDING: i64 = 300;

/// A flow from its first step on.
pub(super) fn begin<'m>(walk: &mut Walk<'m>, flow: &'m Record) {
    walk.step("answer", "");
    go_on(walk, flow, Some(0));
}

fn steps(flow: &Record) -> &[Value] {
    list(flow.value("nodes"))
}

/// The position of the step with that name; none where it is not there.
pub(super) fn named(flow: &Record, name: Option<&Value>) -> Option<usize> {
    let name = name?.as_str()?;
    steps(flow).iter().position(|step| text(step, "id") == Some(name))
}

/// The step after this one. Of a map, that for everything else.
fn next(flow: &Record, step: &Value) -> Option<usize> {
    match step.get("next")? {
        Value::Object(map) => named(flow, map.get("default")),
        name => named(flow, Some(name)),
    }
}

/// A flow from some step on, or its end. The walk is over when this returns.
pub(super) fn go_on<'m>(walk: &mut Walk<'m>, flow: &'m Record, from: Option<usize>) {
    let mut at = from;
    while let Some((index, step)) = at.and_then(|index| Some((index, steps(flow).get(index)?))) {
        if !walk.passes() {
            return;
        }
        let data = step.get("data").unwrap_or(&Value::Null);
        match text(step, "type") {
            Some("play_prompt") => {
                if let Some(prompt) = prompt::of_step(walk.scope, data) {
                    prompt.play(walk);
                }
            }
            Some("collect_input") => {
                flow_input::ask(walk, data);
                if step.get("next").is_some_and(Value::is_object) {
                    return transfer(walk, &format!("flow:{}:{index}", flow.id));
                }
            }
            Some("branch") if walk.collected => return transfer(walk, &format!("flow:{}:{index}", flow.id)),
            Some("branch") => {
                at = decide(walk, flow, step);
                continue;
            }
            Some("bridge") => {
                let fallback = next(flow, step).map(|step| Fallback { flow, step });
                return destination::go(walk, of_entry(data), fallback);
            }
            Some("record") => {
                let seconds = integer_in(&data["max_seconds"], 1, 65_535).unwrap_or(RECORDING);
                let tenant = walk.scope.id();
                walk.step("mkdir", format!("${{recordings_dir}}/{tenant}"));
                walk.step("record", format!("${{recordings_dir}}/{tenant}/${{uuid}}.wav {seconds}"));
            }
            Some("webhook" | "api_call") => notify(walk, flow, step),
            Some("set_variable") => set(walk, data),
            Some("hangup") => return walk.step("hangup", cause(data)),
            _ => {}
        }
        at = next(flow, step);
    }
    walk.step("hangup", "NORMAL_CLEARING");
}

/// A flow from a step on that decides about what was pressed before this lookup. One that decides nothing is done.
pub(super) fn resume<'m>(walk: &mut Walk<'m>, flow: &'m Record, index: usize) {
    let Some(step) = steps(flow).get(index) else { return walk.nowhere() };
    let at = match (text(step, "type"), step.get("next")) {
        (Some("collect_input"), Some(Value::Object(map))) => {
            let variable = flow_input::variable(&step["data"]);
            let digits = String::from_utf8_lossy(walk.flow_variable(&variable)).into_owned();
            let chosen = map.get(&digits).filter(|_| !digits.is_empty());
            named(flow, chosen.or_else(|| map.get("default")))
        }
        _ => Some(index),
    };
    go_on(walk, flow, at);
}

fn notify(walk: &mut Walk<'_>, flow: &Record, step: &Value) {
    let is_plain = |name: &&str| is_inert(name) && !name.contains(|c: char| " \"',<>[]^{|}".contains(c));
    let name = text(step, "id").filter(is_plain).unwrap_or_default();
    let tenant = walk.scope.id();
    walk.step(
        "event",
        format!(
            "Event-Name=CUSTOM,Event-Subclass=nizam::flow,nizam_tenant={tenant},nizam_flow={},nizam_step={name}",
            flow.id
        ),
    );
}

fn set(walk: &mut Walk<'_>, data: &Value) {
    let value = match data.get("value") {
        Some(Value::String(text)) => text.clone(),
        Some(number @ Value::Number(_)) => {
            integer(number).map_or_else(|| number.to_string(), |n| n.to_string())
        }
        _ => return,
    };
    let Some(name) = text(data, "name").map(variable_name) else { return };
    if is_inert(&value) {
        walk.set_variable(&format!("flow_{name}"), &value);
        walk.set.insert(name, value);
    }
}

/// What follows `flow_` in the name of a variable: letters, digits and `_`, which stands for all others.
pub(super) fn variable_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn cause(data: &Value) -> &str {
    let known =
        |cause: &&str| cause.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    text(data, "cause").filter(known).unwrap_or("NORMAL_CLEARING")
}
