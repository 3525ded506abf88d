//! Events of calls and of the configuration, in the one order in which they were stored.

use nizam_core::model::CallEvent;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::column::Time;
use crate::db::Conn;
use crate::error::StoreResult;
use crate::ingest::json_ids;

/// A row of either table.
#[derive(sqlx::FromRow)]
pub(crate) struct EventRow {
    id: Uuid,
    tenant_id: Uuid,
    /// The channel; none for an event of the configuration.
    call_uuid: Option<String>,
    /// What it happened to; none for an event of a call.
    #[sqlx(default)]
    resource_id: Option<Uuid>,
    event_type: String,
    payload: Json<Value>,
    schema_version: String,
    occurred_at: Time,
    created_at: Time,
    updated_at: Time,
    call_id: Option<String>,
    generation: Option<i64>,
    sequence: i64,
}

impl EventRow {
    /// What an event of the configuration happened to stands where the channel of a call does.
    pub(crate) fn into_event(self) -> CallEvent {
        let subject = self.call_uuid.or_else(|| Some(self.resource_id?.to_string()));
        CallEvent {
            id: self.id,
            tenant_id: self.tenant_id,
            call_uuid: subject.unwrap_or_default(),
            event_type: self.event_type,
            payload: self.payload.0,
            schema_version: self.schema_version,
            occurred_at: self.occurred_at.0,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            call_id: self.call_id,
            generation: self.generation,
            sequence: self.sequence,
        }
    }
}

/// Rows of both tables: each is read by its own index, and no further than is asked for.
macro_rules! of_both {
    ($which:literal, $rest:literal) => {
        concat!(
            "SELECT * FROM (SELECT id, tenant_id, call_uuid, CAST(NULL AS uuid) AS resource_id, event_type, payload, schema_version, \
             occurred_at, created_at, updated_at, call_id, generation, sequence FROM call_events WHERE ",
            $which,
            " ",
            $rest,
            ") AS of_calls UNION ALL SELECT * FROM (SELECT id, tenant_id, CAST(NULL AS text) AS call_uuid, resource_id, event_type, payload, \
             schema_version, occurred_at, created_at, created_at AS updated_at, CAST(NULL AS text) AS call_id, generation, sequence \
             FROM resource_events WHERE ",
            $which,
            " ",
            $rest,
            ") AS of_the_configuration ",
            $rest
        )
    };
}

impl Store {
    /// One event of a tenant, of whichever kind.
    pub async fn event(&self, tenant_id: Uuid, id: Uuid) -> StoreResult<Option<CallEvent>> {
        let mut reader = self.db.reader().await?;
        let row: Option<EventRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(of_both!("tenant_id = $1 AND id = $2", "")))
                .bind(tenant_id).bind(id).fetch_optional(c).await?
        });
        Ok(row.map(EventRow::into_event))
    }

    /// The events with these ids, of whatever tenant.
    pub(crate) async fn events_with_ids(&self, ids: &[Uuid]) -> StoreResult<Vec<CallEvent>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<EventRow> = match reader.conn() {
            Conn::Sqlite(c) => {
                sqlx::query_as(sql!(sqlite of_both!("id IN (SELECT unhex(value) FROM json_each($1))", "")))
                    .bind(json_ids(ids))
                    .fetch_all(c)
                    .await?
            }
            Conn::Postgres(c) => {
                sqlx::query_as(sql!(postgres of_both!("id = ANY($1)", ""))).bind(ids).fetch_all(c).await?
            }
        };
        Ok(rows.into_iter().map(EventRow::into_event).collect())
    }

    /// The events of a tenant that were stored after that one, in the order in which they were.
    pub async fn events_stored_after(
        &self,
        tenant_id: Uuid,
        sequence: i64,
        most: u64,
    ) -> StoreResult<Vec<CallEvent>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<EventRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(of_both!("tenant_id = $1 AND sequence > $2", "ORDER BY sequence LIMIT $3 + 0")))
                .bind(tenant_id).bind(sequence).bind(i64::try_from(most).unwrap_or(i64::MAX)).fetch_all(c).await?
        });
        Ok(rows.into_iter().map(EventRow::into_event).collect())
    }

    /// The events of all tenants that were stored after that one, in the order in which they were.
    pub async fn all_events_stored_after(&self, sequence: i64, most: u64) -> StoreResult<Vec<CallEvent>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<EventRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(of_both!("sequence > $1", "ORDER BY sequence LIMIT $2 + 0")))
                .bind(sequence).bind(i64::try_from(most).unwrap_or(i64::MAX)).fetch_all(c).await?
        });
        Ok(rows.into_iter().map(EventRow::into_event).collect())
    }

    /// The number before which no event of a tenant is that happened at that time or later, in microseconds since 1970. Behind it may be
    /// earlier ones, which a switch told late.
    pub async fn stored_since(&self, tenant_id: Uuid, at: i64) -> StoreResult<i64> {
        let kept = self.db.dialect().keeps_plans();
        let mut tx = self.db.snapshot_of_calls().await?;
        let mut first: Option<i64> = None;
        for text in [
            sql!("SELECT min(sequence) FROM call_events WHERE tenant_id = $1 AND occurred_at >= $2"),
            sql!("SELECT min(sequence) FROM resource_events WHERE tenant_id = $1 AND occurred_at >= $2"),
        ] {
            let (of_these,): (Option<i64>,) = on!(tx.conn(), c => {
                sqlx::query_as(text).persistent(kept).bind(tenant_id).bind(Time(at)).fetch_one(c).await?
            });
            first = first.into_iter().chain(of_these).min();
        }
        let (newest,): (i64,) = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT sequence FROM event_counter WHERE id = 1")).fetch_one(c).await?
        });
        Ok(first.map_or(newest, |first| first.saturating_sub(1)))
    }
}

#[cfg(test)]
mod tests {
    use nizam_test_postgres::Database;
    use sqlx::{AssertSqlSafe, Row as _};

    use super::*;
    use crate::Keyring;
    use crate::keyring::Key;

    /// How a statement with three parameters at most is run, in the words of the database.
    async fn plan(store: &Store, text: &str) -> Vec<String> {
        let mut tx = store.db.write().await.unwrap();
        let (none, most) = (Uuid::nil(), 1000_i64);
        let of_tenant = text.contains("$3");
        match tx.conn() {
            Conn::Sqlite(c) => {
                let sql = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
                let query = sqlx::query(sql);
                let query = if of_tenant { query.bind(none) } else { query };
                let rows = query.bind(0_i64).bind(most).fetch_all(c).await.unwrap();
                rows.iter().map(|row| row.get("detail")).collect()
            }
            Conn::Postgres(c) => {
                // Of tables as small as these it reads all, unless it is told not to.
                for off in ["SET LOCAL enable_seqscan = off", "SET LOCAL enable_bitmapscan = off"] {
                    sqlx::query(off).execute(&mut *c).await.unwrap();
                }
                let sql = AssertSqlSafe(format!("EXPLAIN {text}"));
                let query = sqlx::query(sql);
                let query = if of_tenant { query.bind(none) } else { query };
                let rows = query.bind(0_i64).bind(most).fetch_all(c).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    #[tokio::test]
    async fn both_tables_are_read_by_an_index_that_has_the_order() {
        let directory = tempfile::tempdir().unwrap();
        let url = Database::chosen().fresh(directory.path());
        let store = Store::open(&url, Keyring::new(&Key::random().unwrap())).await.unwrap();
        for text in [
            of_both!("sequence > $1", "ORDER BY sequence LIMIT $2 + 0"),
            of_both!("tenant_id = $1 AND sequence > $2", "ORDER BY sequence LIMIT $3 + 0"),
            crate::feed::FOUND,
        ] {
            let plan = plan(&store, text).await;
            let reads: Vec<&String> =
                plan.iter().filter(|line| line.contains("Scan") || line.contains("SEARCH")).collect();
            let by_index = reads.iter().filter(|line| line.contains("sequence")).count();
            assert!(by_index >= 2, "{text}: {plan:?}");
            assert!(
                !plan.iter().any(|line| line.contains("Seq Scan")
                    || line.contains("SCAN call_events")
                    || line.contains("SCAN resource_events")),
                "{text}: {plan:?}"
            );
        }
    }
}
