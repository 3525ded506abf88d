//! The settings of a tenant.

use nizam_core::model::Tenant;
use nizam_core::validate::Settings;
use serde_json::json;

use super::call::Call;
use super::gate::{Admin, Member};
use super::present;
use super::reply::{Outcome, Reply};

pub(super) async fn show(call: Call, member: Member) -> Outcome {
    let reply = Reply::ok(&json!({"data": present::settings(&member.tenant().settings)}));
    Ok(reply.etag(member.tenant().version).unless_known(&call.request))
}

pub(super) async fn update(call: Call, _: Admin, tenant: Tenant, settings: Settings) -> Outcome {
    let expected = call.expected()?;
    let committed = call.app.store.put_settings(&call.actor(), tenant.id, settings, &expected).await?;
    let reply = Reply::ok(&json!({"data": present::settings(&committed.value.settings)}));
    let reply = reply.etag(committed.value.version);
    Ok(call.written(reply, committed).await)
}
