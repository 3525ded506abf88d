//! Events that are stored beside a daemon that runs, or is dead: it tells webhooks of them by itself.

use std::str::FromStr as _;
use std::time::Duration;

use nizam_test_postgres::Database;
use serde_json::json;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgPool, QueryBuilder, SqlitePool};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// An event of a call, its number in the call from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fed {
    pub(crate) id: Uuid,
    pub(crate) call: String,
    pub(crate) number: i64,
}

/// The database, from outside.
pub(crate) struct Outbox {
    runtime: Runtime,
    pool: Pool,
    tenant: Uuid,
}

enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Stores events in one transaction. `$now`: the time in the words of the database.
macro_rules! feed {
    ($pool:expr, $now:literal, $tenant:expr, $events:expr) => {{
        let mut tx = $pool.begin().await.unwrap();
        let count = i64::try_from($events.len()).unwrap();
        let (last,): (i64,) =
            sqlx::query_as("UPDATE event_counter SET sequence = sequence + $1 WHERE id = 1 RETURNING sequence")
                .bind(count).fetch_one(&mut *tx).await.unwrap();
        let numbered = || (last - count + 1..).zip($events);
        let mut insert = QueryBuilder::new(
            "INSERT INTO call_events (id, tenant_id, call_uuid, call_id, event_type, payload, sequence, occurred_at, created_at, updated_at) ",
        );
        insert.push_values(numbered(), |mut row, (sequence, event)| {
            let payload = json!({"call": event.call, "number": event.number});
            row.push_bind(event.id).push_bind($tenant).push_bind(&event.call).push_bind(&event.call).push("'call.answered'");
            row.push_bind(Json(payload)).push_bind(sequence).push($now).push($now).push($now);
        });
        insert.build().persistent(false).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }};
}

impl Outbox {
    pub(crate) fn of(database: &str, tenant: Uuid) -> Self {
        let runtime = Runtime::new().unwrap();
        let inside = runtime.enter();
        let pool = match Database::chosen() {
            Database::Sqlite => {
                let options = SqliteConnectOptions::from_str(database).unwrap();
                Pool::Sqlite(SqlitePool::connect_lazy_with(options.busy_timeout(Duration::from_mins(1))))
            }
            Database::Postgres => Pool::Postgres(PgPool::connect_lazy(database).unwrap()),
        };
        drop(inside);
        Self { runtime, pool, tenant }
    }

    /// Stores events in this order.
    pub(crate) fn feed(&self, events: &[Fed]) {
        self.runtime.block_on(async {
            match &self.pool {
                Pool::Sqlite(pool) => {
                    feed!(pool, "CAST(unixepoch('subsec') * 1000000 AS INTEGER)", self.tenant, events);
                }
                Pool::Postgres(pool) => feed!(pool, "now()", self.tenant, events),
            }
        });
    }

    /// How many deliveries of a webhook wait or are under way, and events that nobody has looked through for it.
    pub(crate) fn waiting(&self, webhook: Uuid) -> i64 {
        let sql = || {
            AssertSqlSafe(
                "SELECT (SELECT count(*) FROM webhook_deliveries WHERE webhook_id = $1) + \
             (SELECT event_counter.sequence - webhook_feed.sequence FROM event_counter JOIN webhook_feed ON webhook_feed.id = event_counter.id)",
            )
        };
        let (waiting,): (i64,) = self.runtime.block_on(async {
            match &self.pool {
                Pool::Sqlite(pool) => sqlx::query_as(sql()).bind(webhook).fetch_one(pool).await.unwrap(),
                Pool::Postgres(pool) => sqlx::query_as(sql()).bind(webhook).fetch_one(pool).await.unwrap(),
            }
        });
        waiting
    }
}
