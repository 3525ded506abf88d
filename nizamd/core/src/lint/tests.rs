use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::resource::{
    CALL_FLOW, CALL_ROUTING_POLICY, DID, IVR, OUTBOUND_ROUTE, QUEUE, RING_GROUP, TIME_CONDITION, Values,
};

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn values(value: Value) -> Values {
    match value {
        Value::Object(map) => map,
        _ => panic!("no map"),
    }
}

fn record(n: u128, value: Value) -> Record {
    let mut values = values(value);
    values.entry("name").or_insert_with(|| json!(format!("row {n}")));
    values.entry("is_active").or_insert(json!(true));
    Record { id: id(n), tenant_id: id(0), version: 1, values, created_at: 0, updated_at: 0 }
}

fn node(record: &Record) -> Node {
    Node {
        name: record.text("name").to_owned(),
        is_active: record.is("is_active"),
        values: Some(record.values.clone()),
    }
}

fn extension(is_active: bool) -> Node {
    Node { name: "1001".into(), is_active, values: None }
}

/// The findings as `path code`.
fn found(resource: &Resource, row: &Record, others: Vec<(Target, u128, Option<Node>)>) -> Vec<String> {
    let mut graph = Graph::of(resource, row);
    for (target, n, node) in others {
        graph.insert(target, id(n), node);
    }
    lint(resource, row, &graph).iter().map(|w| format!("{} {}", w.path, w.code)).collect()
}

#[test]
fn what_is_not_there_or_switched_off() {
    let did = record(1, json!({"destination_type": "extension", "destination_id": id(7)}));
    assert_eq!(found(&DID, &did, vec![(Target::Extension, 7, None)]), ["destination_id missing"]);
    let off = vec![(Target::Extension, 7, Some(extension(false)))];
    assert_eq!(found(&DID, &did, off), ["destination_id inactive"]);
    assert!(found(&DID, &did, vec![(Target::Extension, 7, Some(extension(true)))]).is_empty());
    let group = record(1, json!({"members": [id(7)]}));
    let off = vec![(Target::Extension, 7, Some(extension(false)))];
    assert_eq!(found(&RING_GROUP, &group, off), ["members.0 inactive", "members dead_end"]);
}

#[test]
fn a_call_that_comes_back_by_itself() {
    let hours = record(
        1,
        json!({"conditions": [{"wday": "mon-fri"}], "match_destination_type": "ring_group", "match_destination_id": id(2),
            "no_match_destination_type": "voicemail", "no_match_destination_id": id(7)}),
    );
    let back = json!({"members": [id(7)], "fallback_destination_type": "time_condition", "fallback_destination_id": id(1)});
    let sales = record(2, back);
    let others = || {
        vec![
            (Target::RingGroup, 2, Some(node(&sales))),
            (Target::Voicemail, 7, Some(extension(true))),
            (Target::Extension, 7, Some(extension(true))),
        ]
    };
    assert_eq!(found(&TIME_CONDITION, &hours, others()), ["match_destination_id loop"]);
    let mut graph = Graph::of(&TIME_CONDITION, &hours);
    for (target, n, node) in others() {
        graph.insert(target, id(n), node);
    }
    let message = &lint(&TIME_CONDITION, &hours, &graph)[0].message;
    assert!(message.contains("time condition row 1 → ring group row 2 → time condition row 1"), "{message}");
    // A number that only leads into the loop is told as well.
    let did = record(3, json!({"destination_type": "time_condition", "destination_id": id(1)}));
    let mut all = others();
    all.push((Target::TimeCondition, 1, Some(node(&hours))));
    assert_eq!(found(&DID, &did, all), ["destination_id loop"]);
    // Whoever presses a key again and again wants to.
    let option = json!({"digit": "1", "destination_type": "ivr", "destination_id": id(4)});
    let menu = record(4, json!({"options": [option]}));
    assert!(found(&IVR, &menu, vec![]).is_empty());
}

#[test]
fn rules_that_always_or_never_match() {
    let hours = |rules: Value| {
        record(
            1,
            json!({"conditions": rules, "match_destination_type": "extension", "match_destination_id": id(7),
                "no_match_destination_type": "extension", "no_match_destination_id": id(7)}),
        )
    };
    let there = || vec![(Target::Extension, 7, Some(extension(true)))];
    let check = |rules: Value| found(&TIME_CONDITION, &hours(rules), there());
    assert!(check(json!([{"wday": "mon-fri", "time_from": "22:00", "time_to": "06:00"}])).is_empty());
    assert!(check(json!([{"mday": "31", "mon": "2,3"}])).is_empty());
    assert_eq!(check(json!([{"wday": "mon"}, {}])), ["conditions.1 unreachable"]);
    let never = ["conditions.0 unreachable", "match_destination_id unreachable"];
    assert_eq!(check(json!([{"mday": "30-31", "mon": "feb"}])), never);
    assert_eq!(check(json!([{"time_from": "09:00", "time_to": "09:00"}])), never);
    let bare = record(1, json!({"conditions": [{"wday": "mon"}]}));
    let ends = ["match_destination_id dead_end", "no_match_destination_id dead_end"];
    assert_eq!(found(&TIME_CONDITION, &bare, vec![]), ends);
}

#[test]
fn menus_and_patterns_that_hide_others() {
    let there = || vec![(Target::Extension, 7, Some(extension(true)))];
    let option =
        |digit: &str| json!({"digit": digit, "destination_type": "extension", "destination_id": id(7)});
    let menu = record(1, json!({"options": [option("1"), option("12"), option("2")]}));
    assert_eq!(found(&IVR, &menu, there()), ["options.1.digit ambiguous"]);
    let route = |patterns: &[&str]| record(1, json!({"patterns": patterns, "gateways": []}));
    let check = |patterns: &[&str]| found(&OUTBOUND_ROUTE, &route(patterns), vec![]);
    assert_eq!(check(&["1NXXNXXXXXX", "12125551234"]), ["patterns.1 unreachable"]);
    assert_eq!(check(&["0044.", "00441."]), ["patterns.1 unreachable"]);
    assert_eq!(check(&["911", "911"]), ["patterns.1 unreachable"]);
    assert!(check(&["00441.", "0044.", "0044", "911", "9.", "NXX", "XXX"]).is_empty());
}

#[test]
fn flows_with_loose_ends() {
    let flow = |nodes: Value| found(&CALL_FLOW, &record(1, json!({"nodes": nodes})), vec![]);
    let step = |id: &str, kind: &str, next: Value| json!({"id": id, "type": kind, "data": {"file": "a.wav"}, "next": next});
    assert!(flow(json!([step("a", "play_prompt", json!("b")), step("b", "hangup", Value::Null)])).is_empty());
    assert_eq!(
        flow(json!([step("a", "play_prompt", json!("zz")), step("b", "hangup", Value::Null)])),
        ["nodes.0.next dead_end", "nodes.0.next dead_end", "nodes.1 unreachable"]
    );
    let round = json!([step("a", "play_prompt", json!("b")), step("b", "play_prompt", json!("a"))]);
    assert_eq!(flow(round), ["nodes.0.next loop"]);
    let asks = json!([
        step("a", "collect_input", json!({"1": "b", "default": "a"})),
        step("b", "play_prompt", json!("a")),
    ]);
    assert!(flow(asks).is_empty());
    let branch = json!([
        {"id": "a", "type": "branch", "data": {"branches": [{"digits": "1", "next": "b"}], "default": "c"}, "next": null},
        step("b", "hangup", Value::Null), step("c", "hangup", Value::Null),
    ]);
    assert!(flow(branch).is_empty());
}

#[test]
fn prompts_that_nobody_hears() {
    let menu = |long: &str| record(1, json!({"options": [], "greet_long": long, "greet_short": null}));
    assert_eq!(found(&IVR, &menu("/etc/passwd"), vec![]), ["greet_long prompt"]);
    assert_eq!(found(&IVR, &menu("say:it costs $5"), vec![]), ["greet_long prompt"]);
    for heard in ["ivr/welcome.wav", "say:Hello", "local_stream://moh", &id(7).to_string()] {
        assert!(found(&IVR, &menu(heard), vec![]).is_empty(), "{heard}");
    }
    let queue = record(1, json!({"music_on_hold": "http://example.org/x.mp3"}));
    assert_eq!(found(&QUEUE, &queue, vec![]), ["music_on_hold prompt"]);
    let steps = |data: Value| {
        let nodes = json!([
            {"id": "a", "type": "play_prompt", "data": data, "next": "b"},
            {"id": "b", "type": "hangup", "data": {"cause": "x"}, "next": null},
        ]);
        found(&CALL_FLOW, &record(1, json!({"nodes": nodes})), vec![])
    };
    assert_eq!(steps(json!({"file": "../x.wav"})), ["nodes.0.data.file prompt"]);
    assert_eq!(steps(json!({"prompt_id": "x"})), ["nodes.0.data.prompt_id prompt"]);
    assert_eq!(steps(json!({"text": "a\\b"})), ["nodes.0.data.text prompt"]);
    assert_eq!(steps(json!({"x": 1})), ["nodes.0.data prompt"]);
    assert!(steps(json!({"text": "Good day"})).is_empty());
}

/// Whatever leads where: it ends, and it says something sensible.
#[test]
fn any_graph_is_walked_to_its_end() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |most: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % most
    };
    for _ in 0..300 {
        let rows: Vec<(Target, Record)> = (1..=20_u128)
            .map(|n| {
                let to = json!(id(u128::from(random(22)) + 1));
                let kind = ["time_condition", "call_routing_policy", "ring_group"][usize::try_from(random(3)).unwrap()];
                let value = json!({"conditions": [{}], "match_destination_type": kind, "match_destination_id": to,
                    "members": [], "fallback_destination_type": kind, "fallback_destination_id": to});
                let target = [Target::TimeCondition, Target::CallRoutingPolicy, Target::RingGroup][(n % 3) as usize];
                (target, record(n, value))
            })
            .collect();
        let (_, first) = &rows[0];
        let mut graph = Graph::of(&CALL_ROUTING_POLICY, first);
        while let Some((target, wanted)) = graph.wanted().first().copied() {
            let there = rows.iter().find(|(kind, row)| *kind == target && row.id == wanted);
            graph.insert(target, wanted, there.map(|(_, row)| node(row)));
        }
        lint(&CALL_ROUTING_POLICY, first, &graph);
    }
}
