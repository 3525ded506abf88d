//! Events that a webhook is told once more because somebody asks for it.

use nizam_core::event;
use nizam_core::resource::Record;
use uuid::Uuid;

use crate::Store;
use crate::audit::Actor;
use crate::clock;
use crate::column::Time;
use crate::db::Conn;
use crate::deliveries::{Followers, lock};
use crate::error::StoreResult;
use crate::page::Place;

/// Most deliveries of one request.
pub const MOST_REDRIVEN: u64 = 10_000;
/// Most events that one request looks at.
const LOOKED_AT: u64 = 100_000;
/// Events of one transaction.
const PAGE: i64 = 500;

/// Which events.
#[derive(Clone, Copy, Debug)]
pub struct Redrive {
    /// Those that happened from this time on, microseconds since 1970.
    pub from: i64,
    /// Until this time.
    pub to: i64,
    /// Only those that it has not taken, and that do not wait for it: also what was given up, or dropped, before it was tried.
    pub only_failed: bool,
}

/// What became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redriven {
    /// So many deliveries wait now.
    pub deliveries: u64,
    /// When the first event happened that was not looked at, microseconds since 1970; none: there are no more.
    pub next: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct EventRow {
    id: Uuid,
    event_type: String,
    call_key: Option<String>,
    resource_id: Option<Uuid>,
    sequence: i64,
    occurred_at: Time,
}

impl EventRow {
    /// What is told in order: all legs of a call, or one resource.
    fn order_key(&self) -> String {
        let resource = || self.resource_id.map(|id| id.to_string());
        self.call_key.clone().or_else(resource).unwrap_or_default()
    }
}

/// Events of both tables from a place on, in the order in which they happened.
macro_rules! events {
    ($which:literal) => {
        concat!(
            "SELECT id, event_type, call_key, resource_id, sequence, occurred_at FROM (SELECT * FROM \
             (SELECT id, event_type, coalesce(call_id, call_uuid) AS call_key, CAST(NULL AS uuid) AS resource_id, sequence, occurred_at \
             FROM call_events AS e WHERE tenant_id = $1 AND ",
            $which,
            " ORDER BY occurred_at, id LIMIT $2 + 0) AS calls UNION ALL SELECT * FROM \
             (SELECT id, event_type, CAST(NULL AS text) AS call_key, resource_id, sequence, occurred_at \
             FROM resource_events AS e WHERE tenant_id = $1 AND ",
            $which,
            " ORDER BY occurred_at, id LIMIT $2 + 0) AS resources) AS events ORDER BY occurred_at, id LIMIT $2 + 0"
        )
    };
}

impl Store {
    /// Has an event of the webhook's tenant delivered to it once more, under the name by which it wants it. The id is that of the event, or
    /// of an attempt to tell of it. `None`: there is no such event.
    pub async fn redeliver(
        &self,
        actor: &Actor,
        webhook: &Record,
        id: Uuid,
    ) -> StoreResult<Option<Redriven>> {
        let mut write = self.begin(actor).await?;
        let (now, tx) = (write.now, &mut write.tx);
        let of_attempt: Option<(Option<Uuid>,)> = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT event_id FROM webhook_delivery_attempts WHERE webhook_id = $1 AND id = $2"))
                .bind(webhook.id).bind(id).fetch_optional(c).await?
        });
        let id = of_attempt.and_then(|(event,)| event).unwrap_or(id);
        let row: Option<EventRow> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT id, event_type, coalesce(call_id, call_uuid) AS call_key, CAST(NULL AS uuid) AS resource_id, sequence, occurred_at \
                 FROM call_events WHERE tenant_id = $1 AND id = $2 UNION ALL \
                 SELECT id, event_type, CAST(NULL AS text) AS call_key, resource_id, sequence, occurred_at \
                 FROM resource_events WHERE tenant_id = $1 AND id = $2"
            ))
            .bind(webhook.tenant_id).bind(id).fetch_optional(c).await?
        });
        let Some(row) = row else { return Ok(None) };
        let mut deliveries = 0;
        if let Some(name) = wanted(webhook, &row.event_type) {
            lock(tx.conn(), &[webhook.id], &[row.id]).await?;
            enqueue(tx.conn(), webhook.id, &row, name, now).await?;
            deliveries = 1;
        }
        Ok(Some(write.commit_quietly(Redriven { deliveries, next: None }).await?.value))
    }

    /// Has those events of the webhook's tenant delivered to it once more that it wants, the oldest first; as many as one request may.
    pub async fn redrive(&self, actor: &Actor, webhook: &Record, what: Redrive) -> StoreResult<Redriven> {
        self.once(actor).await?;
        let mut so_far = SoFar {
            done: Redriven::default(),
            place: Place { time: what.from, id: Uuid::nil() },
            looked_at: 0,
            over: false,
        };
        while !so_far.over {
            match self.redrive_page(webhook, what, so_far).await {
                Ok(further) => so_far = further,
                Err(error) if so_far.looked_at == 0 => {
                    // Nothing was done, so that it can be asked for again with the same key.
                    if let Err(kept) = self.not_done(actor).await {
                        tracing::debug!(%kept, "a request that was not done counts as done");
                    }
                    return Err(error);
                }
                // What is done is done: whoever asked goes on from there.
                Err(error) => {
                    tracing::warn!(%error, webhook = %webhook.id, "a redrive ends early");
                    so_far.done.next = Some(so_far.place.time);
                    break;
                }
            }
        }
        Ok(so_far.done)
    }

    /// One transaction of it.
    async fn redrive_page(&self, webhook: &Record, what: Redrive, mut so_far: SoFar) -> StoreResult<SoFar> {
        let (now, mut tx) = (clock::now(), self.db.write().await?);
        alone(tx.conn(), webhook.id).await?;
        let rows = page(tx.conn(), webhook, what, so_far.place).await?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        lock(tx.conn(), &[webhook.id], &ids).await?;
        so_far.over = i64::try_from(rows.len()).is_ok_and(|rows| rows < PAGE);
        let mut told = Vec::with_capacity(rows.len());
        for row in rows {
            // Those of one moment are not parted: it goes on behind a moment.
            if (so_far.done.deliveries >= MOST_REDRIVEN || so_far.looked_at >= LOOKED_AT)
                && row.occurred_at.0 > so_far.place.time
            {
                so_far.done.next = Some(row.occurred_at.0);
                so_far.over = true;
                break;
            }
            so_far.place = Place { time: row.occurred_at.0, id: row.id };
            so_far.looked_at += 1;
            if let Some(name) = wanted(webhook, &row.event_type) {
                so_far.done.deliveries += 1;
                told.push((row, name));
            }
        }
        // As the feed does, so that neither waits for the other in turn.
        told.sort_by_key(|(row, _)| row.sequence);
        for (row, name) in &told {
            enqueue(tx.conn(), webhook.id, row, name, now).await?;
        }
        tx.commit().await?;
        Ok(so_far)
    }
}

/// How far a redrive is.
#[derive(Clone, Copy)]
struct SoFar {
    done: Redriven,
    place: Place,
    looked_at: u64,
    over: bool,
}

/// Waits for others that redrive the same webhook, which lock the same rows in other orders.
async fn alone(conn: Conn<'_>, webhook: Uuid) -> StoreResult<()> {
    if let Conn::Postgres(c) = conn {
        sqlx::query(sql!(postgres "SELECT id FROM webhooks WHERE id = $1 FOR NO KEY UPDATE"))
            .bind(webhook)
            .execute(c)
            .await?;
    }
    Ok(())
}

async fn page(conn: Conn<'_>, webhook: &Record, what: Redrive, after: Place) -> StoreResult<Vec<EventRow>> {
    let (time, to) = (Time(after.time), Time(what.to));
    Ok(on!(conn, c => {
        if what.only_failed {
            sqlx::query_as(sql!(events!(
                "occurred_at >= $3 AND (occurred_at, id) > ($3, $4) AND occurred_at <= $5 AND \
                 NOT EXISTS (SELECT 1 FROM webhook_deliveries AS d WHERE d.webhook_id = $6 AND d.event_id = e.id) AND \
                 NOT EXISTS (SELECT 1 FROM webhook_delivery_attempts AS a WHERE a.webhook_id = $6 AND a.event_id = e.id AND a.success = TRUE)"
            )))
                .bind(webhook.tenant_id).bind(PAGE).bind(time).bind(after.id).bind(to).bind(webhook.id).fetch_all(c).await?
        } else {
            sqlx::query_as(sql!(events!("occurred_at >= $3 AND (occurred_at, id) > ($3, $4) AND occurred_at <= $5")))
                .bind(webhook.tenant_id).bind(PAGE).bind(time).bind(after.id).bind(to).fetch_all(c).await?
        }
    }))
}

/// The name by which a webhook is told of events that are stored by that one: the first that it wants, as the feed has it.
fn wanted(webhook: &Record, stored: &str) -> Option<&'static str> {
    let wants = webhook.value("events").as_array()?;
    event::names(stored).find(|name| wants.iter().any(|wanted| wanted == name))
}

/// One that waits already is told at once, and tried from the beginning.
async fn enqueue(
    mut conn: Conn<'_>,
    webhook: Uuid,
    event: &EventRow,
    name: &str,
    now: i64,
) -> StoreResult<()> {
    let order = event.order_key();
    on!(conn.again(), c => {
        sqlx::query(sql!(
            "INSERT INTO webhook_deliveries (id, webhook_id, event_id, event_type, order_key, sequence, attempts, due_at, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7) ON CONFLICT (webhook_id, event_id) \
             DO UPDATE SET event_type = excluded.event_type, attempts = 0, due_at = excluded.due_at, created_at = excluded.created_at, \
             claimed_by = NULL"
        ))
        .bind(Uuid::now_v7()).bind(webhook).bind(event.id).bind(name).bind(&order).bind(event.sequence).bind(Time(now))
        .execute(c).await?.rows_affected()
    });
    // They waited as long as this one.
    Followers { webhook_id: webhook, order_key: &order, sequence: event.sequence }.due_by(conn, now).await
}
