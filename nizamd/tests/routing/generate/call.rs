//! Random calls to some tenants.

use super::extension::NUMBERS;
use super::flow::{DIGITS, VARIABLES};
use super::number::{PUBLIC, home_of, spelled};
use super::outbound::{ADDRESSES, PATTERNS};
use super::text::hostile;
use super::{destination::KINDS, tenant::DOMAINS};
use crate::call::Call;
use crate::model::Model;
use crate::random::Random;
use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use nizam_core::resource::Record;
use uuid::Uuid;

/// For how long after its making an image is asked: its zones reach ten years.
const YEARS: i64 = 9 * 366 * 86_400;

/// A call, mostly from a phone of one of the tenants.
pub(crate) fn call(random: &Random, model: &Model) -> Call {
    let at = random.below(model.tenants.len());
    let mut call = Call { now: moment(random, model, at), ..Call::default() };
    let is_outside = random.percent(25);
    let domain = model.tenants[at].domain.as_bytes().to_vec();
    call.context = match random.below(40) {
        0 => None,
        1 => Some(b"default".to_vec()),
        2 => Some(hostile(random)),
        3 => Some(domain.to_ascii_uppercase()),
        _ if is_outside => Some(b"public".to_vec()),
        _ => Some(domain.clone()),
    };
    if random.percent(if is_outside { 10 } else { 80 }) {
        let other = random.one(&DOMAINS).as_bytes().to_vec();
        call.caller_domain = Some(if random.percent(5) { other } else { domain });
        call.caller = Some(caller(random, model, at));
    }
    call.number = if random.percent(1) { None } else { Some(dialled(random, model, at, is_outside)) };
    call.caller_number = match random.below(10) {
        0 => None,
        1 => Some(hostile(random)),
        2..=5 => {
            let digits = random.one(PUBLIC);
            Some(spelled(random, digits, home_of(model, at)).into_bytes())
        }
        _ => Some(random.one(&["100", "+4917712345", "anonymous", "101"]).as_bytes().to_vec()),
    };
    trunk(random, model, &mut call, is_outside);
    variables(random, &mut call);
    call
}

/// Any time, midnight more often, and the hours in which clocks change.
fn moment(random: &Random, model: &Model, at: usize) -> i64 {
    let any = model.made_at + random.within(0, YEARS);
    match random.below(10) {
        0..=3 => any,
        4 | 5 => any - any.rem_euclid(3600) + random.within(-61, 61),
        6 => any - any.rem_euclid(1800) + random.within(-1, 1),
        _ => {
            let zone = model.tenants[at].settings.get("timezone").and_then(|zone| zone.as_str());
            let zone = zone.and_then(|zone| TimeZoneDatabase::bundled().get(zone).ok());
            let next = zone.and_then(|zone| {
                let next = zone.following(Timestamp::from_second(any).ok()?).next()?;
                Some(next.timestamp().as_second())
            });
            next.unwrap_or(any) + random.within(-7200, 7200)
        }
    }
    .clamp(model.made_at, model.made_at + YEARS)
}

/// Who says that he calls.
fn caller(random: &Random, model: &Model, at: usize) -> Vec<u8> {
    let own = model.tenants[at].id;
    let own: Vec<&str> =
        model.extensions.iter().filter(|row| row.tenant_id == own).map(|row| row.number.as_str()).collect();
    match random.below(20) {
        0 => hostile(random),
        1 => random.one(NUMBERS).to_ascii_uppercase().into_bytes(),
        _ => random.one_or(&own, 0, "100").as_bytes().to_vec(),
    }
}

fn dialled(random: &Random, model: &Model, at: usize, is_outside: bool) -> Vec<u8> {
    let tenant = model.tenants[at].id;
    let own = |rows: &[&Vec<Record>]| -> Vec<String> {
        let own = rows.iter().copied().flatten().filter(|row| row.tenant_id == tenant);
        own.map(|row| row.text("number").to_owned()).filter(|number| !number.is_empty()).collect()
    };
    let public = || {
        let near = if random.percent(60) { 3 } else { PUBLIC.len() };
        spelled(random, PUBLIC[random.below(near)], home_of(model, at))
    };
    let one_of = |numbers: &[String]| numbers.get(random.below(numbers.len().max(1))).cloned();
    let number = match random.below(if is_outside { 40 } else { 20 }) {
        0 => return hostile(random),
        1 | 27.. => public(),
        2 | 20..=26 => one_of(&own(&[&model.dids])).unwrap_or_else(public),
        3..=5 => {
            let own: Vec<&str> = model
                .extensions
                .iter()
                .filter(|row| row.tenant_id == tenant)
                .map(|row| row.number.as_str())
                .collect();
            let number = if random.percent(80) { random.one_or(&own, 0, "100") } else { random.one(NUMBERS) };
            if random.percent(20) { number.to_ascii_uppercase() } else { number.to_owned() }
        }
        6..=8 => {
            one_of(&own(&[&model.ring_groups, &model.ivrs, &model.flows])).unwrap_or_else(|| "600".to_owned())
        }
        9 => random.one(&["112", "911", "110", "999", "000", "116117", "99", "100"]).to_owned(),
        10 if random.percent(60) => random.one(&["*97", "*98", "*99", "*97#"]).to_owned(),
        10..=12 => expanded(random),
        _ => continuation(random, model, at),
    };
    number.into_bytes()
}

/// A number that a pattern takes, or nearly.
fn expanded(random: &Random) -> String {
    let mut number = String::new();
    for c in random.one(PATTERNS).chars() {
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
fn continuation(random: &Random, model: &Model, at: usize) -> String {
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
            let index = random.one_or(&["0", "1", "2", "3", "4", "5"], 6, "99");
            format!("nizam:flow:{}:{index}", random.one_or(&ids(&model.flows), 5, unknown))
        }
        _ => {
            let (kind, ids) = &of_kinds[random.below(of_kinds.len())];
            format!("nizam:{kind}:{}", random.one_or(ids, 5, unknown))
        }
    };
    if random.percent(2) { number.to_uppercase() } else { number }
}

/// Where a call from outside comes from.
fn trunk(random: &Random, model: &Model, call: &mut Call, is_outside: bool) {
    let gateways: Vec<Uuid> = model.gateways.iter().map(|gateway| gateway.id).collect();
    if is_outside && random.percent(25) {
        let unknown = random.uuid();
        call.gateway = Some(random.one_or(&gateways, 10, unknown).to_string().into_bytes());
    } else if random.percent(1) {
        call.gateway = Some(hostile(random));
    }
    call.address = match random.below(10) {
        0 => None,
        1 => Some(hostile(random)),
        _ => Some(random.one(ADDRESSES).as_bytes().to_vec()),
    };
}

/// What happened to the call before.
fn variables(random: &Random, call: &mut Call) {
    if random.percent(30) {
        call.admitted = Some(random.one(&["true", "true", "true", "false", ""]).as_bytes().to_vec());
    }
    if random.percent(30) {
        let until = match random.below(10) {
            0 => "soon".to_owned(),
            1 => String::new(),
            _ => (call.now + random.within(-30, 60)).to_string(),
        };
        call.queue_until = Some(until.into_bytes());
    }
    for variable in random.some(VARIABLES, VARIABLES.len()) {
        let value = if random.percent(90) { random.one(DIGITS).as_bytes().to_vec() } else { hostile(random) };
        call.variables.insert(format!("flow_{}", variable.replace(' ', "_")), value);
    }
}
