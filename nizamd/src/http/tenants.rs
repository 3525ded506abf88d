//! Tenants.

use nizam_core::model::{NewTenant, Tenant, TenantChange};
use serde_json::json;

use super::call::Call;
use super::gate::{Admin, Caller, Member};
use super::reply::{Outcome, Reply};
use super::{paginate, present};

pub(super) async fn list(call: Call, caller: Caller) -> Outcome {
    let user = &caller.who().user;
    let page = paginate::page(&call.input);
    let listed = match user.tenant_id {
        _ if user.is_admin() => call.app.store.tenants(None, page).await?,
        Some(own) => call.app.store.tenants(Some(own), page).await?,
        None => nizam_store::Listed { rows: Vec::new(), total: 0 },
    };
    Ok(Reply::ok(&paginate::envelope(&call.request, page, &listed, present::tenant)))
}

pub(super) async fn create(call: Call, _: Admin, new: NewTenant) -> Outcome {
    let committed = call.app.store.create_tenant(&call.actor(), new).await?;
    let reply = Reply::created(&json!({"data": present::tenant(&committed.value)}));
    Ok(call.written(reply, committed).await)
}

pub(super) async fn show(_: Call, member: Member) -> Outcome {
    Ok(Reply::ok(&json!({"data": present::tenant(member.tenant())})))
}

pub(super) async fn update(call: Call, _: Admin, tenant: Tenant, change: TenantChange) -> Outcome {
    let committed = call.app.store.update_tenant(&call.actor(), tenant.id, change).await?;
    let reply = Reply::ok(&json!({"data": present::tenant(&committed.value)}));
    Ok(call.written(reply, committed).await)
}

pub(super) async fn delete(call: Call, _: Admin, tenant: Tenant, (): ()) -> Outcome {
    let committed = call.app.store.delete_tenant(&call.actor(), tenant.id).await?;
    Ok(call.written(Reply::no_content(), committed).await)
}
