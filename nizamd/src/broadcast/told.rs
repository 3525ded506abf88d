//! What of an event is told on a channel. An event is made a message once, and all who hear the channel share it.

use std::collections::HashMap;
use std::mem;

use nizam_core::model::CallEvent;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use super::channel::{CALLS, Channel, Kind};
use super::frame;

/// Bytes of messages that are kept.
const MOST: usize = 8 << 20;
/// What a message that is kept takes besides its text.
const OVERHEAD: usize = 200;

/// Messages that were made, by the event and the channel. The sequence names an event, and an event never changes.
#[derive(Default)]
pub(super) struct Told(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    messages: HashMap<(i64, Channel), Utf8Bytes>,
    bytes: usize,
}

/// What an event says on a channel.
#[derive(Serialize)]
struct Body<'a> {
    event_type: &'a str,
    schema_version: &'a str,
    data: &'a Value,
    id: Uuid,
    sequence: i64,
    generation: Option<i64>,
}

impl Told {
    /// The message; `None` if the event is not told there.
    pub(super) fn message(&self, channel: Channel, event: &CallEvent) -> Option<Utf8Bytes> {
        let (name, event_type) = names(channel, event)?;
        let mut kept = self.0.lock();
        let key = (event.sequence, channel);
        if let Some(message) = kept.messages.get(&key) {
            return Some(message.clone());
        }
        // Under the lock: whoever else wants it would only make it as well.
        let body = Body {
            event_type,
            schema_version: &event.schema_version,
            data: &event.payload,
            id: event.id,
            sequence: event.sequence,
            generation: event.generation,
        };
        let message = frame::message(&name, Some(&channel.to_string()), &body);
        let size = message.len() + OVERHEAD;
        let mut old = Shelf::default();
        if kept.bytes + size > MOST {
            old = mem::take(&mut *kept);
        }
        kept.bytes += size;
        kept.messages.insert(key, message.clone());
        drop(kept);
        // Others need not wait until all of those are gone.
        drop(old);
        Some(message)
    }
}

/// The name of the event on the channel, and its type in the body.
fn names(channel: Channel, event: &CallEvent) -> Option<(String, &str)> {
    if channel.tenant != event.tenant_id {
        return None;
    }
    match channel.kind {
        Kind::Events => Some((event.event_type.clone(), &event.event_type)),
        Kind::Calls(only) => {
            let (suffix, _) = CALLS.iter().find(|(_, stored)| *stored == event.event_type)?;
            only.is_none_or(|only| only == *suffix).then(|| (format!("call.{suffix}"), *suffix))
        }
        Kind::ContactCenter(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(sequence: i64, name: &str) -> CallEvent {
        CallEvent {
            id: Uuid::from_u128(9),
            tenant_id: Uuid::from_u128(1),
            call_uuid: "u".into(),
            event_type: name.into(),
            payload: json!({"a": 1}),
            schema_version: "1.0".into(),
            occurred_at: 0,
            created_at: 0,
            updated_at: 0,
            call_id: None,
            generation: Some(3),
            sequence,
        }
    }

    fn channel(tenant: u128, kind: Kind) -> Channel {
        Channel { tenant: Uuid::from_u128(tenant), kind }
    }

    #[test]
    fn an_event_has_the_names_of_the_contract_among_calls_and_its_own_among_events() {
        let (told, next) = (Told::default(), std::cell::Cell::new(0));
        let name = |kind, stored: &str| {
            next.set(next.get() + 1);
            let message = told.message(channel(1, kind), &event(next.get(), stored))?;
            let message: Value = serde_json::from_str(&message).unwrap();
            let body: Value = serde_json::from_str(message["data"].as_str().unwrap()).unwrap();
            assert_eq!((&body["data"]["a"], &body["schema_version"]), (&json!(1), &json!("1.0")));
            Some(format!("{} {}", message["event"].as_str().unwrap(), body["event_type"].as_str().unwrap()))
        };
        assert_eq!(name(Kind::Events, "call.created").as_deref(), Some("call.created call.created"));
        assert_eq!(name(Kind::Calls(None), "call.created").as_deref(), Some("call.started started"));
        assert_eq!(name(Kind::Calls(None), "call.bridged").as_deref(), Some("call.bridge bridge"));
        assert_eq!(
            name(Kind::Calls(None), "device.registered").as_deref(),
            Some("call.registered registered")
        );
        assert_eq!(
            name(Kind::Calls(Some("started")), "call.created").as_deref(),
            Some("call.started started")
        );
        assert_eq!(name(Kind::Calls(Some("started")), "call.hangup"), None);
        assert_eq!(name(Kind::Calls(None), "call.held"), None);
        assert_eq!(name(Kind::ContactCenter(None), "call.created"), None);
        assert_eq!(
            told.message(channel(2, Kind::Events), &event(1, "call.created")),
            None,
            "another tenant's"
        );
    }

    #[test]
    fn a_message_is_shared_and_memory_is_bounded() {
        let told = Told::default();
        let all = channel(1, Kind::Events);
        let first = told.message(all, &event(1, "call.created")).unwrap();
        let again = told.message(all, &event(1, "call.created")).unwrap();
        assert_eq!(first.as_ptr(), again.as_ptr());
        for sequence in 0..30_000 {
            told.message(all, &event(sequence, "call.created"));
            assert!(told.0.lock().bytes <= MOST);
        }
    }
}
