//! Random gateways and outbound routes.

use super::extension::CLASSES;
use super::{Ids, record};
use crate::model::Model;
use crate::random::Random;
use serde_json::{Value, json};

/// Addresses of carriers, and of others.
pub(super) const ADDRESSES: &[&str] =
    &["192.0.2.10", "198.51.100.7", "203.0.113.5", "2001:db8::10", "10.0.0.1"];
/// Patterns of dialled numbers.
pub(super) const PATTERNS: &[&str] = &[
    "0.",
    "00.",
    "0044.",
    "1NXXNXXXXXX",
    "NXXXXXX",
    "+.",
    "+49.",
    "49.",
    "9.",
    "*9X.",
    "112",
    "911",
    "XXX",
    "0ZX.",
    "011.",
    "X.",
    "4930123456",
    "030123456",
    "116117",
    "49XXXXXXXXX",
    "0049.",
    "#3X",
    "91X.",
    "00XXXXXX",
    "00XXXXXXX",
    "0XXX",
    "0XXXX",
];

/// The same of routes for emergency calls.
const HELP: &[&str] = &["112", "11.", "XXX", "9XX", "116.", "X.", "116117", "0."];

pub(super) fn gateways(random: &Random, model: &mut Model, ids: &Ids) {
    for &id in &ids.gateways {
        let host = random.one(&["sip.carrier.example", "192.0.2.10", "198.51.100.7", "2001:db8::10"]);
        let values = json!({
            "name": format!("{} {}", random.one(&["carrier", "Backup", "alpha", "Zeta"]), &id.to_string()[..4]),
            "host": host, "port": 5060, "transport": "udp", "allow_transcoding": true,
            "username": null, "password": null, "realm": null, "inbound_codecs": null, "outbound_codecs": null,
            "shared": random.percent(25), "register": random.percent(50),
            "addresses": random.some(ADDRESSES, 2),
        });
        let row = record(random, ids, id, model.made_at, values);
        model.gateways.push(row);
    }
}

pub(super) fn routes(random: &Random, model: &mut Model, ids: &Ids) {
    let everyones: Vec<_> = model.gateways.iter().map(|gateway| gateway.id).collect();
    for _ in 0..random.within(0, 4) {
        let class = if random.percent(20) { "emergency" } else { random.one(CLASSES) };
        let known = if class == "emergency" { HELP } else { PATTERNS };
        let mut patterns = random.some(known, 4);
        if patterns.is_empty() {
            patterns.push("X.");
        }
        let mut gateways = random.some(&ids.gateways, 3);
        if gateways.is_empty() || random.percent(20) {
            let other = random.uuid();
            gateways.push(random.one_or(&everyones, 15, other));
        }
        gateways.dedup();
        let prepend = random.one(&["9", "+", "00", "*31#"]);
        let own = random.one(&["+442079460000", "030 1234567", "12", "5551001001"]);
        let values = json!({
            "name": "Route", "priority": random.within(0, 2) * 50, "patterns": patterns, "class": class,
            "strip": if random.percent(30) { random.within(0, 4) } else { 0 },
            "prepend": if random.percent(25) { json!(prepend) } else { Value::Null },
            "gateways": gateways, "caller_id": random.one(&["extension", "tenant", "trunk"]),
            "caller_id_number": if random.percent(40) { json!(own.replace(' ', "")) } else { Value::Null },
        });
        let id = random.uuid();
        let row = record(random, ids, id, model.made_at, values);
        model.outbound_routes.push(row);
    }
}
