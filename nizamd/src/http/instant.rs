//! Times that clients send.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use nizam_core::validate::{Errors, Input};

/// A time: RFC 3339, or a time or a date of UTC.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let utc = |time: DateTime| TimeZone::UTC.to_timestamp(time);
    text.parse::<Timestamp>()
        .or_else(|_| text.parse::<DateTime>().and_then(utc))
        .or_else(|_| text.parse::<Date>().and_then(|date| utc(date.into())))
        .ok()
}

/// The time of a field of the query, microseconds since 1970, to compare rows with. Nothing was before 1970, and a database does not know
/// every time that people can write.
pub(super) fn of_query(input: &Input, field: &str, errors: &mut Errors) -> Option<i64> {
    let text = input.query_text(field)?;
    let time = parse(text);
    if time.is_none() {
        errors.push(field, format!("The {} field must be a valid date.", field.replace('_', " ")));
    }
    time.map(|time| time.as_microsecond().max(0))
}
