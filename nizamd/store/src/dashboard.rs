//! All tenants at a glance, for admins.

use std::collections::HashMap;

use nizam_core::model::TenantStatus;
use uuid::Uuid;

use crate::Store;
use crate::counts::day;
use crate::error::{StoreError, StoreResult};
use crate::page::count;

/// One tenant at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Key of the row.
    pub id: Uuid,
    /// Name for people.
    pub name: String,
    /// SIP domain.
    pub domain: String,
    /// Where the tenant stands in its life.
    pub status: TenantStatus,
    /// Extensions, inactive ones included.
    pub extensions: u64,
    /// Extensions that work.
    pub active_extensions: u64,
    /// DIDs.
    pub dids: u64,
    /// Ring groups.
    pub ring_groups: u64,
    /// Bytes of all recordings.
    pub recordings_size: u64,
    /// CDRs of calls that began today.
    pub cdrs_today: u64,
    /// Webhooks.
    pub webhooks: u64,
}

#[derive(sqlx::FromRow)]
struct GlanceRow {
    id: Uuid,
    name: String,
    domain: String,
    status: String,
    extensions_count: i64,
    dids_count: i64,
    ring_groups_count: i64,
}

impl Store {
    /// Every tenant, the oldest first; today began at that time, microseconds since 1970.
    pub async fn dashboard(&self, today: i64) -> StoreResult<Vec<Glance>> {
        let mut tx = self.db.snapshot().await?;
        let tenants: Vec<GlanceRow> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT id, name, domain, status, extensions_count, dids_count, ring_groups_count FROM tenants ORDER BY id"
            ))
            .fetch_all(c).await?
        });
        // One statement for all tenants, and not one for each.
        let active: Vec<(Uuid, i64)> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT tenant_id, count(*) FROM extensions WHERE is_active = TRUE GROUP BY tenant_id"
            ))
            .fetch_all(c).await?
        });
        let sizes: Vec<(Uuid, i64)> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT tenant_id, CAST(sum(file_size) AS bigint) FROM recordings GROUP BY tenant_id"
            ))
            .fetch_all(c).await?
        });
        let cdrs: Vec<(Uuid, i64)> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT tenant_id, CAST(sum(cdrs) AS bigint) FROM cdr_counts WHERE day >= $1 GROUP BY tenant_id"
            ))
            .bind(day(today)).fetch_all(c).await?
        });
        let webhooks: Vec<(Uuid, i64)> = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT tenant_id, count(*) FROM webhooks GROUP BY tenant_id")).fetch_all(c).await?
        });
        let [active, sizes, cdrs, webhooks] =
            [active, sizes, cdrs, webhooks].map(HashMap::<Uuid, i64>::from_iter);
        let of = |counts: &HashMap<Uuid, i64>, id: Uuid| counts.get(&id).map_or(0, |&n| count(n));
        let damaged = StoreError::Damaged { table: "tenants", what: "status" };
        let glance = |row: GlanceRow| {
            Some(Glance {
                status: TenantStatus::parse(&row.status)?,
                id: row.id,
                name: row.name,
                domain: row.domain,
                extensions: count(row.extensions_count),
                active_extensions: of(&active, row.id),
                dids: count(row.dids_count),
                ring_groups: count(row.ring_groups_count),
                recordings_size: of(&sizes, row.id),
                cdrs_today: of(&cdrs, row.id),
                webhooks: of(&webhooks, row.id),
            })
        };
        tenants.into_iter().map(glance).collect::<Option<_>>().ok_or(damaged)
    }
}
