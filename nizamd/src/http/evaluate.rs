//! What a call routing policy would decide: its record, as the switches have it, asked as they ask it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use nizam_core::compile;
use nizam_core::resource::Record;
use nizam_core::validate::{Errors, Evaluation};
use nizam_engine::civil::Civil;
use nizam_engine::{Caller, Verdict, decide};
use nizam_wire::record::Policy;
use serde_json::{Value, json};
use uuid::Uuid;

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
    let text = |name: &str| tenant.settings.get(name).and_then(Value::as_str);
    let zone = text("timezone").and_then(nizam_core::zone).unwrap_or(TimeZone::UTC);
    let civil = Civil::at(now.as_second(), zone.to_offset(now).seconds());
    let home = text("country").and_then(nizam_core::home);
    let caller = Caller::new(form.caller_id.as_deref().map(str::as_bytes), home.as_ref());
    let decision = if !tenant.status.is_operational() {
        json!({"decision": "reject", "reason": "Tenant is suspended or terminated."})
    } else if record.is("is_active") {
        let bytes = compile::policy(record);
        Policy::decode(&bytes).map_or_else(|_| allow(), |policy| present(decide(&policy, &caller, civil)))
    } else {
        allow()
    };
    let mut context = form.metadata;
    // What was decided upon stands above what the caller calls by the same name.
    for (name, value) in [
        ("tenant_id", json!(tenant.id)),
        ("did", json!(form.did)),
        ("caller_id", json!(form.caller_id)),
        ("now", json!(now.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string())),
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

fn allow() -> Value {
    json!({"decision": "allow"})
}

fn present(verdict: Verdict) -> Value {
    match verdict {
        Verdict::Allow => allow(),
        Verdict::Reject => json!({"decision": "reject", "reason": "Caller is blacklisted."}),
        Verdict::Redirect(to) => json!({
            "decision": "redirect",
            "redirect_to": {"type": to.kind.name(), "id": Uuid::from_bytes(to.id)},
        }),
    }
}
