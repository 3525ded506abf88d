//! Whether nizamd works. Anybody may ask; details are for those with a token, events and errors of switches for admins.

use std::collections::HashMap;

use jiff::Timestamp;
use nizam_store::{Authentic, GatewayStanding, Store};
use serde_json::{Value, json};
use warp::http::StatusCode;

use super::call::Call;
use super::present;
use super::reply::{Outcome, Reply};
use crate::metrics;
use crate::publisher::SwitchStatus;

pub(super) async fn show(call: Call, (): ()) -> Outcome {
    let database = call.app.store.generation().await;
    if let Err(error) = &database {
        tracing::error!(%error, "the database does not answer");
    }
    let switches = call.app.publisher.switches();
    let connected = switches.iter().any(|switch| switch.connected);
    let gateways = match &call.authentic {
        Some(who) => gateways(&call.app.store, who, &switches).await,
        None => told(reached(&switches), &[], 0, None),
    };
    let mut body = json!({
        "status": if database.is_ok() { "healthy" } else { "degraded" },
        "checks": {
            "app": {"status": "ok"},
            "database": {"status": if database.is_ok() { "ok" } else { "error" }},
            // Nothing is cached outside of this process.
            "cache": {"status": "ok"},
            "esl": {"connected": connected, "status": if connected { "ok" } else { "unreachable" }},
            "gateways": gateways,
        },
    });
    if let (Some(who), Some(body)) = (&call.authentic, body.as_object_mut()) {
        let all = who.user.is_admin();
        let registered = match who.user.tenant_id.filter(|_| !all) {
            None if !all => Some(0),
            tenant => call.app.store.registered(tenant).await.ok(),
        };
        body.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        body.insert("generation".to_owned(), json!(database.as_ref().ok()));
        body.insert("registrations".to_owned(), json!(registered));
        let spools = if all { metrics::spools(&call.app.publisher).await } else { HashMap::new() };
        let told = switches.iter().map(|switch| details(switch, all, spools.get(&switch.name)));
        body.insert("switches".to_owned(), told.collect());
    }
    let status = if database.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok(Reply::json(status, &body))
}

/// Whether anybody can say how the gateways are.
fn reached(switches: &[SwitchStatus]) -> &'static str {
    match switches {
        [] => "unknown",
        some if some.iter().any(|switch| switch.connected) => "ok",
        _ => "unreachable",
    }
}

/// The gateways of all for an admin, of the own tenant for others.
async fn gateways(store: &Store, who: &Authentic, switches: &[SwitchStatus]) -> Value {
    let status = reached(switches);
    let all = who.user.is_admin();
    let tenant = who.user.tenant_id.filter(|_| !all);
    if !all && tenant.is_none() {
        return told(status, &[], 0, None);
    }
    let standing = store.gateways_standing(tenant).await;
    let registered = store.registered(tenant).await;
    match (standing, registered) {
        (Ok(standing), Ok(registered)) => told(status, &standing, registered, Some(Timestamp::now())),
        _ => told("unknown", &[], 0, None),
    }
}

/// In the form that clients know.
fn told(status: &str, gateways: &[GatewayStanding], registered: u64, at: Option<Timestamp>) -> Value {
    let gateway = |gateway: &GatewayStanding| {
        json!({
            "name": gateway.name,
            "domain": gateway.domain,
            "type": if gateway.register { "register" } else { "static" },
            "status": if gateway.is_up() { "up" } else { "down" },
            "state": gateway.state,
            "switch": gateway.switch_name,
            "changed_at": gateway.changed_at.map(present::time),
        })
    };
    json!({
        "status": status,
        "gateways": gateways.iter().map(gateway).collect::<Vec<_>>(),
        "registrations": {"count": registered, "entries": []},
        "checked_at": at.map(|at| present::time(at.as_microsecond())),
    })
}

/// What is told of a switch; how many events all tenants have, and what went wrong, to admins alone.
///
/// `waiting` is what has come and is not stored; what the switch itself still keeps is the lag of its spool, null if it did not say.
fn details(switch: &SwitchStatus, all: bool, spool: Option<&Value>) -> Value {
    let mut value = json!({
        "name": switch.name,
        "core_uuid": switch.core_uuid,
        "freeswitch_version": switch.freeswitch_version,
        "module_version": switch.module_version,
        "connected": switch.connected,
        "generation": switch.generation,
    });
    if all && let Some(map) = value.as_object_mut() {
        let events = json!({
            "received": switch.told.received,
            "stored": switch.told.stored,
            "waiting": switch.told.received.saturating_sub(switch.told.stored),
            "dropped": switch.told.dropped,
        });
        map.insert("events".to_owned(), events);
        map.insert("spool".to_owned(), json!(spool));
        map.insert("last_error".to_owned(), json!(switch.last_error));
    }
    value
}
