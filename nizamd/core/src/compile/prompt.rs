//! What is played to callers.

use nizam_wire::record::Prompt;
use uuid::Uuid;

use crate::resource::Record;

/// What a text means that says what is played. [`Prompt::None`]: nothing, because nobody understands it, or because it could
/// lead to what is not the tenant's: what one tenant recorded lies in a path.
pub(crate) fn read(text: &str) -> Prompt<'_> {
    if text.len() == 36
        && let Ok(id) = Uuid::try_parse(text)
    {
        return Prompt::Uploaded(id.into_bytes());
    }
    if let Some(words) = text.strip_prefix("say:") {
        return said(words);
    }
    if is_stream(text) || is_path(text) { Prompt::File(text) } else { Prompt::None }
}

/// A text that is spoken.
pub(crate) fn said(words: &str) -> Prompt<'_> {
    let words = words.trim();
    if words.is_empty() || !inert(words) { Prompt::None } else { Prompt::Say(words) }
}

/// Whether FreeSWITCH takes a text as it is.
fn inert(text: &str) -> bool {
    !text.contains(['$', '\\']) && !text.contains("<!") && !text.chars().any(char::is_control)
}

/// A stream of the switch: what follows its scheme is made of what such streams need, and names no file
/// (`mod_tone_stream.c:tone_stream_file_open` reads one after `path=`).
fn is_stream(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let of =
        |also: &str| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c));
    match scheme {
        "tone_stream" => of("%(),.;=:+-*#") && !rest.to_ascii_lowercase().contains("path="),
        "silence_stream" => of(",-"),
        "local_stream" => of("_-./") && !rest.contains(".."),
        _ => false,
    }
}

/// A file below the sounds of the switch.
fn is_path(text: &str) -> bool {
    let known = |c: char| c.is_alphanumeric() || "_-./+".contains(c);
    !text.is_empty() && !text.starts_with('/') && !text.contains("..") && text.chars().all(known)
}

/// The path of the file of an uploaded prompt, below the directory of all.
pub fn prompt_path(directory: &str, record: &Record) -> String {
    format!("{directory}/{}/{}-{}.wav", record.tenant_id, record.id, record.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_played() {
        for text in [
            "ivr/welcome.wav",
            "welcome.wav",
            "ansagen/begrüßung_2.wav",
            "tone_stream://%(400,200,400,450);%(400,2200,400,450);loops=-1",
            "silence_stream://250,1400",
            "silence_stream://-1",
            "local_stream://moh/8000",
        ] {
            assert_eq!(read(text), Prompt::File(text), "{text}");
        }
        assert_eq!(read("say: Hello, you there! "), Prompt::Say("Hello, you there!"));
        let id = Uuid::from_u128(7);
        assert_eq!(read(&id.to_string()), Prompt::Uploaded(id.into_bytes()));
    }

    #[test]
    fn what_is_not() {
        for text in [
            "",
            "/etc/passwd",
            "/var/lib/freeswitch/recordings/x.wav",
            "../x.wav",
            "ivr/../../x.wav",
            "a b.wav",
            "{loops=3}ivr/a.wav",
            "file_string://a!b",
            "shout://example.org/x",
            "http://example.org/x.wav",
            "tone_stream://path=/etc/passwd",
            "tone_stream://PATH=x",
            "local_stream://../x",
            "local_stream://",
            "phrase:x",
            "say:",
            "say:  ",
            "say:it costs $5",
            "say:a\\b",
            "C:\\x.wav",
            "~/x.wav",
            "vlc://x",
        ] {
            assert_eq!(read(text), Prompt::None, "{text:?}");
        }
    }
}
