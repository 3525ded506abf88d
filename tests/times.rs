//! Rules of time against Python's zoneinfo: five years, twenty zones, the changes of the clocks, rules over midnight.
//! `NIZAM_TIME_CHECKS` says how many moments are compared.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod support;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use nizam_core::compile::{holiday, time_rules, zone_table};
use nizam_core::resource::{HOLIDAY, Record, Resource, TIME_CONDITION};
use nizam_core::validate::Errors;
use nizam_engine::civil::Civil;
use nizam_engine::schedule::holds;
use nizam_wire::record::{Holiday, Zone};
use serde_json::{Value, json};
use support::require;
use uuid::Uuid;

/// 2026-11-24, when the tables of the zones are made.
const NOW: i64 = 1_795_478_400;
/// Moments of one line.
const GROUP: u64 = 100;

/// The value of a field as the API would keep it.
fn kept(resource: &Resource, field: &str, value: &Value) -> Value {
    let mut errors = Errors::default();
    let kept = resource.field(field).unwrap().check(value, &mut errors);
    assert!(errors.is_empty(), "{value}: {}", errors.message());
    kept
}

fn calendar(dates: &Value) -> Vec<u8> {
    let values = [("dates".to_owned(), kept(&HOLIDAY, "dates", dates))].into_iter().collect();
    let id = Uuid::nil();
    holiday(&Record { id, tenant_id: id, version: 1, values, created_at: 0, updated_at: 0 })
}

#[test]
fn rules_of_time_hold_when_python_says_so() {
    if !require(&["zoneinfo"]) {
        return;
    }
    let checks: u64 = std::env::var("NIZAM_TIME_CHECKS").map_or(100_000, |text| text.parse().unwrap());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/times.py");
    let mut python = Command::new("python3")
        .args([script, "20261124", &checks.div_ceil(GROUP).to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut zones: HashMap<String, Vec<u8>> = HashMap::new();
    let (mut compared, mut held, mut different) = (0_u64, 0_u64, Vec::new());
    for line in BufReader::new(python.stdout.take().unwrap()).lines() {
        let case: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let name = case["zone"].as_str().unwrap();
        let table =
            zones.entry(name.to_owned()).or_insert_with(|| zone_table(&nizam_core::zone(name).unwrap(), NOW));
        let zone = Zone::decode(table).unwrap();
        let rules = time_rules(&kept(&TIME_CONDITION, "conditions", &case["conditions"]));
        let calendars: HashMap<[u8; 16], Vec<u8>> = case["holidays"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(id, dates)| (Uuid::try_parse(id).unwrap().into_bytes(), calendar(dates)))
            .collect();
        let find = |id: &[u8; 16]| calendars.get(id).and_then(|bytes| Holiday::decode(bytes).ok());
        let expected = case["expected"].as_str().unwrap().bytes();
        for (moment, want) in case["moments"].as_array().unwrap().iter().zip(expected) {
            let moment = moment.as_i64().unwrap();
            let now = Civil::at(moment, zone.offset(moment));
            let got = rules.iter().any(|rule| holds(rule, now, find));
            compared += 1;
            held += u64::from(got);
            if got != (want == b'1') {
                different.push(json!([name, moment, case["conditions"], got]));
            }
        }
    }
    assert!(python.wait().unwrap().success());
    println!(
        "times: {compared} moments in {} zones, {held} of them within, {} differences",
        zones.len(),
        different.len()
    );
    assert!(different.is_empty(), "{} of {compared}, such as {}", different.len(), different[0]);
    assert!(compared >= checks && zones.len() == 20 && (compared / 10..compared * 9 / 10).contains(&held));
}
