//! Webhooks: their secret, and what became of their deliveries.

use jiff::Timestamp;
use nizam_core::resource::{Record, Values, WEBHOOK, settle_webhook};
use nizam_core::validate::{Errors, RedriveForm, Rotation};
use nizam_store::{Attempt, Expected, Redrive, Redriven, StoreError, random_text};
use serde_json::{Value, json};
use uuid::Uuid;
use warp::http::StatusCode;

use super::call::Call;
use super::failure::Failure;
use super::gate::Member;
use super::instant;
use super::present::{Shown, time};
use super::reply::{Outcome, Reply};
use super::{paginate, usage};
use crate::app::App;
use crate::webhook::trial;

/// Makes a webhook; its secret is in the answer, and never again.
pub(super) async fn create(call: Call, member: Member, mut values: Values) -> Outcome {
    judge(&call.app, &values)?;
    if values.get("secret").is_none_or(Value::is_null) {
        values.insert("secret".to_owned(), json!(random_text(32)?));
    }
    let store = &call.app.store;
    let committed = store.create_record(&call.actor(), &WEBHOOK, member.tenant().id, values).await?;
    let record = &committed.value.record;
    let reply = Reply::created(&with_secret(record)).etag(record.version);
    Ok(call.written(reply, committed).await)
}

/// The row with its secret, as it is shown once.
fn with_secret(record: &Record) -> Value {
    let shown = Shown { resource: &WEBHOOK, record, also: &[], extra: None };
    json!({"data": shown, "secret": record.value("secret")})
}

/// What a change of a webhook must be like, and what follows from it.
pub(super) fn before_change(app: &App, change: &mut Values) -> Result<(), Failure> {
    settle_webhook(change);
    judge(app, change)
}

/// Refuses a URL that no webhook may reach. What a name leads to is judged at each attempt, when it is looked up.
fn judge(app: &App, values: &Values) -> Result<(), Failure> {
    let url = values.get("url").and_then(Value::as_str);
    let (Some(url), Some(receivers)) = (url, &app.receivers) else { return Ok(()) };
    receivers.judge_url(url).map_err(|why| {
        let message = format!("The url field must be a URL that a webhook may reach: {why}.");
        Errors::one("url", message).into()
    })
}

/// Gives a webhook a new secret, which is in the answer and never again; the old one signs as well for a while.
pub(super) async fn rotate(call: Call, member: Member, mut webhook: Record, form: Rotation) -> Outcome {
    let secret = match form.secret {
        Some(secret) => secret,
        None => random_text(32)?,
    };
    let until = Timestamp::now().as_microsecond().saturating_add(form.overlap.saturating_mul(1_000_000));
    loop {
        let kept = form.overlap > 0 && !webhook.value("secret").is_null();
        let change: Values = [
            ("secret".to_owned(), json!(secret)),
            ("previous_secret".to_owned(), json!(webhook.value("secret").as_str().filter(|_| kept))),
            ("previous_secret_until".to_owned(), json!(kept.then_some(until))),
        ]
        .into_iter()
        .collect();
        // The secret that goes on signing is the one that there was.
        let expected = Expected::Versions(vec![webhook.version]);
        let (store, tenant) = (&call.app.store, member.tenant().id);
        match store.update_record(&call.actor(), &WEBHOOK, tenant, webhook.id, change, &expected).await {
            Ok(committed) => {
                let record = &committed.value.record;
                let reply = Reply::ok(&with_secret(record)).etag(record.version);
                return Ok(call.written(reply, committed).await);
            }
            Err(StoreError::Stale) => {
                let found = store.record(&WEBHOOK, tenant, webhook.id).await?;
                webhook = found.ok_or(Failure::NotFound(WEBHOOK.label))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Tells the receiver of a made-up event at once, and says what came of it.
pub(super) async fn test(call: Call, _: Member, webhook: Record, (): ()) -> Outcome {
    let Some(receivers) = &call.app.receivers else {
        let text = "Webhooks are not told by this program.".to_owned();
        return Err(Failure::Answer(StatusCode::SERVICE_UNAVAILABLE, text));
    };
    let store = &call.app.store;
    store.once(&call.actor()).await?;
    let came = trial(receivers, store, &webhook).await?;
    Ok(Reply::ok(&json!({"data": {
        "event_id": came.event_id,
        "success": came.success,
        "response_status": came.status,
        "response_body": came.body,
        "error_message": came.error,
        "latency_ms": usage::number(came.latency_ms),
    }})))
}

/// Tells the receiver of one event once more.
pub(super) async fn redeliver(call: Call, _: Member, webhook: Record, event: Uuid) -> Outcome {
    active(&webhook)?;
    let redriven = call.app.store.redeliver(&call.actor(), &webhook, event).await?;
    redriven.map(|redriven| queued(&call, redriven)).ok_or_else(|| {
        let mut errors = Errors::default();
        errors.push("event_id", "The selected event_id is invalid.".to_owned());
        errors.into()
    })
}

/// Tells the receiver of the events of a time once more.
pub(super) async fn redrive(call: Call, _: Member, webhook: Record, form: RedriveForm) -> Outcome {
    let mut errors = Errors::default();
    let mut at = |field: &str, text: &str| {
        let time = instant::parse(text).map(|time| time.as_microsecond().max(0));
        if time.is_none() {
            errors.push(field, format!("The {field} field must be a valid date."));
        }
        time
    };
    let from = at("from", &form.from);
    let to = form.to.as_deref().map_or_else(|| Some(Timestamp::now().as_microsecond()), |to| at("to", to));
    let (Some(from), Some(to)) = (from, to) else { return Err(errors.into()) };
    if form.to.is_some() && to < from {
        errors.push("to", "The to field must be a date after or equal to from.".to_owned());
        return Err(errors.into());
    }
    active(&webhook)?;
    let what = Redrive { from, to, only_failed: form.only_failed };
    let redriven = call.app.store.redrive(&call.actor(), &webhook, what).await?;
    Ok(queued(&call, redriven))
}

/// What waits for a webhook that is not active is dropped.
fn active(webhook: &Record) -> Result<(), Failure> {
    if webhook.is("is_active") {
        return Ok(());
    }
    let text = "The webhook is not active: make it active first.".to_owned();
    Err(Failure::Answer(StatusCode::CONFLICT, text))
}

fn queued(call: &Call, redriven: Redriven) -> Reply {
    call.app.undelivered.notify_one();
    Reply::ok(&json!({"data": {"deliveries": redriven.deliveries, "next_from": redriven.next.map(time)}}))
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
        "event_id": attempt.event_id,
        "event_type": attempt.event_type,
        "payload": attempt.payload,
        "response_status": attempt.response_status,
        "response_body": attempt.response_body,
        "latency_ms": attempt.latency_ms.map(usage::number),
        "attempt": attempt.attempt,
        "success": attempt.success,
        "error_message": attempt.error_message,
        "delivered_at": time(attempt.delivered_at),
        "created_at": time(attempt.created_at),
    })
}
