//! The interpreter and the resolver against examples worked out by hand, one module for each part of `docs/routing.md`.

mod admission;
mod destinations;
mod emergency;
mod flows;
mod inside;
mod outbound;
mod outside;
mod policies;
mod queues;
mod times;

use crate::adapter::Resolver;
use crate::call::Call;
use crate::interpreter::interpret;
use crate::model::{Extension, Model, Tenant};
use nizam_core::resource::Record;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Monday, 2026-07-27, 12:00:00 UTC.
const NOON: i64 = 1_785_153_600;
const ACME: Uuid = Uuid::from_u128(0xa);
const OTHER: Uuid = Uuid::from_u128(0xb);

/// Two tenants, `a.test` with the extensions 100 (a mailbox) and 101 (none), `b.test` with 100.
fn model() -> Model {
    let mut model = Model::empty(NOON);
    model.tenants = vec![tenant(ACME, "a.test"), tenant(OTHER, "b.test")];
    extension(&mut model, ACME, "100").voicemail_enabled = true;
    extension(&mut model, ACME, "101");
    extension(&mut model, OTHER, "100");
    model
}

fn tenant(id: Uuid, domain: &str) -> Tenant {
    Tenant {
        id,
        domain: domain.to_owned(),
        settings: Map::new(),
        status: "active",
        is_active: true,
        max_concurrent_calls: 0,
        max_calls_per_minute: 0,
    }
}

/// A new extension. The ids of extensions are 0x100, 0x101 and so on.
fn extension<'m>(model: &'m mut Model, tenant_id: Uuid, number: &str) -> &'m mut Extension {
    let id = nth(0x100, model.extensions.len());
    model.extensions.push(Extension {
        id,
        tenant_id,
        number: number.to_owned(),
        first_name: "Ann".to_owned(),
        last_name: number.to_owned(),
        effective_caller_id_name: None,
        effective_caller_id_number: None,
        outbound_caller_id_name: None,
        outbound_caller_id_number: None,
        voicemail_enabled: false,
        is_active: true,
        toll_allow: None,
        max_channels: 0,
        ring_timeout: None,
    });
    model.extensions.last_mut().unwrap()
}

fn nth(first: u128, at: usize) -> Uuid {
    Uuid::from_u128(first + u128::try_from(at).unwrap())
}

/// The id of an extension of `a.test`: 100 or 101.
fn id_of(number: u128) -> Value {
    json!(Uuid::from_u128(0x100 + number - 100))
}

/// A row of a tenant with these values and that id.
fn row(tenant_id: Uuid, id: u128, mut values: Value) -> Record {
    let map = values.as_object_mut().unwrap();
    if !map.contains_key("is_active") {
        map.insert("is_active".to_owned(), json!(true));
    }
    let Value::Object(values) = values else { panic!("the values of a row are a map") };
    Record { id: Uuid::from_u128(id), tenant_id, version: 1, values, created_at: 0, updated_at: 0 }
}

/// A call from extension 100 of `a.test` at noon.
fn call(number: &str) -> Call {
    Call {
        context: Some(b"a.test".to_vec()),
        number: Some(number.as_bytes().to_vec()),
        caller_number: Some(b"100".to_vec()),
        caller: Some(b"100".to_vec()),
        caller_domain: Some(b"a.test".to_vec()),
        now: NOON,
        ..Call::default()
    }
}

/// A call from outside.
fn from_outside(number: &str) -> Call {
    Call { context: Some(b"public".to_vec()), caller: None, caller_domain: None, ..call(number) }
}

/// The steps of a call, without those with which every route begins.
fn steps(model: &Model, call: &Call) -> Vec<String> {
    let steps = all_steps(model, call).expect("the call is ours");
    steps
        .into_iter()
        .skip_while(|step| {
            ["set nizam_generation=", "set nizam_tenant=", "set effective_caller_id_n"]
                .iter()
                .any(|begin| step.starts_with(begin))
        })
        .collect()
}

fn all_steps(model: &Model, call: &Call) -> Option<Vec<String>> {
    let walked = interpret(model, call).map(|walked| walked.steps);
    assert_eq!(
        Resolver::of(model).unwrap().answer(call).unwrap(),
        walked,
        "the resolver, then the interpreter"
    );
    let text =
        |(application, argument): (String, String)| format!("{application} {argument}").trim_end().to_owned();
    Some(walked?.into_iter().map(text).collect())
}

/// Extension 101 rings, and then?
fn rings_101(then: &[&str]) -> Vec<String> {
    let ring = [
        "set dialed_extension=101",
        "set call_timeout=30",
        "set hangup_after_bridge=true",
        "set continue_on_fail=true",
        "bridge user/101@a.test",
    ];
    ring.iter().chain(then).map(|step| (*step).to_owned()).collect()
}
