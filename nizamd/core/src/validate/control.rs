//! What a client says of a call that it wants to change.

use serde_json::json;
use uuid::Uuid;

use super::rule::{NUMBER, Rule, label};
use super::{Errors, Fields, Presence};
use crate::control::{Leg, Switch, fits_dial_string};

/// A number that is dialled for somebody. No `:`: the numbers with one are those that only steps of routes lead to. Not `undef`:
/// FreeSWITCH takes it for nothing, and ends for want of a destination (`mod_commands.c:originate_function`).
const DIALLED: Rule = Rule::checked(dialled, 1, 255, "+15551001001")
    .pattern("^(?![Uu][Nn][Dd][Ee][Ff]$)[A-Za-z0-9_+*#.][A-Za-z0-9_+*#.-]{0,254}$");
/// A name that a phone shows, and that can stand in a dial string.
const CALLER_NAME: Rule = Rule::checked(caller_name, 1, 255, "Reception")
    .pattern(r#"^[^'"\\,{}\[\]()<>|^&;:$`\u0000-\u001f\u007f-\u009f]+$"#);
/// A hangup cause (`switch_channel.c:CAUSE_CHART`), by its name or its number.
const CAUSE: Rule = Rule::checked(cause, 1, 100, "NORMAL_CLEARING").pattern("^[A-Z0-9_]{1,100}$");
/// Keys of a phone.
const KEYS: Rule = Rule::checked(keys, 1, 64, "1#").pattern("^[0-9A-D*#]{1,64}$");

fn of(
    name: &str,
    text: &str,
    most: usize,
    what: &str,
    good: impl Fn(char) -> bool,
) -> Result<String, String> {
    if text.chars().count() > most {
        return Err(format!("The {name} field must not be greater than {most} characters."));
    }
    if text.is_empty() || !text.chars().all(good) {
        return Err(format!("The {name} field must only contain {what}."));
    }
    Ok(text.to_owned())
}

fn dialled(name: &str, text: &str) -> Result<String, String> {
    if text.starts_with('-') {
        // FreeSWITCH would take it for an option.
        return Err(format!("The {name} field must not begin with -."));
    }
    if text.eq_ignore_ascii_case("undef") {
        return Err(format!("The {name} field must not be undef."));
    }
    let good = |c: char| c.is_ascii_alphanumeric() || "_+*#.-".contains(c);
    of(name, text, 255, "letters, digits and . _ + * # -", good)
}

fn caller_name(name: &str, text: &str) -> Result<String, String> {
    let one = |c: char| fits_dial_string(c.encode_utf8(&mut [0; 4]));
    of(
        name,
        text,
        255,
        "characters that a dial string can hold: no quotes, commas, brackets, | ^ & ; : $ or \\",
        one,
    )
}

fn cause(name: &str, text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    of(name, text, 100, "capital letters, digits and _", good)
}

fn keys(name: &str, text: &str) -> Result<String, String> {
    of(name, text, 64, "the keys 0-9, A-D, * and #", |c| "0123456789ABCD*#".contains(c))
}

/// A call that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCall {
    /// The number of the extension that rings first.
    pub extension: String,
    /// What is dialled for it.
    pub destination: String,
    /// The name that it shows.
    pub caller_id_name: Option<String>,
    /// The number that it shows.
    pub caller_id_number: Option<String>,
}

/// Reads a call that is to be made.
pub fn new_call(f: &mut Fields<'_>) -> Result<NewCall, Errors> {
    let extension = f.text("extension", NUMBER.such_as("1001"));
    let destination = f.text("destination", DIALLED);
    let caller_id_name = f.nullable("caller_id_name", CALLER_NAME);
    let caller_id_number = f.nullable("caller_id_number", DIALLED);
    f.finish(NewCall { extension, destination, caller_id_name, caller_id_number })
}

/// The channel that a client names, by either of the two names of the field. None: no channel has such an id.
fn channel(f: &mut Fields<'_>) -> Option<Uuid> {
    let schema = || json!({"type": "string", "format": "uuid", "maxLength": 255});
    // The other name is for clients that know no better: documents ask for this one.
    let described = f.describe("uuid", Presence::Required, schema);
    if f.describe("call_uuid", Presence::Nullable, schema) || described {
        return None;
    }
    let named = f.value("uuid").or_else(|| f.value("call_uuid")).cloned();
    match named {
        None => f.missing("uuid"),
        Some(value) => match value.as_str() {
            Some(text) if text.chars().count() <= 255 => return Uuid::try_parse(text).ok(),
            Some(_) => f.wrong("uuid", "The uuid field must not be greater than 255 characters."),
            None => f.wrong("uuid", "The uuid field must be a string."),
        },
    }
    None
}

/// One of a list of words, or none.
fn word<T: Copy>(f: &mut Fields<'_>, field: &'static str, words: &'static [(&'static str, T)]) -> Option<T> {
    let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
    if f.describe(field, Presence::Nullable, || json!({"type": "string", "enum": names})) {
        return None;
    }
    let value = f.value(field)?.clone();
    let found = value.as_str().and_then(|text| words.iter().find(|(name, _)| *name == text));
    if found.is_none() {
        f.wrong(field, format!("The selected {} is invalid.", label(field)));
    }
    found.map(|(_, word)| *word)
}

/// A call that is to end: its channel, and the cause.
pub fn hangup(f: &mut Fields<'_>) -> Result<(Option<Uuid>, String), Errors> {
    let channel = channel(f);
    let cause = f.nullable("cause", CAUSE).unwrap_or_else(|| "NORMAL_CLEARING".to_owned());
    f.finish((channel, cause))
}

/// A call that is to go elsewhere: its channel, which end of it, and where.
pub fn transfer(f: &mut Fields<'_>) -> Result<(Option<Uuid>, Leg, String), Errors> {
    const LEGS: &[(&str, Leg)] = &[("aleg", Leg::A), ("bleg", Leg::B), ("both", Leg::Both)];
    let channel = channel(f);
    let destination = f.text("destination", DIALLED);
    let leg = word(f, "leg", LEGS).unwrap_or(Leg::A);
    f.finish((channel, leg, destination))
}

/// A call that is to wait with music, or no more.
pub fn hold(f: &mut Fields<'_>) -> Result<(Option<Uuid>, Switch), Errors> {
    const ACTIONS: &[(&str, Switch)] =
        &[("hold", Switch::On), ("unhold", Switch::Off), ("toggle", Switch::Toggle)];
    let channel = channel(f);
    let to = word(f, "action", ACTIONS).unwrap_or(Switch::Toggle);
    f.finish((channel, to))
}

/// A call that is to be recorded, or no more.
pub fn recording(f: &mut Fields<'_>) -> Result<(Option<Uuid>, Switch), Errors> {
    const ACTIONS: &[(&str, Switch)] =
        &[("start", Switch::On), ("stop", Switch::Off), ("toggle", Switch::Toggle)];
    let channel = channel(f);
    let to = word(f, "action", ACTIONS).unwrap_or(Switch::Toggle);
    f.finish((channel, to))
}

/// A call that is to be parked.
pub fn park(f: &mut Fields<'_>) -> Result<Option<Uuid>, Errors> {
    let channel = channel(f);
    f.finish(channel)
}

/// Keys that are to be pressed for a call.
pub fn dtmf(f: &mut Fields<'_>) -> Result<(Option<Uuid>, String), Errors> {
    let channel = channel(f);
    let digits = f.text("digits", KEYS);
    f.finish((channel, digits))
}

/// Two channels that are to be connected.
pub fn bridge(f: &mut Fields<'_>) -> Result<(Option<Uuid>, Option<Uuid>), Errors> {
    let channel = channel(f);
    let schema = || json!({"type": "string", "format": "uuid", "maxLength": 255});
    let mut other = None;
    if !f.describe("other_uuid", Presence::Required, schema) {
        match f.value("other_uuid").cloned() {
            None => f.missing("other_uuid"),
            Some(value) => other = value.as_str().and_then(|text| Uuid::try_parse(text).ok()),
        }
    }
    f.finish((channel, other))
}

/// A call that somebody is to hear: its channel, and the number of the extension that rings for it.
pub fn eavesdrop(f: &mut Fields<'_>) -> Result<(Option<Uuid>, String), Errors> {
    let channel = channel(f);
    let extension = f.text("extension", NUMBER.such_as("1001"));
    f.finish((channel, extension))
}

#[cfg(test)]
mod tests {
    use super::super::Input;
    use super::*;

    /// Whether a call may be made that has this text in a field.
    fn is_taken(field: &str, text: &str) -> bool {
        let mut body = json!({"extension": "1001", "destination": "1002"});
        body[field] = json!(text);
        let input = Input::json(body.to_string().as_bytes()).unwrap();
        new_call(&mut Fields::new(&input)).is_ok()
    }

    #[test]
    fn a_destination_is_one_word_that_freeswitch_reads_as_one() {
        for text in ["1002", "+15551001001", "*98", "sales.berlin", "undefined", "x-undef"] {
            assert!(is_taken("destination", text), "{text}");
        }
        for text in ["undef", "UnDef", "-both", "1002 inline", "&park()", "a:b", "${x}", "1,2", "a/b", "a@b"]
        {
            assert!(!is_taken("destination", text), "{text}");
        }
        assert!(!is_taken("caller_id_number", "undef"));
    }

    #[test]
    fn a_callers_name_begins_no_other_call() {
        for text in ["Front desk", "Zoë #1", "1/2 + 3", "undef"] {
            assert!(is_taken("caller_id_name", text), "{text}");
        }
        for text in [
            "x:_:sofia/external/+4990012345@carrier.example",
            ":_:user/1002@other.example",
            "ARRAY::a",
            "a'b",
        ] {
            assert!(!is_taken("caller_id_name", text), "{text}");
        }
    }
}
