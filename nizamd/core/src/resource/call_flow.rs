//! Call flows: graphs of steps that a call walks.

use nizam_wire::image;
use serde_json::{Map, Value, json};

use super::field::{Default, Field, Kind, Shape};
use super::reference::{Reference, destination_of};
use super::shape::{bounded, choice, label, maps, text};
use super::{Access, Resource, no_rules};
use crate::model::Permission as P;
use crate::validate::rule::{NODE, NUMBER, PLAIN, PLAIN_KEY, harmless};
use crate::validate::{Errors, extension_key, or_null};

/// Call flows.
pub const CALL_FLOW: Resource = Resource {
    model: "CallFlow",
    label: "Call flow",
    table: "call_flows",
    path: "call-flows",
    parameter: "call_flow",
    access: Access {
        view: P::CallFlowsView,
        create: P::CallFlowsCreate,
        update: P::CallFlowsUpdate,
        delete: P::CallFlowsDelete,
    },
    quota: None,
    record: Some(image::Kind::Flow),
    by_upload: false,
    lenient: false,
    order: ("name", false),
    rules: no_rules,
    fields: &[
        Field::required("name", Kind::Text(PLAIN.such_as("Welcome"))).kept().filter().sort(),
        Field::nullable("number", Kind::Text(NUMBER.such_as("800")))
            .filter()
            .folded(extension_key)
            .about("The internal number that people dial to get there; no extension and nothing else has it."),
        Field::nullable("description", Kind::Text(PLAIN)),
        Field::required("nodes", Kind::Json(NODES)).kept().about(
            "The steps; a call begins with the first. `next` names the step that follows, or maps results to steps; `data` \
             is what the step works with.",
        ),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};

/// The kinds of steps.
pub const NODE_TYPES: &[&str] = &[
    "play_prompt",
    "collect_input",
    "branch",
    "api_call",
    "bridge",
    "record",
    "webhook",
    "set_variable",
    "hangup",
];
/// Most steps of a flow.
const MOST: usize = 200;

const NODES: Shape = Shape {
    read,
    refers,
    schema: || {
        json!({
            "type": "array", "minItems": 1, "maxItems": MOST,
            "items": {
                "type": "object",
                "properties": {
                    "id": NODE.schema(),
                    "type": {"type": "string", "enum": NODE_TYPES},
                    "data": {"type": "object", "minProperties": 1},
                    "next": {"anyOf": [
                        or_null(&NODE.schema()), {"type": "array", "maxItems": 0},
                        {"type": "object", "propertyNames": {"pattern": PLAIN_KEY}, "maxProperties": 50,
                            "additionalProperties": NODE.schema()},
                    ]},
                },
                "required": ["id", "type", "data"],
            },
            "examples": [[
                {"id": "welcome", "type": "play_prompt", "data": {"file": "ivr/welcome.wav"}, "next": "end"},
                {"id": "end", "type": "hangup", "data": {"cause": "NORMAL_CLEARING"}},
            ]],
        })
    },
};

fn read(path: &str, value: &Value, errors: &mut Errors) -> Value {
    let mut seen: Vec<String> = Vec::new();
    maps(path, value, (1, MOST), errors, |path, map, errors| {
        let id = text(&format!("{path}.id"), map.get("id"), NODE, errors);
        if let Some(id) = &id {
            if seen.contains(id) {
                errors.push(&format!("{path}.id"), format!("The {path}.id field has a duplicate value."));
            }
            seen.push(id.clone());
        }
        let kind = choice(&format!("{path}.type"), map.get("type"), NODE_TYPES, errors);
        let data = data(&format!("{path}.data"), map.get("data"), errors);
        json!({"id": id, "type": kind, "data": data, "next": next(&format!("{path}.next"), map, errors)})
    })
}

fn data(path: &str, value: Option<&Value>, errors: &mut Errors) -> Value {
    let value = value.unwrap_or(&Value::Null);
    let entries = match value {
        Value::Object(map) => map.len(),
        Value::Null => 0,
        // PHP's empty map.
        Value::Array(list) if list.is_empty() => 0,
        _ => {
            errors.push(path, format!("The {} field must be an array.", label(path)));
            return Value::Null;
        }
    };
    if !bounded(path, value, entries, (1, 100), errors) {
        return Value::Null;
    }
    if let Some(message) = harmful(path, value, 8) {
        errors.push(path, message);
    }
    value.clone()
}

/// The first text in it that would become something else on its way through FreeSWITCH.
fn harmful(path: &str, value: &Value, levels: usize) -> Option<String> {
    match value {
        _ if levels == 0 => Some(format!("The {} field must not be deeper than 8 levels.", label(path))),
        Value::String(text) if text.chars().count() > 2048 => {
            Some(format!("The {} field must not have texts of more than 2048 characters.", label(path)))
        }
        Value::String(text) => harmless(&label(path), text).err(),
        Value::Array(items) => items.iter().find_map(|item| harmful(path, item, levels - 1)),
        Value::Object(map) => map.iter().find_map(|(key, item)| {
            harmless(&label(path), key).err().or_else(|| harmful(path, item, levels - 1))
        }),
        _ => None,
    }
}

/// The step that follows, or a map from results to steps.
fn next(path: &str, map: &Map<String, Value>, errors: &mut Errors) -> Value {
    match map.get("next") {
        None | Some(Value::Null) => Value::Null,
        Some(Value::Object(map)) => {
            if map.len() > 50 {
                errors.push(path, format!("The {} field must not have more than 50 items.", label(path)));
            }
            for (key, value) in map {
                text(&format!("{path}.{key}"), Some(&json!(key)), PLAIN, errors);
                text(&format!("{path}.{key}"), Some(value), NODE, errors);
            }
            Value::Object(map.clone())
        }
        // PHP's empty map.
        Some(Value::Array(list)) if list.is_empty() => Value::Null,
        Some(value) => json!(text(path, Some(value), NODE, errors)),
    }
}

/// A step that bridges names its destination in its data.
fn refers(path: &str, value: &Value, references: &mut Vec<Reference>) {
    let nodes = value.as_array().map(Vec::as_slice).unwrap_or_default();
    references.extend(nodes.iter().enumerate().filter_map(|(i, node)| {
        if node.get("type")? == "bridge" {
            destination_of(&format!("{path}.{i}.data"), node.get("data")?)
        } else {
            None
        }
    }));
}
