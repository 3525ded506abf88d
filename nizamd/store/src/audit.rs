//! Audit entries. They are written in the transaction of the change, and never hold a secret.

use nizam_core::model::{AuditAction, AuditEntry};
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::column::{BEGINNING, END, Time};
use crate::error::StoreResult;
use crate::idempotency::Idempotency;
use crate::outbox::Told;
use crate::page::{Listed, Page, Place, count};
use crate::write::Write;

/// Who changes something, for the audit trail.
#[derive(Clone, Debug, Default)]
pub struct Actor {
    /// The user; none for the command line.
    pub user_id: Option<i64>,
    /// Where the request came from.
    pub ip_address: Option<String>,
    /// What the client called itself.
    pub user_agent: Option<String>,
    /// The request that must not be done twice.
    pub idempotency: Option<Idempotency>,
}

/// The values of an object that an entry may hold.
pub(crate) type Values = Map<String, Value>;

/// What an entry is about.
pub(crate) enum Of {
    /// One object, and what people know it by: the number of an extension or a DID, the name of another.
    One(Uuid, String),
    /// Several of a tenant that were made at once.
    Many(Vec<(Uuid, String)>),
}

/// One entry that is to be written.
pub(crate) struct Entry {
    pub(crate) tenant_id: Uuid,
    pub(crate) action: AuditAction,
    /// `Extension`, `Tenant`.
    pub(crate) kind: &'static str,
    pub(crate) of: Of,
    pub(crate) old: Option<Values>,
    pub(crate) new: Option<Values>,
}

impl Write<'_> {
    /// Writes the entry, and has those told who follow, once this lasts: whatever is audited is told.
    pub(crate) async fn audit(&mut self, entry: Entry) -> StoreResult<()> {
        let changed = || entry.new.iter().flat_map(|values| values.keys());
        let mut tell = |id: Uuid, name: &str| {
            self.told.extend(Told::of(entry.tenant_id, entry.kind, entry.action, (id, name), changed()));
        };
        let id = match &entry.of {
            Of::One(id, name) => {
                tell(*id, name);
                *id
            }
            Of::Many(made) => {
                for (id, name) in made {
                    tell(*id, name);
                }
                entry.tenant_id
            }
        };
        let (old, new) = (entry.old.map(Json), entry.new.map(Json));
        let (actor, now) = (self.actor, self.now);
        let agent = actor
            .user_agent
            .as_deref()
            .map(|agent| agent.chars().filter(|c| !c.is_control()).take(255).collect::<String>());
        on!(self.conn(), c => {
            sqlx::query(sql!("INSERT INTO audit_logs (id, tenant_id, user_id, action, auditable_type, auditable_id, old_values, \
                 new_values, ip_address, user_agent, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"))
            .bind(Uuid::now_v7())
            .bind(entry.tenant_id)
            .bind(actor.user_id)
            .bind(entry.action.as_str())
            .bind(format!("App\\Models\\{}", entry.kind))
            .bind(id)
            .bind(old)
            .bind(new)
            .bind(actor.ip_address.as_deref())
            .bind(agent)
            .bind(Time(now))
            .execute(c)
            .await?.rows_affected()
        });
        Ok(())
    }
}

/// What differs between two states of an object, on both sides.
pub(crate) fn difference(old: &Values, new: Values) -> (Values, Values) {
    let mut before = Values::new();
    let mut after = Values::new();
    for (key, value) in new {
        match old.get(&key) {
            Some(same) if *same == value => {}
            was => {
                before.insert(key.clone(), was.cloned().unwrap_or(Value::Null));
                after.insert(key, value);
            }
        }
    }
    (before, after)
}

#[derive(sqlx::FromRow)]
struct EntryRow {
    id: Uuid,
    tenant_id: Option<Uuid>,
    user_id: Option<i64>,
    action: String,
    auditable_type: String,
    auditable_id: Uuid,
    old_values: Option<Json<Values>>,
    new_values: Option<Json<Values>>,
    ip_address: Option<String>,
    user_agent: Option<String>,
    created_at: Time,
}

impl EntryRow {
    fn into_entry(self) -> AuditEntry {
        AuditEntry {
            old_values: self.old_values.map(|values| values.0),
            new_values: self.new_values.map(|values| values.0),
            id: self.id,
            tenant_id: self.tenant_id,
            user_id: self.user_id,
            action: self.action,
            auditable_type: self.auditable_type,
            auditable_id: self.auditable_id,
            ip_address: self.ip_address,
            user_agent: self.user_agent,
            created_at: self.created_at.0,
        }
    }
}

/// Which entries of the trail.
#[derive(Clone, Debug, Default)]
pub struct TrailFilter {
    /// `created`, `updated` or `deleted`.
    pub action: Option<String>,
    /// The kind of the object: `App\\Models\\Extension`.
    pub auditable_type: Option<String>,
    /// Who did it.
    pub user_id: Option<i64>,
    /// From this time on, microseconds since 1970.
    pub from: Option<i64>,
    /// Until this time.
    pub to: Option<i64>,
}

macro_rules! select_trail {
    ($columns:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM audit_logs WHERE tenant_id = $1 AND action = COALESCE($2, action) \
             AND auditable_type = COALESCE($3, auditable_type) AND (CAST($4 AS boolean) OR user_id = $5) \
             AND created_at >= $6 AND created_at <= $7 ",
            $rest
        )
    };
}

/// Binds what [`select_trail`] begins with.
macro_rules! bind_trail {
    ($query:expr, $tenant:expr, $filter:expr) => {
        $query
            .bind($tenant)
            .bind($filter.action.as_deref())
            .bind($filter.auditable_type.as_deref())
            .bind($filter.user_id.is_none())
            .bind($filter.user_id)
            .bind(Time($filter.from.unwrap_or(BEGINNING)))
            .bind(Time($filter.to.unwrap_or(END)))
    };
}

impl Store {
    /// The entries of a tenant, the newest first.
    pub async fn audit_entries(&self, tenant_id: Uuid, page: Page) -> StoreResult<Listed<AuditEntry>> {
        self.trail(tenant_id, &TrailFilter::default(), page).await
    }

    /// Some entries of a tenant, the newest first.
    pub async fn trail(
        &self,
        tenant_id: Uuid,
        filter: &TrailFilter,
        page: Page,
    ) -> StoreResult<Listed<AuditEntry>> {
        let mut tx = self.db.snapshot().await?;
        let (total,): (i64,) = on!(tx.conn(), c => {
            bind_trail!(sqlx::query_as(sql!(select_trail!("count(*)", ""))), tenant_id, filter).fetch_one(c).await?
        });
        let rows: Vec<EntryRow> = on!(tx.conn(), c => {
            let query = sqlx::query_as(sql!(select_trail!(
                "id, tenant_id, user_id, action, auditable_type, auditable_id, old_values, new_values, ip_address, \
                 user_agent, created_at",
                "ORDER BY created_at DESC, id DESC LIMIT $8 + 0 OFFSET $9"
            )));
            bind_trail!(query, tenant_id, filter).bind(page.limit()).bind(page.offset()).fetch_all(c).await?
        });
        Ok(Listed { rows: rows.into_iter().map(EntryRow::into_entry).collect(), total: count(total) })
    }

    /// The entries of a tenant that follow one in the list, without counting: however long the trail, as fast.
    pub async fn trail_after(
        &self,
        tenant_id: Uuid,
        filter: &TrailFilter,
        after: Place,
        most: u64,
    ) -> StoreResult<Vec<AuditEntry>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<EntryRow> = on!(reader.conn(), c => {
            let query = sqlx::query_as(sql!(select_trail!(
                "id, tenant_id, user_id, action, auditable_type, auditable_id, old_values, new_values, ip_address, \
                 user_agent, created_at",
                "AND (created_at, id) < ($8, $9) ORDER BY created_at DESC, id DESC LIMIT $10 + 0"
            )));
            bind_trail!(query, tenant_id, filter)
                .bind(Time(after.time)).bind(after.id).bind(i64::try_from(most).unwrap_or(i64::MAX))
                .fetch_all(c).await?
        });
        Ok(rows.into_iter().map(EntryRow::into_entry).collect())
    }

    /// One entry of a tenant.
    pub async fn audit_entry(&self, tenant_id: Uuid, id: Uuid) -> StoreResult<Option<AuditEntry>> {
        let mut reader = self.db.reader().await?;
        let row: Option<EntryRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT id, tenant_id, user_id, action, auditable_type, auditable_id, old_values, new_values, \
                 ip_address, user_agent, created_at FROM audit_logs WHERE tenant_id = $1 AND id = $2"
            ))
            .bind(tenant_id).bind(id).fetch_optional(c).await?
        });
        Ok(row.map(EntryRow::into_entry))
    }
}
