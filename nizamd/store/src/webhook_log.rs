//! What became of deliveries of webhooks.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::QueryBuilder;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::clock;
use crate::column::Time;
use crate::db::Conn;
use crate::error::StoreResult;
use crate::ingest::json_ids;
use crate::page::{Listed, Page, count};

/// One attempt to deliver.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// Key of the row.
    pub id: Uuid,
    /// The webhook.
    pub webhook_id: Uuid,
    /// The event that it was told of; none for what was noted before that was.
    pub event_id: Option<Uuid>,
    /// The event: `call.hangup`.
    pub event_type: String,
    /// What was sent.
    pub payload: Value,
    /// The status that came back, if one did.
    pub response_status: Option<i64>,
    /// The beginning of the body that came back.
    pub response_body: Option<String>,
    /// From 1.
    pub attempt: i64,
    /// From the beginning to the end, in milliseconds, where something came back.
    pub latency_ms: Option<f64>,
    /// Whether the status was one of success.
    pub success: bool,
    /// Why nothing came back.
    pub error_message: Option<String>,
    /// Microseconds since 1970, UTC.
    pub delivered_at: i64,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
}

/// The attempts of a webhook, summed up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeliveryStats {
    /// All attempts.
    pub total: u64,
    /// Those that succeeded.
    pub successful: u64,
    /// How long those took on the average, in milliseconds.
    pub average_latency_ms: Option<f64>,
    /// The last ones that failed, the newest first.
    pub recent_failures: Vec<Attempt>,
}

/// An attempt that was made just now.
#[derive(Clone, Copy, Debug)]
pub struct NewAttempt<'a> {
    /// The webhook.
    pub webhook_id: Uuid,
    /// The event.
    pub event_id: Option<Uuid>,
    /// Its name.
    pub event_type: &'a str,
    /// What was sent of it.
    pub payload: &'a Value,
    /// The status that came back, if one did.
    pub response_status: Option<u16>,
    /// The beginning of the body that came back.
    pub response_body: Option<&'a str>,
    /// From 1.
    pub attempt: i64,
    /// From the beginning to the end, in milliseconds, where something came back.
    pub latency_ms: Option<f64>,
    /// Why nothing came back, or not all.
    pub error_message: Option<&'a str>,
}

#[derive(sqlx::FromRow)]
struct AttemptRow {
    id: Uuid,
    webhook_id: Uuid,
    event_id: Option<Uuid>,
    event_type: String,
    payload: Json<Value>,
    response_status: Option<i64>,
    response_body: Option<String>,
    attempt: i64,
    latency_ms: Option<f64>,
    success: bool,
    error_message: Option<String>,
    delivered_at: Time,
    created_at: Time,
}

impl AttemptRow {
    fn into_attempt(self) -> Attempt {
        Attempt {
            id: self.id,
            webhook_id: self.webhook_id,
            event_id: self.event_id,
            event_type: self.event_type,
            payload: self.payload.0,
            response_status: self.response_status,
            response_body: self.response_body,
            attempt: self.attempt,
            latency_ms: self.latency_ms,
            success: self.success,
            error_message: self.error_message,
            delivered_at: self.delivered_at.0,
            created_at: self.created_at.0,
        }
    }
}

macro_rules! select_attempts {
    ($rest:literal) => {
        concat!(
            "SELECT id, webhook_id, event_id, event_type, payload, response_status, response_body, attempt, latency_ms, success, \
             error_message, delivered_at, created_at FROM webhook_delivery_attempts ",
            $rest
        )
    };
}

/// Rows of one statement: of two lengths, so that both are compiled once.
const ROWS: usize = 32;

/// Notes attempts, but for those whose webhook is gone.
pub(crate) async fn insert(mut conn: Conn<'_>, attempts: &[&NewAttempt<'_>]) -> StoreResult<()> {
    let there = webhooks(conn.again(), attempts).await?;
    let attempts: Vec<_> = attempts.iter().filter(|attempt| there.contains(&attempt.webhook_id)).collect();
    let now = Time(clock::now());
    let (chunks, rest) = attempts.as_chunks::<ROWS>();
    for rows in chunks.iter().map(|chunk| &chunk[..]).chain(rest.chunks(1)) {
        on!(conn.again(), c => {
            let mut insert = QueryBuilder::new(
                "INSERT INTO webhook_delivery_attempts (id, webhook_id, event_type, payload, response_status, response_body, \
                 attempt, success, latency_ms, error_message, delivered_at, created_at, updated_at, event_id) ",
            );
            insert.push_values(rows, |mut values, attempt| {
                let success = attempt.error_message.is_none()
                    && attempt.response_status.is_some_and(|status| (200..300).contains(&status));
                values
                    .push_bind(Uuid::now_v7())
                    .push_bind(attempt.webhook_id)
                    .push_bind(attempt.event_type)
                    .push_bind(Json(attempt.payload))
                    .push_bind(attempt.response_status.map(i64::from))
                    .push_bind(attempt.response_body)
                    .push_bind(attempt.attempt)
                    .push_bind(success)
                    .push_bind(attempt.latency_ms)
                    .push_bind(attempt.error_message)
                    .push_bind(now)
                    .push_bind(now)
                    .push_bind(now)
                    .push_bind(attempt.event_id);
            });
            insert.build().execute(c).await?.rows_affected()
        });
    }
    Ok(())
}

/// Those webhooks of attempts that are still there, and stay until the end of the transaction.
async fn webhooks(conn: Conn<'_>, attempts: &[&NewAttempt<'_>]) -> StoreResult<BTreeSet<Uuid>> {
    let ids: BTreeSet<Uuid> = attempts.iter().map(|attempt| attempt.webhook_id).collect();
    let rows: Vec<(Uuid,)> =
        match conn {
            Conn::Sqlite(c) => sqlx::query_as(
                sql!(sqlite "SELECT id FROM webhooks WHERE id IN (SELECT unhex(value) FROM json_each($1))"),
            )
            .bind(json_ids(&ids))
            .fetch_all(c)
            .await?,
            Conn::Postgres(c) => {
                let ids: Vec<Uuid> = ids.into_iter().collect();
                sqlx::query_as(
                    sql!(postgres "SELECT id FROM webhooks WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"),
                )
                .bind(ids)
                .fetch_all(c)
                .await?
            }
        };
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

impl Store {
    /// Notes an attempt that no delivery waits for.
    pub async fn note_attempt(&self, attempt: &NewAttempt<'_>) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        insert(tx.conn(), &[attempt]).await?;
        tx.commit().await
    }

    /// The attempts of a webhook, the newest first.
    pub async fn delivery_attempts(&self, webhook_id: Uuid, page: Page) -> StoreResult<Listed<Attempt>> {
        let mut tx = self.db.snapshot().await?;
        let (total,): (i64,) = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT count(*) FROM webhook_delivery_attempts WHERE webhook_id = $1"))
                .bind(webhook_id).fetch_one(c).await?
        });
        let rows: Vec<AttemptRow> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(select_attempts!(
                "WHERE webhook_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 + 0 OFFSET $3"
            )))
            .bind(webhook_id).bind(page.limit()).bind(page.offset()).fetch_all(c).await?
        });
        Ok(Listed { rows: rows.into_iter().map(AttemptRow::into_attempt).collect(), total: count(total) })
    }

    /// The attempts of a webhook, summed up.
    pub async fn delivery_stats(&self, webhook_id: Uuid) -> StoreResult<DeliveryStats> {
        let mut tx = self.db.snapshot().await?;
        let (total, successful, average_latency_ms): (i64, i64, Option<f64>) = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT count(*), count(CASE WHEN success = TRUE THEN 1 END), \
                 avg(CASE WHEN success = TRUE THEN latency_ms END) FROM webhook_delivery_attempts WHERE webhook_id = $1"
            ))
            .bind(webhook_id).fetch_one(c).await?
        });
        let failures: Vec<AttemptRow> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(select_attempts!(
                "WHERE webhook_id = $1 AND success = FALSE ORDER BY created_at DESC, id DESC LIMIT 10"
            )))
            .bind(webhook_id).fetch_all(c).await?
        });
        Ok(DeliveryStats {
            total: count(total),
            successful: count(successful),
            average_latency_ms,
            recent_failures: failures.into_iter().map(AttemptRow::into_attempt).collect(),
        })
    }
}
