//! Prompts that nobody hears: texts of which nothing is played.

use nizam_wire::record::Prompt;
use serde_json::Value;
use uuid::Uuid;

use super::Warning;
use crate::compile::prompt;
use crate::resource::Record;

/// The fields of a row that say what is played.
pub(super) fn fields(record: &Record, names: &[&str], warnings: &mut Vec<Warning>) {
    for name in names {
        if let Some(text) = record.value(name).as_str() {
            check(name, prompt::read(text), warnings);
        }
    }
}

/// The steps of a flow that play something.
pub(super) fn steps(record: &Record, warnings: &mut Vec<Warning>) {
    let nodes = record.value("nodes").as_array().map(Vec::as_slice).unwrap_or_default();
    for (i, node) in nodes.iter().enumerate() {
        let kind = node.get("type").and_then(Value::as_str).unwrap_or_default();
        if !matches!(kind, "play_prompt" | "collect_input") {
            continue;
        }
        let text = |name: &str| node.get("data").and_then(|data| data.get(name)).and_then(Value::as_str);
        let path = |name: &str| format!("nodes.{i}.data.{name}");
        if let Some(file) = text("file") {
            check(&path("file"), prompt::read(file), warnings);
        } else if let Some(id) = text("prompt_id") {
            let played = Uuid::try_parse(id).map_or(Prompt::None, |id| Prompt::Uploaded(id.into_bytes()));
            check(&path("prompt_id"), played, warnings);
        } else if let Some(words) = text("text") {
            check(&path("text"), prompt::said(words), warnings);
        } else if kind == "play_prompt" {
            check(&format!("nodes.{i}.data"), Prompt::None, warnings);
        }
    }
}

fn check(path: &str, played: Prompt<'_>, warnings: &mut Vec<Warning>) {
    if played == Prompt::None {
        let message = "Nothing is played here: it is no relative path without .., no id of an uploaded prompt, no \
                       tone_stream://, silence_stream:// or local_stream://, and no text after say: without $ and \\.";
        warnings.push(Warning::new(path, "prompt", message));
    }
}
