//! What happened to the calls of a tenant.

use nizam_core::call::stored_name;
use nizam_core::model::CallEvent;
use nizam_core::validate::Errors;
use nizam_store::{CallEventFilter, Enqueued, Place};
use serde_json::{Value, json};
use warp::http::StatusCode;
use warp::http::header::RETRY_AFTER;

use super::call::Call;
use super::failure::{Failure, problem};
use super::gate::Member;
use super::reply::{Outcome, Reply};
use super::{cursor, instant, paginate, present};
use crate::webhook;

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
        // As webhooks call it, or as it is stored.
        event_type: paginate::text(&call.input, "event_type", &mut errors)
            .map(|name| stored_name(&name).to_owned()),
        from: instant::of_query(&call.input, "from", &mut errors),
        to: instant::of_query(&call.input, "to", &mut errors),
    };
    if errors.is_empty() { Ok(filter) } else { Err(errors) }
}

/// What an event says, without what the row says of itself.
pub(super) async fn replay(call: Call, member: Member, (): ()) -> Outcome {
    let found = match call.id("call_event", "CallEvent") {
        Ok(id) => call.app.store.call_event(member.tenant().id, id).await?,
        Err(_) => None,
    };
    let event = found.ok_or(Failure::NotFound("Event"))?;
    Ok(Reply::ok(&replayed(&event)))
}

/// Tells the webhooks of the tenant of an event once more.
pub(super) async fn redispatch(call: Call, member: Member, (): ()) -> Outcome {
    let found = match call.id("call_event", "CallEvent") {
        Ok(id) => call.app.store.call_event(member.tenant().id, id).await?,
        Err(_) => None,
    };
    let event = found.ok_or(Failure::NotFound("Event"))?;
    match call.app.store.enqueue_deliveries(&call.actor(), &event, &webhook::names(&event)).await? {
        Enqueued::TooMany => {
            let text = "Too many deliveries of this tenant wait: mend, deactivate or delete the webhooks whose receivers do not answer.";
            let mut reply = problem(StatusCode::TOO_MANY_REQUESTS, text.to_owned());
            reply.header(RETRY_AFTER, "300");
            Ok(reply)
        }
        Enqueued::Webhooks(webhooks) => {
            call.app.undelivered.notify_one();
            Ok(Reply::ok(&json!({
                "message": "Event re-dispatched to webhooks.",
                "event_id": event.id,
                "event_type": event.event_type,
                "webhooks": webhooks,
            })))
        }
    }
}

pub(super) fn replayed(event: &CallEvent) -> Value {
    json!({
        "id": event.id,
        "call_uuid": event.call_uuid,
        "event_type": event.event_type,
        "schema_version": event.schema_version,
        "payload": event.payload,
        "occurred_at": present::time(event.occurred_at),
    })
}

pub(super) fn row(event: &CallEvent) -> Value {
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
        "call_id": event.call_id,
        "generation": event.generation,
        "sequence": event.sequence,
    })
}
