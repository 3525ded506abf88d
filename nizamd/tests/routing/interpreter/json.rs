//! Values in what people wrote freely.

use serde_json::Value;
use uuid::Uuid;

/// An integer, in any of the forms in which the API takes one: 5, 5.0, "5".
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(_) => {
            let number = value.as_f64()?;
            if number.fract() == 0.0 && number.abs() < 1e15 {
                format!("{number:.0}").parse().ok()
            } else {
                None
            }
        }
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// An integer within bounds.
pub(super) fn integer_in(value: &Value, least: i64, most: i64) -> Option<i64> {
    integer(value).filter(|number| (least..=most).contains(number))
}

/// A text that is not empty.
pub(super) fn text<'v>(map: &'v Value, name: &str) -> Option<&'v str> {
    map.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// A UUID with hyphens.
pub(super) fn uuid(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::parse_str(text).ok() } else { None }
}

/// The entries of a list; none of anything else.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
