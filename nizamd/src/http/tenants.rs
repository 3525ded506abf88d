//! Tenants.

use nizam_core::model::{NewTenant, Tenant, TenantChange};
use nizam_core::resource::TENANT_LIST;
use serde_json::json;

use super::call::Call;
use super::gate::{Admin, Caller, Member};
use super::reply::{Outcome, Reply};
use super::{paginate, present};

pub(super) async fn list(call: Call, caller: Caller) -> Outcome {
    let user = &caller.who().user;
    let query = paginate::query(&call.input, TENANT_LIST)?;
    let listed = match user.tenant_id {
        _ if user.is_admin() => call.app.store.tenants(None, &query).await?,
        Some(own) => call.app.store.tenants(Some(own), &query).await?,
        None => nizam_store::Listed { rows: Vec::new(), total: 0 },
    };
    Ok(paginate::reply(&call.request, query.page, &listed, present::tenant))
}

pub(super) async fn create(call: Call, _: Admin, new: NewTenant) -> Outcome {
    let committed = call.app.store.create_tenant(&call.actor(), new).await?;
    let reply = Reply::created(&json!({"data": present::tenant(&committed.value)}));
    let reply = reply.etag(committed.value.version);
    Ok(call.written(reply, committed).await)
}

pub(super) async fn show(call: Call, member: Member) -> Outcome {
    let reply = Reply::ok(&json!({"data": present::tenant(member.tenant())}));
    Ok(reply.etag(member.tenant().version).unless_known(&call.request))
}

pub(super) async fn update(call: Call, _: Admin, tenant: Tenant, change: TenantChange) -> Outcome {
    let expected = call.expected()?;
    let committed = call.app.store.update_tenant(&call.actor(), tenant.id, change, &expected).await?;
    let reply = Reply::ok(&json!({"data": present::tenant(&committed.value)}));
    let reply = reply.etag(committed.value.version);
    Ok(call.written(reply, committed).await)
}

pub(super) async fn delete(call: Call, _: Admin, tenant: Tenant, (): ()) -> Outcome {
    let expected = call.expected()?;
    let committed = call.app.store.delete_tenant(&call.actor(), tenant.id, &expected).await?;
    Ok(call.written(Reply::no_content(), committed).await)
}
