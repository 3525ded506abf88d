//! A prompt that is uploaded.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::rule::PLAIN;
use super::{Errors, Fields, Presence};
use crate::wav::{self, Wav};

/// The valid values of a prompt that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPrompt {
    /// Name for people, unique in the tenant.
    pub name: String,
    /// What the file was called.
    pub file_name: Option<String>,
    /// The file.
    pub content: Vec<u8>,
    /// How long it takes, in milliseconds.
    pub duration_ms: i64,
}

/// A file that is as short as one can be: for documents, and for requests that are made from them.
const EXAMPLE: &str = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQIAAAAAAA==";

/// Reads a prompt that is to be made.
pub fn new_prompt(f: &mut Fields<'_>) -> Result<NewPrompt, Errors> {
    let name = f.text("name", PLAIN.such_as("Welcome"));
    let file_name = f.nullable("file_name", PLAIN.such_as("welcome.wav"));
    let (content, wav) = content(f).unwrap_or_default();
    f.finish(NewPrompt { name, file_name, content, duration_ms: wav.map_or(0, |wav| wav.duration_ms) })
}

fn content(f: &mut Fields<'_>) -> Option<(Vec<u8>, Option<Wav>)> {
    const FIELD: &str = "content";
    let schema = || {
        json!({
            "type": "string", "contentEncoding": "base64", "contentMediaType": "audio/wav",
            "description": "A WAV file in base64: 16-bit PCM, A-law or µ-law, 8000 to 48000 samples a second, at most 10 MiB.",
            "examples": [EXAMPLE],
        })
    };
    if f.describe(FIELD, Presence::Required, schema) {
        return None;
    }
    let Some(value) = f.value(FIELD) else {
        f.missing(FIELD);
        return None;
    };
    let Some(bytes) = value.as_str().and_then(|text| STANDARD.decode(text).ok()) else {
        f.wrong(FIELD, "The content field must be a file in base64.");
        return None;
    };
    match wav::read(&bytes) {
        Ok(wav) => Some((bytes, Some(wav))),
        Err(why) => {
            f.wrong(FIELD, format!("The content field {why}."));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::Input;
    use serde_json::Map;

    #[test]
    fn the_example_is_one() {
        let bytes = STANDARD.decode(EXAMPLE).unwrap();
        assert_eq!(wav::read(&bytes).unwrap(), Wav { rate: 8000, channels: 1, duration_ms: 0 });
    }

    #[test]
    fn what_is_no_sound_is_refused_with_its_reason() {
        for (content, why) in
            [("###", "must be a file in base64"), ("SUQzBAAA", "is no WAV file"), ("", "is required")]
        {
            let map: Map<String, serde_json::Value> =
                [("name".to_owned(), json!("x")), ("content".to_owned(), json!(content))]
                    .into_iter()
                    .collect();
            let input = Input::of(map);
            let errors = new_prompt(&mut Fields::new(&input)).unwrap_err();
            assert!(format!("{errors:?}").contains(why), "{errors:?}");
        }
    }
}
