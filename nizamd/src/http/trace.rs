//! A call from its first packet to its bill.

use std::iter::once;

use nizam_core::call::Leg;
use nizam_core::model::{CallEvent, Cdr};
use nizam_wire::path;
use serde_json::{Value, json};
use warp::http::StatusCode;

use super::call::Call;
use super::failure::Failure;
use super::gate::Member;
use super::reply::{Outcome, Reply};
use super::{call_events, cdrs, present};

/// Longest id of a channel.
const LONGEST: usize = 255;

pub(super) async fn show(call: Call, member: Member, (): ()) -> Outcome {
    let (store, tenant) = (&call.app.store, member.tenant().id);
    let uuid = call.parameter("call");
    let plain = uuid.len() <= LONGEST && !uuid.contains(char::is_control);
    let events = if plain { store.events_of_channel(tenant, uuid).await? } else { Vec::new() };
    if events.is_empty() {
        let text = "No events found for this call UUID.";
        return Err(Failure::Answer(StatusCode::NOT_FOUND, text.to_owned()));
    }
    let call_id = events.iter().find_map(|event| event.call_id.clone());
    // What lives is asked for first: a channel that ends meanwhile is in both lists, and shown once.
    let (live, all, legs) = match &call_id {
        Some(id) => (
            store.legs_of_call(tenant, id).await?,
            store.events_of_call(tenant, id).await?,
            store.cdrs_of_call(tenant, id).await?,
        ),
        None => (Vec::new(), events.clone(), Vec::new()),
    };
    Ok(Reply::ok(&json!({
        "call_uuid": uuid,
        "event_count": events.len(),
        "events": events.iter().map(call_events::row).collect::<Vec<_>>(),
        "call_id": call_id,
        "decisions": decisions(&all, &legs, &live),
        "legs": legs.iter().map(leg).collect::<Vec<_>>(),
        "timeline": all.iter().map(|event| moment(event, &legs)).collect::<Vec<_>>(),
    })))
}

/// A leg's CDR with what SIP and media were like.
fn leg(cdr: &Cdr) -> Value {
    let mut leg = cdrs::row(cdr);
    let fact = |name: &str| cdr.facts.as_ref().and_then(|facts| facts.get(name)).cloned();
    if let Some(leg) = leg.as_object_mut() {
        leg.insert("sip".to_owned(), fact("sip").unwrap_or_default());
        leg.insert("media".to_owned(), fact("media").unwrap_or_default());
    }
    leg
}

/// What routing decided: by which configuration each leg was routed and what refused it, which rows it passed then, and the steps of its flow.
fn decisions(events: &[CallEvent], legs: &[Cdr], live: &[Leg]) -> Vec<Value> {
    let ended = legs.iter().filter(|cdr| cdr.generation.is_some() || cdr.refused.is_some());
    let ended = ended.flat_map(|cdr| {
        let path = cdr.facts.as_ref().and_then(Leg::path_in);
        let routed = json!({
            "call_uuid": cdr.uuid, "decision": if cdr.refused.is_some() { "refused" } else { "routed" },
            "generation": cdr.generation, "refused": cdr.refused, "destination_number": cdr.destination_number,
            "gateway": cdr.gateway, "at": present::time(cdr.start_stamp),
            "path_cut": path.is_some_and(path::is_cut),
        });
        once(routed).chain(passed(&cdr.uuid, path))
    });
    let alive = live.iter().filter(|leg| legs.iter().all(|cdr| cdr.uuid != leg.uuid));
    let alive = alive.filter(|leg| leg.generation().is_some()).flat_map(|leg| {
        let routed = json!({
            "call_uuid": leg.uuid, "decision": "routed", "generation": leg.generation(), "refused": null,
            "destination_number": leg.destination(), "gateway": leg.gateway(), "at": present::time(leg.started()),
            "path_cut": leg.path().is_some_and(path::is_cut),
        });
        once(routed).chain(passed(&leg.uuid, leg.path()))
    });
    let told = events.iter().filter(|event| matches!(&*event.event_type, "call.flow" | "call.emergency"));
    let told = told.map(|event| {
        json!({
            "call_uuid": event.call_uuid, "decision": event.event_type, "generation": event.generation,
            "at": present::time(event.occurred_at), "metadata": event.payload.get("metadata"),
        })
    });
    ended.chain(alive).chain(told).collect()
}

/// The rows that a leg passed, in their order.
fn passed<'p>(uuid: &'p str, path: Option<&'p str>) -> impl Iterator<Item = Value> + 'p {
    path.into_iter().flat_map(path::read).map(move |row| {
        json!({
            "call_uuid": uuid, "decision": "passed", "generation": row.generation, "object": row.object.name(),
            "id": row.id, "branch": row.branch,
        })
    })
}

fn moment(event: &CallEvent, legs: &[Cdr]) -> Value {
    let leg = legs.iter().find(|cdr| cdr.uuid == event.call_uuid).map(|cdr| &cdr.leg);
    json!({
        "at": present::time(event.occurred_at),
        "call_uuid": event.call_uuid,
        "leg": leg,
        "event_type": event.event_type,
        "generation": event.generation,
        "event_id": event.id,
    })
}
