//! Time conditions: rules, zones, calendars.

use super::*;

/// Whether a time condition with these rules matches at a moment.
fn matches(zone: &str, rules: &Value, now: i64) -> bool {
    let mut model = model();
    model.tenants[0].settings.insert("timezone".into(), json!(zone));
    model.holidays.push(row(ACME, 7, json!({"dates": [{"date": "2026-07-27"}, {"date": "12-25"}]})));
    model.time_conditions.push(row(
        ACME,
        1,
        json!({
            "conditions": rules, "match_destination_type": "extension", "match_destination_id": id_of(101),
            "no_match_destination_type": null, "no_match_destination_id": null,
        }),
    ));
    let to = json!({"number": "+15550001111", "destination_type": "time_condition", "destination_id": Uuid::from_u128(1)});
    model.dids.push(row(ACME, 2, to));
    let steps = steps(&model, &Call { now, ..call("+15550001111") });
    assert!(steps == ["respond 404"] || steps[0] == "set dialed_extension=101", "{steps:?}");
    steps.len() > 1
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

#[test]
fn one_rule_must_hold_with_all_that_it_names() {
    let rules = json!([{"wday": "tue-thu"}, {"wday": "2", "mon": "jul", "mday": "20-31", "time_from": "09:00", "time_to": "12:01"}]);
    assert!(matches("UTC", &rules, NOON));
    assert!(!matches("UTC", &rules, NOON + 60), "the last minute is not one of it");
    assert!(matches("UTC", &rules, NOON + DAY));
    assert!(!matches("UTC", &rules, NOON - 7 * DAY + 8 * HOUR));
    assert!(!matches("UTC", &json!([]), NOON));
    assert!(matches("UTC", &json!([{}]), NOON));
    assert!(matches("UTC", &json!([{"wday": "sat-mon"}]), NOON), "a range over the end of the week");
}

#[test]
fn the_hours_after_midnight_belong_to_the_day_before() {
    let night = json!([{"wday": "mon", "time_from": "22:00", "time_to": "06:00"}]);
    for (hours, want) in [(9, false), (10, true), (17, true), (18, false), (-7, false), (24 + 10, false)] {
        assert_eq!(matches("UTC", &night, NOON + hours * HOUR), want, "{hours}");
    }
}

#[test]
fn zones_have_summer_time() {
    let morning = json!([{"time_from": "02:30", "time_to": "03:30"}]);
    // 2027-03-28 01:00 UTC: from 02:00 to 03:00 in Berlin.
    let change = 1_806_195_600;
    assert!(!matches("Europe/Berlin", &morning, change - 1));
    assert!(matches("Europe/Berlin", &morning, change));
    assert!(
        matches("Europe/Berlin", &morning, change + 29 * 60)
            && !matches("Europe/Berlin", &morning, change + 30 * 60)
    );
    assert!(matches("Asia/Kathmandu", &json!([{"time_from": "17:45", "time_to": "17:46"}]), NOON));
    assert!(matches("Mars/Olympus", &json!([{"time_from": "12:00", "time_to": "12:01"}]), NOON), "UTC");
}

#[test]
fn calendars() {
    let holiday = |id: u128| json!([{"holiday_id": Uuid::from_u128(id)}]);
    assert!(matches("UTC", &holiday(7), NOON));
    assert!(!matches("UTC", &holiday(7), NOON + DAY));
    assert!(matches("UTC", &holiday(7), NOON + 151 * DAY), "12-25 of every year");
    assert!(!matches("UTC", &holiday(8), NOON), "no such calendar");
    // In Chatham the day is over by then.
    assert!(!matches("Pacific/Chatham", &holiday(7), NOON));
}
