//! What a caller sent: a JSON or form body and a query, read and normalised.

use std::fmt;

use serde_json::{Map, Value};

use super::form;

/// A body that cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Not JSON.
    Json,
    /// JSON, but a text, a number or a truth value.
    NotAnObject,
    /// Not a form.
    Form,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "The request body is not valid JSON.",
            Self::NotAnObject => "The request body must be a JSON object.",
            Self::Form => "The request body is not a valid form.",
        })
    }
}

impl std::error::Error for Unreadable {}

/// The named values of a request: texts are trimmed, empty texts are null.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Input {
    body: Map<String, Value>,
    query: Map<String, Value>,
}

impl Input {
    /// Reads a JSON body. An empty body, `null` and `[]` are an object without fields: PHP clients send `[]` for
    /// an empty map.
    pub fn json(body: &[u8]) -> Result<Self, Unreadable> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        // serde_json refuses more than 128 levels, so that the stack is safe from here on.
        let body = match serde_json::from_slice(body).map_err(|_| Unreadable::Json)? {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            // PHP's empty map.
            Value::Array(items) if items.is_empty() => Map::new(),
            _ => return Err(Unreadable::NotAnObject),
        };
        Ok(Self { body: normal(body), query: Map::new() })
    }

    /// The values of a map.
    pub fn of(map: Map<String, Value>) -> Self {
        Self { body: normal(map), query: Map::new() }
    }

    /// Reads a form body, with PHP's brackets for lists and maps.
    pub fn form(body: &[u8]) -> Result<Self, Unreadable> {
        let body = std::str::from_utf8(body).map_err(|_| Unreadable::Form)?;
        let body = form::parse(body).ok_or(Unreadable::Form)?;
        Ok(Self { body: normal(body), query: Map::new() })
    }

    /// Adds the query; where both have a field, the body's counts. A query that is no form is left out.
    #[must_use]
    pub fn with_query(mut self, query: &str) -> Self {
        self.query = form::parse(query).map(normal).unwrap_or_default();
        self
    }

    /// The value of a field, `None` also for null.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.find(field).filter(|v| !v.is_null())
    }

    /// Whether the field was sent, even if null.
    pub fn has(&self, field: &str) -> bool {
        self.find(field).is_some()
    }

    /// The text of a field of the query, where it is a text.
    pub fn query_text(&self, field: &str) -> Option<&str> {
        self.query.get(field).and_then(Value::as_str)
    }

    /// The fields of the body.
    pub fn body(&self) -> &Map<String, Value> {
        &self.body
    }

    fn find(&self, field: &str) -> Option<&Value> {
        self.body.get(field).or_else(|| self.query.get(field))
    }
}

fn normal(map: Map<String, Value>) -> Map<String, Value> {
    map.into_iter()
        .map(|(key, value)| {
            let value = normal_value(&key, value);
            (key, value)
        })
        .collect()
}

fn normal_value(key: &str, value: Value) -> Value {
    match value {
        Value::String(text) => {
            let trimmed = text.trim();
            if trimmed.is_empty() {
                Value::Null
            } else if matches!(key, "password" | "password_confirmation") || trimmed.len() == text.len() {
                // A password is what was typed, spaces included.
                Value::String(text)
            } else {
                Value::String(trimmed.to_owned())
            }
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|v| normal_value("", v)).collect()),
        Value::Object(map) => Value::Object(normal(map)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_trimmed_and_empty_ones_are_null() {
        let input =
            Input::json(br#"{"name":"  a ","x":"  ","password":" p ","deep":{"y":[" z ",""]}}"#).unwrap();
        assert_eq!(input.get("name"), Some(&json!("a")));
        assert_eq!(input.get("x"), None);
        assert!(input.has("x"));
        assert_eq!(input.get("password"), Some(&json!(" p ")));
        assert_eq!(input.get("deep"), Some(&json!({"y": ["z", null]})));
    }

    #[test]
    fn empty_bodies_in_all_their_forms() {
        for body in ["", "[]", "{}", "null"] {
            assert_eq!(Input::json(body.as_bytes()).unwrap(), Input::default(), "{body:?}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert_eq!(Input::json(b"7").unwrap_err(), Unreadable::NotAnObject);
        assert_eq!(Input::json(b"{").unwrap_err(), Unreadable::Json);
        assert_eq!(Input::json(b"\x0c").unwrap_err(), Unreadable::Json);
        assert_eq!(Input::json(b"{\"a\":\"\xff\"}").unwrap_err(), Unreadable::Json);
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Input::json(deep.as_bytes()).unwrap_err(), Unreadable::Json);
        assert_eq!(Input::form(b"a=%ff").unwrap_err(), Unreadable::Form);
    }

    #[test]
    fn body_counts_before_query() {
        let input = Input::json(br#"{"a":"body"}"#).unwrap().with_query("a=query&b=+2%20");
        assert_eq!(input.get("a"), Some(&json!("body")));
        assert_eq!(input.get("b"), Some(&json!("2")));
        assert_eq!(input.query_text("a"), Some("query"));
    }
}
