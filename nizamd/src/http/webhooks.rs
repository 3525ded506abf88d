//! Webhooks: their secret, and what became of their deliveries.

use nizam_core::resource::{Record, Values, WEBHOOK};
use nizam_store::{Attempt, random_text};
use serde_json::{Value, json};

use super::call::Call;
use super::gate::Member;
use super::present::{Shown, time};
use super::reply::{Outcome, Reply};
use super::{paginate, usage};

/// Makes a webhook; its secret is in the answer, and never again.
pub(super) async fn create(call: Call, member: Member, mut values: Values) -> Outcome {
    if values.get("secret").is_none_or(Value::is_null) {
        values.insert("secret".to_owned(), json!(random_text(32)?));
    }
    let store = &call.app.store;
    let committed = store.create_record(&call.actor(), &WEBHOOK, member.tenant().id, values).await?;
    let record = &committed.value.record;
    let shown = Shown { resource: &WEBHOOK, record, also: &[], extra: None };
    let body = json!({"data": shown, "secret": record.value("secret")});
    let reply = Reply::created(&body).etag(record.version);
    Ok(call.written(reply, committed).await)
}

pub(super) async fn attempts(call: Call, _: Member, webhook: Record, (): ()) -> Outcome {
    let page = paginate::page(&call.input);
    let listed = call.app.store.delivery_attempts(webhook.id, page).await?;
    Ok(paginate::reply(&call.request, page, &listed, attempt))
}

pub(super) async fn stats(call: Call, _: Member, webhook: Record, (): ()) -> Outcome {
    let stats = call.app.store.delivery_stats(webhook.id).await?;
    #[expect(clippy::cast_precision_loss, reason = "attempts are far fewer than 2^53")]
    let rate = match stats.total {
        0 => 0.0,
        total => (stats.successful as f64 / total as f64 * 10_000.0).round() / 100.0,
    };
    let latency = stats.average_latency_ms.map(|ms| usage::number((ms * 100.0).round() / 100.0));
    let failure = |attempt: &Attempt| {
        json!({
            "event_type": attempt.event_type,
            "error_message": attempt.error_message,
            "response_status": attempt.response_status,
            "created_at": time(attempt.created_at),
        })
    };
    Ok(Reply::ok(&json!({"data": {
        "total_attempts": stats.total,
        "successful": stats.successful,
        "failed": stats.total - stats.successful,
        "success_rate": usage::number(rate),
        "avg_latency_ms": latency,
        "recent_failures": stats.recent_failures.iter().map(failure).collect::<Vec<_>>(),
    }})))
}

fn attempt(attempt: &Attempt) -> Value {
    json!({
        "id": attempt.id,
        "webhook_id": attempt.webhook_id,
        "event_type": attempt.event_type,
        "payload": attempt.payload,
        "response_status": attempt.response_status,
        "attempt": attempt.attempt,
        "success": attempt.success,
        "error_message": attempt.error_message,
        "delivered_at": time(attempt.delivered_at),
        "created_at": time(attempt.created_at),
    })
}
