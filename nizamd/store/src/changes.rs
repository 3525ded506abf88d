//! The feed of changes: what each generation touched. A daemon follows it to publish what other processes wrote.

use nizam_core::model::Touched;
use serde_json::{Value, json};
use sqlx::postgres::PgListener;
use uuid::Uuid;

use crate::Store;
use crate::db::{Conn, Db};
use crate::error::{StoreError, StoreResult};
use crate::fresh::Row;
use crate::page::count;

/// One generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number.
    pub generation: u64,
    /// What it touched; `None` if that was too much to list.
    pub touched: Option<Vec<Touched>>,
}

/// The channel on which PostgreSQL says that somebody has written, and who.
const CHANNEL: &str = "nizam_changes";

/// Hears of what other processes write.
#[derive(Debug)]
pub struct Listener {
    connection: PgListener,
    own: String,
}

impl Listener {
    /// Waits for the next write of another process. An error means that the connection is lost.
    pub async fn heard(&mut self) -> StoreResult<()> {
        while self.connection.recv().await?.payload() == self.own {}
        Ok(())
    }
}

/// Says to the other processes on this database that `own` has written, once that is committed. Where the database cannot
/// tell them, they find out when they look next.
pub(crate) async fn tell(conn: Conn<'_>, own: &str) -> StoreResult<()> {
    if let Conn::Postgres(c) = conn {
        sqlx::query(sql!(postgres "SELECT pg_notify($1, $2)")).bind(CHANNEL).bind(own).execute(c).await?;
    }
    Ok(())
}

/// More keys are not listed.
const MOST: usize = 10_000;
/// Generations that are remembered; a daemon that has missed more starts afresh anyway.
const REMEMBERED: i64 = 100_000;

/// The keys as a column has them.
pub(crate) fn to_text(touched: &[Touched]) -> Option<String> {
    (touched.len() <= MOST).then(|| {
        let keys = touched.iter().map(|key| match key {
            Touched::Domain(domain) => json!(domain),
            Touched::Extension { tenant_id, extension } => json!([tenant_id, extension]),
        });
        Value::Array(keys.collect()).to_string()
    })
}

fn from_text(text: &str) -> Option<Vec<Touched>> {
    let keys: Vec<Value> = serde_json::from_str(text).ok()?;
    let key = |key: &Value| match key {
        Value::String(domain) => Some(Touched::Domain(domain.clone())),
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(tenant), Value::String(number)] => Some(Touched::Extension {
                tenant_id: Uuid::try_parse(tenant).ok()?,
                extension: number.clone(),
            }),
            _ => None,
        },
        _ => None,
    };
    keys.iter().map(key).collect()
}

impl Store {
    /// What happened after that generation, in order.
    pub async fn changes_after(&self, generation: u64) -> StoreResult<Vec<Change>> {
        let after = i64::try_from(generation).unwrap_or(i64::MAX);
        let mut reader = self.db.reader().await?;
        let rows: Vec<(i64, Option<String>)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!("SELECT generation, touched FROM changes WHERE generation > $1 ORDER BY generation LIMIT 1000"))
                .bind(after).fetch_all(c).await?
        });
        let change = |(generation, text): (i64, Option<String>)| {
            let touched = match text {
                None => None,
                Some(text) => {
                    Some(from_text(&text).ok_or(StoreError::Damaged { table: "changes", what: "touched" })?)
                }
            };
            Ok(Change { generation: count(generation), touched })
        };
        rows.into_iter().map(change).collect()
    }

    /// Waits until another process may have written, where the database can tell; a polling caller sees it sooner with
    /// this. `None` where it cannot tell.
    pub async fn listen(&self) -> StoreResult<Option<Listener>> {
        match &self.db {
            Db::Sqlite { .. } => Ok(None),
            Db::Postgres(pool) => {
                let mut connection = PgListener::connect_with(pool).await?;
                connection.listen(CHANNEL).await?;
                Ok(Some(Listener { connection, own: self.own.clone() }))
            }
        }
    }

    /// Every key that there is, for a change that did not list its keys.
    pub async fn all_keys(&self) -> StoreResult<Vec<Touched>> {
        let mut keys = Vec::new();
        self.export(&mut |row| match row {
            Row::Tenant(tenant) => keys.push(Touched::Domain(tenant.domain)),
            Row::Extension(e) => {
                keys.push(Touched::Extension { tenant_id: e.tenant_id, extension: e.extension });
            }
            Row::Gone => {}
        })
        .await?;
        Ok(keys)
    }

    /// Forgets old changes.
    pub(crate) async fn forget_changes(&self) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        on!(tx.conn(), c => {
            sqlx::query(sql!("DELETE FROM changes WHERE generation <= (SELECT generation FROM meta WHERE id = 1) - $1"))
                .bind(REMEMBERED).execute(c).await?.rows_affected()
        });
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_text() {
        let keys = vec![
            Touched::Domain("a.example".into()),
            Touched::Extension { tenant_id: Uuid::from_u128(7), extension: "*1\"".into() },
        ];
        assert_eq!(from_text(&to_text(&keys).unwrap()), Some(keys));
        assert_eq!(from_text("[7]"), None);
        assert_eq!(to_text(&vec![Touched::Domain(String::new()); MOST + 1]), None);
    }
}
