//! Extensions of a tenant.

use nizam_core::model::{Extension, ExtensionChange, NewExtension, Permission};
use nizam_core::resource::EXTENSION_LIST;
use warp::http::StatusCode;

use super::call::Call;
use super::gate::{self, Member};
use super::present::ShownExtension;
use super::reply::{Outcome, Reply};
use super::{paginate, present};

pub(super) async fn list(call: Call, member: Member, (): ()) -> Outcome {
    let query = paginate::query(&call.input, EXTENSION_LIST)?;
    let listed = call.app.store.extensions(member.tenant().id, &query).await?;
    Ok(paginate::reply(&call.request, query.page, &listed, present::extension))
}

pub(super) async fn create(call: Call, member: Member, new: NewExtension) -> Outcome {
    let committed = call.app.store.create_extension(&call.actor(), member.tenant().id, new).await?;
    let reply = Reply::data(StatusCode::CREATED, written(&call, &committed.value));
    let reply = reply.etag(committed.value.version);
    Ok(call.written(reply, committed).await)
}

pub(super) async fn show(call: Call, _: Member, extension: Extension, (): ()) -> Outcome {
    let reply = Reply::data(StatusCode::OK, present::extension(&extension));
    Ok(reply.etag(extension.version).unless_known(&call.request))
}

pub(super) async fn update(call: Call, member: Member, old: Extension, change: ExtensionChange) -> Outcome {
    let expected = call.expected()?;
    let tenant = member.tenant().id;
    let store = &call.app.store;
    let committed = store.update_extension(&call.actor(), tenant, old.id, change, &expected).await?;
    let reply = Reply::data(StatusCode::OK, written(&call, &committed.value));
    let reply = reply.etag(committed.value.version);
    Ok(call.written(reply, committed).await)
}

pub(super) async fn delete(call: Call, member: Member, old: Extension, (): ()) -> Outcome {
    let expected = call.expected()?;
    let tenant = member.tenant().id;
    let committed = call.app.store.delete_extension(&call.actor(), tenant, old.id, &expected).await?;
    Ok(call.written(Reply::no_content(), committed).await)
}

/// What a write answers with: whoever may write need not be allowed to read, and what was stored before is not theirs.
fn written<'e>(call: &Call, extension: &'e Extension) -> ShownExtension<'e> {
    if gate::readable(call).contains(Permission::ExtensionsView) {
        present::extension(extension)
    } else {
        present::without_secrets(extension)
    }
}
