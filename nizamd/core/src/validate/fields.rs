//! Takes the fields of a request out of its input, collecting what is wrong with them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::class;
use super::describe::{Described, Presence};
use super::rule::{Rule, label};
use super::{Errors, Input};
use crate::model::Class;

/// Largest integer of a column, that of PostgreSQL's `integer`.
pub(crate) const LARGEST: i64 = 2_147_483_647;

/// Reads fields one by one. A field that is wrong is recorded and read as empty; [`Self::finish`] then refuses.
///
/// The same code that reads a request also describes it: see [`Self::describing`].
pub struct Fields<'a> {
    input: &'a Input,
    known: BTreeSet<&'static str>,
    all_known: bool,
    /// What nobody asked for in rows of the body.
    unknown: BTreeSet<String>,
    errors: Errors,
    /// What was asked for, where nothing is to be read.
    described: Option<Vec<Described>>,
}

impl<'a> Fields<'a> {
    /// The fields of that input.
    pub fn new(input: &'a Input) -> Self {
        Self {
            input,
            known: BTreeSet::new(),
            all_known: false,
            unknown: BTreeSet::new(),
            errors: Errors::default(),
            described: None,
        }
    }

    /// Reads nothing, but notes what is asked for: the description of a form is made by the code that reads it.
    pub fn describing(empty: &'a Input) -> Self {
        Self { described: Some(Vec::new()), ..Self::new(empty) }
    }

    /// What was asked for, after [`Self::describing`].
    pub fn into_described(self) -> Vec<Described> {
        self.described.unwrap_or_default()
    }

    /// Whether nothing is to be read.
    pub(crate) fn is_describing(&self) -> bool {
        self.described.is_some()
    }

    /// Notes a field; true if nothing is to be read.
    pub(crate) fn describe(
        &mut self,
        name: &'static str,
        presence: Presence,
        schema: impl FnOnce() -> Value,
    ) -> bool {
        let Some(described) = &mut self.described else { return false };
        if described.iter().all(|known| known.name != name) {
            described.push(Described { name, presence, schema: schema() });
        }
        true
    }

    /// The value, if nothing was wrong.
    pub fn finish<T>(&mut self, value: T) -> Result<T, Errors> {
        if self.errors.is_empty() { Ok(value) } else { Err(std::mem::take(&mut self.errors)) }
    }

    /// The fields of the body that nobody asked for; those of its rows as `rows.*.name`.
    pub fn ignored(&self) -> impl Iterator<Item = &str> {
        let own = self.input.body().keys().map(String::as_str);
        own.filter(|&name| !self.all_known && !self.known.contains(name))
            .chain(self.unknown.iter().map(String::as_str))
    }

    /// Notes fields of rows that nobody asked for.
    pub(super) fn ignore(&mut self, names: BTreeSet<String>) {
        self.unknown.extend(names);
    }

    /// Everything that was sent, for a request whose fields have no fixed names: none of them is ignored.
    pub(super) fn everything(&mut self) -> &'a Input {
        self.all_known = true;
        self.input
    }

    /// The value of a field, null left out.
    pub fn value(&mut self, field: &'static str) -> Option<&'a Value> {
        self.known.insert(field);
        self.input.get(field)
    }

    /// Whether the field was sent, even if null.
    pub fn has(&mut self, field: &'static str) -> bool {
        self.known.insert(field);
        self.input.has(field)
    }

    /// Records an error.
    pub fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(field, message);
    }

    /// Records errors that were found elsewhere.
    pub(crate) fn add(&mut self, errors: Errors) {
        self.errors.append(errors);
    }

    /// Whether an error is recorded for that field.
    pub fn is_wrong(&self, field: &str) -> bool {
        self.errors.has(field)
    }

    /// Records that a field is missing.
    pub(crate) fn missing(&mut self, field: &str) {
        self.wrong(field, format!("The {} field is required.", label(field)));
    }

    /// A text that must be there.
    pub(crate) fn text(&mut self, field: &'static str, rule: Rule) -> String {
        if self.describe(field, Presence::Required, || rule.schema()) {
            return String::new();
        }
        match self.value(field) {
            None => self.missing(field),
            Some(Value::Array(items)) if items.is_empty() => self.missing(field),
            Some(value) => return self.checked(field, value, rule).unwrap_or_default(),
        }
        String::new()
    }

    /// A text that may be absent or null.
    pub(crate) fn nullable(&mut self, field: &'static str, rule: Rule) -> Option<String> {
        if self.describe(field, Presence::Nullable, || rule.schema()) {
            return None;
        }
        let value = self.value(field)?;
        self.checked(field, value, rule)
    }

    /// A text that may be absent; if it is there, it may be null.
    #[expect(clippy::option_option, reason = "absent, null and a text are three things here")]
    pub(crate) fn nullable_change(&mut self, field: &'static str, rule: Rule) -> Option<Option<String>> {
        if self.describe(field, Presence::Nullable, || rule.schema()) {
            return None;
        }
        self.has(field).then(|| self.nullable(field, rule))
    }

    /// A text that may be absent; if it is there, it must not be null.
    pub(crate) fn text_change(&mut self, field: &'static str, rule: Rule) -> Option<String> {
        if self.describe(field, Presence::Optional, || rule.schema()) {
            return None;
        }
        self.has(field).then(|| self.text(field, rule))
    }

    /// An integer from 0 that may be absent.
    pub(crate) fn count(&mut self, field: &'static str) -> Option<i64> {
        self.integer(field, 0, LARGEST)
    }

    /// An integer that may be absent.
    pub(crate) fn integer(&mut self, field: &'static str, least: i64, most: i64) -> Option<i64> {
        let schema = || json!({"type": "integer", "minimum": least, "maximum": most});
        if self.describe(field, Presence::Optional, schema) || !self.has(field) {
            return None;
        }
        let value = self.value(field);
        self.bounded(field, value, least, most)
    }

    /// An integer that may be absent or null.
    pub(crate) fn nullable_integer(&mut self, field: &'static str, least: i64, most: i64) -> Option<i64> {
        let schema = || json!({"type": "integer", "minimum": least, "maximum": most});
        if self.describe(field, Presence::Nullable, schema) {
            return None;
        }
        let value = self.value(field)?;
        self.bounded(field, Some(value), least, most)
    }

    /// An integer that may be absent; if it is there, it may be null.
    #[expect(clippy::option_option, reason = "absent, null and a number are three things here")]
    pub(crate) fn nullable_integer_change(
        &mut self,
        field: &'static str,
        least: i64,
        most: i64,
    ) -> Option<Option<i64>> {
        if self.is_describing() || self.has(field) {
            let number = self.nullable_integer(field, least, most);
            return self.has(field).then_some(number);
        }
        None
    }

    fn bounded(&mut self, field: &str, value: Option<&Value>, least: i64, most: i64) -> Option<i64> {
        let name = label(field);
        let Some(number) = value.and_then(integer) else {
            self.wrong(field, format!("The {name} field must be an integer."));
            return None;
        };
        if number < least {
            self.wrong(field, format!("The {name} field must be at least {least}."));
        } else if number > most {
            self.wrong(field, format!("The {name} field must not be greater than {most}."));
        }
        Some(number)
    }

    /// Kinds of numbers, that may be absent or null: a list, or a text with commas between them, which files have.
    pub(crate) fn classes(&mut self, field: &'static str) -> Option<Vec<Class>> {
        if self.describe(field, Presence::Nullable, class::schema) {
            return None;
        }
        let value = self.value(field)?;
        let mut errors = Errors::default();
        let classes = class::read(field, value, &mut errors);
        self.add(errors);
        classes
    }

    /// Kinds of numbers, that may be absent; if they are there, they may be null.
    #[expect(clippy::option_option, reason = "absent, null and a list are three things here")]
    pub(crate) fn classes_change(&mut self, field: &'static str) -> Option<Option<Vec<Class>>> {
        if self.is_describing() || self.has(field) {
            let classes = self.classes(field);
            return self.has(field).then_some(classes);
        }
        None
    }

    /// A truth value that may be absent: true, false, 1, 0, "1", "0".
    pub(crate) fn flag(&mut self, field: &'static str) -> Option<bool> {
        let schema = || json!({"enum": [true, false, 1, 0, "1", "0"], "examples": [true]});
        if self.describe(field, Presence::Optional, schema) || !self.has(field) {
            return None;
        }
        let flag = self.value(field).and_then(truth);
        if flag.is_none() {
            self.wrong(field, format!("The {} field must be true or false.", label(field)));
        }
        flag
    }

    /// One of some names, that may be absent.
    pub(crate) fn choice(
        &mut self,
        field: &'static str,
        names: &'static [&'static str],
    ) -> Option<&'static str> {
        let schema = || json!({"type": "string", "enum": names});
        if self.describe(field, Presence::Optional, schema) || !self.has(field) {
            return None;
        }
        let text = self.value(field).and_then(Value::as_str);
        let choice = text.and_then(|text| names.iter().copied().find(|&name| name == text));
        if choice.is_none() {
            self.wrong(field, format!("The selected {} is invalid.", label(field)));
        }
        choice
    }

    fn checked(&mut self, field: &str, value: &Value, rule: Rule) -> Option<String> {
        let name = label(field);
        let Value::String(text) = value else {
            self.wrong(field, format!("The {name} field must be a string."));
            return None;
        };
        match (rule.check)(&name, text) {
            Ok(text) => Some(text),
            Err(message) => {
                self.wrong(field, message);
                None
            }
        }
    }
}

/// A truth value in one of its forms: true, 1, "1".
pub(crate) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(n) if n.as_i64() == Some(1) => Some(true),
        Value::Number(n) if n.as_i64() == Some(0) => Some(false),
        Value::String(text) if text == "1" => Some(true),
        Value::String(text) if text == "0" => Some(false),
        _ => None,
    }
}

/// An integer in one of its forms: 5, "5", 5.0.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            // Far beyond every column, and exact in a double.
            if float.fract() != 0.0 || float.abs() > 9_007_199_254_740_992.0 {
                return None;
            }
            format!("{float:.0}").parse().ok()
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::rule;
    use super::*;

    fn input(json: &str) -> Input {
        Input::json(json.as_bytes()).unwrap()
    }

    #[test]
    fn integers_in_their_forms() {
        for (json, want) in [("5", 5), ("\"5\"", 5), ("5.0", 5), ("0", 0), ("2147483647", LARGEST)] {
            let input = input(&format!("{{\"n\":{json}}}"));
            let mut fields = Fields::new(&input);
            assert_eq!(fields.count("n"), Some(want));
            assert!(fields.finish(()).is_ok());
        }
        for json in
            ["-1", "5.5", "\"x\"", "null", "true", "[]", "{}", "1e300", "2147483648", "99999999999999999999"]
        {
            let input = input(&format!("{{\"n\":{json}}}"));
            let mut fields = Fields::new(&input);
            fields.count("n");
            assert!(fields.finish(()).unwrap_err().has("n"), "{json}");
        }
    }

    #[test]
    fn truth_values_in_their_forms() {
        for (json, want) in [("true", true), ("1", true), ("\"1\"", true), ("false", false), ("\"0\"", false)]
        {
            let input = input(&format!("{{\"b\":{json}}}"));
            assert_eq!(Fields::new(&input).flag("b"), Some(want));
        }
        for json in ["\"true\"", "2", "null", "\"\"", "[]", "1.5"] {
            let input = input(&format!("{{\"b\":{json}}}"));
            let mut fields = Fields::new(&input);
            fields.flag("b");
            assert_eq!(
                fields.finish(()).unwrap_err().message(),
                "The b field must be true or false.",
                "{json}"
            );
        }
    }

    #[test]
    fn a_wrong_type_names_the_field() {
        for json in ["7", "true", "{\"a\":1}", "[\"x\"]"] {
            let input = input(&format!("{{\"first_name\":{json}}}"));
            let mut fields = Fields::new(&input);
            fields.text("first_name", rule::PLAIN);
            let errors = fields.finish(()).unwrap_err();
            assert_eq!(errors.message(), "The first name field must be a string.", "{json}");
        }
    }

    #[test]
    fn unknown_fields_are_known_to_be_ignored() {
        let input = input(r#"{"a":"x","b":1}"#).with_query("c=1");
        let mut fields = Fields::new(&input);
        fields.nullable("a", rule::PLAIN);
        assert_eq!(fields.ignored().collect::<Vec<_>>(), ["b"]);
    }
}
