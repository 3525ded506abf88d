//! Random tenants.

use super::text;
use crate::model::Tenant;
use crate::random::Random;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Their domains, in order.
pub(super) const DOMAINS: [&str; 3] = ["a.test", "b.test", "192.0.2.77"];
/// Countries with all the ways in which numbers are dialled.
const COUNTRIES: &[&str] = &["DE", "US", "GB", "ES", "AU", "de", "RU", "IT", "ZZ"];
/// Zones with and without summer time, and with odd offsets.
const ZONES: &[&str] = &[
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
    "America/Santiago",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "UTC",
    "asia/tokyo",
];

pub(super) fn row(random: &Random, id: Uuid, at: usize) -> Tenant {
    let status = match random.below(40) {
        0 | 1 => "suspended",
        2 => "terminated",
        3..=9 => "trial",
        _ => "active",
    };
    let bound = || if random.percent(30) { random.within(1, 500) } else { 0 };
    Tenant {
        id,
        domain: DOMAINS[at].to_owned(),
        settings: settings(random),
        status,
        is_active: !random.percent(2),
        max_concurrent_calls: bound(),
        max_calls_per_minute: bound(),
    }
}

fn settings(random: &Random) -> Map<String, Value> {
    let mut settings = Map::new();
    let mut set = |random: &Random, percent: usize, name: &str, value: Value| {
        if random.percent(percent) {
            settings.insert(name.to_owned(), value);
        }
    };
    let zone = random.one(ZONES);
    set(random, 70, "timezone", json!(zone));
    let country = random.one(COUNTRIES);
    set(random, 75, "country", json!(country));
    let seconds = [json!(20), json!(25.0), json!("45"), Value::Null][random.below(4)].clone();
    set(random, 40, "ring_timeout", seconds);
    let numbers = random.some(&["110", "112", "911", "116117", "99", "100"], 3);
    set(random, 40, "emergency_numbers", json!(numbers));
    let shown = random.one(&["+49301234567", "030 1234567", "5551001001", "100", "$5", "Reception"]);
    set(random, 40, "caller_id_number", json!(shown));
    let name = text::text(random);
    set(random, 40, "caller_id_name", json!(name));
    let limits: Map<String, Value> = random
        .some(&["local", "national", "mobile", "international", "premium"], 3)
        .into_iter()
        .map(|class| (class.to_owned(), json!(random.within(0, 30))))
        .collect();
    set(random, 60, "class_limits", json!(limits));
    let engine = random.one(&["flite", "piper"]);
    set(random, 60, "tts_engine", json!(engine));
    let voice = random.one(&["kal", "slt", "en_GB-alba"]);
    set(random, 60, "tts_voice", json!(voice));
    settings
}
