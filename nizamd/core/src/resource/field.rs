//! One field of a resource: its column, its rules, its place in requests and answers.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::reference::{Reference, Target};
use crate::validate::fields::{integer, truth};
use crate::validate::rule::label;
use crate::validate::{Errors, Presence, Rule};

/// The values of a row, by field.
pub type Values = Map<String, Value>;

/// One field of a resource.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own that a field is or is not")]
pub struct Field {
    /// The name in requests, in answers and of the column.
    pub name: &'static str,
    /// What values it has.
    pub kind: Kind,
    /// Whether a request that makes a row must have it; `None` if it cannot be set.
    pub on_create: Option<Presence>,
    /// Whether a request that changes a row must have it; `None` if it cannot be changed.
    pub on_update: Option<Presence>,
    /// What a new row has where the request does not say.
    pub default: Default,
    /// Whether answers show it.
    pub shown: bool,
    /// Whether lists can be filtered by it.
    pub filter: bool,
    /// Whether lists can be sorted by it.
    pub sort: bool,
    /// What makes its text unique or findable, in the column `NAME_key`.
    pub fold: Option<fn(&str) -> String>,
    /// Whether only an administrator may give it another value than it has.
    pub for_admins: bool,
    /// Whether a row in which it is true is an administrator's to change and to delete.
    pub reserves: bool,
    /// What it is, for documents.
    pub about: &'static str,
}

/// What values a field has.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text.
    Text(Rule),
    /// A text that is sealed in the database.
    Secret(Rule),
    /// An integer within bounds.
    Integer(i64, i64),
    /// True or false.
    Flag,
    /// One of some names.
    Choice(&'static [&'static str]),
    /// The id of another row, or of anything.
    Id(Refers),
    /// A list or a map.
    Json(Shape),
    /// A time, in microseconds since 1970; no request sets it.
    Time,
}

/// What an id is the id of.
#[derive(Clone, Copy, Debug)]
pub enum Refers {
    /// A row of this kind.
    To(Target),
    /// A row of the kind that another field names.
    ByType(&'static str),
}

/// A list or a map: how to read it, what it refers to, how to describe it.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Checks a value that was sent for the field of that path, and gives what is stored.
    pub read: fn(&str, &Value, &mut Errors) -> Value,
    /// Adds what the value refers to.
    pub refers: fn(&str, &Value, &mut Vec<Reference>),
    /// A JSON Schema with examples.
    pub schema: fn() -> Value,
}

/// What a new row has where the request does not say.
#[derive(Clone, Copy, Debug)]
pub enum Default {
    /// Null.
    Null,
    /// A truth value.
    Flag(bool),
    /// An integer.
    Integer(i64),
    /// A text.
    Text(&'static str),
    /// An empty list.
    Empty,
}

impl Field {
    const fn new(name: &'static str, kind: Kind, presence: Presence, default: Default) -> Self {
        Self {
            name,
            kind,
            on_create: Some(presence),
            on_update: Some(presence),
            default,
            shown: true,
            filter: false,
            sort: false,
            fold: None,
            for_admins: false,
            reserves: false,
            about: "",
        }
    }

    /// A field that must be there.
    pub(super) const fn required(name: &'static str, kind: Kind) -> Self {
        Self::new(name, kind, Presence::Required, Default::Null)
    }

    /// A field that may be absent, with what it then is.
    pub(super) const fn optional(name: &'static str, kind: Kind, default: Default) -> Self {
        Self::new(name, kind, Presence::Optional, default)
    }

    /// A field that may be absent or null.
    pub(super) const fn nullable(name: &'static str, kind: Kind) -> Self {
        Self::new(name, kind, Presence::Nullable, Default::Null)
    }

    /// A change may leave it out.
    pub(super) const fn kept(self) -> Self {
        Self { on_update: Some(Presence::Optional), ..self }
    }

    /// It never changes once it is made.
    pub(super) const fn fixed(self) -> Self {
        Self { on_update: None, ..self }
    }

    /// No request sets it.
    pub(super) const fn unset(self) -> Self {
        Self { on_create: None, on_update: None, ..self }
    }

    /// No answer shows it.
    pub(super) const fn hidden(self) -> Self {
        Self { shown: false, ..self }
    }

    /// Lists can be filtered by it.
    pub(super) const fn filter(self) -> Self {
        Self { filter: true, ..self }
    }

    /// Lists can be sorted by it.
    pub(super) const fn sort(self) -> Self {
        Self { sort: true, ..self }
    }

    /// Its text is compared by what the function makes of it.
    pub(super) const fn folded(self, fold: fn(&str) -> String) -> Self {
        Self { fold: Some(fold), ..self }
    }

    /// Only an administrator may give it another value than it has.
    pub(super) const fn reserves(self) -> Self {
        Self { reserves: true, ..self }
    }

    pub(super) const fn for_admins(self) -> Self {
        Self { for_admins: true, ..self }
    }

    /// What it is, for documents.
    pub(super) const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// Whether it is sealed in the database, and kept out of the audit trail.
    pub fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret(_))
    }

    /// Checks a value other than null that was sent, and gives what is stored.
    pub fn check(&self, value: &Value, errors: &mut Errors) -> Value {
        let name = label(self.name);
        let mut wrong = |message: String| {
            errors.push(self.name, message);
            Value::Null
        };
        match self.kind {
            Kind::Text(rule) | Kind::Secret(rule) => match value {
                Value::String(text) => (rule.check)(&name, text).map_or_else(wrong, Value::String),
                _ => wrong(format!("The {name} field must be a string.")),
            },
            Kind::Integer(least, most) => match integer(value) {
                None => wrong(format!("The {name} field must be an integer.")),
                Some(number) if number < least => {
                    wrong(format!("The {name} field must be at least {least}."))
                }
                Some(number) if number > most => {
                    wrong(format!("The {name} field must not be greater than {most}."))
                }
                Some(number) => json!(number),
            },
            Kind::Flag => match truth(value) {
                Some(flag) => json!(flag),
                None => wrong(format!("The {name} field must be true or false.")),
            },
            Kind::Choice(names) => match value.as_str().filter(|text| names.contains(text)) {
                Some(text) => json!(text),
                None => wrong(format!("The selected {name} is invalid.")),
            },
            Kind::Id(_) => match value.as_str().and_then(uuid) {
                Some(id) => json!(id),
                None => wrong(format!("The {name} field must be a valid UUID.")),
            },
            Kind::Json(shape) => (shape.read)(self.name, value, errors),
            Kind::Time => wrong(format!("The {name} field cannot be set.")),
        }
    }

    /// What a value may be, as a JSON Schema.
    pub fn schema(&self) -> Value {
        let mut schema = match self.kind {
            Kind::Text(rule) | Kind::Secret(rule) => rule.schema(),
            Kind::Integer(least, most) => {
                json!({"type": "integer", "minimum": least, "maximum": most, "examples": [least]})
            }
            Kind::Flag => json!({"enum": [true, false, 1, 0, "1", "0"], "examples": [true]}),
            Kind::Choice(names) => json!({"type": "string", "enum": names}),
            Kind::Id(_) => {
                json!({"type": "string", "format": "uuid", "examples": ["019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01"]})
            }
            Kind::Json(shape) => (shape.schema)(),
            Kind::Time => json!({"type": "string", "format": "date-time"}),
        };
        if let (false, Some(map)) = (self.about.is_empty(), schema.as_object_mut()) {
            map.insert("description".to_owned(), json!(self.about));
        }
        schema
    }

    /// What a new row has where the request does not say.
    pub fn default_value(&self) -> Value {
        match self.default {
            Default::Null => Value::Null,
            Default::Flag(flag) => json!(flag),
            Default::Integer(number) => json!(number),
            Default::Text(text) => json!(text),
            Default::Empty => json!([]),
        }
    }
}

/// A UUID in the one form that has hyphens, in lower case.
pub(super) fn uuid(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}
