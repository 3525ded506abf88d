//! Figures: what a tenant has, and all tenants at a glance.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use nizam_core::model::TenantStatus;
use nizam_store::Glance;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::gate::{Admin, Member};
use super::reply::{Outcome, Reply};

pub(super) async fn stats(call: Call, member: Member) -> Outcome {
    let tenant = member.tenant();
    let stats = call.app.store.tenant_stats(tenant.id, today()).await?;
    Ok(Reply::ok(&json!({"data": {
        "extensions_count": stats.extensions,
        "active_extensions_count": stats.active_extensions,
        "dids_count": stats.dids,
        "ring_groups_count": stats.ring_groups,
        "ivrs_count": stats.ivrs,
        "cdrs_total": stats.cdrs,
        "cdrs_today": stats.cdrs_today,
        "recordings_count": stats.recordings,
        "recordings_total_size": stats.recordings_size,
        "device_profiles_count": stats.device_profiles,
        "webhooks_count": stats.webhooks,
        "call_routing_policies_count": stats.call_routing_policies,
        "call_flows_count": stats.call_flows,
        "quotas": {
            "max_extensions": tenant.max_extensions,
            "max_concurrent_calls": tenant.max_concurrent_calls,
            "max_dids": tenant.max_dids,
            "max_ring_groups": tenant.max_ring_groups,
            "max_calls_per_minute": tenant.max_calls_per_minute,
        },
    }})))
}

pub(super) async fn dashboard(call: Call, _: Admin, (): ()) -> Outcome {
    let tenants = call.app.store.dashboard(today()).await?;
    let sum = |of: fn(&Glance) -> u64| tenants.iter().map(of).sum::<u64>();
    let by_status: Map<String, Value> = TenantStatus::NAMES
        .iter()
        .map(|&name| {
            let count = tenants.iter().filter(|tenant| tenant.status.as_str() == name).count();
            (name.to_owned(), json!(count))
        })
        .collect();
    Ok(Reply::ok(&json!({"data": {
        "total_tenants": tenants.len(),
        "tenants_by_status": by_status,
        "total_extensions": sum(|t| t.extensions),
        "total_active_extensions": sum(|t| t.active_extensions),
        "total_dids": sum(|t| t.dids),
        "total_recordings_size": sum(|t| t.recordings_size),
        "tenants": tenants.iter().map(glance).collect::<Vec<_>>(),
    }})))
}

fn glance(tenant: &Glance) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "domain": tenant.domain,
        "status": tenant.status.as_str(),
        "extensions_count": tenant.extensions,
        "active_extensions_count": tenant.active_extensions,
        "dids_count": tenant.dids,
        "ring_groups_count": tenant.ring_groups,
        "recordings_total_size": tenant.recordings_size,
        "cdrs_today": tenant.cdrs_today,
        "webhooks_count": tenant.webhooks,
    })
}

/// When today began, UTC, microseconds since 1970.
fn today() -> i64 {
    let day = Timestamp::now().to_zoned_datetime(TimeZone::UTC).start_of_day();
    day.map_or(0, |day| day.timestamp().as_microsecond())
}
