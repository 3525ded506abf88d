//! Call routing policies: rules that send a call elsewhere, or refuse it, before it is routed.

use nizam_wire::image;
use serde_json::{Map, Value, json};

use super::destination::{id, kind, together};
use super::field::{Default, Field, Kind, Shape, Values};
use super::schedule::TIME;
use super::shape::{choice, items, label, maps, refers_to_nothing, text, texts};
use super::{Access, Resource};
use crate::model::Permission as P;
use crate::validate::Errors;
use crate::validate::rule::{CALLER_PATTERN, PLAIN};

/// Call routing policies.
pub const CALL_ROUTING_POLICY: Resource = Resource {
    model: "CallRoutingPolicy",
    label: "Call routing policy",
    table: "call_routing_policies",
    path: "call-routing-policies",
    parameter: "call_routing_policy",
    access: Access {
        view: P::CallRoutingPoliciesView,
        create: P::CallRoutingPoliciesCreate,
        update: P::CallRoutingPoliciesUpdate,
        delete: P::CallRoutingPoliciesDelete,
    },
    quota: None,
    record: Some(image::Kind::Policy),
    by_upload: false,
    lenient: false,
    order: ("priority", false),
    rules,
    fields: &[
        Field::required("name", Kind::Text(PLAIN.such_as("Block spam"))).kept().filter().sort(),
        Field::nullable("description", Kind::Text(PLAIN)),
        Field::required("conditions", Kind::Json(CONDITIONS)).kept().about("All of them must hold."),
        kind("match_destination_type"),
        id("match_destination_id", "match_destination_type")
            .about("Where calls go that match; without it the policy only filters."),
        kind("no_match_destination_type"),
        id("no_match_destination_id", "no_match_destination_type").about("Where calls go that do not match."),
        Field::optional("priority", Kind::Integer(0, 1000), Default::Integer(0))
            .filter()
            .sort()
            .about("The lowest is looked at first."),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};

/// The kinds of conditions.
const TYPES: &[&str] = &["time_of_day", "day_of_week", "caller_id_pattern", "blacklist", "geo_prefix"];
/// The days of a week, Monday first.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Most conditions of a policy.
const MOST: usize = 50;
/// Most numbers or prefixes of a condition.
const MOST_NUMBERS: usize = 2000;

const CONDITIONS: Shape = Shape {
    read: |path, value, errors| maps(path, value, (1, MOST), errors, condition),
    refers: refers_to_nothing,
    schema: || {
        let of = |kind: &str, params: Value| {
            json!({
                "type": "object", "required": ["type", "params"],
                "properties": {"type": {"const": kind}, "params": params},
            })
        };
        let numbers = |name: &str| {
            json!({
                "type": "object", "required": [name],
                "properties": {name: {
                    "type": "array", "minItems": 1, "maxItems": MOST_NUMBERS, "items": CALLER_PATTERN.schema(),
                }},
            })
        };
        let times = json!({
            "type": "object", "minProperties": 1,
            "properties": {"start": TIME.schema(), "end": TIME.schema()},
        });
        let days = json!({
            "type": "object", "required": ["days"],
            "properties": {"days": {
                "type": "array", "minItems": 1, "maxItems": 7, "items": {"type": "string", "enum": DAYS},
            }},
        });
        let pattern = json!({
            "type": "object", "required": ["pattern"], "properties": {"pattern": CALLER_PATTERN.schema()},
        });
        json!({
            "type": "array", "minItems": 1, "maxItems": MOST,
            "items": {"oneOf": [
                of("time_of_day", times), of("day_of_week", days), of("caller_id_pattern", pattern),
                of("blacklist", numbers("numbers")), of("geo_prefix", numbers("prefixes")),
            ]},
            "examples": [[{"type": "blacklist", "params": {"numbers": ["+15550001111"]}}]],
        })
    },
};

fn condition(path: &str, map: &Map<String, Value>, errors: &mut Errors) -> Value {
    let kind = choice(&format!("{path}.type"), map.get("type"), TYPES, errors);
    let at = format!("{path}.params");
    let params = match map.get("params") {
        Some(Value::Object(params)) if !params.is_empty() => params.clone(),
        None | Some(Value::Null) => {
            errors.push(&at, format!("The {} field is required.", label(&at)));
            return Value::Null;
        }
        Some(Value::Array(list)) if list.is_empty() => {
            errors.push(&at, format!("The {} field is required.", label(&at)));
            return Value::Null;
        }
        // A bare list is the one list that such a condition has.
        Some(list @ Value::Array(_)) => {
            let name = match kind {
                Some("day_of_week") => "days",
                Some("geo_prefix") => "prefixes",
                _ => "numbers",
            };
            [(name.to_owned(), list.clone())].into_iter().collect()
        }
        Some(_) => {
            errors.push(&at, format!("The {} field must be an array.", label(&at)));
            return Value::Null;
        }
    };
    if let Some(kind) = kind {
        json!({"type": kind, "params": checked_params(kind, &at, &params, errors)})
    } else {
        Value::Null
    }
}

/// The parameters that the condition knows; others are dropped.
fn checked_params(kind: &str, at: &str, params: &Map<String, Value>, errors: &mut Errors) -> Value {
    let mut kept = Map::new();
    let mut keep = |name: &str, value: Value| drop(kept.insert(name.to_owned(), value));
    match kind {
        "time_of_day" => {
            for name in ["start", "end"] {
                if let Some(value) = params.get(name).filter(|value| !value.is_null()) {
                    let path = format!("{at}.{name}");
                    keep(name, json!(text(&path, Some(value), TIME, errors)));
                }
            }
        }
        "day_of_week" => {
            let path = format!("{at}.days");
            let days = params.get("days").unwrap_or(&Value::Null);
            for (i, day) in items(&path, days, 1, 7, errors).unwrap_or_default().into_iter().enumerate() {
                let lower = day.as_str().map(str::to_ascii_lowercase).map(Value::String);
                let _known = choice(&format!("{path}.{i}"), lower.as_ref(), &DAYS, errors);
            }
            keep("days", days.clone());
        }
        "caller_id_pattern" => {
            let path = format!("{at}.pattern");
            keep("pattern", json!(text(&path, params.get("pattern"), CALLER_PATTERN, errors)));
        }
        "blacklist" | "geo_prefix" => {
            let name = if kind == "blacklist" { "numbers" } else { "prefixes" };
            let value = params.get(name).unwrap_or(&Value::Null);
            keep(name, texts(&format!("{at}.{name}"), value, 1, MOST_NUMBERS, CALLER_PATTERN, errors));
        }
        _ => {}
    }
    Value::Object(kept)
}

fn rules(values: &Values, errors: &mut Errors) {
    together(values, "match_destination_type", "match_destination_id", errors);
    together(values, "no_match_destination_type", "no_match_destination_id", errors);
}
