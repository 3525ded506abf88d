//! What happened to the calls of a tenant.

use nizam_core::model::CallEvent;
use nizam_core::validate::Errors;
use nizam_store::{CallEventFilter, Place};
use serde_json::{Value, json};

use super::call::Call;
use super::gate::Member;
use super::reply::Outcome;
use super::{cursor, instant, paginate, present};

/// Events of a page unless the request says otherwise.
const PER_PAGE: u64 = 50;

pub(super) async fn list(call: Call, member: Member, (): ()) -> Outcome {
    let filter = filter(&call)?;
    let tenant = member.tenant().id;
    let page = paginate::page_of(&call.input, PER_PAGE);
    if let Some(after) = cursor::asked(&call.input, Place::OLDEST)? {
        let rows = call.app.store.call_events_after(tenant, &filter, after, page.size + 1).await?;
        return Ok(cursor::reply(
            page.size,
            rows,
            |event| Place { time: event.occurred_at, id: event.id },
            row,
        ));
    }
    let listed = call.app.store.call_events(tenant, &filter, page).await?;
    Ok(paginate::flat(&call.request, page, &listed, row))
}

fn filter(call: &Call) -> Result<CallEventFilter, Errors> {
    let mut errors = Errors::default();
    let filter = CallEventFilter {
        call_uuid: paginate::text(&call.input, "call_uuid", &mut errors),
        event_type: paginate::text(&call.input, "event_type", &mut errors),
        from: instant::of_query(&call.input, "from", &mut errors),
        to: instant::of_query(&call.input, "to", &mut errors),
    };
    if errors.is_empty() { Ok(filter) } else { Err(errors) }
}

fn row(event: &CallEvent) -> Value {
    json!({
        "id": event.id,
        "tenant_id": event.tenant_id,
        "call_uuid": event.call_uuid,
        "event_type": event.event_type,
        "payload": event.payload,
        "schema_version": event.schema_version,
        "occurred_at": present::time(event.occurred_at),
        "created_at": present::time(event.created_at),
        "updated_at": present::time(event.updated_at),
    })
}
