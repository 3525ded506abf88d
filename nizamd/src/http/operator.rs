//! For the operator alone: figures for Prometheus, and events that are no tenant's or make no sense.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nizam_store::{QuarantinedEvent, StrayEvent};
use serde_json::{Value, json};
use warp::http::header::CONTENT_TYPE;
use warp::http::{HeaderValue, StatusCode};

use super::call::Call;
use super::failure::Failure;
use super::gate::Admin;
use super::reply::{Outcome, Reply};
use super::{paginate, present};
use crate::metrics::MEDIA_TYPE;

/// Events of a page unless the request says otherwise.
const PER_PAGE: u64 = 50;

pub(super) async fn metrics(call: Call, _: Admin, (): ()) -> Outcome {
    let text = call.app.metrics.write(&call.app.store, &call.app.publisher).await;
    let text = text.map_err(|error| Failure::Broken(error.to_string()))?;
    let headers = vec![(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
    Ok(Reply { status: StatusCode::OK, headers, body: text.into(), rest: None })
}

pub(super) async fn strays(call: Call, _: Admin, (): ()) -> Outcome {
    let page = paginate::page_of(&call.input, PER_PAGE);
    let listed = call.app.store.stray_events(page).await?;
    Ok(paginate::flat(&call.request, page, &listed, stray))
}

pub(super) async fn quarantine(call: Call, _: Admin, (): ()) -> Outcome {
    let page = paginate::page_of(&call.input, PER_PAGE);
    let listed = call.app.store.quarantined_events(page).await?;
    Ok(paginate::flat(&call.request, page, &listed, quarantined))
}

fn stray(event: &StrayEvent) -> Value {
    json!({
        "id": event.id,
        "call_uuid": event.call_uuid,
        "call_id": event.call_id,
        "event_type": event.event_type,
        "payload": event.payload,
        "switch": event.switch_name,
        "occurred_at": present::time(event.occurred_at),
    })
}

fn quarantined(event: &QuarantinedEvent) -> Value {
    json!({
        "id": event.id,
        "switch": event.switch_name,
        "sequence": event.sequence,
        "reason": event.reason,
        "record": STANDARD.encode(&event.record),
        "created_at": present::time(event.created_at),
    })
}
