//! IVRs: menus that callers walk by pressing digits.

use nizam_wire::image;
use serde_json::{Map, Value, json};

use super::destination::{id, kind, together};
use super::field::{Default, Field, Kind, Shape, Values};
use super::reference::{Reference, destination_of, destination_schema, read_destination};
use super::shape::{bounded, has_nul, label};
use super::{Access, Resource};
use crate::model::Permission as P;
use crate::validate::rule::{DIGITS, NUMBER, PLAIN, PROMPT};
use crate::validate::{Errors, extension_key};

/// IVRs.
pub const IVR: Resource = Resource {
    model: "Ivr",
    label: "IVR",
    table: "ivrs",
    path: "ivrs",
    parameter: "ivr",
    access: Access { view: P::IvrsView, create: P::IvrsCreate, update: P::IvrsUpdate, delete: P::IvrsDelete },
    quota: None,
    record: Some(image::Kind::Ivr),
    by_upload: false,
    lenient: false,
    order: ("name", false),
    rules,
    fields: &[
        Field::required("name", Kind::Text(PLAIN)).filter().sort(),
        Field::nullable("number", Kind::Text(NUMBER.such_as("700"))).filter().folded(extension_key).about(
            "The internal number that people dial to get there; no extension and nothing else has it.",
        ),
        Field::nullable("greet_long", Kind::Text(PROMPT)).about("What a caller hears first."),
        Field::nullable("greet_short", Kind::Text(PROMPT))
            .about("What a caller hears when the menu repeats."),
        Field::optional("timeout", Kind::Integer(1, 60), Default::Integer(5))
            .about("How long it waits for a digit, in seconds."),
        Field::optional("max_failures", Kind::Integer(1, 10), Default::Integer(3))
            .about("After so many wrong or missing digits the call goes on to the timeout destination."),
        Field::required("options", Kind::Json(OPTIONS))
            .about("Digits and where they lead: a list of entries, or a map from digits to `type` and `id`."),
        Field::optional("direct_dial", Kind::Flag, Default::Flag(false))
            .about("Whether callers may dial extensions of two digits or more."),
        kind("timeout_destination_type"),
        id("timeout_destination_id", "timeout_destination_type"),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};

/// Most options of a menu.
const MOST: usize = 50;

const OPTIONS: Shape = Shape {
    read,
    refers,
    schema: || {
        let digits = DIGITS.schema();
        let mut entry = destination_schema("destination_type", "destination_id");
        entry.insert("digit".to_owned(), digits.clone());
        json!({
            "anyOf": [
                {
                    "type": "array", "minItems": 1, "maxItems": MOST,
                    "items": {
                        "type": "object",
                        "properties": entry,
                        "required": ["digit", "destination_type", "destination_id"],
                    },
                },
                {
                    "type": "object", "minProperties": 1, "maxProperties": MOST,
                    "propertyNames": digits,
                    "additionalProperties": {
                        "type": "object",
                        "properties": destination_schema("type", "id"),
                        "required": ["type", "id"],
                    },
                },
            ],
            "examples": [[{
                "digit": "1", "destination_type": "extension",
                "destination_id": "019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01",
            }]],
        })
    },
};

/// A menu in one of its two forms, as it was sent.
fn read(path: &str, value: &Value, errors: &mut Errors) -> Value {
    let entries_of = match value {
        Value::Array(list) => list.len(),
        Value::Object(map) => map.len(),
        _ => {
            errors.push(path, format!("The {} field must be an array.", label(path)));
            return Value::Null;
        }
    };
    if !bounded(path, value, entries_of, (1, MOST), errors) {
        return Value::Null;
    }
    // Entries keep what else they have, whatever it is; but no text of PostgreSQL holds NUL.
    if has_nul(value) {
        errors.push(path, format!("The {} field must not contain NUL characters.", label(path)));
        return Value::Null;
    }
    let mut seen = Vec::new();
    for (entry_path, digit, entry) in entries(path, value) {
        let Some(entry) = entry.as_object() else {
            errors.push(&entry_path, format!("The {} field must be an array.", label(&entry_path)));
            continue;
        };
        read_digit(&entry_path, digit, &mut seen, errors);
        read_destination(&entry_path, entry, errors);
    }
    value.clone()
}

fn read_digit(path: &str, digit: Option<String>, seen: &mut Vec<String>, errors: &mut Errors) {
    let path = format!("{path}.digit");
    let Some(digit) = digit else {
        errors.push(&path, format!("The {path} field is required."));
        return;
    };
    match (DIGITS.check)(&path, &digit) {
        Err(message) => errors.push(&path, message),
        Ok(digit) if seen.contains(&digit) => {
            errors.push(&path, format!("The {path} field has a duplicate value."));
        }
        Ok(digit) => seen.push(digit),
    }
}

/// The entries of a menu: where each is, its digits, what it says.
fn entries<'v>(path: &str, value: &'v Value) -> Vec<(String, Option<String>, &'v Value)> {
    let listed = |(key, entry): (String, &'v Value)| {
        let digit = entry.as_object().and_then(digit_of);
        (format!("{path}.{key}"), digit, entry)
    };
    match value {
        Value::Array(list) => {
            list.iter().enumerate().map(|(i, entry)| listed((i.to_string(), entry))).collect()
        }
        // A form sends a list as a map whose keys are numbers; then the entries have digits of their own.
        Value::Object(map) if map.values().all(|entry| entry.get("digit").is_some()) => {
            map.iter().map(|(key, entry)| listed((key.clone(), entry))).collect()
        }
        Value::Object(map) => {
            map.iter().map(|(key, entry)| (format!("{path}.{key}"), Some(key.clone()), entry)).collect()
        }
        _ => Vec::new(),
    }
}

/// `"1"`, or the number 1.
fn digit_of(entry: &Map<String, Value>) -> Option<String> {
    match entry.get("digit")? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Digits and where they lead.
pub(crate) fn options(value: &Value) -> Vec<(String, Reference)> {
    let entries = entries("options", value).into_iter();
    entries.filter_map(|(path, digit, entry)| Some((digit?, destination_of(&path, entry)?))).collect()
}

fn refers(path: &str, value: &Value, references: &mut Vec<Reference>) {
    let entries = entries(path, value);
    references.extend(entries.iter().filter_map(|(path, _, entry)| destination_of(path, entry)));
}

fn rules(values: &Values, errors: &mut Errors) {
    together(values, "timeout_destination_type", "timeout_destination_id", errors);
}
