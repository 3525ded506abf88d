//! Numbers of the public network in all their spellings, and DIDs.

use super::{Ids, destination, record, text};
use crate::model::Model;
use crate::random::Random;
use nizam_wire::number::Home;
use serde_json::json;

/// E.164 digits; several tenants have them. The last ones are as short as numbers get.
pub(super) const PUBLIC: &[&str] = &[
    "49301234567",
    "4930123456",
    "15551001001",
    "442079460000",
    "34912345678",
    "390612345678",
    "61291234567",
    "74951234567",
    "49123456",
    "4912345",
    "491234",
    "49123",
    "3412345",
    "341234",
];

/// The number as somebody at home may write it.
pub(super) fn spelled(random: &Random, digits: &str, home: Option<Home<'_>>) -> String {
    let plain = match home {
        Some(home) if random.percent(50) => match digits.strip_prefix(home.code) {
            Some(national) => format!("{}{national}", home.trunk),
            None => format!("{}{digits}", home.international),
        },
        _ => match random.below(4) {
            0 => digits.to_owned(),
            1 => format!("00{digits}"),
            2 => format!("011{digits}"),
            _ => format!("+{digits}"),
        },
    };
    if random.percent(75) {
        return plain;
    }
    let between = random.one(&[" ", "-", ".", ") ("]);
    let at = 1 + random.below(plain.len() - 1);
    format!("{}{between}{}", &plain[..at], &plain[at..])
}

/// Where a tenant is at home.
pub(super) fn home_of(model: &Model, at: usize) -> Option<Home<'static>> {
    nizam_core::home(model.tenants[at].settings.get("country")?.as_str()?)
}

pub(super) fn dids(random: &Random, model: &mut Model, ids: &Ids, at: usize) {
    let home = home_of(model, at);
    let key = |number: &str| number.replace(|c: char| !c.is_ascii_digit() && c != '+', "");
    for _ in 0..random.within(1, 4) {
        let near = if random.percent(60) { 3 } else { PUBLIC.len() };
        let number = spelled(random, PUBLIC[random.below(near)], home);
        let mut others = model.dids.iter().filter(|did| did.tenant_id == ids.tenant);
        if others.any(|did| key(did.text("number")) == key(&number)) {
            continue;
        }
        let mut values = json!({"number": number, "description": text::maybe(random, 10), "confirmed": random.percent(30)});
        destination::fields(random, ids, "destination", 0, &mut values);
        let id = random.uuid();
        let row = record(random, ids, id, model.made_at, values);
        model.dids.push(row);
    }
}
