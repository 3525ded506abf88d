//! What becomes of claimed deliveries. Whoever notes it locks webhooks first and deliveries then, each in the order of their ids: nobody
//! who does the same waits for one that waits for him.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::Store;
use crate::clock;
use crate::column::Time;
use crate::db::{Conn, Dialect};
use crate::deliveries::{Delivery, Followers};
use crate::error::StoreResult;
use crate::ingest::json_ids;
use crate::webhook_log::{self, NewAttempt};

/// What became of an attempt.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// What was claimed.
    pub delivery: &'a Delivery,
    /// What is noted of it.
    pub attempt: NewAttempt<'a>,
    /// When the next attempt is due, microseconds since 1970; `None`: there is none.
    pub next: Option<i64>,
}

impl Store {
    /// Notes what became of attempts, all of them or none: one transaction for many, because each has to wait for the disk.
    pub async fn attempted(&self, outcomes: &[Outcome<'_>]) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        let attempts: Vec<&NewAttempt<'_>> = outcomes.iter().map(|outcome| &outcome.attempt).collect();
        webhook_log::insert(tx.conn(), &attempts).await?;
        let ids: Vec<Uuid> = outcomes.iter().map(|outcome| outcome.delivery.id).collect();
        lock(tx.conn(), &ids).await?;
        let mut ended: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
        for Outcome { delivery, next, .. } in outcomes {
            match next {
                None => ended.entry(delivery.until).or_default().push(delivery.id),
                Some(due) => put_off(tx.conn(), &self.own, delivery, *due).await?,
            }
        }
        for (until, ids) in ended {
            end(tx.conn(), &self.own, until, &ids).await?;
        }
        tx.commit().await
    }
}

async fn lock(conn: Conn<'_>, ids: &[Uuid]) -> StoreResult<()> {
    if let Conn::Postgres(c) = conn {
        sqlx::query(
            sql!(postgres "SELECT id FROM webhook_deliveries WHERE id = ANY($1) ORDER BY id FOR UPDATE"),
        )
        .bind(ids)
        .execute(c)
        .await?;
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Place {
    order_key: String,
    sequence: i64,
}

/// Has what was claimed be due at another time, and what follows it no sooner; unless, as below.
async fn put_off(mut conn: Conn<'_>, own: &str, delivery: &Delivery, due: i64) -> StoreResult<()> {
    let place: Option<Place> = on!(conn.again(), c => {
        sqlx::query_as(sql!(
            "UPDATE webhook_deliveries SET due_at = $4, attempts = $5, claimed_by = NULL \
             WHERE id = $1 AND claimed_by = $2 AND due_at = $3 RETURNING order_key, sequence"
        ))
        .bind(delivery.id).bind(own).bind(Time(delivery.until)).bind(Time(due)).bind(delivery.attempt)
        .fetch_optional(c).await?
    });
    let Some(Place { order_key, sequence }) = place else { return Ok(()) };
    let webhook_id = delivery.webhook.id;
    Followers { webhook_id, order_key: &order_key, sequence }.put_off(conn, due).await
}

/// Deletes what was claimed; unless it was asked for once more meanwhile, or somebody else took it for lost.
pub(crate) async fn end(conn: Conn<'_>, own: &str, until: i64, ids: &[Uuid]) -> StoreResult<()> {
    if ids.is_empty() {
        return Ok(());
    }
    match conn {
        Conn::Sqlite(c) => {
            sqlx::query(sql!(sqlite
                "DELETE FROM webhook_deliveries WHERE id IN (SELECT unhex(value) FROM json_each($3)) AND +claimed_by = $1 AND due_at = $2"
            ))
            .bind(own).bind(Time(until)).bind(json_ids(ids)).execute(c).await?;
        }
        Conn::Postgres(c) => {
            sqlx::query(sql!(postgres
                "DELETE FROM webhook_deliveries WHERE id = ANY($3) AND claimed_by = $1 AND due_at = $2"
            ))
            .bind(own)
            .bind(Time(until))
            .bind(ids)
            .execute(c)
            .await?;
        }
    }
    Ok(())
}

/// Has what was claimed be nobody's and due at that time, without an attempt; unless, as above.
pub(crate) async fn give_back(
    conn: Conn<'_>,
    own: &str,
    until: i64,
    ids: &[Uuid],
    due: i64,
) -> StoreResult<()> {
    if ids.is_empty() {
        return Ok(());
    }
    match conn {
        Conn::Sqlite(c) => {
            sqlx::query(sql!(sqlite
                "UPDATE webhook_deliveries SET claimed_by = NULL, due_at = $4 \
                 WHERE id IN (SELECT unhex(value) FROM json_each($3)) AND +claimed_by = $1 AND due_at = $2"
            ))
            .bind(own)
            .bind(Time(until))
            .bind(json_ids(ids))
            .bind(Time(due))
            .execute(c)
            .await?;
        }
        Conn::Postgres(c) => {
            sqlx::query(sql!(postgres
                "UPDATE webhook_deliveries SET claimed_by = NULL, due_at = $4 WHERE id IN (SELECT id FROM webhook_deliveries \
                 WHERE id = ANY($3) AND claimed_by = $1 AND due_at = $2 ORDER BY id FOR UPDATE)"
            ))
            .bind(own).bind(Time(until)).bind(ids).bind(Time(due)).execute(c).await?;
        }
    }
    Ok(())
}

/// Puts off what is due for a webhook.
pub(crate) async fn postpone(conn: Conn<'_>, webhook: Uuid, until: i64) -> StoreResult<()> {
    let sql = match conn.dialect() {
        Dialect::Sqlite => sql!(sqlite
            "UPDATE webhook_deliveries SET due_at = $1 WHERE webhook_id = $2 AND due_at <= $3"),
        Dialect::Postgres => sql!(postgres
            "UPDATE webhook_deliveries SET due_at = $1 WHERE id IN (SELECT id FROM webhook_deliveries \
             WHERE webhook_id = $2 AND due_at <= $3 FOR UPDATE SKIP LOCKED)"),
    };
    on!(conn, c => {
        sqlx::query(sql).bind(Time(until)).bind(webhook).bind(Time(clock::now())).execute(c).await?.rows_affected()
    });
    Ok(())
}
