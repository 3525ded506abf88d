//! Menus, as `ivr.conf` gets them.

use super::destination::of_entry;
use super::prompt::{Prompt, engine, prompt};
use super::scope::Scope;
use crate::element::Element;
use crate::model::Model;
use nizam_core::resource::Record;
use serde_json::Value;
use uuid::Uuid;

/// The menu of a name, `TENANT.IVR`, and its entries. `None`: it is none of ours.
pub(crate) fn menu(model: &Model, name: &str) -> Option<Vec<Element>> {
    let (tenant, ivr) = name.split_once('.')?;
    let id = |text: &str| {
        let is_simple = text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit());
        if is_simple { Uuid::parse_str(text).ok() } else { None }
    };
    let scope =
        Scope::of_id(model, id(tenant)?).filter(|scope| !scope.is_closed() && !scope.is_suspended())?;
    let row = scope.row_of(&model.ivrs, id(ivr)?)?;
    let mut elements = vec![element("menu", attributes(scope, name, row))];
    let direct = row.is("direct_dial");
    for (digits, entry) in options(row.value("options")) {
        let Some(to) = of_entry(entry) else { continue };
        let param = format!("transfer nizam:{}:{} XML {}", to.kind, to.id, scope.domain());
        elements.push(entry_of(digits, param));
    }
    if direct {
        let param = format!("transfer nizam:direct:{}:$1 XML {}", row.id, scope.domain());
        elements.push(entry_of("/^([0-9*#]{2,10})$/".to_owned(), param));
    }
    Some(elements)
}

fn entry_of(digits: String, param: String) -> Element {
    element("entry", vec![("action", "menu-exec-app".to_owned()), ("digits", digits), ("param", param)])
}

fn element(name: &str, attributes: Vec<(&str, String)>) -> Element {
    (name.to_owned(), attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn attributes(scope: Scope<'_>, name: &str, row: &Record) -> Vec<(&'static str, String)> {
    let mut attributes = vec![("name", name.to_owned())];
    for (attribute, field) in [("greet-long", "greet_long"), ("greet-short", "greet_short")] {
        match prompt(scope, row.text(field)) {
            Some(Prompt::File(file)) => attributes.push((attribute, file)),
            Some(Prompt::Speech { text, .. }) => attributes.push((attribute, format!("say:{text}"))),
            // Where nothing is played, FreeSWITCH waits for no digits.
            None if attribute == "greet-long" => {
                attributes.push((attribute, "silence_stream://250".to_owned()));
            }
            None => {}
        }
    }
    let failures = row.value("max_failures").to_string();
    let longest = options(row.value("options")).iter().map(|(digits, _)| digits.len()).max().unwrap_or(1);
    let digits = if row.is("direct_dial") { 10 } else { longest };
    attributes.extend([
        ("invalid-sound", "ivr/ivr-that_was_an_invalid_entry.wav".to_owned()),
        ("timeout", (row.value("timeout").as_i64().unwrap() * 1000).to_string()),
        ("inter-digit-timeout", "2000".to_owned()),
        ("max-failures", failures.clone()),
        ("max-timeouts", failures),
        ("digit-len", digits.to_string()),
    ]);
    if let Some((engine, voice)) = engine(scope) {
        attributes.extend([("tts-engine", engine), ("tts-voice", voice)]);
    }
    attributes
}

/// What can be pressed, and where it leads, in either of the two forms.
fn options(value: &Value) -> Vec<(String, &Value)> {
    let digit = |entry: &Value| match entry.get("digit") {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    match value {
        Value::Array(entries) => entries.iter().filter_map(|entry| Some((digit(entry)?, entry))).collect(),
        Value::Object(map) if map.values().all(|entry| entry.get("digit").is_some()) => {
            map.values().filter_map(|entry| Some((digit(entry)?, entry))).collect()
        }
        Value::Object(map) => map.iter().map(|(key, entry)| (key.clone(), entry)).collect(),
        _ => Vec::new(),
    }
}
