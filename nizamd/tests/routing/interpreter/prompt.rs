//! What is played to a caller.

use super::inert::is_inert;
use super::json::{text, uuid};
use super::scope::Scope;
use super::walk::Walk;
use crate::names;
use serde_json::Value;

/// Something that can be played.
pub(super) enum Prompt {
    /// What FreeSWITCH plays by that name.
    File(String),
    /// What the tenant's speech engine says.
    Speech { engine: String, voice: String, text: String },
}

impl Prompt {
    /// The step that plays it.
    pub(super) fn play(self, walk: &mut Walk<'_>) {
        match self {
            Self::File(file) => walk.step("playback", file),
            Self::Speech { engine, voice, text } => walk.step("speak", format!("{engine}|{voice}|{text}")),
        }
    }
}

/// The prompt that a text means, if it can be played.
pub(super) fn prompt(scope: Scope<'_>, text: &str) -> Option<Prompt> {
    if !is_inert(text) {
        return None;
    }
    if let Some(words) = text.strip_prefix("say:") {
        return speech(scope, words);
    }
    if let Some(id) = uuid(text) {
        let uploaded = scope.row_of(&scope.model.prompts, id)?;
        return Some(Prompt::File(names::prompt(uploaded)));
    }
    is_playable(text).then(|| Prompt::File(text.to_owned()))
}

/// A stream, or a path below the sounds of the switch. What tenants recorded lies in absolute paths, and other characters
/// make something else of a file.
fn is_playable(text: &str) -> bool {
    let only = |rest: &str, others: &str| {
        !rest.is_empty() && rest.chars().all(|c| c.is_alphanumeric() || others.contains(c))
    };
    if let Some(tones) = text.strip_prefix("tone_stream://") {
        only(tones, "#%()*+,-.:;=")
    } else if let Some(milliseconds) = text.strip_prefix("silence_stream://") {
        only(milliseconds, ",-")
    } else if let Some(name) = text.strip_prefix("local_stream://") {
        only(name, "_.-/") && !name.contains("..")
    } else {
        only(text, "_.+-/") && !text.starts_with('/') && !text.contains("..")
    }
}

fn speech(scope: Scope<'_>, words: &str) -> Option<Prompt> {
    if words.is_empty() || !is_inert(words) {
        return None;
    }
    let (engine, voice) = engine(scope)?;
    Some(Prompt::Speech { engine, voice, text: words.to_owned() })
}

/// The tenant's speech engine and its voice, where both are set.
pub(super) fn engine(scope: Scope<'_>) -> Option<(String, String)> {
    let set = |name: &str| {
        let text = scope.text_setting(name)?;
        (is_inert(text) && !text.contains('|')).then(|| text.to_owned())
    };
    Some((set("tts_engine")?, set("tts_voice")?))
}

/// The prompt of a step of a flow.
pub(super) fn of_step(scope: Scope<'_>, data: &Value) -> Option<Prompt> {
    if let Some(file) = text(data, "file") {
        prompt(scope, file)
    } else if let Some(id) = text(data, "prompt_id") {
        uuid(id)?;
        prompt(scope, id)
    } else {
        speech(scope, text(data, "text")?)
    }
}
