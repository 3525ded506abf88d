//! What is kept of calls is not kept for ever, if the tenant wants it so.

use nizam_core::validate::call_retention_days;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::clock;
use crate::column::Time;
use crate::counts::{Counted, Counts, counted, day};
use crate::error::StoreResult;

/// Rows of one transaction: others that write wait no longer than that takes.
const ROWS: i64 = 1000;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// How many days events of nobody, events that make no sense, and attempts to tell webhooks are kept.
const OPERATOR_DAYS: i64 = 30;

/// How many days a delivery waits: longer than any schedule of attempts, but for a tenant that is suspended meanwhile, and for what waits behind
/// others at a receiver that is away.
const DELIVERY_DAYS: i64 = 10;

/// How many attempts to tell a webhook are kept.
const ATTEMPTS: i64 = 10_000;

/// The statements that delete the oldest rows of a table before a time, of one tenant (`$1`) or of all.
macro_rules! oldest {
    ($table:literal, $time:literal, tenant, $columns:expr) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE ",
            $time,
            " < $2 AND id IN (SELECT id FROM ",
            $table,
            " WHERE tenant_id = $1 AND ",
            $time,
            " < $2 ORDER BY ",
            $time,
            " LIMIT $3 + 0) RETURNING ",
            $columns
        )
    };
    ($table:literal, $time:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE id IN (SELECT id FROM ",
            $table,
            " WHERE ",
            $time,
            " < $1 ORDER BY ",
            $time,
            " LIMIT $2 + 0)"
        )
    };
}

impl Store {
    /// Deletes CDRs and events that are older than their tenant keeps them (setting `call_retention_days`), what
    /// was noted a month ago, and phones whose registration ended a day ago; gives how many rows that were.
    pub async fn forget_calls(&self) -> StoreResult<u64> {
        let now = clock::now();
        let mut gone = 0;
        for (tenant, days) in self.retentions().await? {
            let before = now.saturating_sub(days.saturating_mul(DAY));
            // One tenant's are no reason to keep another's.
            for forgotten in [
                self.forget_cdrs(tenant, before).await,
                self.forget_events(tenant, before).await,
                self.forget_told(tenant, before).await,
            ] {
                match forgotten {
                    Ok(rows) => gone += rows,
                    Err(error) => {
                        tracing::warn!(%error, %tenant, "what a tenant keeps no longer is not deleted yet");
                    }
                }
            }
        }
        for (statement, days) in [
            (sql!(oldest!("stray_events", "occurred_at")), OPERATOR_DAYS),
            (sql!(oldest!("quarantined_events", "created_at")), OPERATOR_DAYS),
            (sql!(oldest!("webhook_delivery_attempts", "created_at")), OPERATOR_DAYS),
        ] {
            gone += self.forget(statement, now.saturating_sub(days * DAY)).await?;
        }
        let statement = sql!(oldest!("webhook_deliveries", "created_at"));
        let given_up = self.forget(statement, now.saturating_sub(DELIVERY_DAYS * DAY)).await?;
        if given_up > 0 {
            tracing::warn!(
                deliveries = given_up,
                "webhooks are told no more of what has waited for {DELIVERY_DAYS} days; redrive with only_failed tells them all the same"
            );
        }
        gone += given_up;
        gone += self.forget_attempts().await?;
        gone += self.forget_phones(now.saturating_sub(DAY)).await?;
        Ok(gone + self.forget_lives(now.saturating_sub(OPERATOR_DAYS * DAY)).await?)
    }

    /// Deletes phones whose registration ended before that time: a switch that died with them tells nobody, and one that never came back
    /// is not asked.
    async fn forget_phones(&self, before: i64) -> StoreResult<u64> {
        let mut tx = self.db.write().await?;
        let gone = on!(tx.conn(), c => {
            sqlx::query(sql!("DELETE FROM registrations WHERE expires_at < $1"))
                .bind(Time(before)).execute(c).await?.rows_affected()
        });
        tx.commit().await?;
        Ok(gone)
    }

    /// Deletes what is known of modules that ended before that time, but for those with channels that nobody has closed, and the states of
    /// gateways that are no more.
    async fn forget_lives(&self, before: i64) -> StoreResult<u64> {
        let mut tx = self.db.write().await?;
        let mut gone = on!(tx.conn(), c => {
            sqlx::query(sql!(
                "DELETE FROM switch_incarnations WHERE updated_at < $1 AND ended_at IS NOT NULL AND NOT EXISTS \
                 (SELECT 1 FROM channels WHERE channels.switch_name = switch_incarnations.switch_name \
                 AND channels.incarnation = switch_incarnations.incarnation)"
            ))
            .bind(Time(before)).execute(c).await?.rows_affected()
        });
        gone += on!(tx.conn(), c => {
            sqlx::query(sql!(
                "DELETE FROM gateway_states WHERE gateway_id IS NOT NULL AND changed_at < $1 \
                 AND NOT EXISTS (SELECT 1 FROM gateways WHERE gateways.id = gateway_states.gateway_id)"
            ))
            .bind(Time(before)).execute(c).await?.rows_affected()
        });
        tx.commit().await?;
        Ok(gone)
    }

    /// Deletes attempts to tell those webhooks that have more than are kept.
    async fn forget_attempts(&self) -> StoreResult<u64> {
        let mut reader = self.db.reader().await?;
        let many: Vec<(Uuid,)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT webhook_id FROM webhook_delivery_attempts GROUP BY webhook_id HAVING count(*) > $1"
            ))
            .bind(ATTEMPTS).fetch_all(c).await?
        });
        drop(reader);
        let mut gone = 0;
        for (webhook,) in many {
            let mut tx = self.db.write().await?;
            gone += on!(tx.conn(), c => {
                sqlx::query(sql!(
                    "DELETE FROM webhook_delivery_attempts WHERE webhook_id = $1 AND created_at < \
                     (SELECT created_at FROM webhook_delivery_attempts WHERE webhook_id = $1 ORDER BY created_at DESC LIMIT 1 OFFSET $2)"
                ))
                .bind(webhook).bind(ATTEMPTS - 1).execute(c).await?.rows_affected()
            });
            tx.commit().await?;
        }
        Ok(gone)
    }

    async fn retentions(&self) -> StoreResult<Vec<(Uuid, i64)>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<(Uuid, Json<Value>)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!("SELECT id, settings FROM tenants")).fetch_all(c).await?
        });
        let days = |settings: &Value| call_retention_days(settings.get("call_retention_days")?);
        Ok(rows.into_iter().filter_map(|(id, settings)| Some((id, days(&settings.0)?))).collect())
    }

    async fn forget_cdrs(&self, tenant: Uuid, before: i64) -> StoreResult<u64> {
        let mut gone = 0;
        loop {
            let mut tx = self.db.write().await?;
            let rows: Vec<Counted> = on!(tx.conn(), c => {
                sqlx::query_as(sql!(oldest!("call_detail_records", "start_stamp", tenant, counted!())))
                    .bind(tenant).bind(Time(before)).bind(ROWS).fetch_all(c).await?
            });
            let deleted = rows.len() as u64;
            let mut counts = Counts::default();
            counts.deleted(rows);
            counts.write(tx.conn()).await?;
            tx.commit().await?;
            gone += deleted;
            if deleted < ROWS.unsigned_abs() {
                break;
            }
        }
        if gone > 0 {
            let empty = sql!("DELETE FROM cdr_counts WHERE tenant_id = $1 AND day <= $2 AND cdrs = 0");
            self.forget_counts(empty, tenant, before).await?;
        }
        Ok(gone)
    }

    async fn forget_events(&self, tenant: Uuid, before: i64) -> StoreResult<u64> {
        let mut gone = 0;
        loop {
            let mut tx = self.db.write().await?;
            let rows: Vec<(Time, String)> = on!(tx.conn(), c => {
                sqlx::query_as(sql!(oldest!("call_events", "occurred_at", tenant, "occurred_at, event_type")))
                    .bind(tenant).bind(Time(before)).bind(ROWS).fetch_all(c).await?
            });
            let mut counts = Counts::default();
            for (at, event_type) in &rows {
                counts.events(tenant, at.0, event_type, -1);
            }
            counts.write(tx.conn()).await?;
            tx.commit().await?;
            gone += rows.len() as u64;
            if (rows.len() as u64) < ROWS.unsigned_abs() {
                break;
            }
        }
        if gone > 0 {
            let empty =
                sql!("DELETE FROM call_event_counts WHERE tenant_id = $1 AND day <= $2 AND events = 0");
            self.forget_counts(empty, tenant, before).await?;
        }
        Ok(gone)
    }

    /// Deletes events of the configuration: they live as long as those of calls, so that a stream goes back as far with both.
    async fn forget_told(&self, tenant: Uuid, before: i64) -> StoreResult<u64> {
        let mut gone = 0;
        loop {
            let mut tx = self.db.write().await?;
            let rows: Vec<(i64,)> = on!(tx.conn(), c => {
                sqlx::query_as(sql!(oldest!("resource_events", "occurred_at", tenant, "sequence")))
                    .bind(tenant).bind(Time(before)).bind(ROWS).fetch_all(c).await?
            });
            tx.commit().await?;
            gone += rows.len() as u64;
            if (rows.len() as u64) < ROWS.unsigned_abs() {
                return Ok(gone);
            }
        }
    }

    /// Counts of days of which nothing is left.
    async fn forget_counts(&self, empty: &'static str, tenant: Uuid, before: i64) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        on!(tx.conn(), c => {
            sqlx::query(empty).bind(tenant).bind(day(before)).execute(c).await?.rows_affected()
        });
        tx.commit().await
    }

    async fn forget(&self, statement: &'static str, before: i64) -> StoreResult<u64> {
        let mut gone = 0;
        loop {
            let mut tx = self.db.write().await?;
            let rows = on!(tx.conn(), c => {
                sqlx::query(statement).bind(Time(before)).bind(ROWS).execute(c).await?.rows_affected()
            });
            tx.commit().await?;
            gone += rows;
            if rows < ROWS.unsigned_abs() {
                return Ok(gone);
            }
        }
    }
}
