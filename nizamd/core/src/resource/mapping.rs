//! What a receiver wants of an event, and under which names: chosen by naming it, not by running anything.

use serde_json::{Map, Value, json};

use super::field::Shape;
use super::shape::{bounded, label, refers_to_nothing};
use crate::validate::Errors;

/// Most names.
const MOST: usize = 32;
/// Most characters of a name, of a part of a path, and of a text that is always the same.
const NAME: usize = 64;
const TEXT: usize = 255;
/// Most parts of a path.
const PARTS: usize = 8;

/// [`is_name`] as a pattern.
const NAME_PATTERN: &str = "^[A-Za-z0-9_-]{1,64}$";
/// [`is_path`] as a pattern.
const PATH_PATTERN: &str = r"^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,7}$";
/// [`is_text`] as a pattern.
const TEXT_PATTERN: &str = r"^[^\u0000-\u001f\u007f-\u009f]{0,255}$";

/// Names, and for each of them a path into the event (`data.metadata.uuid`) or a value that is always the same (`{"value": "pbx"}`).
pub(super) const MAPPING: Shape = Shape {
    read,
    refers: refers_to_nothing,
    schema: || {
        json!({
            "type": "object", "minProperties": 1, "maxProperties": MOST,
            "propertyNames": {"pattern": NAME_PATTERN},
            "additionalProperties": {"anyOf": [
                {"type": "string", "pattern": PATH_PATTERN},
                {
                    "type": "object", "required": ["value"], "additionalProperties": false,
                    "properties": {"value": {"anyOf": [
                        {"type": "string", "pattern": TEXT_PATTERN},
                        {"type": ["number", "boolean", "null"]},
                    ]}},
                },
            ]},
            "examples": [{"kind": "event", "caller": "data.metadata.caller_id_number", "source": {"value": "pbx"}}],
        })
    },
};

fn read(path: &str, value: &Value, errors: &mut Errors) -> Value {
    let Value::Object(map) = value else {
        errors.push(path, format!("The {} field must be a map.", label(path)));
        return Value::Null;
    };
    if !bounded(path, value, map.len(), (1, MOST), errors) {
        return Value::Null;
    }
    for (name, from) in map {
        if !is_name(name) {
            errors.push(
                path,
                format!("The {} field must have names of 1 to {NAME} letters, digits, _ and -.", label(path)),
            );
        } else if !from.as_str().map_or_else(|| is_literal(from), is_path) {
            let what = "a path such as data.metadata.uuid, or a map with nothing but a value";
            errors.push(&format!("{path}.{name}"), format!("The {path}.{name} field must be {what}."));
        }
    }
    value.clone()
}

fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=NAME).contains(&text.len()) && text.bytes().all(known)
}

fn is_path(text: &str) -> bool {
    text.split('.').count() <= PARTS && text.split('.').all(is_name)
}

fn is_literal(from: &Value) -> bool {
    let alone = from.as_object().filter(|map| map.len() == 1);
    alone.and_then(|map| map.get("value")).is_some_and(|value| match value {
        Value::String(text) => is_text(text),
        Value::Array(_) | Value::Object(_) => false,
        _ => true,
    })
}

fn is_text(text: &str) -> bool {
    text.chars().count() <= TEXT && !text.chars().any(char::is_control)
}

/// What a mapping makes of an event; a path that leads nowhere is null.
pub fn mapped(mapping: &Map<String, Value>, event: &Value) -> Value {
    let one = |from: &Value| match from.as_str() {
        Some(path) => path.split('.').try_fold(event, step).cloned().unwrap_or(Value::Null),
        None => from.get("value").cloned().unwrap_or(Value::Null),
    };
    Value::Object(mapping.iter().map(|(name, from)| (name.clone(), one(from))).collect())
}

/// The part of a map with that name, or of a list with that number.
fn step<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(value: &Value) -> Errors {
        let mut errors = Errors::default();
        read("mapping", value, &mut errors);
        errors
    }

    #[test]
    fn what_a_mapping_may_be() {
        for good in [
            json!({"a": "event"}),
            json!({"a-b_C9": "data.metadata.legs.0"}),
            json!({"a": {"value": null}, "b": {"value": 1.5}, "c": {"value": "x".repeat(255)}, "d": {"value": false}}),
            json!({"a": (["b"; 8].join("."))}),
            json!({"n".repeat(64): "e".repeat(64)}),
        ] {
            assert!(errors(&good).is_empty(), "{good}");
        }
        for (bad, field) in [
            (json!([]), "mapping"),
            (json!({}), "mapping"),
            (json!({"": "event"}), "mapping"),
            (json!({"a.b": "event"}), "mapping"),
            (json!({"n".repeat(65): "event"}), "mapping"),
            (json!({"a": ""}), "mapping.a"),
            (json!({"a": ".data"}), "mapping.a"),
            (json!({"a": "data..b"}), "mapping.a"),
            (json!({"a": "data[0]"}), "mapping.a"),
            (json!({"a": "${data}"}), "mapping.a"),
            (json!({"a": (["b"; 9].join("."))}), "mapping.a"),
            (json!({"a": 1}), "mapping.a"),
            (json!({"a": null}), "mapping.a"),
            (json!({"a": {}}), "mapping.a"),
            (json!({"a": {"value": 1, "more": 1}}), "mapping.a"),
            (json!({"a": {"value": {"b": 1}}}), "mapping.a"),
            (json!({"a": {"value": [1]}}), "mapping.a"),
            (json!({"a": {"value": "x\u{0}"}}), "mapping.a"),
            (json!({"a": {"value": "x".repeat(256)}}), "mapping.a"),
        ] {
            assert!(errors(&bad).has(field), "{bad}: {:?}", errors(&bad));
        }
        let many: Map<String, Value> = (0..33).map(|n| (format!("n{n}"), json!("event"))).collect();
        assert!(errors(&Value::Object(many)).has("mapping"));
    }
}
