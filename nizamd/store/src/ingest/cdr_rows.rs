//! CDRs, each once.

use std::collections::HashSet;

use nizam_core::model::Cdr;
use sqlx::QueryBuilder;
use sqlx::types::Json;
use uuid::Uuid;

use super::{json_texts, minutes};
use crate::column::{BEGINNING, Time};
use crate::counts::{Counted, Counts, counted};
use crate::db::{Conn, Tx};
use crate::error::StoreResult;

/// A row that is looked for by its channel alone is looked for in the months since so long before the channel was heard of, and not in
/// all that there are. Microseconds.
pub(super) const LONGEST: i64 = 31 * 86_400_000_000;

/// CDRs of one statement, which have 41 parameters each.
const ROWS: usize = 250;

const INSERT: &str = "INSERT INTO call_detail_records (id, tenant_id, uuid, caller_id_name, caller_id_number, \
    destination_number, context, start_stamp, answer_stamp, end_stamp, duration, billsec, hangup_cause, direction, \
    recording_path, read_codec, write_codec, negotiated_codec, created_at, updated_at, call_id, leg, other_leg_uuid, \
    originator, transfer_history, hangup_cause_q850, hangup_by, hangup_disposition, post_dial_delay_ms, ring_ms, talk_ms, \
    hold_ms, mos, packet_loss, gateway, refused, generation, switch_name, closed_by, facts) ";

/// Writes CDRs, each once, and gives how many were new.
pub(super) async fn write(tx: &mut Tx, cdrs: &[Cdr], counts: &mut Counts, now: i64) -> StoreResult<u64> {
    let mut new = 0;
    let mut talked = Vec::new();
    for cdrs in cdrs.chunks(ROWS) {
        replace_lost(tx, cdrs, counts).await?;
        let made = insert(tx, cdrs, now).await?;
        new += made.len() as u64;
        counts.wrote(cdrs.iter().filter(|cdr| made.contains(&cdr.uuid)));
        talked.extend(cdrs.iter().filter(|cdr| made.contains(&cdr.uuid)));
    }
    // Behind all of them: legs that talked to each other are looked at together.
    minutes::meter(tx, &talked, now).await?;
    Ok(new)
}

/// A channel's own word counts more than the reconciler's, of whom nothing is left then: neither CDR nor event.
async fn replace_lost(tx: &mut Tx, cdrs: &[Cdr], counts: &mut Counts) -> StoreResult<()> {
    let own = || cdrs.iter().filter(|cdr| cdr.closed_by.is_none());
    let Some(since) = own().map(|cdr| cdr.start_stamp).min() else { return Ok(()) };
    let since = Time(since.saturating_sub(LONGEST).max(BEGINNING));
    let uuids: Vec<&str> = own().map(|cdr| &*cdr.uuid).collect();
    let replaced: Vec<Counted> = match tx.conn() {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(sqlite concat!(
                "DELETE FROM call_detail_records WHERE closed_by IS NOT NULL AND start_stamp >= $2 \
                 AND uuid IN (SELECT value FROM json_each($1)) RETURNING ", counted!()
            )))
            .bind(json_texts(uuids))
            .bind(since)
            .fetch_all(c)
            .await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(sql!(postgres concat!(
                "DELETE FROM call_detail_records WHERE closed_by IS NOT NULL AND start_stamp >= $2 AND uuid = ANY($1) RETURNING ",
                counted!()
            )))
            .bind(uuids)
            .bind(since)
            .fetch_all(c)
            .await?
        }
    };
    if replaced.is_empty() {
        return Ok(());
    }
    let uuids: Vec<&str> = replaced.iter().map(|row| &*row.uuid).collect();
    let events: Vec<(Uuid, Time)> = match tx.conn() {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(sqlite
                "DELETE FROM call_events WHERE event_type = 'call.hangup' AND occurred_at >= $2 \
                 AND json_extract(payload, '$.metadata.closed_by') IS NOT NULL \
                 AND call_uuid IN (SELECT value FROM json_each($1)) RETURNING tenant_id, occurred_at"
            ))
            .bind(json_texts(uuids))
            .bind(since)
            .fetch_all(c)
            .await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(sql!(postgres
                "DELETE FROM call_events WHERE event_type = 'call.hangup' AND occurred_at >= $2 \
                 AND payload -> 'metadata' ->> 'closed_by' IS NOT NULL AND call_uuid = ANY($1) RETURNING tenant_id, occurred_at"
            ))
            .bind(uuids)
            .bind(since)
            .fetch_all(c)
            .await?
        }
    };
    for (tenant_id, at) in events {
        counts.events(tenant_id, at.0, "call.hangup", -1);
    }
    counts.deleted(replaced);
    Ok(())
}

async fn insert(tx: &mut Tx, cdrs: &[Cdr], now: i64) -> StoreResult<HashSet<String>> {
    let made: Vec<(String,)> = on!(tx.conn(), c => {
        let mut insert = QueryBuilder::new(INSERT);
        insert.push_values(cdrs, |mut row, cdr| {
            row.push_bind(Uuid::now_v7())
                .push_bind(cdr.tenant_id)
                .push_bind(&cdr.uuid)
                .push_bind(&cdr.caller_id_name)
                .push_bind(&cdr.caller_id_number)
                .push_bind(&cdr.destination_number)
                .push_bind(&cdr.context)
                .push_bind(Time(cdr.start_stamp))
                .push_bind(cdr.answer_stamp.map(Time))
                .push_bind(cdr.end_stamp.map(Time))
                .push_bind(cdr.duration)
                .push_bind(cdr.billsec)
                .push_bind(&cdr.hangup_cause)
                .push_bind(&cdr.direction)
                .push_bind(&cdr.recording_path)
                .push_bind(&cdr.read_codec)
                .push_bind(&cdr.write_codec)
                .push_bind(&cdr.negotiated_codec)
                .push_bind(Time(now))
                .push_bind(Time(now))
                .push_bind(&cdr.call_id)
                .push_bind(&cdr.leg)
                .push_bind(&cdr.other_leg_uuid)
                .push_bind(&cdr.originator)
                .push_bind(&cdr.transfer_history)
                .push_bind(cdr.hangup_cause_q850)
                .push_bind(&cdr.hangup_by)
                .push_bind(&cdr.hangup_disposition)
                .push_bind(cdr.post_dial_delay_ms)
                .push_bind(cdr.ring_ms)
                .push_bind(cdr.talk_ms)
                .push_bind(cdr.hold_ms)
                .push_bind(cdr.mos)
                .push_bind(cdr.packet_loss)
                .push_bind(&cdr.gateway)
                .push_bind(&cdr.refused)
                .push_bind(cdr.generation)
                .push_bind(&cdr.switch_name)
                .push_bind(&cdr.closed_by)
                .push_bind(cdr.facts.as_ref().map(Json));
        });
        insert.push(" ON CONFLICT (uuid, start_stamp) DO NOTHING RETURNING uuid");
        insert.build_query_as().fetch_all(c).await?
    });
    Ok(made.into_iter().map(|(uuid,)| uuid).collect())
}
