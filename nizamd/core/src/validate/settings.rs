//! The settings of a tenant: free-form JSON within bounds.

use serde_json::{Map, Value, json};

use super::rule::{PLAIN, harmless};
use super::{Errors, Fields, Presence, class, known, or_null};

/// Settings as they were sent: a map is merged key by key, a list is appended.
#[derive(Clone, Debug, PartialEq)]
pub enum Settings {
    /// Named values.
    Map(Map<String, Value>),
    /// Values without names.
    List(Vec<Value>),
}

/// Longest text in settings; they may hold addresses.
const LONGEST: usize = 2048;
/// Most levels in settings.
const DEEPEST: usize = 16;
/// Most bytes of all settings together, as JSON.
const LARGEST: usize = 65_536;

/// The field `settings`, or the whole body where it has no such field.
pub fn settings(f: &mut Fields<'_>) -> Result<Settings, Errors> {
    if f.describe("settings", Presence::Optional, || schema(1)) {
        return f.finish(Settings::List(Vec::new()));
    }
    let value = if f.has("settings") {
        f.value("settings").cloned()
    } else {
        Some(Value::Object(f.everything().body().clone()))
    };
    let settings = match value {
        None => Settings::List(Vec::new()),
        Some(Value::Object(map)) => Settings::Map(map),
        Some(Value::Array(list)) => Settings::List(list),
        Some(_) => {
            f.wrong("settings", "The settings field must be an array.");
            return f.finish(Settings::List(Vec::new()));
        }
    };
    let fault = match &settings {
        Settings::Map(map) if map.is_empty() => Some("The settings field is required.".to_owned()),
        Settings::List(list) if list.is_empty() => Some("The settings field is required.".to_owned()),
        Settings::Map(map) => map.iter().find_map(|(key, value)| fault(key, value, DEEPEST)),
        Settings::List(list) => list.iter().find_map(|value| fault("", value, DEEPEST)),
    };
    if let Some(fault) = fault {
        f.wrong("settings", fault);
    } else if let Settings::Map(map) = &settings {
        unfit(map).for_each(|(field, message)| f.wrong(&field, message));
    }
    f.finish(settings)
}

/// The settings of a new tenant; without any they are empty.
pub(super) fn initial_settings(f: &mut Fields<'_>) -> Map<String, Value> {
    if f.describe("settings", Presence::Optional, || schema(0)) || !f.has("settings") {
        return Map::new();
    }
    let map = match f.value("settings") {
        Some(Value::Object(map)) => map.clone(),
        Some(Value::Array(items)) if items.is_empty() => Map::new(),
        _ => {
            f.wrong("settings", "The settings field must be an array.");
            return Map::new();
        }
    };
    if let Some(fault) = map.iter().find_map(|(key, value)| fault(key, value, DEEPEST)) {
        f.wrong("settings", fault);
    } else {
        unfit(&map).for_each(|(field, message)| f.wrong(&field, message));
    }
    let mut merged = Map::new();
    if let Err(errors) = merge_settings(&mut merged, Settings::Map(map)) {
        f.add(errors);
    }
    merged
}

/// Puts new settings into the old ones: keys are replaced or added, none is removed, list items get the next numbers.
pub fn merge_settings(old: &mut Map<String, Value>, new: Settings) -> Result<(), Errors> {
    match new {
        Settings::Map(map) => old.extend(map),
        Settings::List(list) => {
            let next =
                old.keys().filter_map(|key| key.parse::<u32>().ok()).max().map_or(0, |n| u64::from(n) + 1);
            old.extend((next..).map(|n| n.to_string()).zip(list));
        }
    }
    if Value::Object(old.clone()).to_string().len() > LARGEST {
        return Err(Errors::one(
            "settings",
            format!("The settings must not be greater than {LARGEST} bytes."),
        ));
    }
    Ok(())
}

/// Settings that mean something to us, beside whatever an operator keeps there.
fn schema(least: u32) -> Value {
    json!({
        "type": "object", "minProperties": least,
        "properties": {
            "timezone": {"type": ["string", "null"], "description": "A time zone of the IANA database."},
            "ring_timeout": or_null(&json!({"type": "integer", "minimum": 5, "maximum": 300})),
            "call_retention_days": or_null(&json!({
                "type": "integer", "minimum": 1, "maximum": 36_500,
                "description": "CDRs and call events that are older are deleted; without it none are.",
            })),
            "country": or_null(&json!({
                "type": "string", "pattern": "^[A-Za-z]{2}$", "description": "An ISO 3166 code.",
            })),
            "emergency_numbers": or_null(&json!({
                "type": "array", "maxItems": known::MOST_NUMBERS, "items": {"type": "string", "pattern": "^[0-9]{2,6}$"},
            })),
            "caller_id_number": or_null(&PLAIN.schema()),
            "caller_id_name": or_null(&PLAIN.schema()),
            "class_limits": or_null(&json!({
                "type": "object", "propertyNames": {"enum": class::NAMES},
                "additionalProperties": {"type": "integer", "minimum": 0, "maximum": known::MOST_CALLS},
            })),
            "tts_engine": or_null(&json!({"type": "string", "pattern": known::ENGINE})),
            "tts_voice": or_null(&json!({"type": "string", "pattern": known::ENGINE})),
        },
        "examples": [{"timezone": "Europe/Berlin"}],
    })
}

/// What is wrong with a setting that means something to us: the field and why.
fn unfit(settings: &Map<String, Value>) -> impl Iterator<Item = (String, String)> {
    known::ALL.iter().filter_map(|setting| {
        let value = settings.get(setting.name).filter(|value| !value.is_null())?;
        let field = format!("settings.{}", setting.name);
        let message = format!("The {field} field must be {}.", setting.must);
        (!(setting.fits)(value)).then_some((field, message))
    })
}

fn fault(key: &str, value: &Value, levels: usize) -> Option<String> {
    if levels == 0 {
        return Some(format!("The settings field must not be deeper than {DEEPEST} levels."));
    }
    if key.chars().count() > 255 {
        return Some("The settings field must not have keys of more than 255 characters.".to_owned());
    }
    if let Err(message) = harmless("settings", key) {
        return Some(message);
    }
    match value {
        Value::String(text) if text.chars().count() > LONGEST => {
            Some(format!("The settings field must not have texts of more than {LONGEST} characters."))
        }
        Value::String(text) => harmless("settings", text).err(),
        Value::Array(items) => items.iter().find_map(|v| fault("", v, levels - 1)),
        Value::Object(map) => map.iter().find_map(|(k, v)| fault(k, v, levels - 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Input;
    use super::*;

    fn input(json: &str) -> Input {
        Input::json(json.as_bytes()).unwrap()
    }

    fn read(json: &str) -> Result<Settings, Errors> {
        settings(&mut Fields::new(&input(json)))
    }

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            _ => panic!("no map"),
        }
    }

    #[test]
    fn wrapped_or_bare() {
        let want = Settings::Map(map(json!({"timezone": "UTC"})));
        assert_eq!(read(r#"{"settings":{"timezone":"UTC"}}"#).unwrap(), want);
        assert_eq!(read(r#"{"timezone":"UTC"}"#).unwrap(), want);
        for json in ["{}", "[]", r#"{"settings":[]}"#, r#"{"settings":null}"#, r#"{"settings":{}}"#] {
            assert_eq!(read(json).unwrap_err().message(), "The settings field is required.", "{json}");
        }
        assert_eq!(
            read(r#"{"settings":"x"}"#).unwrap_err().message(),
            "The settings field must be an array."
        );
    }

    #[test]
    fn merging_keeps_and_replaces_and_appends() {
        let mut old = map(json!({"a": 1, "b": {"x": 1, "y": 2}, "3": "three"}));
        merge_settings(&mut old, Settings::Map(map(json!({"b": {"x": 9}, "c": null})))).unwrap();
        merge_settings(&mut old, Settings::List(vec![json!("four"), json!("five")])).unwrap();
        assert_eq!(
            Value::Object(old),
            json!({"a": 1, "b": {"x": 9}, "c": null, "3": "three", "4": "four", "5": "five"})
        );
    }

    #[test]
    fn what_means_something_to_us_is_checked() {
        for good in [
            json!({"timezone": "Europe/Berlin", "ring_timeout": "20", "country": "de", "emergency_numbers": ["112", "110"]}),
            json!({"caller_id_number": "+49 30 1234567", "caller_id_name": "Söhne & Co", "class_limits": {"premium": 0}}),
            json!({"tts_engine": "flite", "tts_voice": "en-US_1.0", "country": null, "class_limits": null}),
            json!({"colour": "red", "emergency_numbers": []}),
        ] {
            assert!(read(&good.to_string()).is_ok(), "{good}");
        }
        for (name, value) in [
            ("timezone", json!("Mars/Olympus")),
            ("ring_timeout", json!(4)),
            ("country", json!("ZZ")),
            ("country", json!(49)),
            ("emergency_numbers", json!("112")),
            ("emergency_numbers", json!(["1"])),
            ("emergency_numbers", json!(["1234567"])),
            ("emergency_numbers", json!(["+112"])),
            ("emergency_numbers", json!([112])),
            ("emergency_numbers", json!(vec!["112"; 21])),
            ("caller_id_number", json!(["x"])),
            ("caller_id_name", json!("it\\'s")),
            ("caller_id_name", json!("x".repeat(256))),
            ("class_limits", json!({"moon": 1})),
            ("class_limits", json!({"local": -1})),
            ("class_limits", json!({"local": 10_001})),
            ("class_limits", json!([1])),
            ("tts_engine", json!("a|b")),
            ("tts_voice", json!("a b")),
        ] {
            let errors = read(&json!({name: value}).to_string()).unwrap_err();
            assert!(errors.has(&format!("settings.{name}")), "{name} {value}: {errors:?}");
        }
    }

    #[test]
    fn bounds_hold() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(30), "]".repeat(30));
        assert!(read(&deep).is_err());
        assert!(read(r#"{"a":{"b":["${x}"]}}"#).is_err());
        assert!(read(r#"{"a\u0000":1}"#).is_err());
        let big = Settings::Map(map(json!({"a": "x".repeat(70_000)})));
        assert!(merge_settings(&mut Map::new(), big).is_err());
    }
}
