//! Where calls go: a pair of fields, a type and an id.

use serde_json::Value;

use super::field::{Field, Kind, Refers, Values};
use super::reference::DESTINATIONS;
use crate::validate::Errors;
use crate::validate::rule::label;

/// The kind of the type field.
pub(super) const TYPE: Kind = Kind::Choice(DESTINATIONS);

/// The field of a type, which may be null together with its id.
pub(super) const fn kind(name: &'static str) -> Field {
    Field::nullable(name, TYPE)
}

/// The field of an id whose type is in another field; it may be null together with it.
pub(super) const fn id(name: &'static str, kind: &'static str) -> Field {
    Field::nullable(name, Kind::Id(Refers::ByType(kind)))
}

/// Neither of two fields stands alone.
pub(super) fn together(values: &Values, kind: &str, id: &str, errors: &mut Errors) {
    let there = |name: &str| values.get(name).is_some_and(|value| *value != Value::Null);
    let (missing, present) = match (there(kind), there(id)) {
        (true, false) => (id, kind),
        (false, true) => (kind, id),
        _ => return,
    };
    errors.push(
        missing,
        format!("The {} field is required when {} is present.", label(missing), label(present)),
    );
}
