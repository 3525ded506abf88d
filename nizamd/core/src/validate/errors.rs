//! Validation errors, by field.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// What is wrong with which field, in the order in which it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors(Vec<(String, Vec<String>)>);

impl Errors {
    /// One error.
    pub fn one(field: &str, message: impl Into<String>) -> Self {
        let mut this = Self::default();
        this.push(field, message);
        this
    }

    /// Adds an error.
    pub fn push(&mut self, field: &str, message: impl Into<String>) {
        let message = message.into();
        match self.0.iter_mut().find(|(name, _)| name == field) {
            Some((_, messages)) => messages.push(message),
            None => self.0.push((field.to_owned(), vec![message])),
        }
    }

    /// Adds all of other errors.
    pub fn append(&mut self, other: Self) {
        for (field, messages) in other.0 {
            for message in messages {
                self.push(&field, message);
            }
        }
    }

    /// Whether all is well.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether that field has an error.
    pub fn has(&self, field: &str) -> bool {
        self.0.iter().any(|(name, _)| name == field)
    }

    /// The first error, and how many there are besides.
    pub fn message(&self) -> String {
        let mut all = self.0.iter().flat_map(|(_, messages)| messages);
        let first = all.next().map_or("", String::as_str);
        match all.count() {
            0 => first.to_owned(),
            1 => format!("{first} (and 1 more error)"),
            more => format!("{first} (and {more} more errors)"),
        }
    }
}

/// `{"message":"… (and N more errors)","errors":{"field":["…"]}}`
impl Serialize for Errors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct ByField<'a>(&'a [(String, Vec<String>)]);
        impl Serialize for ByField<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|(field, messages)| (field, messages)))
            }
        }
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("message", &self.message())?;
        map.serialize_entry("errors", &ByField(&self.0))?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_is_what_clients_know() {
        let mut errors = Errors::one("name", "The name field is required.");
        assert_eq!(errors.message(), "The name field is required.");
        errors.push("domain", "a");
        assert_eq!(errors.message(), "The name field is required. (and 1 more error)");
        errors.push("domain", "b");
        assert_eq!(
            serde_json::to_value(&errors).unwrap(),
            serde_json::json!({
                "message": "The name field is required. (and 2 more errors)",
                "errors": {"name": ["The name field is required."], "domain": ["a", "b"]},
            })
        );
    }
}
