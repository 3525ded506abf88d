//! The minutes of calls: counted once a call, however many legs it has, and anew when another leg of it is stored.
//!
//! A call is counted for the tenant of its first leg: the seconds of that leg, and what others of its legs talked after it had ended, where
//! nobody is counted twice. So a caller who hands on whom it called does not end the count, and a call that nobody handed on has the
//! seconds of its first leg, as FreeSWITCH counts them.

use std::collections::{BTreeMap, HashMap};

use nizam_core::call::Leg;
use nizam_core::model::Cdr;
use sha2::{Digest, Sha256};
use sqlx::QueryBuilder;
use sqlx::types::Json;
use uuid::{Builder, Uuid};

use super::cdr_rows::LONGEST;
use super::{json_ids, json_texts};
use crate::column::{BEGINNING, Time};
use crate::db::{Conn, Tx};
use crate::error::StoreResult;

/// Calls of one statement.
const ROWS: usize = 500;

/// A leg, as far as minutes depend on it.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    tenant: Uuid,
    call: String,
    uuid: String,
    first: bool,
    /// Whether it said itself how it ended.
    own_word: bool,
    started: i64,
    answered: Option<i64>,
    ended: Option<i64>,
    billsec: i64,
    other: Option<String>,
}

/// A leg that another one talked to last.
#[derive(Clone, Debug)]
pub(crate) struct Other {
    call: String,
    first: bool,
    started: i64,
}

/// What is counted of a call, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// When its first leg began; microseconds since 1970.
    pub(crate) started: i64,
    /// Of its first leg.
    pub(crate) first: i64,
    /// What its other legs talked after that.
    pub(crate) rest: i64,
}

/// What is counted of a call that has these legs; `others` are those that legs of it talked to last. `None`: its first leg is not there yet.
pub(crate) fn count(legs: &[Talk], others: &HashMap<String, Other>) -> Option<Counted> {
    let firsts = || legs.iter().filter(|leg| leg.first);
    let started = firsts().map(|leg| leg.started).min()?;
    let first: i64 = firsts().map(|leg| leg.billsec).sum();
    if firsts().all(|leg| leg.answered.is_none()) {
        // Nobody talked to its caller.
        return Some(Counted { started, first, rest: 0 });
    }
    // Of a first leg that did not tell its end nobody knows what is after it.
    let over =
        if firsts().all(|leg| leg.own_word) { firsts().filter_map(|leg| leg.ended).max() } else { None };
    let mut parts: Vec<(i64, i64)> = legs
        .iter()
        .filter(|leg| !leg.first && leg.billsec > 0 && is_counted_here(leg, others))
        .filter_map(|leg| Some((leg.answered?.max(over?), leg.ended?)))
        .filter(|(from, to)| from < to)
        .collect();
    parts.sort_unstable();
    let mut rest: i64 = 0;
    let mut until = i64::MIN;
    for (from, to) in parts {
        rest = rest.saturating_add(to.saturating_sub(from.max(until)).max(0));
        until = until.max(to);
    }
    Some(Counted { started, first, rest: rest / 1_000_000 })
}

/// A leg that was handed on to somebody in another call (attended transfer) talks there: that is counted with the other call if
/// its first leg does so, and else with the one of the leg that is older.
fn is_counted_here(leg: &Talk, others: &HashMap<String, Other>) -> bool {
    let Some(uuid) = &leg.other else { return true };
    let Some(other) = others.get(uuid).filter(|other| other.call != leg.call) else { return true };
    !other.first && (leg.started, &leg.uuid) < (other.started, uuid)
}

/// The legs of calls that began since then.
pub(crate) async fn legs(conn: Conn<'_>, calls: &[&str], since: Time) -> StoreResult<Vec<Talk>> {
    type Row = (Uuid, String, String, bool, bool, Time, Option<Time>, Option<Time>, i64, Option<String>);
    let rows: Vec<Row> = match conn {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(sqlite
                "SELECT tenant_id, call_id, uuid, leg = 'a', closed_by IS NULL, start_stamp, answer_stamp, end_stamp, billsec, \
                 other_leg_uuid FROM call_detail_records WHERE start_stamp >= $2 AND call_id IN (SELECT value FROM json_each($1))"
            ))
            .bind(json_texts(calls.iter().copied()))
            .bind(since)
            .fetch_all(c)
            .await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(sql!(postgres
                "SELECT tenant_id, call_id, uuid, leg = 'a', closed_by IS NULL, start_stamp, answer_stamp, end_stamp, billsec, \
                 other_leg_uuid FROM call_detail_records WHERE start_stamp >= $2 AND call_id = ANY($1)"
            ))
            .bind(calls)
            .bind(since)
            .fetch_all(c)
            .await?
        }
    };
    let talk = |(tenant, call, uuid, first, own_word, started, answered, ended, billsec, other): Row| Talk {
        tenant,
        call,
        uuid,
        first,
        own_word,
        started: started.0,
        answered: answered.map(|time| time.0),
        ended: ended.map(|time| time.0),
        billsec,
        other,
    };
    Ok(rows.into_iter().map(talk).collect())
}

/// Those of other calls that these legs talked to last, as their CDRs say.
pub(crate) async fn others(
    conn: Conn<'_>,
    legs: &[Talk],
    since: Time,
) -> StoreResult<HashMap<String, Other>> {
    let uuids = talked_to(legs);
    if uuids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, Option<String>, bool, Time)> = match conn {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(sqlite
                "SELECT uuid, call_id, leg = 'a', start_stamp FROM call_detail_records \
                 WHERE start_stamp >= $2 AND uuid IN (SELECT value FROM json_each($1))"
            ))
            .bind(json_texts(uuids))
            .bind(since)
            .fetch_all(c)
            .await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(sql!(postgres
                "SELECT uuid, call_id, leg = 'a', start_stamp FROM call_detail_records WHERE start_stamp >= $2 AND uuid = ANY($1)"
            ))
            .bind(uuids)
            .bind(since)
            .fetch_all(c)
            .await?
        }
    };
    let other = |(uuid, call, first, started): (String, Option<String>, bool, Time)| {
        Some((uuid, Other { call: call?, first, started: started.0 }))
    };
    Ok(rows.into_iter().filter_map(other).collect())
}

/// Those of other calls that these legs talked to last, and that live.
async fn living(conn: Conn<'_>, legs: &[Talk]) -> StoreResult<HashMap<String, Other>> {
    let uuids = talked_to(legs);
    if uuids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, Json<Leg>)> = match conn {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(sqlite
                "SELECT uuid, leg FROM channels WHERE uuid IN (SELECT value FROM json_each($1))"
            ))
            .bind(json_texts(uuids))
            .fetch_all(c)
            .await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(sql!(postgres "SELECT uuid, leg FROM channels WHERE uuid = ANY($1)"))
                .bind(uuids)
                .fetch_all(c)
                .await?
        }
    };
    let other = |(uuid, Json(leg)): (String, Json<Leg>)| {
        let started = leg.started();
        (uuid, Other { call: leg.call_id, first: leg.originator.is_none(), started })
    };
    Ok(rows.into_iter().map(other).collect())
}

fn talked_to(legs: &[Talk]) -> Vec<&str> {
    legs.iter().filter(|leg| !leg.first && leg.billsec > 0).filter_map(|leg| leg.other.as_deref()).collect()
}

/// Legs by the tenant and the call.
pub(crate) fn by_call(legs: Vec<Talk>) -> BTreeMap<(Uuid, String), Vec<Talk>> {
    let mut calls: BTreeMap<_, Vec<Talk>> = BTreeMap::new();
    for leg in legs {
        calls.entry((leg.tenant, leg.call.clone())).or_default().push(leg);
    }
    calls
}

/// Counts the calls of these new CDRs: one measurement for each, on the day it began.
pub(super) async fn meter(tx: &mut Tx, cdrs: &[&Cdr], now: i64) -> StoreResult<()> {
    // Also of a caller who handed the call on before a second was over: the rest of it may be stored already.
    let billed = cdrs.iter().filter(|cdr| cdr.billsec > 0 || cdr.leg == "a" && cdr.answer_stamp.is_some());
    let calls: BTreeMap<Uuid, (&Cdr, &str)> = billed
        .filter_map(|cdr| cdr.call_id.as_deref().map(|call| (id(cdr.tenant_id, call), (*cdr, call))))
        .collect();
    let calls: Vec<(Uuid, (&Cdr, &str))> = calls.into_iter().collect();
    for part in calls.chunks(ROWS) {
        let Some(since) = part.iter().map(|(_, (cdr, _))| cdr.start_stamp).min() else { continue };
        let since = Time(since.saturating_sub(LONGEST).max(BEGINNING));
        // Whoever stores another leg of such a call at the same moment waits here, and sees these.
        let held = part.iter().map(|(id, (cdr, _))| (*id, cdr.tenant_id, 0.0, cdr.start_stamp));
        write(tx, held.collect(), now, "updated_at = excluded.updated_at").await?;
        let names: Vec<&str> = part.iter().map(|(_, (_, call))| *call).collect();
        let legs = legs(tx.conn(), &names, since).await?;
        let mut others_of = living(tx.conn(), &legs).await?;
        others_of.extend(others(tx.conn(), &legs, since).await?);
        let by_call = by_call(legs);
        let (mut counted, mut nothing) = (Vec::new(), Vec::new());
        for (id, (cdr, call)) in part {
            let legs = by_call.get(&(cdr.tenant_id, (*call).to_owned())).map_or(&[][..], Vec::as_slice);
            match count(legs, &others_of).filter(|counted| counted.first + counted.rest > 0) {
                Some(Counted { started, first, rest }) => {
                    // Seconds of a call are far below 2^53.
                    #[expect(clippy::cast_precision_loss, reason = "exact in a double")]
                    let minutes = ((first + rest) as f64 / 60.0 * 10_000.0).round() / 10_000.0;
                    counted.push((*id, cdr.tenant_id, minutes, started));
                }
                None => nothing.push(*id),
            }
        }
        if !counted.is_empty() {
            write(tx, counted, now, COUNTED_ANEW).await?;
        }
        if !nothing.is_empty() {
            delete(tx.conn(), &nothing).await?;
        }
    }
    Ok(())
}

/// The id of the measurement of a call: the same whoever counts it.
fn id(tenant: Uuid, call: &str) -> Uuid {
    let hash = Sha256::new().chain_update(b"call_minutes").chain_update(tenant.as_bytes()).chain_update(call);
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    Builder::from_custom_bytes(bytes).into_uuid()
}

/// What of a measurement that is there is set where it is counted anew.
const COUNTED_ANEW: &str =
    "value = excluded.value, recorded_date = excluded.recorded_date, updated_at = excluded.updated_at";

/// Writes measurements: id, tenant, minutes, and when the call began. `again` is what is set of those that are there.
async fn write(
    tx: &mut Tx,
    rows: Vec<(Uuid, Uuid, f64, i64)>,
    now: i64,
    again: &'static str,
) -> StoreResult<()> {
    on!(tx.conn(), c => {
        let mut insert = QueryBuilder::new(
            "INSERT INTO usage_records (id, tenant_id, metric, value, recorded_date, created_at, updated_at) ",
        );
        insert.push_values(rows, |mut row, (id, tenant, minutes, started)| {
            row.push_bind(id)
                .push_bind(tenant)
                .push_bind("call_minutes")
                .push_bind(minutes)
                .push_bind(nizam_core::call::day(started))
                .push_bind(Time(now))
                .push_bind(Time(now));
        });
        insert.push(" ON CONFLICT (id) DO UPDATE SET ").push(again);
        insert.build().execute(c).await?.rows_affected()
    });
    Ok(())
}

/// Deletes measurements of nothing. One that was counted stays: the leg that it was counted by may have been forgotten since.
async fn delete(conn: Conn<'_>, ids: &[Uuid]) -> StoreResult<()> {
    let _rows = match conn {
        Conn::Sqlite(c) => sqlx::query(sql!(sqlite
            "DELETE FROM usage_records WHERE value = 0 AND id IN (SELECT unhex(value) FROM json_each($1))"
        ))
        .bind(json_ids(ids))
        .execute(c)
        .await?
        .rows_affected(),
        Conn::Postgres(c) => {
            sqlx::query(sql!(postgres "DELETE FROM usage_records WHERE value = 0 AND id = ANY($1)"))
                .bind(ids)
                .execute(c)
                .await?
                .rows_affected()
        }
    };
    Ok(())
}
