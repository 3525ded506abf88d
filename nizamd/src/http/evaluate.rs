//! What a call routing policy would decide.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use nizam_core::policy::{self, Moment};
use nizam_core::resource::Record;
use nizam_core::validate::{Errors, Evaluation};
use serde_json::{Value, json};

use super::call::Call;
use super::gate::Member;
use super::instant;
use super::reply::Reply;

/// Decides as a call would be decided; nothing is changed.
pub(super) fn evaluate(
    _: &Call,
    member: &Member,
    record: &Record,
    form: Evaluation,
) -> Result<Reply, Errors> {
    let tenant = member.tenant();
    let now = match &form.time {
        None => Timestamp::now(),
        Some(text) => {
            instant::parse(text).ok_or_else(|| Errors::one("time", "The time field must be a valid date."))?
        }
    };
    let zone = tenant.settings.get("timezone").and_then(Value::as_str);
    let zone = zone.and_then(nizam_core::zone).unwrap_or(TimeZone::UTC);
    let local = now.to_zoned_datetime(zone);
    let moment = Moment {
        weekday: u8::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0),
        minute: u32::try_from(local.hour()).unwrap_or(0) * 60 + u32::try_from(local.minute()).unwrap_or(0),
    };
    let caller = form.caller_id.as_deref().unwrap_or_default();
    let decision = policy::evaluate(record, tenant.status.is_operational(), caller, moment);
    let mut context = form.metadata;
    // What was decided upon stands above what the caller calls by the same name.
    for (name, value) in [
        ("tenant_id", json!(tenant.id)),
        ("did", json!(form.did)),
        ("caller_id", json!(form.caller_id)),
        ("now", json!(local.timestamp().strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string())),
    ] {
        context.insert(name.to_owned(), value);
    }
    Ok(Reply::ok(&json!({
        "policy_id": record.id,
        "policy_name": record.value("name"),
        "context": context,
        "decision": decision,
    })))
}
