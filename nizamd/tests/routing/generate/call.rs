//! Random calls to some tenants.

use super::extension::NUMBERS;
use super::flow::{DIGITS, VARIABLES};
use super::number::{PUBLIC, home_of, spelled};
use super::outbound::ADDRESSES;
use super::tenant::DOMAINS;
use super::text::hostile;
use super::{dialled, moment};
use crate::call::Call;
use crate::model::Model;
use crate::random::Random;
use uuid::Uuid;

/// A call, mostly from a phone of one of the tenants.
pub(crate) fn call(random: &Random, model: &Model) -> Call {
    let at = random.below(model.tenants.len());
    let mut call = Call { now: moment::moment(random, model, at), ..Call::default() };
    let is_outside = random.percent(20);
    let domain = model.tenants[at].domain.as_bytes().to_vec();
    call.context = match random.below(80) {
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
    call.number =
        if random.percent(1) { None } else { Some(dialled::number(random, model, at, is_outside, call.now)) };
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
    for variable in random.some(VARIABLES, VARIABLES.len()) {
        let value = if random.percent(90) { random.one(DIGITS).as_bytes().to_vec() } else { hostile(random) };
        call.variables.insert(format!("flow_{}", variable.replace(' ', "_")), value);
    }
}
