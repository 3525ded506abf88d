//! What a form asks for, as documents have it.

use serde_json::{Map, Value, json};

use super::Fields;
use super::Input;
use super::rule::Rule;

/// Whether a field must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It must be there, and not be null.
    Required,
    /// It may be absent, but not null.
    Optional,
    /// It may be absent or null.
    Nullable,
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub presence: Presence,
    /// What its value must be, a JSON Schema; that it may be null is not in it.
    pub schema: Value,
}

impl Described {
    /// A good value.
    pub fn example(&self) -> Option<&Value> {
        let first = |name: &str| self.schema.get(name).and_then(|values| values.get(0));
        first("examples").or_else(|| first("enum"))
    }

    /// The schema of the value, null included where it may be null.
    pub fn value_schema(&self) -> Value {
        match self.presence {
            Presence::Nullable => or_null(&self.schema),
            _ => self.schema.clone(),
        }
    }
}

/// The fields that a form reads.
pub fn describe<T>(form: impl FnOnce(&mut Fields<'_>) -> T) -> Vec<Described> {
    let empty = Input::default();
    let mut fields = Fields::describing(&empty);
    form(&mut fields);
    fields.into_described()
}

/// The schema of a value that may be null. An empty text counts as null.
pub(crate) fn or_null(schema: &Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}, {"const": ""}]})
}

/// The schema of a map with these fields.
pub fn object_schema(fields: &[Described]) -> Value {
    let required: Vec<&str> =
        fields.iter().filter(|f| f.presence == Presence::Required).map(|f| f.name).collect();
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_owned(), field.value_schema())).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// A map with good values for these fields.
pub fn object_example(fields: &[Described]) -> Value {
    let good = |field: &Described| Some((field.name.to_owned(), field.example()?.clone()));
    Value::Object(fields.iter().filter_map(good).collect())
}

impl Rule {
    /// The rule as a JSON Schema.
    pub fn schema(&self) -> Value {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("string"));
        if self.counts {
            // The pattern says it, too, but not to people.
            let least = if self.least > 1 { format!("{} to", self.least) } else { "at most".to_owned() };
            schema.insert("$comment".to_owned(), json!(format!("{least} {} characters", self.most)));
        } else {
            schema.insert("minLength".to_owned(), json!(self.least));
            schema.insert("maxLength".to_owned(), json!(self.most));
        }
        if let Some(pattern) = self.pattern {
            schema.insert("pattern".to_owned(), json!(pattern));
        }
        if let Some(format) = self.format {
            schema.insert("format".to_owned(), json!(format));
        }
        schema.insert("examples".to_owned(), json!([self.example]));
        Value::Object(schema)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{login, new_extension};
    use super::*;

    #[test]
    fn the_code_that_reads_a_form_describes_it() {
        let fields = describe(login);
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        assert_eq!(names, ["email", "password"]);
        assert!(fields.iter().all(|field| field.presence == Presence::Required));
        let fields = describe(new_extension);
        let pin = fields.iter().find(|field| field.name == "voicemail_pin").unwrap();
        assert_eq!(pin.presence, Presence::Nullable);
        assert_eq!(pin.schema["pattern"], "^[0-9]{4,8}$");
    }
}
