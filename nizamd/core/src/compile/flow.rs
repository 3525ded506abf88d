//! Call flows.

use std::collections::BTreeMap;

use nizam_wire::record::{self, Branches, Case, Collect, ListBuf, Prompt, Step, StepAction, When};
use serde_json::{Map, Value};

use super::destination::{of_reference, uuid};
use super::{prompt, time_rules};
use crate::resource::{Record, destination_of};

/// The positions of steps by their names.
type Positions<'v> = BTreeMap<&'v str, u16>;

/// A call flow.
pub(super) fn flow(record: &Record) -> Vec<u8> {
    let nodes = record.value("nodes").as_array().map(Vec::as_slice).unwrap_or_default();
    let mut positions = Positions::new();
    for (position, node) in (0..=u16::MAX).zip(nodes) {
        positions.entry(name(node)).or_insert(position);
    }
    let mut steps = ListBuf::default();
    for node in nodes {
        step(&mut steps, node, &positions);
    }
    record::Flow { steps: steps.as_list() }.encode()
}

fn name(node: &Value) -> &str {
    node.get("id").and_then(Value::as_str).unwrap_or_default()
}

fn step(steps: &mut ListBuf, node: &Value, positions: &Positions<'_>) {
    let name = name(node);
    let empty = Map::new();
    let data = node.get("data").and_then(Value::as_object).unwrap_or(&empty);
    let next = node.get("next").unwrap_or(&Value::Null);
    // Only what was pressed chooses between steps; another step goes on as for any result.
    let after = match next {
        Value::Object(map) => map.get("default").and_then(|next| position(next, positions)),
        next => position(next, positions),
    };
    let mut push = |action: StepAction<'_>, next: Option<u16>| steps.push(&Step { name, action, next });
    match node.get("type").and_then(Value::as_str).unwrap_or_default() {
        "play_prompt" => push(StepAction::Play(played(data)), after),
        "collect_input" => {
            let variable = text(data, "variable").map_or_else(|| "digits".to_owned(), variable);
            let Some(map) = next.as_object() else {
                return push(StepAction::Collect(collect(data, &variable, None)), after);
            };
            let by_digits = ListBuf::of(
                map.iter()
                    .filter(|(digits, _)| *digits != "default")
                    .map(|(digits, next)| (digits.as_str(), position(next, positions))),
            );
            let branches = Branches { steps: by_digits.as_list(), otherwise: after };
            push(StepAction::Collect(collect(data, &variable, Some(branches))), None);
        }
        "branch" => {
            let listed = data.get("branches").or_else(|| data.get("cases")).and_then(Value::as_array);
            let mut cases = ListBuf::default();
            for case in listed.into_iter().flatten().filter_map(Value::as_object) {
                push_case(&mut cases, case, positions);
            }
            let otherwise = data.get("default").and_then(|next| position(next, positions));
            push(StepAction::Branch { cases: cases.as_list(), otherwise }, after);
        }
        "bridge" => {
            let to = node.get("data").and_then(|data| destination_of("data", data));
            push(StepAction::Bridge(to.as_ref().and_then(of_reference)), after);
        }
        "record" => push(StepAction::Record(number(data, "max_seconds", 300, 1, 14_400)), after),
        "webhook" | "api_call" => push(StepAction::Notify, after),
        "set_variable" => {
            let value = data.get("value").map(plain).unwrap_or_default();
            match text(data, "name").map(variable) {
                Some(name) => push(StepAction::Set { name: &name, value: &value }, after),
                None => push(StepAction::Play(Prompt::None), after),
            }
        }
        "hangup" => {
            let known = |cause: &&str| {
                cause.len() <= 64
                    && cause.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            };
            let cause = text(data, "cause").filter(|cause| !cause.is_empty()).filter(known);
            push(StepAction::Hangup(cause.unwrap_or("NORMAL_CLEARING")), None);
        }
        // It does nothing.
        _ => push(StepAction::Play(Prompt::None), after),
    }
}

fn text<'v>(data: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
    data.get(name).and_then(Value::as_str)
}

/// A name as variables of channels have them: letters, digits, `_`.
fn variable(name: &str) -> String {
    name.chars().take(64).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn position(next: &Value, positions: &Positions<'_>) -> Option<u16> {
    positions.get(next.as_str()?).copied()
}

/// What a step plays: a file, an uploaded prompt, or a text that is spoken.
fn played(data: &Map<String, Value>) -> Prompt<'_> {
    match (text(data, "file"), text(data, "prompt_id"), text(data, "text")) {
        (Some(file), ..) => prompt::read(file),
        (_, Some(id), _) => uuid(id).map_or(Prompt::None, |id| Prompt::Uploaded(id.into_bytes())),
        (.., Some(words)) => prompt::said(words),
        _ => Prompt::None,
    }
}

fn collect<'v>(
    data: &'v Map<String, Value>,
    variable: &'v str,
    branches: Option<Branches<'v>>,
) -> Collect<'v> {
    let max_digits = number(data, "max_digits", 1, 1, 64);
    let keys =
        |text: &&str| (1..=16).contains(&text.len()) && text.bytes().all(|b| b"0123456789*#".contains(&b));
    let small = |n: u16| u8::try_from(n).unwrap_or(u8::MAX);
    Collect {
        min_digits: small(number(data, "min_digits", 1, 0, max_digits)),
        max_digits: small(max_digits),
        tries: small(number(data, "tries", 1, 1, 20)),
        timeout: number(data, "timeout", 5, 1, 300),
        terminators: text(data, "terminators").filter(keys).unwrap_or("#"),
        variable,
        prompt: played(data),
        branches,
    }
}

fn push_case(cases: &mut ListBuf, case: &Map<String, Value>, positions: &Positions<'_>) {
    let next = case.get("next").and_then(|next| position(next, positions));
    let mut push = |when: When<'_>| cases.push(&Case { when, next });
    if let Some(digits) = case.get("digits") {
        push(When::Digits(&plain(digits)));
    } else if let Some(pattern) = text(case, "caller") {
        push(When::Caller(pattern));
    } else if let Some(rules) = case.get("conditions") {
        let one = Value::Array(vec![rules.clone()]);
        let rules = ListBuf::of(time_rules(if rules.is_object() { &one } else { rules }));
        push(When::Time(rules.as_list()));
    } else if let (Some(name), Some(value)) = (text(case, "variable"), case.get("equals")) {
        push(When::Variable(&variable(name), &plain(value)));
    } else {
        push(When::Never);
    }
}

/// A number within bounds; 5, or `"5"`.
fn number(data: &Map<String, Value>, name: &str, usual: u16, least: u16, most: u16) -> u16 {
    let number = data.get(name).and_then(crate::validate::fields::integer);
    let number = number.unwrap_or(i64::from(usual)).clamp(i64::from(least), i64::from(most.max(least)));
    u16::try_from(number).unwrap_or(usual)
}

/// A value as a text.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use nizam_wire::record::{DestinationKind, Flow};
    use serde_json::json;
    use uuid::Uuid;

    use super::super::testing::record as row;
    use super::*;

    const A: Uuid = Uuid::from_u128(0xa);

    fn node(id: &str, kind: &str, data: &Value, next: &Value) -> Value {
        json!({"id": id, "type": kind, "data": data, "next": next})
    }

    fn with(nodes: &Value, check: impl FnOnce(Vec<Step<'_>>)) {
        let bytes = flow(&row(json!({"nodes": nodes})));
        check(Flow::decode(&bytes).unwrap().steps.iter().collect());
    }

    /// The action of a step alone.
    fn action(kind: &str, data: &Value, check: impl FnOnce(StepAction<'_>)) {
        with(&json!([node("a", kind, data, &Value::Null)]), |steps| check(steps[0].action));
    }

    #[test]
    fn steps_name_each_other_by_position() {
        let nodes = json!([
            node("a", "play_prompt", &json!({"file": "ivr/a.wav"}), &json!("c")),
            node("b", "hangup", &json!({"cause": "USER_BUSY"}), &json!("a")),
            node("c", "webhook", &json!({"url": "x"}), &json!({"ok": "a", "default": "b"})),
            node("d", "record", &json!({"max_seconds": "9"}), &json!("nowhere")),
            node("a", "api_call", &json!({}), &Value::Null),
        ]);
        with(&nodes, |steps| {
            let all: Vec<_> = steps.iter().map(|step| (step.name, step.action, step.next)).collect();
            assert_eq!(
                all,
                [
                    ("a", StepAction::Play(Prompt::File("ivr/a.wav")), Some(2)),
                    ("b", StepAction::Hangup("USER_BUSY"), None),
                    ("c", StepAction::Notify, Some(1)),
                    ("d", StepAction::Record(9), None),
                    ("a", StepAction::Notify, None),
                ]
            );
        });
    }

    #[test]
    fn what_is_played() {
        for (data, want) in [
            (json!({"file": "/etc/passwd"}), Prompt::None),
            (json!({"file": "say:Hello"}), Prompt::Say("Hello")),
            (json!({"prompt_id": A}), Prompt::Uploaded(A.into_bytes())),
            (json!({"prompt_id": "x", "text": "y"}), Prompt::None),
            (json!({"text": " Good day "}), Prompt::Say("Good day")),
            (json!({"text": "$5"}), Prompt::None),
            (json!({"text": 5}), Prompt::None),
        ] {
            action("play_prompt", &data, |action| assert_eq!(action, StepAction::Play(want)));
        }
    }

    #[test]
    fn digits_that_are_asked_for() {
        action("collect_input", &json!({"file": "a.wav"}), |action| {
            let StepAction::Collect(collect) = action else { panic!("{action:?}") };
            assert_eq!(
                (collect.min_digits, collect.max_digits, collect.tries, collect.timeout),
                (1, 1, 1, 5)
            );
            assert_eq!((collect.terminators, collect.variable, collect.branches), ("#", "digits", None));
            assert_eq!(collect.prompt, Prompt::File("a.wav"));
        });
        let data = json!({"min_digits": 9, "max_digits": 4, "tries": 0, "timeout": 1e9, "terminators": "x", "variable": "my pin"});
        let nodes = json!([
            node("a", "collect_input", &data, &json!({"1": "b", "22": "nowhere", "default": "a"})),
            node("b", "hangup", &json!({"cause": "not a cause"}), &Value::Null),
        ]);
        with(&nodes, |steps| {
            let StepAction::Collect(collect) = steps[0].action else { panic!("no collect") };
            assert_eq!(
                (collect.min_digits, collect.max_digits, collect.tries, collect.timeout),
                (4, 4, 1, 300)
            );
            assert_eq!((collect.terminators, collect.variable), ("#", "my_pin"));
            let branches = collect.branches.unwrap();
            assert_eq!(branches.steps.iter().collect::<Vec<_>>(), [("1", Some(1)), ("22", None)]);
            assert_eq!((branches.otherwise, steps[0].next), (Some(0), None));
            assert_eq!(steps[1].action, StepAction::Hangup("NORMAL_CLEARING"));
        });
    }

    #[test]
    fn cases_of_a_branch() {
        let cases = json!([
            {"digits": 1, "next": "a"},
            {"caller": "+49*", "next": "b"},
            {"conditions": [{"wday": "mon"}], "next": "nowhere"},
            {"conditions": {"wday": "tue"}},
            {"variable": "lang-x", "equals": true, "next": "a"},
            {"variable": "x"},
            7,
        ]);
        for name in ["branches", "cases"] {
            let data = json!({name: cases, "default": "b"});
            let nodes = json!([
                node("a", "branch", &data, &json!("a")),
                node("b", "hangup", &json!({}), &Value::Null)
            ]);
            with(&nodes, |steps| {
                let StepAction::Branch { cases, otherwise } = steps[0].action else { panic!("no branch") };
                assert_eq!((otherwise, steps[0].next), (Some(1), Some(0)));
                let cases: Vec<_> = cases.iter().collect();
                assert_eq!(cases.len(), 6);
                assert_eq!((cases[0].when, cases[0].next), (When::Digits("1"), Some(0)));
                assert_eq!((cases[1].when, cases[1].next), (When::Caller("+49*"), Some(1)));
                for (case, weekday) in [(&cases[2], 1), (&cases[3], 2)] {
                    let When::Time(rules) = case.when else { panic!("{case:?}") };
                    assert_eq!(rules.iter().map(|rule| rule.weekdays).collect::<Vec<_>>(), [weekday]);
                    assert_eq!(case.next, None);
                }
                assert_eq!(cases[4].when, When::Variable("lang_x", "true"));
                assert_eq!(cases[5].when, When::Never);
            });
        }
    }

    #[test]
    fn bridges_and_variables() {
        for data in
            [json!({"destination_type": "queue", "destination_id": A}), json!({"type": "queue", "id": A})]
        {
            action("bridge", &data, |action| {
                let StepAction::Bridge(Some(to)) = action else { panic!("{action:?}") };
                assert_eq!((to.kind, to.id), (DestinationKind::Queue, A.into_bytes()));
            });
        }
        action("bridge", &json!({"x": 1}), |action| assert_eq!(action, StepAction::Bridge(None)));
        action("set_variable", &json!({"name": "a.b", "value": 5}), |action| {
            assert_eq!(action, StepAction::Set { name: "a_b", value: "5" });
        });
        action("set_variable", &json!({"value": 5}), |action| {
            assert_eq!(action, StepAction::Play(Prompt::None));
        });
    }
}
