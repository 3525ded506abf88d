//! The outbox: what a write of the configuration tells those who follow the tenant, in its transaction. Its events have numbers of the same
//! series as those of calls.

use nizam_core::call::SCHEMA_VERSION;
use nizam_core::event;
use nizam_core::model::AuditAction;
use serde_json::Value;
use sqlx::QueryBuilder;
use sqlx::types::Json;
use tokio::sync::watch;
use uuid::Uuid;

use crate::Store;
use crate::changes;
use crate::column::Time;
use crate::db::{Conn, Tx};
use crate::error::StoreResult;

/// Rows of one statement: 10 parameters each, of at most 32,766 in SQLite.
const ROWS: usize = 1000;

/// An event that a write tells once it lasts.
pub(crate) struct Told {
    tenant_id: Uuid,
    event_type: &'static str,
    resource_id: Uuid,
    payload: Value,
}

impl Told {
    /// What a change of an object is told as, if it is: see [`event::of_change`].
    pub(crate) fn of<'f>(
        tenant_id: Uuid,
        model: &str,
        action: AuditAction,
        (id, name): (Uuid, &str),
        changed: impl Iterator<Item = &'f String>,
    ) -> Option<Self> {
        let (event_type, payload) = event::of_change(model, action, id, name, changed)?;
        Some(Self { tenant_id, event_type, resource_id: id, payload })
    }
}

impl Store {
    /// The number of the newest event that this process has stored; it changes with each that it stores.
    pub fn stored(&self) -> watch::Receiver<i64> {
        self.newest.subscribe()
    }
}

/// Says in this process that events are stored up to that one.
pub(crate) fn wake(newest: &watch::Sender<i64>, stored: i64) {
    newest.send_if_modified(|newest| {
        let newer = stored > *newest;
        *newest = stored.max(*newest);
        newer
    });
}

/// Takes that many numbers, and gives the last one. Whoever takes the next ones waits until these are committed, so that nobody who reads
/// on from one misses another that was committed behind it.
pub(crate) async fn take(conn: Conn<'_>, many: usize) -> StoreResult<i64> {
    let (newest,): (i64,) = on!(conn, c => {
        sqlx::query_as(sql!("UPDATE event_counter SET sequence = sequence + $1 WHERE id = 1 RETURNING sequence"))
            .bind(i64::try_from(many).unwrap_or(i64::MAX)).fetch_one(c).await?
    });
    Ok(newest)
}

/// Writes events whose last number is that one, and has others told.
pub(crate) async fn write(
    tx: &mut Tx,
    own: &str,
    told: &[Told],
    last: i64,
    generation: i64,
    now: i64,
) -> StoreResult<()> {
    if told.is_empty() {
        return Ok(());
    }
    let mut sequence = last - i64::try_from(told.len()).unwrap_or(0);
    for rows in told.chunks(ROWS) {
        on!(tx.conn(), c => {
            let mut insert = QueryBuilder::new(
                "INSERT INTO resource_events (id, tenant_id, event_type, resource_id, payload, schema_version, occurred_at, \
                 created_at, generation, sequence) ",
            );
            insert.push_values(rows, |mut values, row| {
                sequence += 1;
                values
                    .push_bind(Uuid::now_v7())
                    .push_bind(row.tenant_id)
                    .push_bind(row.event_type)
                    .push_bind(row.resource_id)
                    .push_bind(Json(&row.payload))
                    .push_bind(SCHEMA_VERSION)
                    .push_bind(Time(now))
                    .push_bind(Time(now))
                    .push_bind(generation)
                    .push_bind(sequence);
            });
            insert.build().execute(c).await?.rows_affected()
        });
    }
    changes::tell_of_events(tx.conn(), own).await
}
