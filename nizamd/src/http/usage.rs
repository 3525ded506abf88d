//! What a tenant uses.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use nizam_core::model::Tenant;
use nizam_core::validate::Errors;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::gate::{Admin, Member};
use super::reply::{Outcome, Reply};

/// Two days of UTC, both included.
struct Days {
    from: Date,
    to: Date,
}

pub(super) async fn summary(call: Call, member: Member, (): ()) -> Outcome {
    let days = days(&call)?;
    let tenant = member.tenant().id;
    let metrics = call.app.store.usage(tenant, &days.from.to_string(), &days.to.to_string()).await?;
    let usage: Map<String, Value> = metrics
        .into_iter()
        .map(|metric| {
            let figures = json!({
                "total": number(metric.total), "peak": number(metric.peak),
                "average": number((metric.average * 10_000.0).round() / 10_000.0), "count": metric.count,
            });
            (metric.name, figures)
        })
        .collect();
    // Clients know an empty map as `[]`.
    let usage = if usage.is_empty() { json!([]) } else { json!(usage) };
    let body = json!({"tenant_id": tenant, "from": days.from.to_string(), "to": days.to.to_string(), "usage": usage});
    Ok(Reply::ok(&json!({"data": body})))
}

pub(super) async fn collect(call: Call, _: Admin, tenant: Tenant, (): ()) -> Outcome {
    let day = today().to_string();
    let committed = call.app.store.collect_usage(&call.actor(), tenant.id, &day).await?;
    let reply = Reply::created(&json!({"data": {"recorded": committed.value, "date": day}}));
    Ok(call.written(reply, committed).await)
}

pub(super) async fn reconcile(call: Call, member: Member, (): ()) -> Outcome {
    let days = days(&call)?;
    let tenant = member.tenant().id;
    let store = &call.app.store;
    let (from, to) = (begin(days.from), days.to.tomorrow().map_or(i64::MAX, begin));
    let seconds = store.billed_seconds(tenant, from, to).await?;
    let metrics = store.usage(tenant, &days.from.to_string(), &days.to.to_string()).await?;
    let metered =
        metrics.iter().find(|metric| metric.name == "call_minutes").map_or(0.0, |metric| metric.total);
    // Seconds of calls are far below 2^53.
    #[expect(clippy::cast_precision_loss, reason = "exact in a double")]
    let minutes = (seconds as f64 / 60.0 * 10_000.0).round() / 10_000.0;
    let difference = ((minutes - metered) * 10_000.0).round() / 10_000.0;
    Ok(Reply::ok(&json!({"data": {
        "cdr_total_seconds": seconds,
        "cdr_total_minutes": number(minutes),
        "metered_minutes": number(metered),
        "difference_minutes": number(difference),
        "matched": difference.abs() < 0.01,
    }})))
}

/// The days of the query; without them this month until today.
fn days(call: &Call) -> Result<Days, Errors> {
    let mut errors = Errors::default();
    let mut day = |name: &str, default: Date| match call.input.query_text(name) {
        None => default,
        Some(text) => text.get(..10).unwrap_or(text).parse().unwrap_or_else(|_| {
            errors.push(name, format!("The {name} field must be a valid date."));
            default
        }),
    };
    let today = today();
    let days = Days { from: day("from", today.first_of_month()), to: day("to", today) };
    if errors.is_empty() && days.from > days.to {
        errors.push("to", "The to field must be a date after or equal to from.");
    }
    if errors.is_empty() { Ok(days) } else { Err(errors) }
}

fn today() -> Date {
    Timestamp::now().to_zoned_datetime(TimeZone::UTC).date()
}

/// When a day begins, UTC, microseconds since 1970.
fn begin(day: Date) -> i64 {
    TimeZone::UTC.to_timestamp(day.into()).map_or(0, Timestamp::as_microsecond)
}

/// Clients know a whole number without its zero fraction.
pub(super) fn number(value: f64) -> Value {
    // Exact below 2^53.
    #[expect(clippy::cast_possible_truncation, reason = "looked at before")]
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 {
        json!(value as i64)
    } else {
        json!(value)
    }
}
