//! Time conditions: where calls go now, and where at other times.

use nizam_wire::image;
use serde_json::{Map, Value, json};

use super::destination::{id, kind, together};
use super::field::{Default, Field, Kind, Shape, Values, uuid};
use super::reference::{Reference, Target};
use super::schedule::{MDAY, MON, TIME, WDAY};
use super::shape::{maps, maybe_text};
use super::{Access, Resource};
use crate::model::Permission as P;
use crate::validate::rule::PLAIN;
use crate::validate::{Errors, Rule, or_null};

/// Time conditions.
pub const TIME_CONDITION: Resource = Resource {
    model: "TimeCondition",
    label: "Time condition",
    table: "time_conditions",
    path: "time-conditions",
    parameter: "time_condition",
    access: Access {
        view: P::TimeConditionsView,
        create: P::TimeConditionsCreate,
        update: P::TimeConditionsUpdate,
        delete: P::TimeConditionsDelete,
    },
    quota: None,
    record: Some(image::Kind::TimeCondition),
    by_upload: false,
    lenient: false,
    order: ("name", false),
    rules,
    fields: &[
        Field::required("name", Kind::Text(PLAIN)).filter().sort(),
        Field::required("conditions", Kind::Json(CONDITIONS)).about(
            "Rules; the time matches if one of them does. A rule matches if all that it names does. Times are of the \
             tenant's time zone, and a range may go over midnight.",
        ),
        kind("match_destination_type"),
        id("match_destination_id", "match_destination_type").about("Where calls go when the time matches."),
        kind("no_match_destination_type"),
        id("no_match_destination_id", "no_match_destination_type").about("Where calls go otherwise."),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};

/// Most rules.
const MOST: usize = 100;

/// The texts of a rule.
const PARTS: [(&str, Rule); 5] =
    [("wday", WDAY), ("time_from", TIME), ("time_to", TIME), ("mday", MDAY), ("mon", MON)];

const CONDITIONS: Shape = Shape {
    read: |path, value, errors| maps(path, value, (1, MOST), errors, rule),
    refers,
    schema: || {
        json!({
            "type": "array", "minItems": 1, "maxItems": MOST,
            "items": {"anyOf": [rule_schema(true), rule_schema(false)]},
            "examples": [[{"wday": "mon-fri", "time_from": "09:00", "time_to": "17:00"}]],
        })
    },
};

/// A rule with times of day, or one without: neither end stands alone.
fn rule_schema(times: bool) -> Value {
    let part = |(name, rule): (&str, Rule)| {
        let schema = match name {
            "time_from" | "time_to" if times => rule.schema(),
            "time_from" | "time_to" => json!({"enum": [null, ""]}),
            _ => or_null(&rule.schema()),
        };
        (name.to_owned(), schema)
    };
    let mut properties: Map<String, Value> = PARTS.into_iter().map(part).collect();
    properties.insert("holiday_id".to_owned(), or_null(&json!({"type": "string", "format": "uuid"})));
    let required: &[&str] = if times { &["time_from", "time_to"] } else { &[] };
    json!({"type": "object", "properties": properties, "required": required})
}

fn rule(path: &str, map: &Map<String, Value>, errors: &mut Errors) -> Value {
    let mut rule = Map::new();
    for (name, how) in PARTS {
        if let Some(text) = maybe_text(&format!("{path}.{name}"), map.get(name), how, errors) {
            rule.insert(name.to_owned(), json!(text));
        }
    }
    for (name, other) in [("time_from", "time_to"), ("time_to", "time_from")] {
        let there = |name: &str| map.get(name).is_some_and(|value| !value.is_null());
        if there(other) && !there(name) {
            errors.push(
                &format!("{path}.{name}"),
                format!("The {path}.{name} field is required when {path}.{other} is present."),
            );
        }
    }
    match map.get("holiday_id") {
        None | Some(Value::Null) => {}
        Some(value) => match value.as_str().and_then(uuid) {
            Some(id) => drop(rule.insert("holiday_id".to_owned(), json!(id))),
            None => errors.push(
                &format!("{path}.holiday_id"),
                format!("The {path}.holiday_id field must be a valid UUID."),
            ),
        },
    }
    Value::Object(rule)
}

fn refers(path: &str, value: &Value, references: &mut Vec<Reference>) {
    let rules = value.as_array().map(Vec::as_slice).unwrap_or_default();
    references.extend(rules.iter().enumerate().filter_map(|(i, rule)| {
        let id = uuid(rule.get("holiday_id")?.as_str()?)?;
        Some(Reference { path: format!("{path}.{i}.holiday_id"), target: Target::Holiday, id })
    }));
}

fn rules(values: &Values, errors: &mut Errors) {
    together(values, "match_destination_type", "match_destination_id", errors);
    together(values, "no_match_destination_type", "no_match_destination_id", errors);
}
