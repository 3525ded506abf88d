//! Classes of service in requests.

use serde_json::{Value, json};

use super::Errors;
use super::rule::label;
use crate::model::Class;

/// The names of all classes.
pub(crate) const NAMES: &[&str] =
    &["local", "national", "mobile", "toll_free", "international", "premium", "emergency"];

/// A list of classes, as a JSON Schema.
pub(super) fn schema() -> Value {
    json!({
        "type": "array", "items": {"type": "string", "enum": NAMES},
        "description": "What kinds of numbers it may dial; without it `local`, `national` and `emergency`.",
        "examples": [["local", "national", "mobile", "emergency"]],
    })
}

/// The classes that a value names, each of them once: a list, or a text with commas between them.
pub(super) fn read(field: &str, value: &Value, errors: &mut Errors) -> Option<Vec<Class>> {
    let names: Vec<Option<&str>> = match value {
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        // What a file has for an empty list.
        Value::String(text) if text == "[]" => Vec::new(),
        Value::String(text) => text.split(',').map(|name| Some(name.trim())).collect(),
        _ => {
            errors.push(field, format!("The {} field must be an array.", label(field)));
            return None;
        }
    };
    let mut classes = Vec::new();
    for (i, name) in names.into_iter().enumerate() {
        match name.and_then(Class::parse) {
            Some(class) if classes.contains(&class) => {}
            Some(class) => classes.push(class),
            None => {
                let path = format!("{field}.{i}");
                errors.push(&path, format!("The selected {} is invalid.", label(&path)));
            }
        }
        if errors.len() > NAMES.len() {
            break;
        }
    }
    Some(classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(value: &Value) -> Result<Vec<Class>, Errors> {
        let mut errors = Errors::default();
        let read = read("toll_allow", value, &mut errors);
        if errors.is_empty() { Ok(read.unwrap()) } else { Err(errors) }
    }

    #[test]
    fn every_class_has_its_name() {
        let names: Vec<&str> = Class::ALL.iter().map(|class| class.name()).collect();
        assert_eq!(names, NAMES);
    }

    #[test]
    fn lists_and_texts() {
        let both = vec![Class::Local, Class::TollFree];
        assert_eq!(classes(&json!(["local", "toll_free", "local"])), Ok(both.clone()));
        assert_eq!(classes(&json!("local, toll_free")), Ok(both));
        assert_eq!(classes(&json!([])), Ok(vec![]));
        assert_eq!(classes(&json!("[]")), Ok(vec![]));
        assert!(classes(&json!(["local", "moon"])).unwrap_err().has("toll_allow.1"));
        assert!(classes(&json!([7])).unwrap_err().has("toll_allow.0"));
        assert!(classes(&json!("moon")).unwrap_err().has("toll_allow.0"));
        assert!(classes(&json!(true)).unwrap_err().has("toll_allow"));
    }
}
