//! What a receiver is sent of an event.

use jiff::Timestamp;
use nizam_core::model::CallEvent;
use serde_json::{Value, json};

/// The names of an event that can be subscribed to.
pub(crate) fn names(event: &CallEvent) -> Vec<&'static str> {
    nizam_core::event::names(&event.event_type).collect()
}

/// The body of a delivery, under the name that the receiver wants.
pub(super) fn body(event: &CallEvent, name: &str) -> String {
    // As the event itself has it.
    let at = event.payload.get("timestamp").and_then(Value::as_str).map(str::to_owned);
    let at = at.or_else(|| {
        Some(Timestamp::from_microsecond(event.occurred_at).ok()?.strftime("%FT%T+00:00").to_string())
    });
    json!({
        "event": name,
        "timestamp": at,
        "data": event.payload,
        "id": event.id,
        "sequence": event.sequence,
        "schema_version": event.schema_version,
        "generation": event.generation,
    })
    .to_string()
}
