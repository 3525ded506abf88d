//! The settings of a tenant.

use nizam_core::model::Tenant;
use nizam_core::validate::Settings;
use serde_json::json;

use super::call::Call;
use super::gate::{Admin, Member};
use super::present;
use super::reply::{Outcome, Reply};

pub(super) async fn show(_: Call, member: Member) -> Outcome {
    Ok(Reply::ok(&json!({"data": present::settings(&member.tenant().settings)})))
}

pub(super) async fn update(call: Call, _: Admin, tenant: Tenant, settings: Settings) -> Outcome {
    let committed = call.app.store.put_settings(&call.actor(), tenant.id, settings).await?;
    let reply = Reply::ok(&json!({"data": present::settings(&committed.value.settings)}));
    Ok(call.written(reply, committed).await)
}
