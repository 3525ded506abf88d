//! Flows: steps that name no step, that nothing leads to, that end without an end, that go round.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Warning;
use crate::resource::Record;

pub(super) fn lint(record: &Record, warnings: &mut Vec<Warning>) {
    let nodes = record.value("nodes").as_array().map(Vec::as_slice).unwrap_or_default();
    let ids: BTreeMap<&str, usize> =
        nodes.iter().enumerate().filter_map(|(i, node)| Some((node.get("id")?.as_str()?, i))).collect();
    let mut edges: Vec<Vec<usize>> = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        let mut next = Vec::new();
        for (path, id) in named(node, &format!("nodes.{i}")) {
            match ids.get(id.as_str()) {
                Some(&to) => next.push(to),
                None => warnings.push(Warning::new(path, "dead_end", format!("There is no step {id}."))),
            }
        }
        let kind = node.get("type").and_then(Value::as_str).unwrap_or_default();
        if next.is_empty() && !matches!(kind, "bridge" | "hangup" | "record") {
            let message = format!("The flow ends after this step ({kind}): the call is hung up.");
            warnings.push(Warning::new(format!("nodes.{i}.next"), "dead_end", message));
        }
        edges.push(next);
    }
    unreachable(nodes, &edges, warnings);
    loops(nodes, &edges, warnings);
}

/// The steps that a step names: in `next`, and in its data under `next` and `default`.
fn named(node: &Value, path: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    if let Some(next) = node.get("next") {
        texts(next, &format!("{path}.next"), &mut all);
    }
    let data = node.get("data").unwrap_or(&Value::Null);
    if node.get("type").is_some_and(|kind| kind == "branch") {
        below(data, &format!("{path}.data"), &mut all, 8);
    }
    all
}

/// A text, or the texts of a map.
fn texts(value: &Value, path: &str, all: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => all.push((path.to_owned(), text.clone())),
        Value::Object(map) => {
            let of =
                |(key, value): (&String, &Value)| Some((format!("{path}.{key}"), value.as_str()?.to_owned()));
            all.extend(map.iter().filter_map(of));
        }
        _ => {}
    }
}

fn below(value: &Value, path: &str, all: &mut Vec<(String, String)>, levels: usize) {
    if levels == 0 {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = format!("{path}.{key}");
                if matches!(key.as_str(), "next" | "default") {
                    texts(value, &path, all);
                } else {
                    below(value, &path, all, levels - 1);
                }
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                below(item, &format!("{path}.{i}"), all, levels - 1);
            }
        }
        _ => {}
    }
}

fn unreachable(nodes: &[Value], edges: &[Vec<usize>], warnings: &mut Vec<Warning>) {
    let mut reached = BTreeSet::from([0]);
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        let next = edges.get(at).map(Vec::as_slice).unwrap_or_default();
        open.extend(next.iter().copied().filter(|&to| reached.insert(to)));
    }
    for (i, node) in nodes.iter().enumerate().filter(|(i, _)| !reached.contains(i)) {
        let id = node.get("id").and_then(Value::as_str).unwrap_or_default();
        warnings.push(Warning::new(format!("nodes.{i}"), "unreachable", format!("No step leads to {id}.")));
    }
}

/// Steps that go round without asking the caller for anything.
fn loops(nodes: &[Value], edges: &[Vec<usize>], warnings: &mut Vec<Warning>) {
    let waits =
        |at: usize| nodes.get(at).and_then(|n| n.get("type")).is_some_and(|kind| kind == "collect_input");
    let name =
        |at: usize| nodes.get(at).and_then(|n| n.get("id")).and_then(Value::as_str).unwrap_or_default();
    for start in (0..nodes.len()).filter(|&start| !waits(start)) {
        let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            for &to in edges.get(at).map(Vec::as_slice).unwrap_or_default() {
                if to == start {
                    let mut way = vec![start];
                    let mut back = at;
                    while back != start {
                        way.push(back);
                        back = came_from.get(&back).copied().unwrap_or(start);
                    }
                    // Every step of the loop would say the same.
                    if way.iter().any(|&other| other < start) {
                        continue;
                    }
                    way.push(start);
                    let names: Vec<&str> = way.iter().rev().map(|&at| name(at)).collect();
                    let message = format!("The steps go round in a loop: {}.", names.join(" → "));
                    warnings.push(Warning::new(format!("nodes.{start}.next"), "loop", message));
                    open.clear();
                    break;
                }
                if !waits(to) && !came_from.contains_key(&to) {
                    came_from.insert(to, at);
                    open.push(to);
                }
            }
        }
    }
}
