//! Call detail records of a tenant.

use std::sync::Arc;

use jiff::Timestamp;
use nizam_core::model::Cdr;
use nizam_core::validate::Errors;
use nizam_store::{CdrFilter, Place};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::call::Call;
use super::failure::Failure;
use super::gate::Member;
use super::reply::{CutShort, Outcome, Reply};
use super::{csv_file, cursor, instant, paginate, present};

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
    let legs = match call.input.query_text("legs") {
        None | Some("0" | "false") => false,
        Some("1" | "true") => true,
        Some(_) => {
            errors.push("legs", "The legs field must be true or false.");
            false
        }
    };
    let filter = CdrFilter {
        direction,
        uuid: paginate::text(&call.input, "uuid", &mut errors),
        hangup_cause: paginate::text(&call.input, "hangup_cause", &mut errors),
        caller_id_number: paginate::text(&call.input, "caller_id_number", &mut errors),
        destination_number: paginate::text(&call.input, "destination_number", &mut errors),
        from: instant::of_query(&call.input, "date_from", &mut errors),
        to: instant::of_query(&call.input, "date_to", &mut errors),
        legs,
    };
    if errors.is_empty() { Ok(filter) } else { Err(errors) }
}

/// Rows that an export reads at once.
const PAGE: u64 = 1000;

/// The columns of an export, and their order, are those that clients know.
const COLUMNS: [&str; 11] = [
    "uuid",
    "caller_id_name",
    "caller_id_number",
    "destination_number",
    "direction",
    "start_stamp",
    "answer_stamp",
    "end_stamp",
    "duration",
    "billsec",
    "hangup_cause",
];

pub(super) async fn export(call: Call, member: Member, (): ()) -> Outcome {
    let filter = filter(&call)?;
    let (store, tenant) = (Arc::clone(&call.app.store), member.tenant().id);
    let (sender, rest) = mpsc::channel(2);
    tokio::spawn(async move {
        let mut text = csv_file::line(COLUMNS.map(|name| json!(name)).iter());
        let mut after = Place::NEWEST;
        loop {
            let cdrs = match store.cdrs_after(tenant, &filter, after, PAGE).await {
                Ok(cdrs) => cdrs,
                Err(error) => {
                    tracing::error!(%error, "an export ended early");
                    // The client must not take half a file for a whole one.
                    let _gone = sender.send(Err(CutShort)).await;
                    return;
                }
            };
            let Some(last) = cdrs.last() else { break };
            after = Place { time: last.start_stamp, id: last.id };
            for cdr in &cdrs {
                text.extend(csv_file::line(cells(cdr).iter()));
            }
            // An error means that the client has gone.
            if sender.send(Ok(std::mem::take(&mut text))).await.is_err() {
                return;
            }
        }
        let _gone = sender.send(Ok(text)).await;
    });
    Ok(Reply::download("text/csv; charset=utf-8", "cdrs.csv", rest))
}

fn cells(cdr: &Cdr) -> [Value; 11] {
    let stamp = |micros: i64| {
        let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
        json!(time.strftime("%Y-%m-%d %H:%M:%S").to_string())
    };
    [
        json!(cdr.uuid),
        json!(cdr.caller_id_name),
        json!(cdr.caller_id_number),
        json!(cdr.destination_number),
        json!(cdr.direction),
        stamp(cdr.start_stamp),
        cdr.answer_stamp.map_or(Value::Null, stamp),
        cdr.end_stamp.map_or(Value::Null, stamp),
        json!(cdr.duration),
        json!(cdr.billsec),
        json!(cdr.hangup_cause),
    ]
}

pub(super) fn row(cdr: &Cdr) -> Value {
    let mut row = json!({
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
    });
    let more = json!({
        "call_id": cdr.call_id,
        "leg": cdr.leg,
        "other_leg_uuid": cdr.other_leg_uuid,
        "originator": cdr.originator,
        "transfer_history": cdr.transfer_history,
        "hangup_cause_q850": cdr.hangup_cause_q850,
        "hangup_by": cdr.hangup_by,
        "hangup_disposition": cdr.hangup_disposition,
        "post_dial_delay_ms": cdr.post_dial_delay_ms,
        "ring_ms": cdr.ring_ms,
        "talk_ms": cdr.talk_ms,
        "hold_ms": cdr.hold_ms,
        "codec": cdr.negotiated_codec,
        "mos": cdr.mos,
        "packet_loss": cdr.packet_loss,
        "gateway": cdr.gateway,
        "refused": cdr.refused,
        "generation": cdr.generation,
        "switch": cdr.switch_name,
        "closed_by": cdr.closed_by,
    });
    if let (Some(row), Value::Object(more)) = (row.as_object_mut(), more) {
        row.extend(more);
    }
    row
}
