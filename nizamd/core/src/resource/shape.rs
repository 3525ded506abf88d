//! Reading lists and maps.

use serde_json::{Map, Value, json};

use super::field::uuid;
use super::reference::{Reference, Target};
use crate::validate::{Errors, Rule, is_list};

/// Most bytes of a list or a map, as JSON.
const LARGEST: usize = 65_536;

/// The items of a list; forms send lists also as maps with numbers for keys.
pub(super) fn items<'v>(
    path: &str,
    value: &'v Value,
    least: usize,
    most: usize,
    errors: &mut Errors,
) -> Option<Vec<&'v Value>> {
    let items: Vec<&Value> = match value {
        Value::Array(items) => items.iter().collect(),
        Value::Object(map) if is_list(map) => map.values().collect(),
        _ => {
            errors.push(path, format!("The {} field must be an array.", label(path)));
            return None;
        }
    };
    bounded(path, value, items.len(), (least, most), errors).then_some(items)
}

/// Whether a list or a map has as many entries as it may have, and is not too large.
pub(super) fn bounded(
    path: &str,
    value: &Value,
    entries: usize,
    (least, most): (usize, usize),
    errors: &mut Errors,
) -> bool {
    let wrong = if entries < least {
        format!("The {} field is required.", label(path))
    } else if entries > most {
        format!("The {} field must not have more than {most} items.", label(path))
    } else if value.to_string().len() > LARGEST {
        format!("The {} field must not be greater than {LARGEST} bytes.", label(path))
    } else {
        return true;
    };
    errors.push(path, wrong);
    false
}

/// Whether a text or a key anywhere in it has the character NUL.
pub(super) fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(key, item)| key.contains('\0') || has_nul(item)),
        _ => false,
    }
}

/// The maps of a list. Each is read by `read`, which gets its path.
pub(super) fn maps(
    path: &str,
    value: &Value,
    (least, most): (usize, usize),
    errors: &mut Errors,
    mut read: impl FnMut(&str, &Map<String, Value>, &mut Errors) -> Value,
) -> Value {
    let Some(items) = items(path, value, least, most, errors) else { return Value::Null };
    let mut list = Vec::with_capacity(items.len());
    for (i, item) in items.into_iter().enumerate() {
        let path = format!("{path}.{i}");
        match item.as_object() {
            Some(map) => list.push(read(&path, map, errors)),
            None => errors.push(&path, format!("The {} field must be an array.", label(&path))),
        }
    }
    Value::Array(list)
}

/// A list of ids, each of them once.
pub(super) fn ids(path: &str, value: &Value, least: usize, most: usize, errors: &mut Errors) -> Value {
    let Some(items) = items(path, value, least, most, errors) else { return Value::Null };
    let mut list: Vec<Value> = Vec::with_capacity(items.len());
    for (i, item) in items.into_iter().enumerate() {
        let path = format!("{path}.{i}");
        match item.as_str().and_then(uuid).map(|id| json!(id)) {
            None => errors.push(&path, format!("The {path} field must be a valid UUID.")),
            Some(id) if list.contains(&id) => {
                errors.push(&path, format!("The {path} field has a duplicate value."));
            }
            Some(id) => list.push(id),
        }
    }
    Value::Array(list)
}

/// What a list of ids refers to.
pub(super) fn ids_refer(path: &str, value: &Value, target: Target, references: &mut Vec<Reference>) {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    references.extend(items.iter().enumerate().filter_map(|(i, item)| {
        Some(Reference { path: format!("{path}.{i}"), target, id: uuid(item.as_str()?)? })
    }));
}

/// A list of texts.
pub(crate) fn texts(
    path: &str,
    value: &Value,
    least: usize,
    most: usize,
    rule: Rule,
    errors: &mut Errors,
) -> Value {
    let Some(items) = items(path, value, least, most, errors) else { return Value::Null };
    let read = |(i, item): (usize, &Value)| text(&format!("{path}.{i}"), Some(item), rule, errors);
    Value::Array(items.into_iter().enumerate().filter_map(read).map(Value::String).collect())
}

/// A text that must be there.
pub(super) fn text(path: &str, value: Option<&Value>, rule: Rule, errors: &mut Errors) -> Option<String> {
    match value {
        None | Some(Value::Null) => errors.push(path, format!("The {} field is required.", label(path))),
        Some(Value::String(text)) => match (rule.check)(&label(path), text) {
            Ok(text) => return Some(text),
            Err(message) => errors.push(path, message),
        },
        Some(_) => errors.push(path, format!("The {} field must be a string.", label(path))),
    }
    None
}

/// A text that may be absent or null.
pub(super) fn maybe_text(
    path: &str,
    value: Option<&Value>,
    rule: Rule,
    errors: &mut Errors,
) -> Option<String> {
    match value {
        None | Some(Value::Null) => None,
        some => text(path, some, rule, errors),
    }
}

/// One of some names that must be there.
pub(super) fn choice<'n>(
    path: &str,
    value: Option<&Value>,
    names: &[&'n str],
    errors: &mut Errors,
) -> Option<&'n str> {
    let found = match value {
        None | Some(Value::Null) => {
            errors.push(path, format!("The {} field is required.", label(path)));
            return None;
        }
        Some(value) => value.as_str().and_then(|text| names.iter().copied().find(|&name| name == text)),
    };
    if found.is_none() {
        errors.push(path, format!("The selected {} is invalid.", label(path)));
    }
    found
}

/// Nothing in it refers to another row.
pub(super) fn refers_to_nothing(_: &str, _: &Value, _: &mut Vec<Reference>) {}

/// The path as messages have it.
pub(super) fn label(path: &str) -> String {
    path.replace('_', " ")
}
