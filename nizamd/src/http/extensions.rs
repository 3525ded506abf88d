//! Extensions of a tenant.

use nizam_core::model::{Extension, ExtensionChange, NewExtension};
use serde_json::json;

use super::call::Call;
use super::gate::Member;
use super::reply::{Outcome, Reply};
use super::{paginate, present};

pub(super) async fn list(call: Call, member: Member, (): ()) -> Outcome {
    let page = paginate::page(&call.input);
    let listed = call.app.store.extensions(member.tenant().id, page).await?;
    Ok(Reply::ok(&paginate::envelope(&call.request, page, &listed, present::extension)))
}

pub(super) async fn create(call: Call, member: Member, new: NewExtension) -> Outcome {
    let committed = call.app.store.create_extension(&call.actor(), member.tenant().id, new).await?;
    let reply = Reply::created(&json!({"data": present::extension(&committed.value)}));
    Ok(call.written(reply, committed).await)
}

pub(super) async fn show(_: Call, _: Member, extension: Extension, (): ()) -> Outcome {
    Ok(Reply::ok(&json!({"data": present::extension(&extension)})))
}

pub(super) async fn update(call: Call, member: Member, old: Extension, change: ExtensionChange) -> Outcome {
    let tenant = member.tenant().id;
    let committed = call.app.store.update_extension(&call.actor(), tenant, old.id, change).await?;
    let reply = Reply::ok(&json!({"data": present::extension(&committed.value)}));
    Ok(call.written(reply, committed).await)
}

pub(super) async fn delete(call: Call, member: Member, old: Extension, (): ()) -> Outcome {
    let committed = call.app.store.delete_extension(&call.actor(), member.tenant().id, old.id).await?;
    Ok(call.written(Reply::no_content(), committed).await)
}
