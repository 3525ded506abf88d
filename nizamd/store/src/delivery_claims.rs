//! Claims of deliveries. What is claimed belongs to one process until it says what became of it, or is dead, or the time of the claim is
//! over; an attempt counts when it is noted, so that whoever dies with a claim has used none.

use std::collections::{HashMap, HashSet};

use nizam_core::call::stored_name;
use nizam_core::model::CallEvent;
use nizam_core::resource::{Record, WEBHOOK};
use serde_json::Value;
use uuid::Uuid;

use crate::Store;
use crate::clock;
use crate::column::Time;
use crate::db::{Conn, Dialect};
use crate::deliveries::{Delivery, DueWebhook};
use crate::delivery_ends::{end, give_back, postpone};
use crate::error::StoreResult;
use crate::records::row;

/// How long a delivery waits that cannot be read, microseconds.
const PUT_OFF: i64 = 300_000_000;

#[derive(sqlx::FromRow)]
struct ClaimedRow {
    id: Uuid,
    webhook_id: Uuid,
    event_id: Uuid,
    event_type: String,
    attempts: i64,
}

/// What is to become of rows that were claimed.
#[derive(Default)]
struct Sorted {
    told: Vec<Delivery>,
    /// What is not wanted any more, or nothing is known of, with its webhook.
    dropped: Vec<(Uuid, Uuid)>,
    /// What cannot be read, likewise.
    unreadable: Vec<(Uuid, Uuid)>,
}

impl Store {
    /// Claims what has been due longest for webhooks, of each so many at most: nobody else does before that time, microseconds since 1970.
    /// Nothing is claimed while something earlier of its call waits. What is not wanted any more, and of what nothing is known any
    /// more, is dropped.
    pub async fn claim_deliveries(
        &self,
        shares: &[(DueWebhook, usize)],
        until: i64,
    ) -> StoreResult<Vec<Delivery>> {
        // First of all: what cannot be read is not begun.
        let webhooks = self.receivers(shares).await?;
        let mut open: Vec<(Uuid, usize)> = shares
            .iter()
            .map(|(due, most)| (due.id, *most))
            .filter(|(id, _)| webhooks.contains_key(id))
            .collect();
        let mut claimed = Vec::new();
        while !open.is_empty() {
            let rows = self.claim(&open, until).await?;
            let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
            // By the webhooks as they are behind the claim: what one has begun to want meanwhile is not dropped for what it wanted before.
            let sorted = match self.receivers(shares).await {
                Ok(webhooks) => self.sorted(rows, &webhooks, until).await,
                Err(error) => Err(error),
            };
            match sorted {
                Ok(sorted) => {
                    // What is told nobody has taken the place of something that is.
                    let mut left: HashMap<Uuid, usize> = HashMap::new();
                    for (_, webhook) in sorted.dropped.iter().chain(&sorted.unreadable) {
                        *left.entry(*webhook).or_default() += 1;
                    }
                    open = left.into_iter().collect();
                    claimed.extend(sorted.told);
                }
                Err(error) => {
                    self.give_back_deliveries(&ids, until).await?;
                    if claimed.is_empty() {
                        return Err(error);
                    }
                    tracing::warn!(%error, "events cannot be read: their deliveries are given back");
                    break;
                }
            }
        }
        Ok(claimed)
    }

    /// Gives claims back: the attempts were not made, or nobody knows what became of them.
    pub async fn give_back_deliveries(&self, ids: &[Uuid], until: i64) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        give_back(tx.conn(), &self.own, until, ids, clock::now()).await?;
        tx.commit().await
    }

    /// The webhooks as they are now. What waits for one that is not active is dropped, for one that cannot be read put off.
    async fn receivers(&self, shares: &[(DueWebhook, usize)]) -> StoreResult<HashMap<Uuid, Record>> {
        let mut of_tenant: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for (due, _) in shares {
            of_tenant.entry(due.tenant_id).or_default().push(due.id);
        }
        let mut webhooks = HashMap::with_capacity(shares.len());
        let mut gone: HashSet<Uuid> = shares.iter().map(|(due, _)| due.id).collect();
        let mut reader = self.db.reader().await?;
        for (tenant, ids) in &of_tenant {
            for (id, found) in row::by_ids(reader.conn(), &self.keys, &WEBHOOK, *tenant, ids).await? {
                match found {
                    Ok(webhook) if webhook.is("is_active") => {
                        gone.remove(&id);
                        webhooks.insert(id, webhook);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        gone.remove(&id);
                        tracing::warn!(%error, webhook = %id, "a webhook cannot be read: what is due for it is put off");
                        self.postpone_deliveries(id, clock::now().saturating_add(PUT_OFF)).await?;
                    }
                }
            }
        }
        drop(reader);
        for id in gone {
            let mut tx = self.db.write().await?;
            // Somebody may have made it active since it was read.
            let sql = match tx.conn().dialect() {
                Dialect::Sqlite => sql!(sqlite
                    "DELETE FROM webhook_deliveries WHERE webhook_id = $1 \
                     AND EXISTS (SELECT 1 FROM webhooks WHERE id = $1 AND is_active = FALSE)"),
                Dialect::Postgres => sql!(postgres
                    "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE webhook_id = $1 \
                     AND EXISTS (SELECT 1 FROM webhooks WHERE id = $1 AND is_active = FALSE) ORDER BY id FOR UPDATE)"),
            };
            on!(tx.conn(), c => sqlx::query(sql).bind(id).execute(c).await?.rows_affected());
            tx.commit().await?;
        }
        Ok(webhooks)
    }

    /// Claims rows, in one transaction.
    async fn claim(&self, shares: &[(Uuid, usize)], until: i64) -> StoreResult<Vec<ClaimedRow>> {
        let now = clock::now();
        let most = |most: usize| i64::try_from(most).unwrap_or(i64::MAX);
        let mut tx = self.db.write().await?;
        let mut rows = Vec::new();
        match tx.conn() {
            Conn::Sqlite(c) => {
                for (webhook, places) in shares {
                    let found: Vec<ClaimedRow> = sqlx::query_as(sql!(sqlite
                        "UPDATE webhook_deliveries SET claimed_by = $1, due_at = $2 WHERE id IN \
                         (SELECT id FROM webhook_deliveries AS due WHERE webhook_id = $3 AND due_at <= $4 AND (order_key = '' OR NOT EXISTS \
                         (SELECT 1 FROM webhook_deliveries AS earlier WHERE earlier.webhook_id = due.webhook_id \
                         AND earlier.order_key = due.order_key AND earlier.sequence < due.sequence)) ORDER BY due_at LIMIT $5 + 0) \
                         RETURNING id, webhook_id, event_id, event_type, attempts"
                    ))
                    .bind(&self.own).bind(Time(until)).bind(webhook).bind(Time(now)).bind(most(*places))
                    .fetch_all(&mut *c)
                    .await?;
                    rows.extend(found);
                }
            }
            // It waits for no lock, so that nobody waits for it in turn.
            Conn::Postgres(c) => {
                let (webhooks, places): (Vec<Uuid>, Vec<i64>) =
                    shares.iter().map(|(webhook, places)| (*webhook, most(*places))).unzip();
                rows = sqlx::query_as(sql!(postgres
                    "WITH wanted AS (SELECT * FROM unnest($3::uuid[], $5::bigint[]) AS wanted (webhook_id, most)), \
                     found AS MATERIALIZED (SELECT next.id FROM wanted CROSS JOIN LATERAL (SELECT id FROM webhook_deliveries AS due \
                     WHERE due.webhook_id = wanted.webhook_id AND due.due_at <= $4 AND (due.order_key = '' OR NOT EXISTS \
                     (SELECT 1 FROM webhook_deliveries AS earlier WHERE earlier.webhook_id = due.webhook_id \
                     AND earlier.order_key = due.order_key AND earlier.sequence < due.sequence)) \
                     ORDER BY due.due_at LIMIT wanted.most FOR UPDATE OF due SKIP LOCKED) AS next) \
                     UPDATE webhook_deliveries SET claimed_by = $1, due_at = $2 FROM found WHERE webhook_deliveries.id = found.id \
                     RETURNING webhook_deliveries.id, webhook_id, event_id, event_type, attempts"
                ))
                .bind(&self.own).bind(Time(until)).bind(webhooks).bind(Time(now)).bind(places)
                .fetch_all(c)
                .await?;
            }
        }
        tx.commit().await?;
        Ok(rows)
    }

    /// Reads the events of claims, and has that wait or go which is told nobody.
    async fn sorted(
        &self,
        rows: Vec<ClaimedRow>,
        webhooks: &HashMap<Uuid, Record>,
        until: i64,
    ) -> StoreResult<Sorted> {
        let mut sorted = Sorted::default();
        if rows.is_empty() {
            return Ok(sorted);
        }
        let mut events = self.events_of(&rows, webhooks).await?;
        for row in rows {
            // What waited for one that is inactive was deleted; one that cannot be read is waited for.
            let Some(webhook) = webhooks.get(&row.webhook_id) else {
                sorted.unreadable.push((row.id, row.webhook_id));
                continue;
            };
            let event = match events.get_mut(&row.event_id) {
                Some(Ok(event)) if event.tenant_id == webhook.tenant_id => event.clone(),
                Some(Err(())) => {
                    sorted.unreadable.push((row.id, row.webhook_id));
                    continue;
                }
                Some(Ok(_)) | None => {
                    sorted.dropped.push((row.id, row.webhook_id));
                    continue;
                }
            };
            match wanted(webhook, &row.event_type) {
                Some(event_type) => sorted.told.push(Delivery {
                    id: row.id,
                    webhook: webhook.clone(),
                    event,
                    event_type,
                    attempt: row.attempts.saturating_add(1),
                    until,
                }),
                None => sorted.dropped.push((row.id, row.webhook_id)),
            }
        }
        if !sorted.dropped.is_empty() || !sorted.unreadable.is_empty() {
            let mut tx = self.db.write().await?;
            let ids = |rows: &[(Uuid, Uuid)]| rows.iter().map(|(id, _)| *id).collect::<Vec<_>>();
            end(tx.conn(), &self.own, until, &ids(&sorted.dropped)).await?;
            let later = clock::now().saturating_add(PUT_OFF);
            give_back(tx.conn(), &self.own, until, &ids(&sorted.unreadable), later).await?;
            tx.commit().await?;
        }
        Ok(sorted)
    }

    /// The events of claims: each is one that can be read, or cannot, or is not there. The one place where a claim's event is read.
    async fn events_of(
        &self,
        rows: &[ClaimedRow],
        webhooks: &HashMap<Uuid, Record>,
    ) -> StoreResult<HashMap<Uuid, Result<CallEvent, ()>>> {
        let ids: HashSet<Uuid> = rows.iter().map(|row| row.event_id).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        match self.events_with_ids(&ids).await {
            Ok(events) => return Ok(events.into_iter().map(|event| (event.id, Ok(event))).collect()),
            Err(error) if error.passes() => return Err(error),
            Err(_) => {}
        }
        // One of them is damaged: which, only each by itself tells.
        let mut events = HashMap::with_capacity(ids.len());
        for row in rows {
            let Some(webhook) = webhooks.get(&row.webhook_id) else { continue };
            match self.event(webhook.tenant_id, row.event_id).await {
                Ok(Some(event)) => drop(events.insert(row.event_id, Ok(event))),
                Ok(None) => {}
                Err(error) if error.passes() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, event = %row.event_id, webhook = %row.webhook_id, "an event cannot be read: its delivery is put off");
                    events.insert(row.event_id, Err(()));
                }
            }
        }
        Ok(events)
    }

    /// Puts off what is due for a webhook until that time, microseconds since 1970; what is under way goes on.
    async fn postpone_deliveries(&self, webhook: Uuid, until: i64) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        postpone(tx.conn(), webhook, until).await?;
        tx.commit().await
    }
}

/// The name by which a webhook wants an event now that it wanted by that name.
fn wanted(webhook: &Record, name: &str) -> Option<String> {
    let names: Vec<&str> = webhook.value("events").as_array()?.iter().filter_map(Value::as_str).collect();
    let same = || names.iter().find(|wanted| stored_name(wanted) == stored_name(name));
    names.iter().find(|wanted| **wanted == name).or_else(same).map(|&name| name.to_owned())
}
