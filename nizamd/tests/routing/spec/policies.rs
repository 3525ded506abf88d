//! "Policies".

use super::*;

fn policy(
    id: u128,
    priority: i64,
    conditions: &Value,
    matched: Option<u128>,
    otherwise: Option<u128>,
) -> Record {
    let kind = |to: Option<u128>| to.map_or(Value::Null, |_| json!("extension"));
    let id_of = |to: Option<u128>| to.map_or(Value::Null, id_of);
    row(
        ACME,
        id,
        json!({
            "conditions": conditions, "priority": priority,
            "match_destination_type": kind(matched), "match_destination_id": id_of(matched),
            "no_match_destination_type": kind(otherwise), "no_match_destination_id": id_of(otherwise),
        }),
    )
}

/// Where a call to 100 rings.
fn rings(model: &Model, caller: Option<&str>, now: i64) -> String {
    let caller_number = caller.map(|number| number.as_bytes().to_vec());
    steps(model, &Call { caller_number, now, ..call("100") })[0].clone()
}

const AT_100: &str = "set dialed_extension=100";
const AT_101: &str = "set dialed_extension=101";

/// Whether a policy with one condition matches.
fn matches(condition: &Value, caller: Option<&str>, now: i64) -> bool {
    let mut model = model();
    model.tenants[0].settings.insert("country".into(), json!("US"));
    model.policies.push(policy(1, 0, &json!([condition]), Some(101), None));
    rings(&model, caller, now) == AT_101
}

#[test]
fn the_first_that_does_not_allow_counts() {
    let always = json!([]);
    let mut model = model();
    model.policies.push(policy(3, 5, &always, None, None));
    assert_eq!(rings(&model, None, NOON), AT_100);
    model.policies.push(policy(2, 5, &always, Some(101), None));
    assert_eq!(rings(&model, None, NOON), AT_101);
    model.policies.push(policy(
        1,
        5,
        &json!([{"type": "blacklist", "params": {"numbers": ["*"]}}]),
        None,
        None,
    ));
    assert_eq!(
        steps(&model, &call("100")),
        ["set nizam_refused=policy", "respond 403"],
        "the oldest of one priority"
    );
    model.policies.push(policy(9, 4, &always, Some(101), None));
    assert_eq!(rings(&model, None, NOON), AT_101, "the lowest priority");
    model.policies[3].values["is_active"] = json!(false);
    assert_eq!(steps(&model, &call("100"))[1], "respond 403");
    let to = |id: u128| json!({"number": "+15550001111", "destination_type": "call_routing_policy", "destination_id": Uuid::from_u128(id)});
    model.dids.push(row(ACME, 20, to(1)));
    assert_eq!(rings(&model, None, NOON), AT_101, "a DID leads to the first");
    model.dids[0].values["is_active"] = json!(false);
    assert_eq!(steps(&model, &call("100"))[1], "respond 403");
}

#[test]
fn all_conditions_must_hold_but_a_blacklist_rejects() {
    let monday = json!({"type": "day_of_week", "params": {"days": ["MON"]}});
    let tuesday = json!({"type": "day_of_week", "params": {"days": ["tue"]}});
    let spam = json!({"type": "blacklist", "params": {"numbers": ["+1555*"]}});
    let mut model = model();
    model.policies.push(policy(1, 0, &json!([monday, tuesday]), None, Some(101)));
    assert_eq!(rings(&model, None, NOON), AT_101);
    model.policies[0].values["conditions"] = json!([monday, spam]);
    assert_eq!(rings(&model, None, NOON), AT_100);
    model.policies[0].values["conditions"] = json!([tuesday, spam]);
    assert_eq!(
        steps(&model, &Call { caller_number: Some(b"+15550001".to_vec()), ..call("100") })[1],
        "respond 403"
    );
    assert_eq!(rings(&model, Some("+49301234567"), NOON), AT_101);
}

#[test]
fn times_of_day_are_included_and_go_over_midnight() {
    let minutes = |hour: i64, minute: i64| NOON + (hour - 12) * 3600 + minute * 60;
    let night = json!({"type": "time_of_day", "params": {"start": "22:00", "end": "06:00"}});
    for (hour, minute, want) in [(21, 59, false), (22, 0, true), (0, 0, true), (6, 0, true), (6, 1, false)] {
        assert_eq!(matches(&night, None, minutes(hour, minute)), want, "{hour}:{minute}");
    }
    let late = json!({"type": "time_of_day", "params": {"start": "12:00"}});
    assert!(matches(&late, None, minutes(23, 59) + 59) && !matches(&late, None, minutes(11, 59)));
    assert!(!matches(&json!({"type": "moon", "params": {}}), Some("+15551001001"), NOON));
}

#[test]
fn callers_are_compared_in_two_spellings() {
    let pattern = |pattern: &str| json!({"type": "caller_id_pattern", "params": {"pattern": pattern}});
    for (wanted, caller, want) in [
        ("+15551001001", "5551001001", true),
        ("5551001001", "5551001001", true),
        ("+1555*", "(555) 100-1001", true),
        ("*001", "5551001001", true),
        ("+1*55*01", "5551001001", true),
        ("+1555", "5551001001", false),
        ("+100", "100", false),
        ("100", "100", true),
        ("*", "anonymous", true),
        ("*", "", false),
    ] {
        assert_eq!(matches(&pattern(wanted), Some(caller), NOON), want, "{wanted} {caller}");
    }
    assert!(!matches(&pattern("*"), None, NOON));
    let prefixes = json!({"type": "geo_prefix", "params": {"prefixes": ["+44", "+1555"]}});
    assert!(matches(&prefixes, Some("5551001001"), NOON));
    assert!(!matches(&prefixes, Some("+49555"), NOON) && !matches(&prefixes, None, NOON));
    assert!(matches(&json!({"type": "blacklist", "params": {"numbers": ["*"]}}), None, NOON));
}
