//! What a receiver is sent of an event.

use jiff::Timestamp;
use nizam_core::model::CallEvent;
use nizam_core::resource::{Record, mapped};
use serde_json::{Value, json};

/// A body, and what it is.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) media_type: &'static str,
    pub(super) body: String,
}

/// The names of an event that can be subscribed to.
pub(crate) fn names(event: &CallEvent) -> Vec<&'static str> {
    nizam_core::event::names(&event.event_type).collect()
}

impl Letter {
    /// What that webhook is sent of an event, under the name that it wants.
    pub(super) fn of(webhook: &Record, event: &CallEvent, name: &str) -> Self {
        let envelope = envelope(event, name);
        let own = webhook.value("mapping").as_object().map(|mapping| mapped(mapping, &envelope));
        if webhook.text("format") != "cloudevents" {
            return Self { media_type: "application/json", body: own.unwrap_or(envelope).to_string() };
        }
        // CloudEvents 1.0, structured mode: the event is one document.
        let body = json!({
            "specversion": "1.0",
            "id": event.id,
            "source": format!("/tenants/{}", event.tenant_id),
            "type": format!("io.nizam.{name}"),
            "subject": event.call_uuid,
            "time": time(event),
            "datacontenttype": "application/json",
            // Its extension for order is a text.
            "sequence": event.sequence.to_string(),
            "data": own.as_ref().unwrap_or(&event.payload),
        });
        Self { media_type: "application/cloudevents+json", body: body.to_string() }
    }
}

/// The event in the form of the contract, under the name that the receiver wants.
fn envelope(event: &CallEvent, name: &str) -> Value {
    json!({
        "event": name,
        "timestamp": time(event),
        "data": event.payload,
        "id": event.id,
        "sequence": event.sequence,
        "schema_version": event.schema_version,
        "generation": event.generation,
    })
}

/// When it was, as the event itself has it.
fn time(event: &CallEvent) -> Option<String> {
    let own = event.payload.get("timestamp").and_then(Value::as_str).map(str::to_owned);
    own.or_else(|| {
        Some(Timestamp::from_microsecond(event.occurred_at).ok()?.strftime("%FT%T+00:00").to_string())
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn letter(webhook: Value) -> (Value, &'static str) {
        let Value::Object(values) = webhook else { unreachable!() };
        let values = values.into_iter().collect();
        let tenant_id = Uuid::from_u128(7);
        let webhook = Record { id: Uuid::nil(), tenant_id, version: 1, values, created_at: 0, updated_at: 0 };
        let event = CallEvent {
            id: Uuid::from_u128(1),
            tenant_id,
            call_uuid: "call-1".into(),
            event_type: "call.created".into(),
            payload: json!({"call_uuid": "call-1", "metadata": {"caller": "1001", "legs": ["a", "b"]}}),
            schema_version: "1.0".into(),
            occurred_at: 1_767_323_045_000_000,
            created_at: 0,
            updated_at: 0,
            call_id: None,
            generation: Some(9),
            sequence: 42,
        };
        let letter = Letter::of(&webhook, &event, "call.started");
        (serde_json::from_str(&letter.body).unwrap(), letter.media_type)
    }

    #[test]
    fn a_mapping_chooses_and_names_what_is_sent() {
        let mapping = json!({
            "type": "event", "who": "data.metadata.caller", "leg": "data.metadata.legs.1", "none": "data.nothing.there",
            "source": {"value": "pbx"}, "number": {"value": 7}, "id": "id",
        });
        let (body, media_type) = letter(json!({"mapping": mapping}));
        let want = json!({
            "type": "call.started", "who": "1001", "leg": "b", "none": null, "source": "pbx", "number": 7,
            "id": Uuid::from_u128(1),
        });
        assert_eq!((body, media_type), (want.clone(), "application/json"));
        let (event, _) = letter(json!({"mapping": mapping, "format": "cloudevents"}));
        assert_eq!(event["data"], want);
    }

    #[test]
    fn a_cloud_event_has_the_attributes_of_its_specification() {
        let (event, media_type) = letter(json!({"format": "cloudevents", "mapping": null}));
        assert_eq!(media_type, "application/cloudevents+json");
        let want = json!({
            "specversion": "1.0", "id": Uuid::from_u128(1), "source": format!("/tenants/{}", Uuid::from_u128(7)),
            "type": "io.nizam.call.started", "subject": "call-1", "time": "2026-01-02T03:04:05+00:00",
            "datacontenttype": "application/json", "sequence": "42",
            "data": {"call_uuid": "call-1", "metadata": {"caller": "1001", "legs": ["a", "b"]}},
        });
        assert_eq!(event, want);
        let (plain, _) = letter(json!({"format": "nizam"}));
        assert_eq!((&plain["event"], &plain["generation"]), (&json!("call.started"), &json!(9)));
    }
}
