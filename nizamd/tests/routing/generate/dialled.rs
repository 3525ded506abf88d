//! Random numbers that are dialled: mostly those that lead somewhere.

use super::destination::KINDS;
use super::extension::NUMBERS;
use super::number::{PUBLIC, home_of, spelled};
use super::outbound::PATTERNS;
use super::text::hostile;
use crate::model::Model;
use crate::random::Random;
use nizam_core::resource::Record;
use uuid::Uuid;

/// What a phone of a tenant dials, or what a carrier asks for.
pub(super) fn number(random: &Random, model: &Model, at: usize, is_outside: bool, now: i64) -> Vec<u8> {
    let number = match random.below(if is_outside { 60 } else { 20 }) {
        0 => return hostile(random),
        1 | 2 | 20.. => public(random, model, at),
        3..=5 => extension(random, model, at),
        6..=8 => {
            let numbers = own(model, at, &[&model.ring_groups, &model.ivrs, &model.flows], "number");
            random.one_or(&numbers, 0, "600").to_owned()
        }
        9 => emergency(random, model, at),
        10 if random.percent(50) => random.one(&["*97", "*98", "*99", "*97#"]).to_owned(),
        10..=13 => {
            let of_routes = model.outbound_routes.iter().filter(|row| row.tenant_id == model.tenants[at].id);
            let patterns = of_routes.flat_map(|row| row.value("patterns").as_array().unwrap());
            let patterns: Vec<&str> = patterns.filter_map(|pattern| pattern.as_str()).collect();
            let any = random.one(PATTERNS);
            expanded(random, random.one_or(&patterns, 20, any))
        }
        _ => continuation(random, model, at, now),
    };
    number.into_bytes()
}

/// A number that calls for help somewhere, often one of the tenant's own.
fn emergency(random: &Random, model: &Model, at: usize) -> String {
    let own = model.tenants[at].settings.get("emergency_numbers").and_then(|numbers| numbers.as_array());
    let own: Vec<&str> = own.into_iter().flatten().filter_map(|number| number.as_str()).collect();
    let any = random.one(&["112", "911", "110", "999", "000", "116117", "99", "100"]);
    random.one_or(&own, 40, any).to_owned()
}

/// A text of each of the tenant's rows that has one.
fn own<'m>(model: &'m Model, at: usize, rows: &[&'m Vec<Record>], name: &str) -> Vec<&'m str> {
    let own = rows.iter().copied().flatten().filter(|row| row.tenant_id == model.tenants[at].id);
    own.map(|row| row.text(name)).filter(|text| !text.is_empty()).collect()
}

/// A DID of the tenant or any other number of the public network.
fn public(random: &Random, model: &Model, at: usize) -> String {
    let dids = own(model, at, &[&model.dids], "number");
    if random.percent(40) && !dids.is_empty() {
        return random.one(&dids).to_owned();
    }
    let near = if random.percent(60) { 3 } else { PUBLIC.len() };
    spelled(random, PUBLIC[random.below(near)], home_of(model, at))
}

fn extension(random: &Random, model: &Model, at: usize) -> String {
    let own = model.extensions.iter().filter(|row| row.tenant_id == model.tenants[at].id);
    let own: Vec<&str> = own.map(|row| row.number.as_str()).collect();
    let any = random.one(NUMBERS);
    let number = random.one_or(&own, 20, any);
    if random.percent(20) { number.to_ascii_uppercase() } else { number.to_owned() }
}

/// A number that a pattern takes, or nearly.
fn expanded(random: &Random, pattern: &str) -> String {
    let mut number = String::new();
    for c in pattern.chars() {
        match c {
            'X' => number.push_str(random.one(&["0", "1", "5", "9"])),
            'Z' => number.push_str(random.one(&["1", "4", "9"])),
            'N' => number.push_str(random.one(&["2", "4", "9"])),
            '.' => (0..random.below(12)).for_each(|_| number.push_str(random.one(&["1", "2", "3", "0"]))),
            literal => number.push(literal),
        }
    }
    if random.percent(4) {
        number.push_str(random.one(&["x", "${x}", " ", "0", "'"]));
    }
    number
}

/// A number that steps lead to, or something like it.
fn continuation(random: &Random, model: &Model, at: usize, now: i64) -> String {
    let tenant = model.tenants[at].id;
    // Another tenant's rows are as good as none.
    let any = random.percent(3);
    let ids = |rows: &[Record]| -> Vec<Uuid> {
        rows.iter().filter(|row| any || row.tenant_id == tenant).map(|row| row.id).collect()
    };
    let extensions = model.extensions.iter().filter(|row| any || row.tenant_id == tenant).map(|row| row.id);
    let of_kinds: Vec<(&str, Vec<Uuid>)> = KINDS
        .iter()
        .map(|&kind| match kind {
            "ring_group" => (kind, ids(&model.ring_groups)),
            "ivr" => (kind, ids(&model.ivrs)),
            "time_condition" => (kind, ids(&model.time_conditions)),
            "call_routing_policy" => (kind, ids(&model.policies)),
            "call_flow" => (kind, ids(&model.flows)),
            "queue" => (kind, ids(&model.queues)),
            _ => (kind, extensions.clone().collect()),
        })
        .filter(|(_, ids)| !ids.is_empty())
        .collect();
    let unknown = random.uuid();
    let number = match random.below(10) {
        0 => {
            let digits = random.one(&["100", "101", "alice", "*55", "999", "", "1:2"]);
            format!("nizam:direct:{}:{digits}", random.one_or(&ids(&model.ivrs), 5, unknown))
        }
        1..=4 => {
            let index = random.one_or(&["0", "0", "1", "1", "2", "3", "6"], 6, "99");
            format!("nizam:flow:{}:{index}", random.one_or(&ids(&model.flows), 5, unknown))
        }
        5 if random.percent(70) => {
            let until = match random.below(10) {
                0 => "soon".to_owned(),
                1 => String::new(),
                2 => (now + random.within(-5, 100_000)).to_string(),
                _ => (now + random.within(-30, 60)).to_string(),
            };
            format!("nizam:queue:{}:{until}", random.one_or(&ids(&model.queues), 5, unknown))
        }
        _ => {
            let (kind, ids) = &of_kinds[random.below(of_kinds.len())];
            format!("nizam:{kind}:{}", random.one_or(ids, 5, unknown))
        }
    };
    if random.percent(2) { number.to_uppercase() } else { number }
}
