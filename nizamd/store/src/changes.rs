//! The feed of changes: what each generation touched. A daemon follows it to publish what other processes wrote.

use nizam_core::Kind;
use nizam_core::model::Touched;
use nizam_core::resource::RESOURCES;
use serde_json::{Value, json};
use sqlx::postgres::PgListener;
use uuid::Uuid;

use crate::Store;
use crate::db::{Conn, Db};
use crate::error::{StoreError, StoreResult};
use crate::page::count;

/// One generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number.
    pub generation: u64,
    /// What it touched; `None` if that was too much to list.
    pub touched: Option<Vec<Touched>>,
}

/// The channels on which PostgreSQL says that somebody has written the configuration, or has stored events, and who.
const CHANGES: &str = "nizam_changes";
const EVENTS: &str = "nizam_events";

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
    notify(conn, CHANGES, own).await
}

/// Says in the same way that `own` has stored events.
pub(crate) async fn tell_of_events(conn: Conn<'_>, own: &str) -> StoreResult<()> {
    notify(conn, EVENTS, own).await
}

async fn notify(conn: Conn<'_>, channel: &str, own: &str) -> StoreResult<()> {
    if let Conn::Postgres(c) = conn {
        sqlx::query(sql!(postgres "SELECT pg_notify($1, $2)")).bind(channel).bind(own).execute(c).await?;
    }
    Ok(())
}

/// More keys are not listed.
const MOST: usize = 10_000;
/// Generations that are remembered; a daemon that has missed more starts afresh anyway.
const REMEMBERED: i64 = 100_000;

/// The keys as a column has them.
pub(crate) fn to_text(touched: &[Touched]) -> Option<String> {
    (touched.len() <= MOST).then(|| touched.iter().map(key_to_json).collect::<Value>().to_string())
}

fn from_text(text: &str) -> Option<Vec<Touched>> {
    let keys: Vec<Value> = serde_json::from_str(text).ok()?;
    keys.iter().map(key_of_json).collect()
}

/// A domain, a pair of tenant and number, or a list of what it is and where. The first two are all that 0.1.0 wrote.
fn key_to_json(key: &Touched) -> Value {
    match key {
        Touched::Domain(domain) => json!(domain),
        Touched::Extension { tenant_id, extension } => json!([tenant_id, extension]),
        Touched::TenantGone(id) => json!(["tenant_gone", id, null]),
        Touched::ExtensionId { tenant_id, id } => json!(["extension_id", tenant_id, id]),
        Touched::Row { tenant_id, kind, id } => json!([table(*kind), tenant_id, id]),
        Touched::Number { tenant_id, number } => json!(["number", tenant_id, number]),
        Touched::Did { tenant_id, digits } => json!(["did", tenant_id, digits]),
        Touched::Patterns(tenant_id) => json!(["patterns", tenant_id, null]),
        Touched::Routing(tenant_id) => json!(["routing", tenant_id, null]),
        Touched::Address(address) => json!(["address", null, address]),
        Touched::Shared => json!(["shared", null, null]),
        Touched::Everything => json!(["everything", null, null]),
    }
}

fn key_of_json(key: &Value) -> Option<Touched> {
    let list = match key {
        Value::String(domain) => return Some(Touched::Domain(domain.clone())),
        Value::Array(list) => list.as_slice(),
        _ => return None,
    };
    let uuid = |value: &Value| Uuid::try_parse(value.as_str()?).ok();
    let (what, tenant, which) = match list {
        [tenant, Value::String(number)] => {
            return Some(Touched::Extension { tenant_id: uuid(tenant)?, extension: number.clone() });
        }
        [Value::String(what), tenant, which] => (what.as_str(), uuid(tenant), which),
        _ => return None,
    };
    let text = which.as_str().map(str::to_owned);
    Some(match what {
        "tenant_gone" => Touched::TenantGone(tenant?),
        "extension_id" => Touched::ExtensionId { tenant_id: tenant?, id: uuid(which)? },
        "number" => Touched::Number { tenant_id: tenant?, number: text? },
        "did" => Touched::Did { tenant_id: tenant?, digits: text? },
        "patterns" => Touched::Patterns(tenant?),
        "routing" => Touched::Routing(tenant?),
        "address" => Touched::Address(text?.parse().ok()?),
        "shared" => Touched::Shared,
        "everything" => Touched::Everything,
        table => {
            let kind = RESOURCES.iter().find(|resource| resource.table == table)?.record?;
            Touched::Row { tenant_id: tenant?, kind, id: uuid(which)? }
        }
    })
}

/// The table of the rows with records of that kind.
fn table(kind: Kind) -> &'static str {
    RESOURCES.iter().find(|resource| resource.record == Some(kind)).map_or("", |resource| resource.table)
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
        self.listen_on(CHANGES).await
    }

    /// Waits in the same way until another process may have stored events.
    pub async fn listen_to_events(&self) -> StoreResult<Option<Listener>> {
        self.listen_on(EVENTS).await
    }

    async fn listen_on(&self, channel: &str) -> StoreResult<Option<Listener>> {
        match &self.db {
            Db::Sqlite { .. } => Ok(None),
            Db::Postgres(pool) => {
                let mut connection = PgListener::connect_with(pool).await?;
                connection.listen(channel).await?;
                Ok(Some(Listener { connection, own: self.own.clone() }))
            }
        }
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
    fn what_an_older_daemon_wrote_is_read() {
        let tenant_id = Uuid::from_u128(7);
        let text = format!(r#"["a.example",["{tenant_id}","1001"]]"#);
        let extension = Touched::Extension { tenant_id, extension: "1001".into() };
        assert_eq!(from_text(&text), Some(vec![Touched::Domain("a.example".into()), extension]));
    }

    #[test]
    fn keys_survive_their_text() {
        let (tenant_id, id) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let mut keys = vec![
            Touched::Domain("a.example".into()),
            Touched::Extension { tenant_id, extension: "*1\"".into() },
            Touched::TenantGone(id),
            Touched::ExtensionId { tenant_id, id },
            Touched::Number { tenant_id, number: "600".into() },
            Touched::Did { tenant_id, digits: "4930".into() },
            Touched::Patterns(tenant_id),
            Touched::Routing(tenant_id),
            Touched::Address("192.0.2.1".parse().unwrap()),
            Touched::Address("2001:db8::1".parse().unwrap()),
            Touched::Shared,
            Touched::Everything,
        ];
        let kinds = RESOURCES.iter().filter_map(|resource| resource.record);
        keys.extend(kinds.map(|kind| Touched::Row { tenant_id, kind, id }));
        assert_eq!(from_text(&to_text(&keys).unwrap()), Some(keys));
        for wrong in [
            "[7]",
            "[[1]]",
            r#"[["moon",null,null]]"#,
            r#"[["routing",null,null]]"#,
            r#"[["webhooks","x","y"]]"#,
        ] {
            assert_eq!(from_text(wrong), None, "{wrong}");
        }
        assert_eq!(to_text(&vec![Touched::Domain(String::new()); MOST + 1]), None);
    }
}
