//! Many rows in one request.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::describe::{Described, Presence, describe, object_example, object_schema};
use super::{Errors, Fields, Input};

/// Most rows of one request.
pub const MOST_ROWS: usize = 10_000;

/// Reads a list of maps, each with the same form. What is wrong with a row is named by its number, from 0:
/// `extensions.3.password`.
pub fn rows<T>(
    f: &mut Fields<'_>,
    field: &'static str,
    form: impl Fn(&mut Fields<'_>) -> Result<T, Errors>,
) -> Result<Vec<T>, Errors> {
    let schema = || {
        let fields = describe(|f| drop(form(f)));
        let required: Vec<Described> =
            fields.iter().filter(|field| field.presence == Presence::Required).cloned().collect();
        json!({
            "type": "array", "minItems": 1, "maxItems": MOST_ROWS,
            "items": object_schema(&fields), "examples": [[object_example(&required)]],
        })
    };
    if f.describe(field, Presence::Required, schema) {
        return f.finish(Vec::new());
    }
    let items = match f.value(field) {
        None => {
            f.missing(field);
            return f.finish(Vec::new());
        }
        Some(Value::Array(items)) => items,
        Some(_) => {
            f.wrong(field, format!("The {field} field must be an array."));
            return f.finish(Vec::new());
        }
    };
    let maps = items.iter().map(|item| item.as_object().cloned());
    let mut unknown = BTreeSet::new();
    let (rows, errors) = read_rows(field, maps, |row| {
        let read = form(row);
        if unknown.len() < MOST_UNKNOWN {
            unknown.extend(row.ignored().map(|name| format!("{field}.*.{name}")));
        }
        read
    });
    f.ignore(unknown);
    f.add(errors);
    f.finish(rows)
}

/// Reads rows that are no fields of a request, such as those of a CSV file.
pub fn read_rows<T>(
    field: &str,
    maps: impl ExactSizeIterator<Item = Option<Map<String, Value>>>,
    mut form: impl FnMut(&mut Fields<'_>) -> Result<T, Errors>,
) -> (Vec<T>, Errors) {
    let mut errors = Errors::default();
    match maps.len() {
        0 => errors.push(field, format!("The {field} field is required.")),
        1..=MOST_ROWS => {}
        _ => errors.push(field, format!("The {field} field must not have more than {MOST_ROWS} items.")),
    }
    if !errors.is_empty() {
        return (Vec::new(), errors);
    }
    let mut rows = Vec::with_capacity(maps.len());
    for (i, map) in maps.enumerate() {
        let Some(map) = map else {
            errors.push(&format!("{field}.{i}"), format!("The {field}.{i} field must be an array."));
            continue;
        };
        let input = Input::of(map);
        match form(&mut Fields::new(&input)) {
            Ok(row) => rows.push(row),
            Err(wrong) => errors.append(wrong.below(&format!("{field}.{i}"))),
        }
        if errors.len() > MOST_ERRORS {
            break;
        }
    }
    (rows, errors)
}

/// Names of unknown fields that are told; a few say what is wrong with the others too.
const MOST_UNKNOWN: usize = 20;

/// After so many the rest says nothing new.
const MOST_ERRORS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::super::new_extension;
    use super::*;

    #[test]
    fn unknown_fields_of_rows_are_told_once() {
        let row = r#"{"extension":"1","password":"secret-1","directory_first_name":"A","directory_last_name":"B","pinn":1}"#;
        let input = Input::json(format!(r#"{{"extensions":[{row},{row}],"more":1}}"#).as_bytes()).unwrap();
        let mut fields = Fields::new(&input);
        assert_eq!(rows(&mut fields, "extensions", new_extension).unwrap().len(), 2);
        assert_eq!(fields.ignored().collect::<Vec<_>>(), ["more", "extensions.*.pinn"]);
    }

    #[test]
    fn each_row_is_named_by_its_number() {
        let body = r#"{"extensions":[
            {"extension":"1","password":"secret-1","directory_first_name":"A","directory_last_name":"B"},
            {"extension":"2"}, 7]}"#;
        let input = Input::json(body.as_bytes()).unwrap();
        let errors = rows(&mut Fields::new(&input), "extensions", new_extension).err().unwrap();
        for field in ["extensions.1.password", "extensions.1.directory_first_name", "extensions.2"] {
            assert!(errors.has(field), "{field}: {errors:?}");
        }
        assert!(!errors.has("extensions.0.extension"));
        let empty = Input::json(br#"{"extensions":[]}"#).unwrap();
        assert!(rows(&mut Fields::new(&empty), "extensions", new_extension).err().unwrap().has("extensions"));
    }
}
