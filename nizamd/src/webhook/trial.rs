//! A webhook that is tried out: its receiver is told at once, of nothing that happened.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use nizam_core::call::SCHEMA_VERSION;
use nizam_core::model::CallEvent;
use nizam_core::resource::Record;
use nizam_store::{NewAttempt, Store, StoreResult};
use serde_json::json;
use uuid::Uuid;

use super::attempt::Answer;
use super::receivers::Receivers;

/// The event that a receiver is told of. Nobody subscribes to it.
const TEST: &str = "webhook.test";
/// How long the receiver may take: somebody waits for what comes of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of it.
#[derive(Debug)]
pub(crate) struct Came {
    /// The event that was made up.
    pub(crate) event_id: Uuid,
    pub(crate) success: bool,
    pub(crate) status: Option<u16>,
    /// The beginning of the body that came back, 1,000 bytes at most.
    pub(crate) body: Option<String>,
    pub(crate) error: Option<String>,
    /// From the beginning to the end, in milliseconds.
    pub(crate) latency_ms: f64,
}

/// One attempt, which is signed and noted as every other; what comes of it, nothing follows.
pub(crate) async fn trial(receivers: &Receivers, store: &Store, webhook: &Record) -> StoreResult<Came> {
    let event = event(webhook);
    let began = Instant::now();
    let telling = receivers.tell_of(webhook.clone(), event.clone(), TEST);
    let answer = tokio::time::timeout(PATIENCE, telling).await;
    let answer =
        answer.unwrap_or_else(|_| Answer::failed(format!("no answer within {} seconds", PATIENCE.as_secs())));
    let latency_ms = (began.elapsed().as_secs_f64() * 100_000.0).round() / 100.0;
    let status = answer.status.map(|status| status.as_u16());
    let attempt = NewAttempt {
        webhook_id: webhook.id,
        event_id: Some(event.id),
        event_type: TEST,
        payload: &event.payload,
        response_status: status,
        response_body: answer.body.as_deref(),
        attempt: 1,
        latency_ms: status.map(|_| latency_ms),
        error_message: answer.error.as_deref(),
    };
    store.note_attempt(&attempt).await?;
    let success = answer.success();
    Ok(Came { event_id: event.id, success, status, body: answer.body, error: answer.error, latency_ms })
}

fn event(webhook: &Record) -> CallEvent {
    let now = Timestamp::now();
    let micros = now.as_microsecond();
    CallEvent {
        id: Uuid::now_v7(),
        tenant_id: webhook.tenant_id,
        call_uuid: webhook.id.to_string(),
        event_type: TEST.to_owned(),
        payload: json!({
            "tenant_id": webhook.tenant_id,
            "event_type": TEST,
            "timestamp": now.strftime("%FT%T+00:00").to_string(),
            "schema_version": SCHEMA_VERSION,
            "metadata": {"webhook_id": webhook.id},
        }),
        schema_version: SCHEMA_VERSION.to_owned(),
        occurred_at: micros,
        created_at: micros,
        updated_at: micros,
        call_id: None,
        generation: None,
        // It is in no series.
        sequence: 0,
    }
}
