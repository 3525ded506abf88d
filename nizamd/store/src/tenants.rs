//! Tenants.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Instant;

use nizam_core::model::{
    AuditAction, Extension, NewExtension, NewTenant, Slug, Tenant, TenantChange, TenantStatus,
};
use nizam_core::resource::TENANT_LIST;
use nizam_core::validate::{Errors, Settings, merge_settings};
use nizam_core::{Home, touch};
use serde_json::json;
use sqlx::AssertSqlSafe;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::audit::{Actor, Entry, Of, Values, difference};
use crate::cascade;
use crate::column::Time;
use crate::constraint::{DOMAIN_TAKEN, SLUG_TAKEN};
use crate::db::{Conn, Tx};
use crate::error::{StoreError, StoreResult};
use crate::page::{Expected, Listed, Query};
use crate::records::row::{bind, compared};
use crate::records::statement::Source;
use crate::write::{Committed, Write};

macro_rules! select_tenants {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, domain, slug, settings, status, max_extensions, max_concurrent_calls, max_dids, \
             max_ring_groups, COALESCE(max_calls_per_minute, 0) AS max_calls_per_minute, is_active, version, created_at, \
             updated_at FROM tenants ",
            $rest
        )
    };
}

/// The list of tenants: all of them, or that one.
pub(crate) const TENANTS: Source = Source {
    select: Cow::Borrowed(select_tenants!("")),
    table: "tenants",
    scope: "id = COALESCE($1, id)",
    count: None,
    order: ("id", false),
    fields: TENANT_LIST,
};

#[derive(sqlx::FromRow)]
pub(crate) struct TenantRow {
    pub(crate) id: Uuid,
    name: String,
    domain: String,
    slug: String,
    settings: Json<Values>,
    status: String,
    max_extensions: i64,
    max_concurrent_calls: i64,
    max_dids: i64,
    max_ring_groups: i64,
    max_calls_per_minute: i64,
    is_active: bool,
    version: i64,
    created_at: Time,
    updated_at: Time,
}

impl TenantRow {
    pub(crate) fn into_tenant(self) -> StoreResult<Tenant> {
        let damaged = |what| StoreError::Damaged { table: "tenants", what };
        Ok(Tenant {
            settings: self.settings.0,
            status: TenantStatus::parse(&self.status).ok_or_else(|| damaged("status"))?,
            id: self.id,
            name: self.name,
            domain: self.domain,
            slug: self.slug,
            max_extensions: self.max_extensions,
            max_concurrent_calls: self.max_concurrent_calls,
            max_dids: self.max_dids,
            max_ring_groups: self.max_ring_groups,
            max_calls_per_minute: self.max_calls_per_minute,
            is_active: self.is_active,
            version: self.version,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

impl Store {
    /// The tenants, the oldest first; only the one with that id if there is one.
    pub async fn tenants(&self, only: Option<Uuid>, query: &Query) -> StoreResult<Listed<Tenant>> {
        let mut tx = self.db.snapshot().await?;
        let total = TENANTS.count(tx.conn(), only, query).await?;
        let sql = AssertSqlSafe(TENANTS.list(query));
        let rows: Vec<TenantRow> = on!(tx.conn(), c => {
            let mut statement = sqlx::query_as(sql).bind(only);
            for (field, value) in &query.filters {
                statement = bind!(statement, compared(field, value));
            }
            statement.bind(query.page.limit()).bind(query.page.offset()).fetch_all(c).await?
        });
        let rows = rows.into_iter().map(TenantRow::into_tenant).collect::<StoreResult<_>>()?;
        Ok(Listed { rows, total })
    }

    /// The tenant with that id.
    pub async fn tenant(&self, id: Uuid) -> StoreResult<Option<Tenant>> {
        if let Some(tenant) = self.identities.tenant(id) {
            return Ok(Some(tenant));
        }
        let (epoch, read) = (self.identities.epoch(), Instant::now());
        let mut reader = self.db.reader().await?;
        let tenant = by_id(reader.conn(), id).await?;
        if let Some(tenant) = &tenant {
            self.identities.keep_tenant(tenant, epoch, read);
        }
        Ok(tenant)
    }

    /// The tenant with that domain, in lower case.
    pub async fn tenant_by_domain(&self, domain: &str) -> StoreResult<Option<Tenant>> {
        let mut reader = self.db.reader().await?;
        by_domain(reader.conn(), domain).await
    }

    /// Makes a tenant.
    pub async fn create_tenant(&self, actor: &Actor, new: NewTenant) -> StoreResult<Committed<Tenant>> {
        let mut write = self.begin(actor).await?;
        let tenant = insert(&mut write, new, Values::new()).await?;
        write.commit(tenant).await
    }

    /// Sets up a tenant with a first extension, all at once.
    pub async fn provision(
        &self,
        actor: &Actor,
        new: NewTenant,
        settings: Values,
        extension: NewExtension,
    ) -> StoreResult<Committed<(Tenant, Extension)>> {
        let mut write = self.begin(actor).await?;
        let tenant = insert(&mut write, new, settings).await?;
        let extension = crate::extensions::insert(&mut write, &self.keys, tenant.id, extension).await?;
        write.commit((tenant, extension)).await
    }

    /// Changes a tenant.
    pub async fn update_tenant(
        &self,
        actor: &Actor,
        id: Uuid,
        change: TenantChange,
        expected: &Expected,
    ) -> StoreResult<Committed<Tenant>> {
        let mut write = self.begin(actor).await?;
        let old = locked(&mut write, id).await?;
        expected.check(old.version)?;
        let mut tenant = old.clone();
        change.apply(&mut tenant);
        must_be_free(&mut write, &tenant, tenant.domain != old.domain, tenant.slug != old.slug).await?;
        if tenant.status == TenantStatus::Terminated && old.status != TenantStatus::Terminated {
            cascade::ended(&mut write, &self.keys, &tenant).await?;
        }
        replace(write, old, tenant).await
    }

    /// Puts settings into those of a tenant.
    pub async fn put_settings(
        &self,
        actor: &Actor,
        id: Uuid,
        settings: Settings,
        expected: &Expected,
    ) -> StoreResult<Committed<Tenant>> {
        let mut write = self.begin(actor).await?;
        let old = locked(&mut write, id).await?;
        expected.check(old.version)?;
        let mut tenant = old.clone();
        merge_settings(&mut tenant.settings, settings).map_err(StoreError::Invalid)?;
        cascade::moved(&mut write, &self.keys, &old, &tenant).await?;
        replace(write, old, tenant).await
    }

    /// Deletes a tenant with all that it owns; its users stay, without a tenant.
    pub async fn delete_tenant(
        &self,
        actor: &Actor,
        id: Uuid,
        expected: &Expected,
    ) -> StoreResult<Committed<()>> {
        let mut write = self.begin(actor).await?;
        close(write.conn(), id).await?;
        let tenant = locked(&mut write, id).await?;
        expected.check(tenant.version)?;
        let entry = Entry { old: Some(values(&tenant)), new: None, ..entry(&tenant, AuditAction::Deleted) };
        write.audit(entry).await?;
        write.touch(touch::tenant(Some(&tenant), None));
        cascade::tenant_gone(&mut write, &self.keys, &tenant).await?;
        on!(write.conn(), c => sqlx::query(sql!("DELETE FROM tenants WHERE id = $1")).bind(id).execute(c).await?.rows_affected());
        write.commit(()).await
    }
}

/// A new tenant, in the transaction of somebody who makes more than that.
async fn insert(write: &mut Write<'_>, new: NewTenant, settings: Values) -> StoreResult<Tenant> {
    let (slug, given) = match new.slug {
        Slug::Given(slug) => (slug, true),
        Slug::FromName(slug) => (free_slug(write, slug).await?, false),
    };
    let tenant = Tenant {
        id: Uuid::now_v7(),
        name: new.name,
        domain: new.domain,
        slug,
        settings,
        status: new.status,
        max_extensions: new.max_extensions,
        max_concurrent_calls: new.max_concurrent_calls,
        max_dids: new.max_dids,
        max_ring_groups: new.max_ring_groups,
        max_calls_per_minute: new.max_calls_per_minute,
        is_active: new.is_active,
        version: 1,
        created_at: write.now,
        updated_at: write.now,
    };
    must_be_free(write, &tenant, true, given).await?;
    on!(write.conn(), c => {
        sqlx::query(sql!("INSERT INTO tenants (id, name, domain, slug, settings, status, max_extensions, max_concurrent_calls, \
             max_dids, max_ring_groups, max_calls_per_minute, is_active, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"))
        .bind(tenant.id)
        .bind(&tenant.name)
        .bind(&tenant.domain)
        .bind(&tenant.slug)
        .bind(Json(&tenant.settings))
        .bind(tenant.status.as_str())
        .bind(tenant.max_extensions)
        .bind(tenant.max_concurrent_calls)
        .bind(tenant.max_dids)
        .bind(tenant.max_ring_groups)
        .bind(tenant.max_calls_per_minute)
        .bind(tenant.is_active)
        .bind(Time(tenant.created_at))
        .bind(Time(tenant.updated_at))
        .execute(c)
        .await?.rows_affected()
    });
    let entry = Entry { old: None, new: Some(values(&tenant)), ..entry(&tenant, AuditAction::Created) };
    write.audit(entry).await?;
    write.touch(touch::tenant(None, Some(&tenant)));
    Ok(tenant)
}

pub(crate) async fn by_id(conn: Conn<'_>, id: Uuid) -> StoreResult<Option<Tenant>> {
    let row: Option<TenantRow> = on!(conn, c => sqlx::query_as(sql!(select_tenants!("WHERE id = $1"))).bind(id).fetch_optional(c).await?);
    row.map(TenantRow::into_tenant).transpose()
}

/// The tenant with that id, which nobody else changes until the end of the transaction; others may refer to it meanwhile.
async fn locked(write: &mut Write<'_>, id: Uuid) -> StoreResult<Tenant> {
    let row: Option<TenantRow> = match write.conn() {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(select_tenants!("WHERE id = $1"))).bind(id).fetch_optional(c).await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(sql!(postgres select_tenants!("WHERE id = $1 FOR NO KEY UPDATE")))
                .bind(id)
                .fetch_optional(c)
                .await?
        }
    };
    row.map(TenantRow::into_tenant).transpose()?.ok_or(StoreError::NotFound)
}

/// Locks the row of a tenant that will be gone, against those who refer to it as well.
async fn close(conn: Conn<'_>, id: Uuid) -> StoreResult<()> {
    if let Conn::Postgres(c) = conn {
        let row: Option<(Uuid,)> =
            sqlx::query_as(sql!(postgres "SELECT id FROM tenants WHERE id = $1 FOR UPDATE"))
                .bind(id)
                .fetch_optional(c)
                .await?;
        row.ok_or(StoreError::NotFound)?;
    }
    Ok(())
}

/// Locks the row of a tenant until the end of the transaction, though not against those who only refer to it: a new row of the tenant locks
/// it so, and may wait for one that this transaction waits for. SQLite has one writer at a time.
pub(crate) async fn lock(conn: Conn<'_>, id: Uuid) -> StoreResult<()> {
    if let Conn::Postgres(c) = conn {
        let row: Option<(Uuid,)> =
            sqlx::query_as(sql!(postgres "SELECT id FROM tenants WHERE id = $1 FOR NO KEY UPDATE"))
                .bind(id)
                .fetch_optional(c)
                .await?;
        row.ok_or(StoreError::NotFound)?;
    }
    Ok(())
}

/// How numbers are dialled where tenants are at home.
#[derive(Default)]
pub(crate) struct Homes(HashMap<Uuid, Option<Home<'static>>>);

impl Homes {
    pub(crate) fn put(&mut self, tenant: &Tenant) {
        self.0.insert(tenant.id, tenant.home());
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&Home<'static>> {
        self.0.get(&id)?.as_ref()
    }
}

/// Sees that the home of a tenant is known.
pub(crate) async fn home(tx: &mut Tx, id: Uuid, homes: &mut Homes) -> StoreResult<()> {
    if !homes.0.contains_key(&id)
        && let Some(tenant) = by_id(tx.conn(), id).await?
    {
        homes.put(&tenant);
    }
    Ok(())
}

pub(crate) async fn by_domain(conn: Conn<'_>, domain: &str) -> StoreResult<Option<Tenant>> {
    let row: Option<TenantRow> = on!(conn, c => sqlx::query_as(sql!(select_tenants!("WHERE domain = $1"))).bind(domain).fetch_optional(c).await?);
    row.map(TenantRow::into_tenant).transpose()
}

/// Every tenant, in pages of `limit`, after the one with that id.
pub(crate) async fn after(conn: Conn<'_>, id: Uuid, limit: i64) -> StoreResult<Vec<TenantRow>> {
    Ok(on!(conn, c => {
        sqlx::query_as(sql!(select_tenants!("WHERE id > $1 ORDER BY id LIMIT $2 + 0"))).bind(id).bind(limit).fetch_all(c).await?
    }))
}

async fn replace(mut write: Write<'_>, old: Tenant, mut tenant: Tenant) -> StoreResult<Committed<Tenant>> {
    tenant.updated_at = write.now;
    tenant.version = old.version + 1;
    on!(write.conn(), c => {
        sqlx::query(sql!("UPDATE tenants SET name = $2, domain = $3, slug = $4, settings = $5, status = $6, max_extensions = $7, \
             max_concurrent_calls = $8, max_dids = $9, max_ring_groups = $10, max_calls_per_minute = $11, is_active = $12, \
             updated_at = $13, version = $14 \
             WHERE id = $1"))
        .bind(tenant.id)
        .bind(&tenant.name)
        .bind(&tenant.domain)
        .bind(&tenant.slug)
        .bind(Json(&tenant.settings))
        .bind(tenant.status.as_str())
        .bind(tenant.max_extensions)
        .bind(tenant.max_concurrent_calls)
        .bind(tenant.max_dids)
        .bind(tenant.max_ring_groups)
        .bind(tenant.max_calls_per_minute)
        .bind(tenant.is_active)
        .bind(Time(tenant.updated_at))
        .bind(tenant.version)
        .execute(c)
        .await?.rows_affected()
    });
    let (before, after) = difference(&values(&old), values(&tenant));
    let entry = Entry { old: Some(before), new: Some(after), ..entry(&tenant, AuditAction::Updated) };
    write.audit(entry).await?;
    write.touch(touch::tenant(Some(&old), Some(&tenant)));
    write.commit(tenant).await
}

/// The slug, or the slug with the first number that makes it free.
async fn free_slug(write: &mut Write<'_>, slug: String) -> StoreResult<String> {
    let mut candidate = slug.clone();
    for number in 2_u64.. {
        let (taken,): (bool,) = on!(write.conn(), c => {
            sqlx::query_as(sql!("SELECT EXISTS (SELECT 1 FROM tenants WHERE slug = $1)")).bind(&candidate).fetch_one(c).await?
        });
        if !taken {
            break;
        }
        candidate = format!("{slug}-{number}");
    }
    Ok(candidate)
}

/// Says of domain and slug at once whether another tenant has them.
async fn must_be_free(write: &mut Write<'_>, tenant: &Tenant, domain: bool, slug: bool) -> StoreResult<()> {
    let (domain_taken, slug_taken): (bool, bool) = on!(write.conn(), c => {
        sqlx::query_as(sql!("SELECT EXISTS (SELECT 1 FROM tenants WHERE domain = $1 AND id <> $3), \
             EXISTS (SELECT 1 FROM tenants WHERE slug = $2 AND id <> $3)"))
        .bind(&tenant.domain).bind(&tenant.slug).bind(tenant.id)
        .fetch_one(c).await?
    });
    let mut errors = Errors::default();
    if domain && domain_taken {
        errors.push("domain", DOMAIN_TAKEN);
    }
    if slug && slug_taken {
        errors.push("slug", SLUG_TAKEN);
    }
    if errors.is_empty() { Ok(()) } else { Err(StoreError::Invalid(errors)) }
}

fn entry(tenant: &Tenant, action: AuditAction) -> Entry {
    let of = Of::One(tenant.id, tenant.name.clone());
    Entry { tenant_id: tenant.id, action, kind: "Tenant", of, old: None, new: None }
}

fn values(tenant: &Tenant) -> Values {
    [
        ("name", json!(tenant.name)),
        ("domain", json!(tenant.domain)),
        ("slug", json!(tenant.slug)),
        ("settings", json!(tenant.settings)),
        ("status", json!(tenant.status.as_str())),
        ("max_extensions", json!(tenant.max_extensions)),
        ("max_concurrent_calls", json!(tenant.max_concurrent_calls)),
        ("max_dids", json!(tenant.max_dids)),
        ("max_ring_groups", json!(tenant.max_ring_groups)),
        ("max_calls_per_minute", json!(tenant.max_calls_per_minute)),
        ("is_active", json!(tenant.is_active)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}
