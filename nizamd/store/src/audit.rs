//! Audit entries. They are written in the transaction of the change, and never hold a secret.

use nizam_core::model::{AuditAction, AuditEntry};
use serde_json::{Map, Value};
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::column::Time;
use crate::db::Conn;
use crate::error::StoreResult;
use crate::idempotency::Idempotency;
use crate::page::{Listed, Page, count};
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

/// One entry that is to be written.
pub(crate) struct Entry {
    pub(crate) tenant_id: Uuid,
    pub(crate) action: AuditAction,
    /// `Extension`, `Tenant`.
    pub(crate) kind: &'static str,
    pub(crate) id: Uuid,
    pub(crate) old: Option<Values>,
    pub(crate) new: Option<Values>,
}

impl Write<'_> {
    /// Writes the entry.
    pub(crate) async fn audit(&mut self, entry: Entry) -> StoreResult<()> {
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
            .bind(entry.id)
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

impl Store {
    /// The entries of a tenant, the newest first.
    pub async fn audit_entries(&self, tenant_id: Uuid, page: Page) -> StoreResult<Listed<AuditEntry>> {
        let mut tx = self.db.snapshot().await?;
        let total = entries_of(tx.conn(), tenant_id).await?;
        let rows: Vec<EntryRow> = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT id, tenant_id, user_id, action, auditable_type, auditable_id, old_values, new_values, \
                 ip_address, user_agent, created_at FROM audit_logs WHERE tenant_id = $1 \
                 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"))
            .bind(tenant_id).bind(page.limit()).bind(page.offset())
            .fetch_all(c).await?
        });
        Ok(Listed { rows: rows.into_iter().map(EntryRow::into_entry).collect(), total })
    }
}

async fn entries_of(conn: Conn<'_>, tenant_id: Uuid) -> StoreResult<u64> {
    let (total,): (i64,) = on!(conn, c => {
        sqlx::query_as(sql!("SELECT count(*) FROM audit_logs WHERE tenant_id = $1")).bind(tenant_id).fetch_one(c).await?
    });
    Ok(count(total))
}
