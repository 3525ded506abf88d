//! How many rows a tenant may have. The counts are columns of the tenant's row, or the row is locked: so two transactions that
//! add at the same time wait for each other on every database.

use nizam_core::resource::{Quota, Resource};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::statement;
use crate::error::{StoreError, StoreResult};
use crate::tenants;
use crate::write::Write;

/// Counts new rows, and refuses them if they are too many.
pub(super) async fn add(
    write: &mut Write<'_>,
    resource: &Resource,
    tenant_id: Uuid,
    more: usize,
) -> StoreResult<()> {
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    let too_many = |max: i64| Err(StoreError::Quota { thing: resource.label, max });
    match resource.quota {
        None => Ok(()),
        Some(Quota::OfTenant { most, count }) => {
            let sql = AssertSqlSafe(statement::add(most, count));
            let counted: Option<(i64, i64)> = on!(write.conn(), c => {
                sqlx::query_as(sql).bind(tenant_id).bind(more).fetch_optional(c).await?
            });
            match counted {
                None => Err(StoreError::NotFound),
                Some((now, max)) if max > 0 && now > max => too_many(max),
                Some(_) => Ok(()),
            }
        }
        Some(Quota::Fixed(max)) => {
            tenants::lock(write.conn(), tenant_id).await?;
            let sql = AssertSqlSafe(statement::how_many(resource));
            let (now,): (i64,) =
                on!(write.conn(), c => sqlx::query_as(sql).bind(tenant_id).fetch_one(c).await?);
            if now.saturating_add(more) > max { too_many(max) } else { Ok(()) }
        }
    }
}

/// Counts a row that is gone.
pub(super) async fn subtract(write: &mut Write<'_>, resource: &Resource, tenant_id: Uuid) -> StoreResult<()> {
    let Some(Quota::OfTenant { count, .. }) = resource.quota else { return Ok(()) };
    let sql = statement::subtract(count);
    on!(write.conn(), c => { sqlx::query(AssertSqlSafe(sql)).bind(tenant_id).execute(c).await?; });
    Ok(())
}
