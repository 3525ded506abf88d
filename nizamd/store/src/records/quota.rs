//! How many rows a tenant may have. The counts are columns of the tenant's row, so that two transactions that add at the
//! same time wait for each other on every database.

use nizam_core::resource::Resource;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::statement;
use crate::error::{StoreError, StoreResult};
use crate::write::Write;

/// Counts new rows, and refuses them if they are too many.
pub(super) async fn add(
    write: &mut Write<'_>,
    resource: &Resource,
    tenant_id: Uuid,
    more: usize,
) -> StoreResult<()> {
    let Some(quota) = resource.quota else { return Ok(()) };
    let sql = statement::add(quota);
    let more = i64::try_from(more).unwrap_or(i64::MAX);
    let counted: Option<(i64, i64)> = on!(write.conn(), c => {
        sqlx::query_as(AssertSqlSafe(sql)).bind(tenant_id).bind(more).fetch_optional(c).await?
    });
    match counted {
        None => Err(StoreError::NotFound),
        Some((now, max)) if max > 0 && now > max => Err(StoreError::Quota { thing: resource.label, max }),
        Some(_) => Ok(()),
    }
}

/// Counts a row that is gone.
pub(super) async fn subtract(write: &mut Write<'_>, resource: &Resource, tenant_id: Uuid) -> StoreResult<()> {
    let Some(quota) = resource.quota else { return Ok(()) };
    let sql = statement::subtract(quota);
    on!(write.conn(), c => { sqlx::query(AssertSqlSafe(sql)).bind(tenant_id).execute(c).await?; });
    Ok(())
}
