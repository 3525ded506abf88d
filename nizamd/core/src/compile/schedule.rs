//! Rules of time, calendars and zones, as the switch compares them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use nizam_wire::record::{ANY_DAY, ANY_MONTH, ANY_WEEKDAY, DAY_MINUTES, Holiday, ListBuf, TimeRule, Zone};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::resource::Record;
use crate::resource::schedule::{MONTHS, WEEKDAYS, minutes, numbers};

/// The rules of a time condition; one that can never hold is left out.
pub fn time_rules(conditions: &Value) -> Vec<TimeRule> {
    let conditions = conditions.as_array().map(Vec::as_slice).unwrap_or_default();
    conditions.iter().filter_map(Value::as_object).filter_map(time_rule).collect()
}

fn time_rule(map: &Map<String, Value>) -> Option<TimeRule> {
    let text = |name: &str| map.get(name).and_then(Value::as_str);
    let time = |name: &str| text(name).and_then(minutes).and_then(|minutes| u16::try_from(minutes).ok());
    let (from, to) = match (time("time_from"), time("time_to")) {
        (Some(from), Some(to)) if from == to => return None,
        (Some(from), Some(to)) => (from, to),
        _ => (0, DAY_MINUTES),
    };
    // A weekday is 1 for Sunday here and bit 6 there.
    let weekdays = match text("wday") {
        None => ANY_WEEKDAY,
        Some(text) => numbers(text, 1, &WEEKDAYS)?.iter().fold(0, |set, day| set | 1 << ((day + 5) % 7)),
    };
    let days = match text("mday") {
        None => ANY_DAY,
        Some(text) => numbers(text, 1, &[""; 31])?.iter().fold(0, |set, day| set | 1 << (day - 1)),
    };
    let months = match text("mon") {
        None => ANY_MONTH,
        Some(text) => numbers(text, 1, &MONTHS)?.iter().fold(0, |set, month| set | 1 << (month - 1)),
    };
    let holiday = match text("holiday_id") {
        None => None,
        Some(text) => Some(Uuid::try_parse(text).ok()?.into_bytes()),
    };
    Some(TimeRule { weekdays, days, months, from, to, holiday })
}

/// A calendar of holidays.
pub fn holiday(record: &Record) -> Vec<u8> {
    let dates = record.value("dates").as_array().map(Vec::as_slice).unwrap_or_default();
    let (mut days, mut yearly) = (Vec::new(), Vec::new());
    for text in dates.iter().filter_map(|date| date.get("date")?.as_str()) {
        if let Ok(date) = text.parse::<jiff::civil::Date>() {
            let midnight = TimeZone::UTC.to_timestamp(date.into()).ok();
            days.extend(midnight.and_then(|time| i32::try_from(time.as_second().div_euclid(86_400)).ok()));
        } else if let Some((month, day)) = text.split_once('-') {
            yearly.extend(month.parse::<u8>().ok().zip(day.parse::<u8>().ok()));
        }
    }
    days.sort_unstable();
    let (days, yearly) = (ListBuf::of(days), ListBuf::of(yearly));
    Holiday { days: days.as_list(), yearly: yearly.as_list() }.encode()
}

/// Years after the present one for which the changes of a zone are in an image.
const YEARS: i64 = 10;

/// A zone, from a year before `now` (seconds since 1970) to ten years after it.
pub fn zone_table(zone: &TimeZone, now: i64) -> Vec<u8> {
    let year = 366 * 86_400;
    let begin = Timestamp::from_second(now.saturating_sub(year)).unwrap_or(Timestamp::MIN);
    let end = now.saturating_add(YEARS * year);
    let first = zone.to_offset(begin).seconds();
    let (mut changes, mut last) = (ListBuf::default(), first);
    for change in zone.following(begin).take_while(|change| change.timestamp().as_second() <= end) {
        let offset = change.offset().seconds();
        // A zone may change its name alone.
        if offset != last {
            changes.push(&(change.timestamp().as_second(), offset));
            last = offset;
        }
    }
    Zone { first, changes: changes.as_list() }.encode()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_become_bits() {
        let rule = |value: Value| time_rules(&json!([value])).first().copied();
        let all = rule(json!({})).unwrap();
        assert_eq!(
            (all.weekdays, all.days, all.months, all.from, all.to),
            (0x7f, 0x7fff_ffff, 0xfff, 0, 1440)
        );
        let work = rule(json!({"wday": "mon-fri", "time_from": "09:00", "time_to": "17:30"})).unwrap();
        assert_eq!((work.weekdays, work.from, work.to), (0b1_1111, 540, 1050));
        assert_eq!(rule(json!({"wday": "1,7"})).unwrap().weekdays, 0b110_0000);
        assert_eq!(rule(json!({"mday": "1,31", "mon": "dec-jan"})).unwrap().days, 1 << 30 | 1);
        assert_eq!(rule(json!({"mon": "dec-jan"})).unwrap().months, 1 << 11 | 1);
        assert_eq!(rule(json!({"time_from": "09:00", "time_to": "09:00"})), None);
        let id = Uuid::from_u128(5);
        assert_eq!(rule(json!({"holiday_id": id})).unwrap().holiday, Some(id.into_bytes()));
    }

    #[test]
    fn a_zone_has_its_changes_and_nothing_else() {
        let now = 1_790_000_000;
        let table = |name: &str| zone_table(&crate::zone(name).unwrap(), now);
        let bytes = table("Europe/Berlin");
        let zone = Zone::decode(&bytes).unwrap();
        // 2026-10-25 01:00 UTC.
        assert_eq!([zone.offset(1_792_889_999), zone.offset(1_792_890_000)], [7200, 3600]);
        assert!((20..=24).contains(&zone.changes.iter().count()), "two a year");
        let bytes = table("Asia/Kolkata");
        let zone = Zone::decode(&bytes).unwrap();
        assert_eq!((zone.offset(now), zone.changes.iter().count()), (19_800, 0));
    }

    #[test]
    fn a_calendar_tells_dates_of_a_year_from_those_of_every_year() {
        let values = json!({"dates": [{"date": "2026-12-25"}, {"date": "02-29"}, {"date": "1970-01-02"}]});
        let Value::Object(values) = values else { panic!("no map") };
        let record = Record {
            id: Uuid::nil(),
            tenant_id: Uuid::nil(),
            version: 1,
            values,
            created_at: 0,
            updated_at: 0,
        };
        let bytes = holiday(&record);
        let calendar = Holiday::decode(&bytes).unwrap();
        assert_eq!(calendar.days.iter().collect::<Vec<_>>(), [1, 20_812]);
        assert_eq!(calendar.yearly.iter().collect::<Vec<_>>(), [(2, 29)]);
    }
}
