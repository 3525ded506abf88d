//! What webhooks are still to be told: what waits, and for whom. Who tells them is in `delivery_claims.rs`, what becomes of it in
//! `delivery_ends.rs`.

use nizam_core::model::CallEvent;
use nizam_core::resource::Record;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::audit::Actor;
use crate::clock;
use crate::column::Time;
use crate::db::{Conn, Dialect};
use crate::error::StoreResult;
use crate::page::count;
use crate::tenants;

/// Deliveries of a tenant that may wait for something that a person has asked for: there may be no end to asking.
const WAITING: i64 = 10_000;

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
    /// Which attempt this is, from 1. One of which nobody knows what became of it is made once more, as the same.
    pub attempt: i64,
    /// Until when it is claimed, microseconds since 1970.
    pub until: i64,
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
        let ids: Vec<Uuid> = receivers.iter().map(|(id, _)| *id).collect();
        lock(tx.conn(), &ids, &[event.id]).await?;
        let order = event.call_id.as_deref().unwrap_or(&event.call_uuid);
        for (webhook, name) in &receivers {
            on!(tx.conn(), c => {
                sqlx::query(sql!(
                    "INSERT INTO webhook_deliveries (id, webhook_id, event_id, event_type, attempts, due_at, created_at, order_key, sequence) \
                     VALUES ($1, $2, $3, $4, 0, $5, $5, $6, $7) ON CONFLICT (webhook_id, event_id) DO UPDATE SET \
                     event_type = excluded.event_type, attempts = 0, due_at = excluded.due_at, created_at = excluded.created_at, \
                     order_key = excluded.order_key, sequence = excluded.sequence, claimed_by = NULL"
                ))
                .bind(Uuid::now_v7()).bind(webhook).bind(event.id).bind(*name).bind(Time(now)).bind(order).bind(event.sequence)
                .execute(c).await?.rows_affected()
            });
            // They waited as long as this one.
            let followers = Followers { webhook_id: *webhook, order_key: order, sequence: event.sequence };
            followers.due_by(tx.conn(), now).await?;
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
    /// How many deliveries wait or are under way, of all tenants.
    pub async fn deliveries_waiting(&self) -> StoreResult<u64> {
        let mut reader = self.db.reader().await?;
        let (waiting,): (i64,) = on!(reader.conn(), c => {
            sqlx::query_as(sql!("SELECT count(*) FROM webhook_deliveries")).fetch_one(c).await?
        });
        Ok(count(waiting))
    }
}

/// What waits behind a delivery, because a receiver is told of a call in order.
pub(crate) struct Followers<'a> {
    pub(crate) webhook_id: Uuid,
    pub(crate) order_key: &'a str,
    pub(crate) sequence: i64,
}

impl Followers<'_> {
    /// Has them wait until that time: nobody looks at them before, however many there are.
    pub(crate) async fn put_off(&self, conn: Conn<'_>, due: i64) -> StoreResult<()> {
        let sql = match conn.dialect() {
            Dialect::Sqlite => sql!(sqlite
                "UPDATE webhook_deliveries SET due_at = $4 WHERE webhook_id = $1 AND order_key = $2 AND order_key <> '' \
                 AND sequence > $3 AND due_at < $4 AND claimed_by IS NULL"),
            // One that somebody else holds is left: it is seen in vain a few times, and that is all.
            Dialect::Postgres => sql!(postgres
                "UPDATE webhook_deliveries SET due_at = $4 WHERE id IN (SELECT id FROM webhook_deliveries WHERE webhook_id = $1 \
                 AND order_key = $2 AND order_key <> '' AND sequence > $3 AND due_at < $4 AND claimed_by IS NULL \
                 FOR UPDATE SKIP LOCKED)"),
        };
        self.run(conn, sql, due).await
    }

    /// Has them wait no longer than until that time, but for those that were tried themselves.
    pub(crate) async fn due_by(&self, conn: Conn<'_>, due: i64) -> StoreResult<()> {
        let sql = match conn.dialect() {
            Dialect::Sqlite => sql!(sqlite
                "UPDATE webhook_deliveries SET due_at = $4 WHERE webhook_id = $1 AND order_key = $2 AND order_key <> '' \
                 AND sequence > $3 AND due_at > $4 AND claimed_by IS NULL AND attempts = 0"),
            Dialect::Postgres => sql!(postgres
                "UPDATE webhook_deliveries SET due_at = $4 WHERE id IN (SELECT id FROM webhook_deliveries WHERE webhook_id = $1 \
                 AND order_key = $2 AND order_key <> '' AND sequence > $3 AND due_at > $4 AND claimed_by IS NULL AND attempts = 0 \
                 FOR UPDATE SKIP LOCKED)"),
        };
        self.run(conn, sql, due).await
    }

    async fn run(&self, conn: Conn<'_>, sql: &'static str, due: i64) -> StoreResult<()> {
        on!(conn, c => {
            sqlx::query(sql).bind(self.webhook_id).bind(self.order_key).bind(self.sequence).bind(Time(due))
                .execute(c).await?.rows_affected()
        });
        Ok(())
    }
}

/// Locks webhooks, and what waits of events already, in the order in which everybody locks them: whoever deletes a webhook deletes its
/// deliveries after it.
pub(crate) async fn lock(conn: Conn<'_>, webhooks: &[Uuid], events: &[Uuid]) -> StoreResult<()> {
    if let Conn::Postgres(c) = conn {
        sqlx::query(sql!(postgres "SELECT id FROM webhooks WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"))
            .bind(webhooks)
            .execute(&mut *c)
            .await?;
        sqlx::query(sql!(postgres
            "SELECT id FROM webhook_deliveries WHERE webhook_id = ANY($1) AND event_id = ANY($2) ORDER BY id FOR UPDATE"
        ))
        .bind(webhooks)
        .bind(events)
        .execute(c)
        .await?;
    }
    Ok(())
}
