//! Events of tenants, of nobody, and those that make no sense.

use std::collections::{BTreeSet, HashMap};

use nizam_core::call::{Ledger, NewEvent};
use serde_json::{Value, json};
use sqlx::QueryBuilder;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Delivered, Origin, ROWS, json_texts};
use crate::changes;
use crate::column::Time;
use crate::counts::Counts;
use crate::db::{Conn, Tx};
use crate::error::StoreResult;
use crate::outbox;

/// An event of nobody that is somebody's now.
type Stray = (Uuid, String, Option<String>, String, Json<Value>, Option<i64>, Time);

/// A row of `call_events`.
struct Row<'e> {
    id: Uuid,
    tenant: Uuid,
    call_uuid: &'e str,
    call_id: Option<&'e str>,
    event_type: &'e str,
    payload: Value,
    generation: Option<i64>,
    at: i64,
}

/// Writes all events, those first that were nobody's until now, and what changes in the counts; gives the number of the newest event of
/// a tenant.
pub(super) async fn write(
    tx: &mut Tx,
    (switch, own): (&str, &str),
    ledger: Ledger,
    mut counts: Counts,
    now: i64,
) -> StoreResult<i64> {
    let tenants: HashMap<&str, Uuid> =
        ledger.adopted.iter().map(|(uuid, tenant)| (&**uuid, *tenant)).collect();
    let mut adopted = adopt(tx.conn(), &tenants).await?;
    // As they came: ids of version 7 rise.
    adopted.sort_by_key(|stray| stray.0);
    let before =
        adopted.iter().filter_map(|(id, call_uuid, call_id, event_type, payload, generation, at)| {
            let tenant = *tenants.get(&**call_uuid)?;
            let mut payload = payload.0.clone();
            if let Some(map) = payload.as_object_mut() {
                map.insert("tenant_id".to_owned(), json!(tenant));
            }
            Some(Row {
                id: *id,
                tenant,
                call_uuid,
                call_id: call_id.as_deref(),
                event_type,
                payload,
                generation: *generation,
                at: at.0,
            })
        });
    let owned = ledger.events.iter().filter_map(|event| Some((event, event.tenant?)));
    let new = owned.map(|(event, tenant)| Row {
        id: Uuid::now_v7(),
        tenant,
        call_uuid: &event.call_uuid,
        call_id: event.call_id.as_deref(),
        event_type: &event.event_type,
        payload: event.payload(),
        generation: event.generation,
        at: event.at,
    });
    let strays: Vec<&NewEvent> = ledger.events.iter().filter(|event| event.tenant.is_none()).collect();
    keep_strays(tx, switch, &strays, now).await?;
    let rows: Vec<Row<'_>> = before.chain(new).collect();
    for row in &rows {
        counts.events(row.tenant, row.at, row.event_type, 1);
    }
    counts.write(tx.conn()).await?;
    lock_tenants(tx.conn(), &rows).await?;
    let newest = outbox::take(tx.conn(), rows.len()).await?;
    if !rows.is_empty() {
        changes::tell_of_events(tx.conn(), own).await?;
    }
    let mut sequence = newest - i64::try_from(rows.len()).unwrap_or(0);
    for rows in rows.chunks(ROWS) {
        insert(tx.conn(), switch, rows, sequence, now).await?;
        sequence += i64::try_from(rows.len()).unwrap_or(0);
    }
    Ok(newest)
}

/// Waits for those who change or delete a tenant before the counter is held, for which everybody waits.
async fn lock_tenants(conn: Conn<'_>, rows: &[Row<'_>]) -> StoreResult<()> {
    if let Conn::Postgres(c) = conn {
        let tenants: BTreeSet<Uuid> = rows.iter().map(|row| row.tenant).collect();
        let tenants: Vec<Uuid> = tenants.into_iter().collect();
        sqlx::query(sql!(postgres "SELECT id FROM tenants WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"))
            .bind(tenants)
            .execute(c)
            .await?;
    }
    Ok(())
}

async fn adopt(conn: Conn<'_>, tenants: &HashMap<&str, Uuid>) -> StoreResult<Vec<Stray>> {
    if tenants.is_empty() {
        return Ok(Vec::new());
    }
    let uuids: Vec<&str> = tenants.keys().copied().collect();
    Ok(match conn {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(sqlite
                "DELETE FROM stray_events WHERE event_type <> 'routing.ambiguous' \
                 AND call_uuid IN (SELECT value FROM json_each($1)) \
                 RETURNING id, call_uuid, call_id, event_type, payload, generation, occurred_at"
            ))
            .bind(json_texts(uuids))
            .fetch_all(c)
            .await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(sql!(postgres
                "DELETE FROM stray_events WHERE event_type <> 'routing.ambiguous' AND call_uuid = ANY($1) \
                 RETURNING id, call_uuid, call_id, event_type, payload, generation, occurred_at"
            ))
            .bind(uuids)
            .fetch_all(c)
            .await?
        }
    })
}

async fn insert(conn: Conn<'_>, switch: &str, rows: &[Row<'_>], before: i64, now: i64) -> StoreResult<()> {
    on!(conn, c => {
        let mut insert = QueryBuilder::new(
            "INSERT INTO call_events (id, tenant_id, call_uuid, event_type, payload, occurred_at, created_at, updated_at, \
             sequence, call_id, generation, switch_name) ",
        );
        let mut sequence = before;
        insert.push_values(rows, |mut values, row| {
            sequence += 1;
            values
                .push_bind(row.id)
                .push_bind(row.tenant)
                .push_bind(row.call_uuid)
                .push_bind(row.event_type)
                .push_bind(Json(&row.payload))
                .push_bind(Time(row.at))
                .push_bind(Time(now))
                .push_bind(Time(now))
                .push_bind(sequence)
                .push_bind(row.call_id)
                .push_bind(row.generation)
                .push_bind(switch);
        });
        insert.build().execute(c).await?.rows_affected()
    });
    Ok(())
}

async fn keep_strays(tx: &mut Tx, switch: &str, events: &[&NewEvent], now: i64) -> StoreResult<()> {
    for events in events.chunks(ROWS) {
        on!(tx.conn(), c => {
            let mut insert = QueryBuilder::new(
                "INSERT INTO stray_events (id, call_uuid, call_id, event_type, payload, generation, switch_name, occurred_at, \
                 created_at) ",
            );
            insert.push_values(events, |mut row, event| {
                row.push_bind(Uuid::now_v7())
                    .push_bind(&event.call_uuid)
                    .push_bind(&event.call_id)
                    .push_bind(&event.event_type)
                    .push_bind(Json(event.payload()))
                    .push_bind(event.generation)
                    .push_bind(switch)
                    .push_bind(Time(event.at))
                    .push_bind(Time(now));
            });
            insert.build().execute(c).await?.rows_affected()
        });
    }
    Ok(())
}

/// Keeps what makes no sense, with the reason, and gives how many there were.
pub(super) async fn quarantine(
    tx: &mut Tx,
    origin: Origin<'_>,
    events: &[(u64, &Delivered)],
    now: i64,
) -> StoreResult<u64> {
    let mut kept = 0;
    for (sequence, event) in events {
        let Delivered::Unusable(reason, record) = event else { continue };
        on!(tx.conn(), c => {
            sqlx::query(sql!(
                "INSERT INTO quarantined_events (id, switch_name, incarnation, sequence, reason, record, created_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)"
            ))
            .bind(Uuid::now_v7()).bind(origin.switch).bind(origin.incarnation.as_slice())
            .bind(i64::try_from(*sequence).unwrap_or(i64::MAX)).bind(reason).bind(record.as_slice()).bind(Time(now))
            .execute(c).await?.rows_affected()
        });
        kept += 1;
    }
    Ok(kept)
}
