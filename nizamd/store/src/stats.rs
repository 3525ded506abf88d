//! How much there is of what.

use uuid::Uuid;

use crate::Store;
use crate::counts::day;
use crate::error::StoreResult;
use crate::page::count;

/// What a tenant has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantStats {
    /// Extensions, inactive ones included.
    pub extensions: u64,
    /// Extensions that work.
    pub active_extensions: u64,
    /// DIDs.
    pub dids: u64,
    /// Ring groups.
    pub ring_groups: u64,
    /// IVRs.
    pub ivrs: u64,
    /// CDRs.
    pub cdrs: u64,
    /// CDRs of calls that began today, UTC.
    pub cdrs_today: u64,
    /// Recordings.
    pub recordings: u64,
    /// Bytes of all recordings.
    pub recordings_size: u64,
    /// Device profiles.
    pub device_profiles: u64,
    /// Webhooks.
    pub webhooks: u64,
    /// Call routing policies.
    pub call_routing_policies: u64,
    /// Call flows.
    pub call_flows: u64,
}

#[derive(sqlx::FromRow)]
struct StatsRow {
    extensions: i64,
    active_extensions: i64,
    dids: i64,
    ring_groups: i64,
    ivrs: i64,
    cdrs: i64,
    cdrs_today: i64,
    recordings: i64,
    recordings_size: i64,
    device_profiles: i64,
    webhooks: i64,
    call_routing_policies: i64,
    call_flows: i64,
}

impl Store {
    /// What a tenant has; today began at that time, microseconds since 1970.
    pub async fn tenant_stats(&self, tenant_id: Uuid, today: i64) -> StoreResult<TenantStats> {
        let mut reader = self.db.reader().await?;
        let row: StatsRow = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT extensions_count AS extensions, dids_count AS dids, ring_groups_count AS ring_groups, \
                 (SELECT count(*) FROM extensions x WHERE x.tenant_id = t.id AND x.is_active = TRUE) AS active_extensions, \
                 (SELECT count(*) FROM ivrs x WHERE x.tenant_id = t.id) AS ivrs, \
                 (SELECT CAST(COALESCE(sum(x.cdrs), 0) AS bigint) FROM cdr_counts x WHERE x.tenant_id = t.id) AS cdrs, \
                 (SELECT CAST(COALESCE(sum(x.cdrs), 0) AS bigint) FROM cdr_counts x WHERE x.tenant_id = t.id AND x.day >= $2) \
                 AS cdrs_today, \
                 (SELECT count(*) FROM recordings x WHERE x.tenant_id = t.id) AS recordings, \
                 (SELECT CAST(COALESCE(sum(file_size), 0) AS bigint) FROM recordings x WHERE x.tenant_id = t.id) \
                 AS recordings_size, \
                 (SELECT count(*) FROM device_profiles x WHERE x.tenant_id = t.id) AS device_profiles, \
                 (SELECT count(*) FROM webhooks x WHERE x.tenant_id = t.id) AS webhooks, \
                 (SELECT count(*) FROM call_routing_policies x WHERE x.tenant_id = t.id) AS call_routing_policies, \
                 (SELECT count(*) FROM call_flows x WHERE x.tenant_id = t.id) AS call_flows \
                 FROM tenants t WHERE t.id = $1"
            ))
            .bind(tenant_id).bind(day(today)).fetch_one(c).await?
        });
        Ok(TenantStats {
            extensions: count(row.extensions),
            active_extensions: count(row.active_extensions),
            dids: count(row.dids),
            ring_groups: count(row.ring_groups),
            ivrs: count(row.ivrs),
            cdrs: count(row.cdrs),
            cdrs_today: count(row.cdrs_today),
            recordings: count(row.recordings),
            recordings_size: count(row.recordings_size),
            device_profiles: count(row.device_profiles),
            webhooks: count(row.webhooks),
            call_routing_policies: count(row.call_routing_policies),
            call_flows: count(row.call_flows),
        })
    }
}
