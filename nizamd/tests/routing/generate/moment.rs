//! Random times at which it matters what time it is.

use super::schedule::TIMES;
use crate::model::Model;
use crate::random::Random;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use nizam_core::resource::Record;
use std::sync::OnceLock;

/// For how long after its making an image is asked: its zones reach ten years.
const YEARS: i64 = 9 * 366 * 86_400;

/// Any time; often a minute that rules name, a holiday, or an hour in which clocks change.
pub(super) fn moment(random: &Random, model: &Model, at: usize) -> i64 {
    let any = model.made_at + random.within(0, YEARS);
    let zone = model.tenants[at].settings.get("timezone").and_then(|zone| zone.as_str()).unwrap_or("UTC");
    let zone = zone_named(zone);
    let moment = match random.below(10) {
        0 => any,
        1 | 2 => {
            let change = zone.following(Timestamp::from_second(any).unwrap()).next();
            change.map_or(any, |change| change.timestamp().as_second()) + random.within(-7200, 7200)
        }
        kind => {
            let date = zone.to_datetime(Timestamp::from_second(any).unwrap()).date();
            let date = if kind < 6 { holiday(random, model, at, date) } else { date };
            let (hour, minute) = random.one(TIMES).split_once(':').unwrap();
            let time = date.at(hour.parse().unwrap(), minute.parse().unwrap(), 0, 0);
            let named = zone.to_ambiguous_timestamp(time).compatible().unwrap().as_second();
            named + random.one(&[0, -1, 59, 60, -60, 1800, 3600])
        }
    };
    moment.clamp(model.made_at, model.made_at + YEARS)
}

/// A day of one of the tenant's calendars, or the day after one; of the same year, if it is one of every year.
fn holiday(random: &Random, model: &Model, at: usize, date: Date) -> Date {
    let own: Vec<&Record> =
        model.holidays.iter().filter(|row| row.tenant_id == model.tenants[at].id).collect();
    let dates: Vec<&str> = own
        .iter()
        .flat_map(|row| row.value("dates").as_array().unwrap())
        .filter_map(|entry| entry["date"].as_str())
        .collect();
    let text = random.one_or(&dates, 0, "12-25");
    let whole = if text.len() > 5 { text.to_owned() } else { format!("{:04}-{text}", date.year()) };
    let day = whole.parse().unwrap_or(date);
    if random.percent(40) { day.tomorrow().unwrap() } else { day }
}

fn zone_named(name: &str) -> TimeZone {
    static ZONES: OnceLock<TimeZoneDatabase> = OnceLock::new();
    ZONES.get_or_init(TimeZoneDatabase::bundled).get(name).unwrap()
}
