//! The settings of a tenant that mean something to us, among whatever an operator keeps there. What was stored before it meant
//! anything is read with the same eyes: what does not fit is not there.

use serde_json::Value;

use super::fields::integer;
use super::rule::plain;
use crate::model::Class;
use crate::{home, zone};

/// A setting with a meaning.
pub(super) struct Known {
    pub(super) name: &'static str,
    /// Whether a value is one that can be understood.
    pub(super) fits: fn(&Value) -> bool,
    /// What it must be, for people.
    pub(super) must: &'static str,
}

/// Longest time for which what is kept of calls is kept.
const MOST_DAYS: i64 = 36_500;

/// For how many days what is kept of calls is kept.
pub fn retention(value: &Value) -> Option<i64> {
    integer(value).filter(|days| (1..=MOST_DAYS).contains(days))
}

/// Most emergency numbers of a tenant's own.
pub(super) const MOST_NUMBERS: usize = 20;
/// Most calls at once that a bound on a class may allow.
pub(super) const MOST_CALLS: u32 = 10_000;
/// What [`engine`] takes, as a pattern.
pub(super) const ENGINE: &str = "^[A-Za-z0-9_.-]{1,64}$";

/// Every setting with a meaning.
pub(super) const ALL: &[Known] = &[
    Known {
        name: "timezone",
        fits: |value| value.as_str().and_then(zone).is_some(),
        must: "a time zone of the IANA database such as Europe/Berlin",
    },
    Known {
        name: "ring_timeout",
        fits: |value| ring_seconds(value).is_some(),
        must: "a number of seconds from 5 to 300",
    },
    Known {
        name: "call_retention_days",
        fits: |value| retention(value).is_some(),
        must: "a number of days from 1 to 36500",
    },
    Known {
        name: "country",
        fits: |value| value.as_str().and_then(home).is_some(),
        must: "an ISO 3166 code such as DE",
    },
    Known {
        name: "emergency_numbers",
        fits: |value| emergency_numbers(value).is_some(),
        must: "a list of at most 20 numbers of 2 to 6 digits",
    },
    Known {
        name: "caller_id_number",
        fits: |value| text(value).is_some(),
        must: "a text of at most 255 characters without control characters, <!, ${ or \\'",
    },
    Known {
        name: "caller_id_name",
        fits: |value| text(value).is_some(),
        must: "a text of at most 255 characters without control characters, <!, ${ or \\'",
    },
    Known {
        name: "class_limits",
        fits: |value| class_limits(value).is_some(),
        must: "a map of classes to numbers of calls from 0 to 10000",
    },
    Known {
        name: "tts_engine",
        fits: |value| engine(value).is_some(),
        must: "1 to 64 letters, digits, _, . or -",
    },
    Known {
        name: "tts_voice",
        fits: |value| engine(value).is_some(),
        must: "1 to 64 letters, digits, _, . or -",
    },
];

/// How long an extension rings, in seconds.
pub(crate) fn ring_seconds(value: &Value) -> Option<u16> {
    integer(value)
        .filter(|seconds| (5..=300).contains(seconds))
        .and_then(|seconds| u16::try_from(seconds).ok())
}

/// Emergency numbers, as dialled.
pub(crate) fn emergency_numbers(value: &Value) -> Option<Vec<&str>> {
    let items = value.as_array().filter(|items| items.len() <= MOST_NUMBERS)?;
    let number = |item: &'_ Value| -> bool {
        let text = item.as_str().unwrap_or_default();
        (2..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    items.iter().all(number).then(|| items.iter().filter_map(Value::as_str).collect())
}

/// A text that is shown.
pub(crate) fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| plain("", text).is_ok())
}

/// Most calls at once to numbers of some classes; 0 = unlimited.
pub(crate) fn class_limits(value: &Value) -> Option<Vec<(Class, u32)>> {
    let limit = |(name, value): (&String, &Value)| {
        let calls = integer(value).and_then(|calls| u32::try_from(calls).ok());
        Class::parse(name).zip(calls.filter(|calls| *calls <= MOST_CALLS))
    };
    value.as_object()?.iter().map(limit).collect()
}

/// The name of a speech engine or of its voice.
pub(crate) fn engine(value: &Value) -> Option<&str> {
    let known = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    value.as_str().filter(|text| (1..=64).contains(&text.len()) && text.chars().all(known))
}
