//! Call detail records of a tenant.

use nizam_core::model::Cdr;
use nizam_core::validate::Errors;
use nizam_store::{CdrFilter, Place};
use serde_json::{Value, json};

use super::call::Call;
use super::failure::Failure;
use super::gate::Member;
use super::reply::{Outcome, Reply};
use super::{cursor, instant, paginate, present};

pub(super) async fn list(call: Call, member: Member, (): ()) -> Outcome {
    let filter = filter(&call)?;
    let tenant = member.tenant().id;
    let page = paginate::page(&call.input);
    if let Some(after) = cursor::asked(&call.input, Place::NEWEST)? {
        let rows = call.app.store.cdrs_after(tenant, &filter, after, page.size + 1).await?;
        return Ok(cursor::reply(page.size, rows, |cdr| Place { time: cdr.start_stamp, id: cdr.id }, row));
    }
    let listed = call.app.store.cdrs(tenant, &filter, page).await?;
    Ok(paginate::reply(&call.request, page, &listed, row))
}

pub(super) async fn show(call: Call, member: Member, (): ()) -> Outcome {
    let found = match call.id("cdr", "CallDetailRecord") {
        Ok(id) => call.app.store.cdr(member.tenant().id, id).await?,
        Err(_) => None,
    };
    let found = found.ok_or(Failure::NotFound("CDR"))?;
    Ok(Reply::ok(&json!({"data": row(&found)})))
}

fn filter(call: &Call) -> Result<CdrFilter, Errors> {
    let mut errors = Errors::default();
    let direction = call.input.query_text("direction").map(str::to_owned);
    if direction.as_ref().is_some_and(|known| !["inbound", "outbound", "local"].contains(&known.as_str())) {
        errors.push("direction", "The selected direction is invalid.");
    }
    let filter = CdrFilter {
        direction,
        uuid: paginate::text(&call.input, "uuid", &mut errors),
        hangup_cause: paginate::text(&call.input, "hangup_cause", &mut errors),
        caller_id_number: paginate::text(&call.input, "caller_id_number", &mut errors),
        destination_number: paginate::text(&call.input, "destination_number", &mut errors),
        from: instant::of_query(&call.input, "date_from", &mut errors),
        to: instant::of_query(&call.input, "date_to", &mut errors),
    };
    if errors.is_empty() { Ok(filter) } else { Err(errors) }
}

fn row(cdr: &Cdr) -> Value {
    json!({
        "id": cdr.id,
        "tenant_id": cdr.tenant_id,
        "uuid": cdr.uuid,
        "caller_id_name": cdr.caller_id_name,
        "caller_id_number": cdr.caller_id_number,
        "destination_number": cdr.destination_number,
        "context": cdr.context,
        "start_stamp": present::time(cdr.start_stamp),
        "answer_stamp": cdr.answer_stamp.map(present::time),
        "end_stamp": cdr.end_stamp.map(present::time),
        "duration": cdr.duration,
        "billsec": cdr.billsec,
        "hangup_cause": cdr.hangup_cause,
        "direction": cdr.direction,
        "recording_path": cdr.recording_path,
        "created_at": present::time(cdr.created_at),
        "updated_at": present::time(cdr.updated_at),
    })
}
