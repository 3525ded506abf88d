//! Menus in which one option's digits are the beginning of another's.

use serde_json::Value;

use super::Warning;
use crate::resource::Record;

pub(super) fn lint(record: &Record, warnings: &mut Vec<Warning>) {
    let digits = digits(record.value("options"));
    for (path, long) in &digits {
        for (_, short) in &digits {
            if long.len() > short.len() && long.starts_with(short.as_str()) {
                let message = format!(
                    "{long} begins like {short}: whoever presses {short} waits for the end of the timeout."
                );
                warnings.push(Warning::new(path.clone(), "ambiguous", message));
            }
        }
    }
}

/// The digits of each option, and where it is.
fn digits(options: &Value) -> Vec<(String, String)> {
    let of = |entry: &Value| match entry.get("digit")? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    match options {
        Value::Array(list) => {
            let entries = list.iter().enumerate();
            entries.filter_map(|(i, entry)| Some((format!("options.{i}.digit"), of(entry)?))).collect()
        }
        Value::Object(map) => {
            let entries = map.iter();
            entries
                .map(|(key, entry)| (format!("options.{key}"), of(entry).unwrap_or_else(|| key.clone())))
                .collect()
        }
        _ => Vec::new(),
    }
}
