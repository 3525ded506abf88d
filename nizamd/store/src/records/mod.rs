//! The rows of resources: one code for every resource, whose statements come from its fields. Every statement names the
//! tenant: a row of another one is not there.

mod claims;
mod graph;
mod quota;
mod references;
pub(crate) mod row;
pub(crate) mod statement;

use nizam_core::lint::{self, Warning};
use nizam_core::model::AuditAction;
use nizam_core::resource::{Record, Resource, Values};
use nizam_core::{Home, Kind, touch};
use serde_json::json;
use uuid::Uuid;

use crate::Store;
use crate::audit::{Actor, Entry, Of, difference};
use crate::error::{StoreError, StoreResult};
use crate::numbers;
use crate::page::{Expected, Listed, Query};
use crate::write::{Committed, Write};
use crate::{cascade, feed, tenants};

use statement::Source;

/// A row that was saved, and what will not work as it stands.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The row.
    pub record: Record,
    /// What is not wrong, but will not work.
    pub warnings: Vec<Warning>,
}

impl Store {
    /// The rows of a tenant.
    pub async fn records(
        &self,
        resource: &'static Resource,
        tenant_id: Uuid,
        query: &Query,
    ) -> StoreResult<Listed<Record>> {
        let mut tx = self.db.snapshot().await?;
        let rows = row::list(tx.conn(), &self.keys, resource, tenant_id, query).await?;
        let total = Source::of(resource).count(tx.conn(), tenant_id, query).await?;
        Ok(Listed { rows, total })
    }

    /// The row of that tenant with that id.
    pub async fn record(
        &self,
        resource: &'static Resource,
        tenant_id: Uuid,
        id: Uuid,
    ) -> StoreResult<Option<Record>> {
        let mut reader = self.db.reader().await?;
        row::by_id(reader.conn(), &self.keys, resource, tenant_id, id, false).await
    }

    /// Makes a row, unless the tenant has as many as it may have.
    pub async fn create_record(
        &self,
        actor: &Actor,
        resource: &'static Resource,
        tenant_id: Uuid,
        values: Values,
    ) -> StoreResult<Committed<Saved>> {
        let mut write = self.begin(actor).await?;
        quota::add(&mut write, resource, tenant_id, 1).await?;
        let now = write.now;
        let id = Uuid::now_v7();
        let record = Record { id, tenant_id, version: 1, values, created_at: now, updated_at: now };
        references::check(&mut write, resource, &record).await?;
        numbers::check(&mut write, resource, None, &record).await?;
        row::insert(write.conn(), &self.keys, resource, &record).await?;
        feed::begin(&mut write, resource, None, &record).await?;
        let home = home(&mut write, resource, tenant_id).await?;
        claims::hold(&mut write, resource, home.as_ref(), None, &record).await?;
        write.touch(touch::record(resource, home.as_ref(), None, Some(&record)));
        let new = Some(audited(resource, &record.values));
        write.audit(entry(resource, &record, AuditAction::Created, None, new)).await?;
        let warnings = self.warnings(&mut write, resource, &record).await?;
        finish(write, resource, Saved { record, warnings }).await
    }

    /// Makes rows in one transaction, all or none, with one audit entry for all. Errors name a row by `name` and its number.
    pub async fn create_records(
        &self,
        actor: &Actor,
        resource: &'static Resource,
        tenant_id: Uuid,
        name: &str,
        rows: Vec<Values>,
    ) -> StoreResult<Committed<Vec<Record>>> {
        let mut write = self.begin(actor).await?;
        let now = write.now;
        quota::add(&mut write, resource, tenant_id, rows.len()).await?;
        let home = home(&mut write, resource, tenant_id).await?;
        let mut made = Vec::with_capacity(rows.len());
        for (i, values) in rows.into_iter().enumerate() {
            let id = Uuid::now_v7();
            let record = Record { id, tenant_id, version: 1, values, created_at: now, updated_at: now };
            let at = |error| match error {
                StoreError::Invalid(errors) => StoreError::Invalid(errors.below(&format!("{name}.{i}"))),
                other => other,
            };
            references::check(&mut write, resource, &record).await.map_err(at)?;
            numbers::check(&mut write, resource, None, &record).await.map_err(at)?;
            row::insert(write.conn(), &self.keys, resource, &record).await.map_err(at)?;
            feed::begin(&mut write, resource, None, &record).await?;
            claims::hold(&mut write, resource, home.as_ref(), None, &record).await.map_err(at)?;
            write.touch(touch::record(resource, home.as_ref(), None, Some(&record)));
            made.push(record);
        }
        let count = [("count".to_owned(), json!(made.len()))].into_iter().collect();
        let action = AuditAction::Created;
        let kind = resource.model;
        let of = Of::Many(made.iter().map(|record| (record.id, known_by(record))).collect());
        write.audit(Entry { tenant_id, action, kind, of, old: None, new: Some(count) }).await?;
        finish(write, resource, made).await
    }

    /// Some rows of a tenant, in the order of their ids, after the one with that id.
    pub async fn records_after(
        &self,
        resource: &'static Resource,
        tenant_id: Uuid,
        id: Uuid,
        most: u32,
    ) -> StoreResult<Vec<Record>> {
        let mut reader = self.db.reader().await?;
        row::after(reader.conn(), &self.keys, resource, tenant_id, id, most).await
    }

    /// Changes a row.
    pub async fn update_record(
        &self,
        actor: &Actor,
        resource: &'static Resource,
        tenant_id: Uuid,
        id: Uuid,
        change: Values,
        expected: &Expected,
    ) -> StoreResult<Committed<Saved>> {
        let mut write = self.begin(actor).await?;
        let home = home(&mut write, resource, tenant_id).await?;
        let old = row::by_id(write.conn(), &self.keys, resource, tenant_id, id, true).await?;
        let old = old.ok_or(StoreError::NotFound)?;
        expected.check(old.version)?;
        let mut record = old.clone();
        claims::settle(resource, home.as_ref(), &mut record, change);
        record.version += 1;
        record.updated_at = write.now;
        resource.check(&record.values).map_err(StoreError::Invalid)?;
        references::check(&mut write, resource, &record).await?;
        numbers::check(&mut write, resource, Some(&old), &record).await?;
        row::update(write.conn(), &self.keys, resource, &record).await?;
        feed::begin(&mut write, resource, Some(&old), &record).await?;
        claims::hold(&mut write, resource, home.as_ref(), Some(&old), &record).await?;
        write.touch(touch::record(resource, home.as_ref(), Some(&old), Some(&record)));
        let (mut before, mut after) =
            difference(&audited(resource, &old.values), audited(resource, &record.values));
        for field in resource.fields.iter().filter(|field| field.is_secret()) {
            if old.value(field.name) != record.value(field.name) {
                before.insert(field.name.to_owned(), json!("[secret]"));
                after.insert(field.name.to_owned(), json!("[secret]"));
            }
        }
        write.audit(entry(resource, &record, AuditAction::Updated, Some(before), Some(after))).await?;
        let warnings = self.warnings(&mut write, resource, &record).await?;
        finish(write, resource, Saved { record, warnings }).await
    }

    /// Deletes a row.
    pub async fn delete_record(
        &self,
        actor: &Actor,
        resource: &'static Resource,
        tenant_id: Uuid,
        id: Uuid,
        expected: &Expected,
    ) -> StoreResult<Committed<()>> {
        let mut write = self.begin(actor).await?;
        let home = home(&mut write, resource, tenant_id).await?;
        let old = row::by_id(write.conn(), &self.keys, resource, tenant_id, id, true).await?;
        let old = old.ok_or(StoreError::NotFound)?;
        expected.check(old.version)?;
        if resource.record == Some(Kind::Agent) {
            cascade::agent_gone(&mut write, tenant_id, id).await?;
        }
        row::delete(write.conn(), resource, tenant_id, id).await?;
        quota::subtract(&mut write, resource, tenant_id).await?;
        write.touch(touch::record(resource, home.as_ref(), Some(&old), None));
        let values = Some(audited(resource, &old.values));
        write.audit(entry(resource, &old, AuditAction::Deleted, values, None)).await?;
        finish(write, resource, ()).await
    }

    /// What will not work of a row as it stands.
    async fn warnings(
        &self,
        write: &mut Write<'_>,
        resource: &'static Resource,
        record: &Record,
    ) -> StoreResult<Vec<Warning>> {
        let graph = graph::load(write, &self.keys, resource, record).await?;
        Ok(lint::lint(resource, record, &graph))
    }
}

/// A row that switches know makes the next generation, whatever of it shows on them.
async fn finish<T>(write: Write<'_>, resource: &Resource, value: T) -> StoreResult<Committed<T>> {
    if resource.record.is_some() { write.commit(value).await } else { write.commit_quietly(value).await }
}

/// The home of a tenant, where what a row touches depends on it. It cannot move until the end of the transaction. The tenant
/// is locked before its rows, as by whoever moves it.
async fn home(
    write: &mut Write<'_>,
    resource: &Resource,
    tenant_id: Uuid,
) -> StoreResult<Option<Home<'static>>> {
    if resource.record != Some(Kind::Did) {
        return Ok(None);
    }
    tenants::lock(write.conn(), tenant_id).await?;
    Ok(tenants::by_id(write.conn(), tenant_id).await?.and_then(|tenant| tenant.home()))
}

pub(crate) fn entry(
    resource: &Resource,
    record: &Record,
    action: AuditAction,
    old: Option<Values>,
    new: Option<Values>,
) -> Entry {
    let of = Of::One(record.id, known_by(record));
    Entry { tenant_id: record.tenant_id, action, kind: resource.model, of, old, new }
}

/// What people know a row by.
fn known_by(record: &Record) -> String {
    let name = record.text("name");
    (if name.is_empty() { record.text("number") } else { name }).to_owned()
}

/// Everything but the secrets.
pub(crate) fn audited(resource: &Resource, values: &Values) -> Values {
    let kept = |name: &str| resource.field(name).is_some_and(|field| !field.is_secret());
    values.iter().filter(|(name, _)| kept(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Expected {
    /// Whether a row is as the client expects it.
    pub(crate) fn check(&self, version: i64) -> StoreResult<()> {
        match self {
            Self::Anything => Ok(()),
            Self::Versions(versions) if versions.contains(&version) => Ok(()),
            Self::Versions(_) => Err(StoreError::Stale),
        }
    }
}
