//! The audit trail of a tenant.

use nizam_core::model::AuditEntry;
use nizam_core::validate::Errors;
use nizam_store::{Place, TrailFilter};
use serde_json::{Value, json};

use super::call::Call;
use super::failure::Failure;
use super::gate::Member;
use super::reply::{Outcome, Reply};
use super::{cursor, instant, paginate, present};

/// Entries of a page unless the request says otherwise.
const PER_PAGE: u64 = 50;

pub(super) async fn list(call: Call, member: Member, (): ()) -> Outcome {
    let filter = filter(&call)?;
    let tenant = member.tenant().id;
    let page = paginate::page_of(&call.input, PER_PAGE);
    if let Some(after) = cursor::asked(&call.input, Place::NEWEST)? {
        let rows = call.app.store.trail_after(tenant, &filter, after, page.size + 1).await?;
        return Ok(cursor::reply(page.size, rows, |row| Place { time: row.created_at, id: row.id }, entry));
    }
    let listed = call.app.store.trail(tenant, &filter, page).await?;
    Ok(paginate::flat(&call.request, page, &listed, entry))
}

pub(super) async fn show(call: Call, member: Member, (): ()) -> Outcome {
    let found = match call.id("audit_log", "AuditLog") {
        Ok(id) => call.app.store.audit_entry(member.tenant().id, id).await?,
        Err(_) => None,
    };
    let found = found.ok_or(Failure::NotFound("Audit log"))?;
    Ok(Reply::ok(&json!({"data": entry(&found)})))
}

fn filter(call: &Call) -> Result<TrailFilter, Errors> {
    let mut errors = Errors::default();
    let mut text = |name: &str, good: fn(&str) -> bool| {
        let text = call.input.query_text(name)?;
        if !good(text) {
            errors.push(name, format!("The selected {} is invalid.", name.replace('_', " ")));
        }
        Some(text.to_owned())
    };
    let action = text("action", |action| ["created", "updated", "deleted"].contains(&action));
    let auditable_type =
        text("auditable_type", |kind| kind.bytes().all(|b| b.is_ascii_alphabetic() || b == b'\\'));
    // Clients use both spellings.
    let auditable_type =
        auditable_type.map(|kind| if kind.contains('\\') { kind } else { format!("App\\Models\\{kind}") });
    let user_id = call.input.query_text("user_id").and_then(|text| {
        let id = text.parse().ok().filter(|&id| id > 0);
        if id.is_none() {
            errors.push("user_id", "The user id field must be the number of a user.");
        }
        id
    });
    let from = instant::of_query(&call.input, "from", &mut errors);
    let to = instant::of_query(&call.input, "to", &mut errors);
    if errors.is_empty() {
        Ok(TrailFilter { action, auditable_type, user_id, from, to })
    } else {
        Err(errors)
    }
}

fn entry(entry: &AuditEntry) -> Value {
    let created = present::time(entry.created_at);
    json!({
        "id": entry.id,
        "tenant_id": entry.tenant_id,
        "user_id": entry.user_id,
        "action": entry.action,
        "auditable_type": entry.auditable_type,
        "auditable_id": entry.auditable_id,
        "old_values": entry.old_values,
        "new_values": entry.new_values,
        "ip_address": entry.ip_address,
        "user_agent": entry.user_agent,
        "created_at": created,
        "updated_at": created,
    })
}
