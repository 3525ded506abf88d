//! The fields of operations on a webhook.

use uuid::Uuid;

use super::operation::required_id;
use super::rule::{SIGNING_SECRET, TIME_TEXT};
use super::{Errors, Fields};

/// How long the secret before signs as well unless the request says otherwise, seconds.
const OVERLAP: i64 = 24 * 3600;
/// The longest that it does.
const LONGEST_OVERLAP: i64 = 7 * OVERLAP;

/// A secret that takes the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The new secret; none: one is made at random.
    pub secret: Option<String>,
    /// How long the old one signs as well, seconds.
    pub overlap: i64,
}

/// Events of a time that a webhook is told once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedriveForm {
    /// From when, as it was sent.
    pub from: String,
    /// Until when, as it was sent; none: until now.
    pub to: Option<String>,
    /// Whether only those that the webhook was told of in vain.
    pub only_failed: bool,
}

/// Reads a secret that takes the place of another.
pub fn rotation(f: &mut Fields<'_>) -> Result<Rotation, Errors> {
    let secret = f.nullable("secret", SIGNING_SECRET);
    let overlap = f.nullable_integer("overlap_seconds", 0, LONGEST_OVERLAP).unwrap_or(OVERLAP);
    f.finish(Rotation { secret, overlap })
}

/// Reads which event a webhook is told once more.
pub fn redelivery(f: &mut Fields<'_>) -> Result<Uuid, Errors> {
    let id = required_id(f, "event_id");
    f.finish(id)
}

/// Reads which events a webhook is told once more.
pub fn redrive(f: &mut Fields<'_>) -> Result<RedriveForm, Errors> {
    let from = f.text("from", TIME_TEXT.such_as("2036-12-24T00:00:00Z"));
    let to = f.nullable("to", TIME_TEXT);
    let only_failed = f.flag("only_failed").unwrap_or_default();
    f.finish(RedriveForm { from, to, only_failed })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Input;
    use super::*;

    fn input(body: &Value) -> Input {
        Input::json(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_rotation_has_a_day_and_a_week_at_most() {
        let read = |body: Value| rotation(&mut Fields::new(&input(&body)));
        assert_eq!(read(json!({})), Ok(Rotation { secret: None, overlap: 86_400 }));
        let all = json!({"secret": "sixteen letters!", "overlap_seconds": "0"});
        assert_eq!(read(all), Ok(Rotation { secret: Some("sixteen letters!".into()), overlap: 0 }));
        assert_eq!(read(json!({"overlap_seconds": 604_800})).map(|read| read.overlap), Ok(604_800));
        for (body, field) in [
            (json!({"secret": "short"}), "secret"),
            (json!({"overlap_seconds": 604_801}), "overlap_seconds"),
            (json!({"overlap_seconds": -1}), "overlap_seconds"),
            (json!({"overlap_seconds": "soon"}), "overlap_seconds"),
        ] {
            assert!(read(body.clone()).unwrap_err().has(field), "{body}");
        }
    }
}
