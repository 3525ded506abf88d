//! Whether nizamd works. Anybody may ask; details are for those with a token, errors of switches for admins.

use serde_json::{Value, json};
use warp::http::StatusCode;

use super::call::Call;
use super::reply::{Outcome, Reply};
use crate::publisher::SwitchStatus;

pub(super) async fn show(call: Call, (): ()) -> Outcome {
    let database = call.app.store.generation().await;
    if let Err(error) = &database {
        tracing::error!(%error, "the database does not answer");
    }
    let switches = call.app.publisher.switches();
    let connected = switches.iter().any(|switch| switch.connected);
    let mut body = json!({
        "status": if database.is_ok() { "healthy" } else { "degraded" },
        "checks": {
            "app": {"status": "ok"},
            "database": {"status": if database.is_ok() { "ok" } else { "error" }},
            // Nothing is cached outside of this process.
            "cache": {"status": "ok"},
            "esl": {"connected": connected, "status": if connected { "ok" } else { "unreachable" }},
            "gateways": {
                "status": "unknown",
                "gateways": [],
                "registrations": {"count": 0, "entries": []},
                "checked_at": null,
            },
        },
    });
    if let (Some(who), Some(body)) = (&call.authentic, body.as_object_mut()) {
        let errors = who.user.is_admin();
        let registered = call.app.store.registered().await.ok();
        body.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        body.insert("generation".to_owned(), json!(database.as_ref().ok()));
        body.insert("registrations".to_owned(), json!(registered));
        body.insert("switches".to_owned(), switches.iter().map(|switch| details(switch, errors)).collect());
    }
    let status = if database.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok(Reply::json(status, &body))
}

fn details(switch: &SwitchStatus, errors: bool) -> Value {
    let mut value = json!({
        "name": switch.name,
        "core_uuid": switch.core_uuid,
        "freeswitch_version": switch.freeswitch_version,
        "module_version": switch.module_version,
        "connected": switch.connected,
        "generation": switch.generation,
        "events": {
            "received": switch.told.received,
            "stored": switch.told.stored,
            "waiting": switch.told.received.saturating_sub(switch.told.stored),
            "dropped": switch.told.dropped,
        },
    });
    if errors && let Some(map) = value.as_object_mut() {
        map.insert("last_error".to_owned(), json!(switch.last_error));
    }
    value
}
