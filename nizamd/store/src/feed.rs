//! The feed: what is stored becomes deliveries to those webhooks that want it, each event once, however many daemons look for it.

use std::collections::{HashMap, HashSet};

use nizam_core::event;
use nizam_core::resource::{Record, Resource, WEBHOOK};
use sqlx::QueryBuilder;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::clock;
use crate::column::Time;
use crate::db::{Conn, Dialect, Tx};
use crate::error::StoreResult;
use crate::ingest::json_ids;
use crate::write::Write;

/// Events of one transaction.
const TOGETHER: i64 = 500;
/// Events that are not looked through as long as no webhook is active: few enough to do it when one is.
const BACKLOG: i64 = 10_000;
/// Rows of one statement: 9 parameters each, of at most 32,766 in SQLite.
const ROWS: usize = 1000;

/// Events behind one, of both tables: each is read by its own index, and no further than is asked for.
pub(crate) const FOUND: &str = "SELECT * FROM (SELECT id, tenant_id, event_type, COALESCE(call_id, call_uuid) AS subject, \
    CAST(NULL AS uuid) AS resource_id, sequence FROM call_events WHERE sequence > $1 ORDER BY sequence LIMIT $2 + 0) AS of_calls \
    UNION ALL SELECT * FROM (SELECT id, tenant_id, event_type, CAST(NULL AS text) AS subject, resource_id, sequence \
    FROM resource_events WHERE sequence > $1 ORDER BY sequence LIMIT $2 + 0) AS of_the_configuration \
    ORDER BY sequence LIMIT $2 + 0";

/// What was looked through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fed {
    /// Events.
    pub events: usize,
    /// Deliveries that they are now.
    pub deliveries: usize,
    /// Whether there may be more to look through at once.
    pub more: bool,
}

/// An event, as far as that tells who wants it.
#[derive(sqlx::FromRow)]
struct Found {
    id: Uuid,
    tenant_id: Uuid,
    event_type: String,
    /// What all legs of a call have in common, or its channel.
    subject: Option<String>,
    resource_id: Option<Uuid>,
    sequence: i64,
}

/// A webhook that may be told.
#[derive(sqlx::FromRow)]
struct Hook {
    id: Uuid,
    tenant_id: Uuid,
    events: Json<Vec<String>>,
    told_after: i64,
}

/// A delivery that is to be made.
struct Due<'f> {
    webhook: Uuid,
    event: &'f Found,
    name: &'static str,
    order_key: &'f str,
    /// When, microseconds since 1970.
    at: i64,
}

/// A webhook that begins to be told of events, is told of those that are stored from now on. What waited for it before is not told: it was
/// dropped when the webhook became inactive, but for what nobody has looked at since.
pub(crate) async fn begin(
    write: &mut Write<'_>,
    resource: &Resource,
    old: Option<&Record>,
    new: &Record,
) -> StoreResult<()> {
    let active = |record: &Record| record.is("is_active");
    if resource.table != WEBHOOK.table || !active(new) || old.is_some_and(active) {
        return Ok(());
    }
    on!(write.conn(), c => {
        sqlx::query(sql!(
            "UPDATE webhooks SET told_after = (SELECT sequence FROM event_counter WHERE id = 1) WHERE id = $1"
        ))
        .bind(new.id).execute(c).await?.rows_affected()
    });
    let conn = write.conn();
    let text = match conn.dialect() {
        Dialect::Sqlite => sql!(sqlite "DELETE FROM webhook_deliveries WHERE webhook_id = $1"),
        Dialect::Postgres => sql!(postgres
            "DELETE FROM webhook_deliveries WHERE id IN \
             (SELECT id FROM webhook_deliveries WHERE webhook_id = $1 ORDER BY id FOR UPDATE)"),
    };
    on!(conn, c => sqlx::query(text).bind(new.id).execute(c).await?.rows_affected());
    Ok(())
}

impl Store {
    /// Looks through the next events that were stored, and makes deliveries of them, in one transaction. Nothing is done where another
    /// process does it at the moment.
    pub async fn feed_webhooks(&self) -> StoreResult<Fed> {
        if !self.is_unfed().await? {
            return Ok(Fed::default());
        }
        let mut tx = self.db.write().await?;
        let Some(fed) = hold(tx.conn()).await? else { return Ok(Fed::default()) };
        // First of all: what is stored up to it was committed before any webhook that is not seen below.
        let (newest,): (i64,) = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT sequence FROM event_counter WHERE id = 1")).fetch_one(c).await?
        });
        let (anybody,): (bool,) = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT EXISTS (SELECT 1 FROM webhooks WHERE is_active = TRUE)")).fetch_one(c).await?
        });
        if !anybody {
            advance(tx.conn(), newest).await?;
            tx.commit().await?;
            return Ok(Fed::default());
        }
        let found = found_after(tx.conn(), fed).await?;
        let more = found.len() >= usize::try_from(TOGETHER).unwrap_or(usize::MAX);
        let last = found.last().map_or(fed, |event| event.sequence);
        let hooks = hooks_of(&mut tx, &found).await?;
        let keys: Vec<String> = found.iter().map(Found::order_key).collect();
        let mut due: Vec<Due<'_>> = found.iter().zip(&keys).flat_map(|of| wanted(of, &hooks)).collect();
        put_off(&mut tx, &mut due).await?;
        insert(&mut tx, &due).await?;
        // What is not there behind the last one was deleted.
        advance(tx.conn(), if more { last } else { last.max(newest) }).await?;
        tx.commit().await?;
        Ok(Fed { events: found.len(), deliveries: due.len(), more })
    }

    /// Whether something was stored that must be looked through: asked without keeping others from writing. Where no webhook is active
    /// that need not be at once, since none is told of what was stored before it was.
    async fn is_unfed(&self) -> StoreResult<bool> {
        let mut reader = self.db.reader().await?;
        let (behind, anybody): (i64, bool) = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT (SELECT sequence FROM event_counter WHERE id = 1) - sequence, \
                 EXISTS (SELECT 1 FROM webhooks WHERE is_active = TRUE) FROM webhook_feed WHERE id = 1"
            ))
            .fetch_one(c).await?
        });
        Ok(behind > if anybody { 0 } else { BACKLOG })
    }
}

/// The number up to which events were looked through, for this transaction alone; `None` where another process holds it.
async fn hold(conn: Conn<'_>) -> StoreResult<Option<i64>> {
    let row: Option<(i64,)> = match conn {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!("SELECT sequence FROM webhook_feed WHERE id = 1")).fetch_optional(c).await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(
                sql!(postgres "SELECT sequence FROM webhook_feed WHERE id = 1 FOR UPDATE SKIP LOCKED"),
            )
            .fetch_optional(c)
            .await?
        }
    };
    Ok(row.map(|(sequence,)| sequence))
}

async fn advance(conn: Conn<'_>, sequence: i64) -> StoreResult<()> {
    on!(conn, c => {
        sqlx::query(sql!("UPDATE webhook_feed SET sequence = $1 WHERE id = 1"))
            .bind(sequence).execute(c).await?.rows_affected()
    });
    Ok(())
}

async fn found_after(conn: Conn<'_>, sequence: i64) -> StoreResult<Vec<Found>> {
    Ok(on!(conn, c => {
        sqlx::query_as(sql!(FOUND)).bind(sequence).bind(TOGETHER).fetch_all(c).await?
    }))
}

/// The active webhooks of the tenants of these events that are operational. None of them is deleted until the end of the transaction;
/// tenants first, as by whoever deletes one with all it has.
async fn hooks_of(tx: &mut Tx, found: &[Found]) -> StoreResult<HashMap<Uuid, Vec<Hook>>> {
    let tenants: HashSet<&Uuid> = found.iter().map(|event| &event.tenant_id).collect();
    let hooks: Vec<Hook> = match tx.conn() {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(sqlite
                "SELECT webhooks.id, tenant_id, events, told_after FROM webhooks JOIN tenants ON tenants.id = tenant_id \
                 WHERE webhooks.is_active = TRUE AND tenants.is_active = TRUE AND status IN ('trial', 'active') \
                 AND tenant_id IN (SELECT unhex(value) FROM json_each($1))"
            ))
            .bind(json_ids(tenants))
            .fetch_all(c)
            .await?
        }
        Conn::Postgres(c) => {
            let tenants: Vec<Uuid> = tenants.into_iter().copied().collect();
            let operational: Vec<(Uuid,)> = sqlx::query_as(sql!(postgres
                "SELECT id FROM tenants WHERE id = ANY($1) AND is_active = TRUE AND status IN ('trial', 'active') \
                 AND EXISTS (SELECT 1 FROM webhooks WHERE tenant_id = tenants.id AND webhooks.is_active = TRUE) FOR KEY SHARE"
            ))
            .bind(tenants)
            .fetch_all(&mut *c)
            .await?;
            let operational: Vec<Uuid> = operational.into_iter().map(|(id,)| id).collect();
            sqlx::query_as(sql!(postgres
                "SELECT id, tenant_id, events, told_after FROM webhooks \
                 WHERE tenant_id = ANY($1) AND is_active = TRUE FOR KEY SHARE"
            ))
            .bind(operational)
            .fetch_all(c)
            .await?
        }
    };
    let mut of: HashMap<Uuid, Vec<Hook>> = HashMap::new();
    for hook in hooks {
        of.entry(hook.tenant_id).or_default().push(hook);
    }
    Ok(of)
}

impl Found {
    /// What a receiver is told in order.
    fn order_key(&self) -> String {
        let resource = || self.resource_id.map(|id| id.to_string());
        self.subject.clone().or_else(resource).unwrap_or_default()
    }
}

/// The deliveries of an event: one to each webhook of its tenant that wants it, under the first of its names that it wants.
fn wanted<'f>(
    (event, order_key): (&'f Found, &'f String),
    hooks: &HashMap<Uuid, Vec<Hook>>,
) -> impl Iterator<Item = Due<'f>> {
    hooks.get(&event.tenant_id).into_iter().flatten().filter_map(move |hook| {
        let wants = |name: &&str| hook.events.0.iter().any(|wanted| wanted == name);
        let name = event::names(&event.event_type).find(wants)?;
        (event.sequence > hook.told_after).then_some(Due { webhook: hook.id, event, name, order_key, at: 0 })
    })
}

/// What comes behind something that waits for its next attempt waits as long: nobody looks at it before, however many there are. Where
/// that is told meanwhile, because somebody asked for it, this waits all the same.
async fn put_off(tx: &mut Tx, due: &mut [Due<'_>]) -> StoreResult<()> {
    let now = clock::now();
    for rows in due.chunks_mut(ROWS) {
        let places: HashSet<(Uuid, &str)> = rows
            .iter()
            .filter(|row| !row.order_key.is_empty())
            .map(|row| (row.webhook, row.order_key))
            .collect();
        let first: Vec<(Uuid, String, Option<Time>)> = match tx.conn() {
            Conn::Sqlite(c) => {
                let places: Vec<_> = places.iter().map(|(id, key)| (id.simple().to_string(), key)).collect();
                sqlx::query_as(sql!(sqlite
                    "SELECT places.id, places.order_key, (SELECT CASE WHEN claimed_by IS NULL THEN due_at END FROM webhook_deliveries \
                     WHERE webhook_id = places.id AND webhook_deliveries.order_key = places.order_key ORDER BY sequence LIMIT 1) \
                     FROM (SELECT unhex(value ->> 0) AS id, value ->> 1 AS order_key FROM json_each($1)) AS places"
                ))
                .bind(Json(places)).fetch_all(c).await?
            }
            Conn::Postgres(c) => {
                let (ids, keys): (Vec<Uuid>, Vec<&str>) = places.into_iter().unzip();
                sqlx::query_as(sql!(postgres
                    "SELECT id, key, (SELECT CASE WHEN claimed_by IS NULL THEN due_at END FROM webhook_deliveries \
                     WHERE webhook_id = places.id AND order_key = places.key ORDER BY sequence LIMIT 1) \
                     FROM unnest($1::uuid[], $2::text[]) AS places (id, key)"
                ))
                .bind(ids).bind(keys).fetch_all(c).await?
            }
        };
        let first: HashMap<(Uuid, &str), i64> =
            first.iter().filter_map(|(id, key, at)| Some(((*id, &**key), at.as_ref()?.0))).collect();
        for row in rows {
            row.at = first.get(&(row.webhook, row.order_key)).copied().unwrap_or(now).max(now);
        }
    }
    Ok(())
}

async fn insert(tx: &mut Tx, due: &[Due<'_>]) -> StoreResult<()> {
    let now = clock::now();
    for rows in due.chunks(ROWS) {
        on!(tx.conn(), c => {
            let mut insert = QueryBuilder::new(
                "INSERT INTO webhook_deliveries (id, webhook_id, event_id, event_type, attempts, due_at, created_at, order_key, \
                 sequence) ",
            );
            insert.push_values(rows, |mut values, row| {
                values
                    .push_bind(Uuid::now_v7())
                    .push_bind(row.webhook)
                    .push_bind(row.event.id)
                    .push_bind(row.name)
                    .push_bind(0_i64)
                    .push_bind(Time(row.at))
                    .push_bind(Time(now))
                    .push_bind(row.order_key)
                    .push_bind(row.event.sequence);
            });
            // One that somebody has asked for before is told already.
            insert.push(" ON CONFLICT (webhook_id, event_id) DO NOTHING");
            insert.build().execute(c).await?.rows_affected()
        });
    }
    Ok(())
}
