//! Validation errors, by field.

use serde::Serialize;
use serde::ser::Serializer;

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

    /// The same errors, of fields below that path.
    #[must_use]
    pub fn below(self, path: &str) -> Self {
        Self(self.0.into_iter().map(|(field, messages)| (format!("{path}.{field}"), messages)).collect())
    }

    /// How many fields are wrong.
    pub fn len(&self) -> usize {
        self.0.len()
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

/// The messages of each field.
#[derive(Debug)]
pub struct ByField<'a>(&'a [(String, Vec<String>)]);

impl Errors {
    /// `{"field": ["…"]}`.
    pub fn by_field(&self) -> ByField<'_> {
        ByField(&self.0)
    }
}

impl Serialize for ByField<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(field, messages)| (field, messages)))
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
        assert_eq!(errors.message(), "The name field is required. (and 2 more errors)");
        assert_eq!(
            serde_json::to_value(errors.by_field()).unwrap(),
            serde_json::json!({"name": ["The name field is required."], "domain": ["a", "b"]})
        );
    }
}
