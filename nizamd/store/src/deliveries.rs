//! What webhooks are still to be told. A delivery is claimed by giving it a time until which it counts as being made: a daemon that
//! dies meanwhile leaves it to whoever looks after that time.

use nizam_core::call::stored_name;
use nizam_core::model::CallEvent;
use nizam_core::resource::{Record, WEBHOOK};
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::audit::Actor;
use crate::clock;
use crate::column::Time;
use crate::db::{Conn, Dialect};
use crate::error::StoreResult;
use crate::tenants;
use crate::webhook_log::{self, NewAttempt};

/// Deliveries of a tenant that may wait for something that a person has asked for: there may be no end to asking.
const WAITING: i64 = 10_000;

/// How long a delivery waits whose event cannot be read, microseconds.
const PUT_OFF: i64 = 300_000_000;

/// What became of a request to deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// So many webhooks are told.
    Webhooks(usize),
    /// None is: too many deliveries of the tenant wait already.
    TooMany,
}

/// A webhook that something is due for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueWebhook {
    /// The webhook.
    pub id: Uuid,
    /// Its tenant.
    pub tenant_id: Uuid,
}

/// One attempt that is to be made now.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Key of the row.
    pub id: Uuid,
    /// The webhook, as it is now.
    pub webhook: Record,
    /// The event.
    pub event: CallEvent,
    /// The name that the webhook wants it by.
    pub event_type: String,
    /// Which attempt this is, from 1.
    pub attempt: i64,
    /// Until when it is claimed, microseconds since 1970.
    pub until: i64,
}

#[derive(sqlx::FromRow)]
struct ClaimedRow {
    id: Uuid,
    event_id: Uuid,
    event_type: String,
    attempts: i64,
}

impl Store {
    /// Has an event delivered to those active webhooks of its tenant that want it under one of these names, each under the first that it
    /// wants. One that waits for it already is told at once, and tried from the beginning.
    pub async fn enqueue_deliveries(
        &self,
        actor: &Actor,
        event: &CallEvent,
        names: &[&str],
    ) -> StoreResult<Enqueued> {
        let mut write = self.begin(actor).await?;
        let (now, tx) = (write.now, &mut write.tx);
        tenants::lock(tx.conn(), event.tenant_id).await?;
        let webhooks: Vec<(Uuid, Json<Vec<String>>)> = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT id, events FROM webhooks WHERE tenant_id = $1 AND is_active = TRUE"))
                .bind(event.tenant_id).fetch_all(c).await?
        });
        let receivers: Vec<(Uuid, &str)> = webhooks
            .iter()
            .filter_map(|(id, wanted)| {
                Some((*id, *names.iter().find(|name| wanted.0.iter().any(|w| w == *name))?))
            })
            .collect();
        let (waiting,): (i64,) = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT count(*) FROM webhook_deliveries WHERE webhook_id IN \
                 (SELECT id FROM webhooks WHERE tenant_id = $1 AND is_active = TRUE)"
            ))
            .bind(event.tenant_id).fetch_one(c).await?
        });
        if waiting >= WAITING {
            return Ok(Enqueued::TooMany);
        }
        for (webhook, name) in &receivers {
            on!(tx.conn(), c => {
                sqlx::query(sql!(
                    "INSERT INTO webhook_deliveries (id, webhook_id, event_id, event_type, attempts, due_at, created_at) \
                     VALUES ($1, $2, $3, $4, 0, $5, $5) ON CONFLICT (webhook_id, event_id) \
                     DO UPDATE SET event_type = excluded.event_type, attempts = 0, due_at = excluded.due_at, created_at = excluded.created_at"
                ))
                .bind(Uuid::now_v7()).bind(webhook).bind(event.id).bind(*name).bind(Time(now))
                .execute(c).await?.rows_affected()
            });
        }
        let told = Enqueued::Webhooks(receivers.len());
        Ok(write.commit_quietly(told).await?.value)
    }

    /// The webhooks of operational tenants that something is due for, those first that have waited longest.
    pub async fn webhooks_due(&self) -> StoreResult<Vec<DueWebhook>> {
        let mut reader = self.db.reader().await?;
        // From one webhook that has something to the next: most have nothing.
        let rows: Vec<(Uuid, Uuid)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "WITH RECURSIVE waiting(id) AS (SELECT (SELECT webhook_id FROM webhook_deliveries ORDER BY webhook_id LIMIT 1) \
                 UNION ALL SELECT (SELECT webhook_id FROM webhook_deliveries WHERE webhook_id > waiting.id ORDER BY webhook_id LIMIT 1) \
                 FROM waiting WHERE waiting.id IS NOT NULL), \
                 due AS (SELECT id, (SELECT min(due_at) FROM webhook_deliveries WHERE webhook_id = waiting.id) AS due_at \
                 FROM waiting WHERE id IS NOT NULL) \
                 SELECT webhooks.id, webhooks.tenant_id FROM due JOIN webhooks ON webhooks.id = due.id \
                 JOIN tenants ON tenants.id = webhooks.tenant_id \
                 WHERE due.due_at <= $1 AND tenants.is_active = TRUE AND tenants.status IN ('trial', 'active') ORDER BY due.due_at"
            ))
            .bind(Time(clock::now())).fetch_all(c).await?
        });
        Ok(rows.into_iter().map(|(id, tenant_id)| DueWebhook { id, tenant_id }).collect())
    }

    /// Claims what has been due longest for a webhook: nobody else does before that time, microseconds since 1970. What it does not want
    /// any more, and of what nothing is known any more, is dropped. `None`: nothing is due.
    pub async fn claim_delivery(&self, due: DueWebhook, until: i64) -> StoreResult<Option<Delivery>> {
        // First of all: what cannot be read is not begun.
        let webhook = self.record(&WEBHOOK, due.tenant_id, due.id).await?;
        let Some(webhook) = webhook.filter(|webhook| webhook.is("is_active")) else {
            self.write_deliveries(sql!("DELETE FROM webhook_deliveries WHERE webhook_id = $1"), due.id)
                .await?;
            return Ok(None);
        };
        while let Some(row) = self.claim(due.id, until).await? {
            let event = match self.event(due.tenant_id, row.event_id).await {
                Ok(event) => event,
                Err(error) => {
                    tracing::warn!(%error, event = %row.event_id, webhook = %due.id, "an event cannot be read: its delivery is put off");
                    let later = clock::now().saturating_add(PUT_OFF);
                    let mut tx = self.db.write().await?;
                    put_off(tx.conn(), row.id, row.attempts, until, later).await?;
                    tx.commit().await?;
                    continue;
                }
            };
            if let (Some(event), Some(event_type)) = (event, wanted(&webhook, &row.event_type)) {
                return Ok(Some(Delivery {
                    id: row.id,
                    webhook,
                    event,
                    event_type,
                    attempt: row.attempts,
                    until,
                }));
            }
            let mut tx = self.db.write().await?;
            end(tx.conn(), row.id, row.attempts, until).await?;
            tx.commit().await?;
        }
        Ok(None)
    }

    async fn claim(&self, webhook: Uuid, until: i64) -> StoreResult<Option<ClaimedRow>> {
        let mut tx = self.db.write().await?;
        let sql = match tx.conn().dialect() {
            Dialect::Sqlite => sql!(sqlite
                "UPDATE webhook_deliveries SET attempts = attempts + 1, due_at = $1 WHERE id = \
                 (SELECT id FROM webhook_deliveries WHERE webhook_id = $2 AND due_at <= $3 ORDER BY due_at, id LIMIT 1) \
                 RETURNING id, event_id, event_type, attempts"),
            Dialect::Postgres => sql!(postgres
                "UPDATE webhook_deliveries SET attempts = attempts + 1, due_at = $1 WHERE id = \
                 (SELECT id FROM webhook_deliveries WHERE webhook_id = $2 AND due_at <= $3 ORDER BY due_at, id LIMIT 1 \
                 FOR UPDATE SKIP LOCKED) RETURNING id, event_id, event_type, attempts"),
        };
        let row = on!(tx.conn(), c => {
            sqlx::query_as(sql).bind(Time(until)).bind(webhook).bind(Time(clock::now())).fetch_optional(c).await?
        });
        tx.commit().await?;
        Ok(row)
    }

    /// Puts off what is due for a webhook until that time, microseconds since 1970; what is under way goes on.
    pub async fn postpone_deliveries(&self, due: DueWebhook, until: i64) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        on!(tx.conn(), c => {
            sqlx::query(sql!("UPDATE webhook_deliveries SET due_at = $1 WHERE webhook_id = $2 AND due_at <= $3"))
                .bind(Time(until)).bind(due.id).bind(Time(clock::now())).execute(c).await?.rows_affected()
        });
        tx.commit().await
    }

    async fn write_deliveries(&self, sql: &'static str, webhook: Uuid) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        on!(tx.conn(), c => sqlx::query(sql).bind(webhook).execute(c).await?.rows_affected());
        tx.commit().await
    }

    /// Notes what became of an attempt, and when the next one is due, microseconds since 1970; `None`: there is none.
    pub async fn attempted(
        &self,
        delivery: &Delivery,
        attempt: &NewAttempt<'_>,
        next: Option<i64>,
    ) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        webhook_log::insert(tx.conn(), attempt).await?;
        match next {
            None => end(tx.conn(), delivery.id, delivery.attempt, delivery.until).await?,
            Some(due) => put_off(tx.conn(), delivery.id, delivery.attempt, delivery.until, due).await?,
        }
        tx.commit().await
    }

    /// Gives a claim back: the attempt was not made, or nobody knows what became of it.
    pub async fn give_back_delivery(&self, id: Uuid, attempt: i64, until: i64) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        put_off(tx.conn(), id, attempt, until, clock::now()).await?;
        tx.commit().await
    }
}

/// Has what was claimed be due at another time; unless, as below.
async fn put_off(conn: Conn<'_>, id: Uuid, attempts: i64, until: i64, due: i64) -> StoreResult<()> {
    on!(conn, c => {
        sqlx::query(sql!("UPDATE webhook_deliveries SET due_at = $4 WHERE id = $1 AND attempts = $2 AND due_at = $3"))
            .bind(id).bind(attempts).bind(Time(until)).bind(Time(due)).execute(c).await?;
    });
    Ok(())
}

/// Deletes what was claimed; unless it was asked for once more meanwhile, or somebody else took it for lost.
async fn end(conn: Conn<'_>, id: Uuid, attempts: i64, until: i64) -> StoreResult<()> {
    on!(conn, c => {
        sqlx::query(sql!("DELETE FROM webhook_deliveries WHERE id = $1 AND attempts = $2 AND due_at = $3"))
            .bind(id).bind(attempts).bind(Time(until)).execute(c).await?;
    });
    Ok(())
}

/// The name by which a webhook wants an event now that it wanted by that name.
fn wanted(webhook: &Record, name: &str) -> Option<String> {
    let names: Vec<&str> =
        webhook.value("events").as_array()?.iter().filter_map(|name| name.as_str()).collect();
    let same = || names.iter().find(|wanted| stored_name(wanted) == stored_name(name));
    names.iter().find(|wanted| **wanted == name).or_else(same).map(|&name| name.to_owned())
}
