//! Rules of time, on the tenant's own calendar.

use super::json::{list, uuid};
use super::scope::Scope;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};
use serde_json::Value;
use std::sync::OnceLock;

const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// What the clock on the tenant's wall shows.
pub(super) fn local(scope: Scope<'_>, now: i64) -> DateTime {
    static ZONES: OnceLock<TimeZoneDatabase> = OnceLock::new();
    let zones = ZONES.get_or_init(TimeZoneDatabase::bundled);
    let zone = scope.text_setting("timezone").and_then(|name| zones.get(name).ok());
    zone.unwrap_or(TimeZone::UTC).to_datetime(Timestamp::from_second(now).unwrap())
}

/// Minutes since midnight.
pub(super) fn minute(local: DateTime) -> i64 {
    i64::from(local.hour()) * 60 + i64::from(local.minute())
}

/// Minutes since midnight of `09:05`.
pub(super) fn clock(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn two_digits(text: &str) -> Option<i64> {
    if text.len() == 2 && text.chars().all(|c| c.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// The name of the day: `mon`.
pub(super) fn weekday(date: Date) -> &'static str {
    WEEKDAYS[usize::try_from(date.weekday().to_sunday_zero_offset()).unwrap()]
}

/// Whether one of the rules holds.
pub(super) fn one_holds(scope: Scope<'_>, rules: &Value, now: i64) -> bool {
    let local = local(scope, now);
    list(rules).iter().any(|rule| rule.is_object() && holds(scope, rule, local))
}

fn holds(scope: Scope<'_>, rule: &Value, local: DateTime) -> bool {
    let today = local.date();
    let named = |name: &str| rule.get(name).filter(|value| !value.is_null());
    let (Some(from), Some(to)) = (named("time_from"), named("time_to")) else {
        return named("time_from").is_none() && named("time_to").is_none() && day_fits(scope, rule, today);
    };
    let (Some(from), Some(to)) = (from.as_str().and_then(clock), to.as_str().and_then(clock)) else {
        return false;
    };
    let minute = minute(local);
    if from <= to {
        return from <= minute && minute < to && day_fits(scope, rule, today);
    }
    // The hours after midnight belong to the day before.
    minute >= from && day_fits(scope, rule, today)
        || minute < to && day_fits(scope, rule, today.checked_sub(1.day()).unwrap())
}

/// Whether the day is as all that the rule names of days.
fn day_fits(scope: Scope<'_>, rule: &Value, date: Date) -> bool {
    let weekday = i64::from(date.weekday().to_sunday_zero_offset()) + 1;
    let listed = |name: &str, number: i64, names: &[&str], last: i64| match rule.get(name) {
        None | Some(Value::Null) => true,
        Some(value) => value.as_str().is_some_and(|text| is_listed(text, number, names, last)),
    };
    listed("wday", weekday, &WEEKDAYS, 7)
        && listed("mday", i64::from(date.day()), &[], 31)
        && listed("mon", i64::from(date.month()), &MONTHS, 12)
        && match rule.get("holiday_id") {
            None | Some(Value::Null) => true,
            Some(value) => value.as_str().is_some_and(|id| is_holiday(scope, id, date)),
        }
}

/// Whether a list such as `mon-fri,7` has the number. A range may go over the end.
fn is_listed(text: &str, number: i64, names: &[&str], last: i64) -> bool {
    let read = |one: &str| {
        let name = names.iter().position(|name| name.eq_ignore_ascii_case(one));
        let by_name = name.and_then(|at| i64::try_from(at + 1).ok());
        let plain = one.len() <= 2 && !one.is_empty() && one.chars().all(|c| c.is_ascii_digit());
        by_name.or_else(|| if plain { one.parse().ok() } else { None }).filter(|n| (1..=last).contains(n))
    };
    let mut has = false;
    for part in text.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (Some(from), Some(to)) = (read(from), read(to)) else { return false };
        has |= if from <= to { from <= number && number <= to } else { number >= from || number <= to };
    }
    has
}

/// Whether a calendar that is there has the day.
fn is_holiday(scope: Scope<'_>, id: &str, date: Date) -> bool {
    let calendar = uuid(id).and_then(|id| scope.row_of(&scope.model.holidays, id));
    let dates = calendar.map(|calendar| list(calendar.value("dates"))).unwrap_or_default();
    let whole = format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day());
    let yearly = format!("{:02}-{:02}", date.month(), date.day());
    dates.iter().filter_map(|entry| entry.get("date")?.as_str()).any(|text| text == whole || text == yearly)
}
