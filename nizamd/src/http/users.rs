//! Users and what they may do.

use nizam_core::model::{NewUser, Permission, PermissionSet, Tenant, User, UserChange};
use nizam_core::resource::USER_LIST;
use nizam_core::validate::{Errors, UserChangeFields, UserFields};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::Call;
use super::gate::{Admin, Caller};
use super::reply::{Outcome, Reply};
use super::{paginate, present};

pub(super) async fn list(call: Call, _: Admin, (): ()) -> Outcome {
    let query = paginate::query(&call.input, USER_LIST);
    let tenant = call.input.query_text("tenant_id").map(|text| {
        // The hyphenated form only, as in a path.
        let id = Some(text).filter(|text| text.len() == 36).and_then(|text| Uuid::try_parse(text).ok());
        id.ok_or_else(|| Errors::one("tenant_id", "The tenant id field must be a valid UUID."))
    });
    let (query, tenant) = both(query, tenant.transpose())?;
    let listed = call.app.store.users(tenant, &query).await?;
    let mut rows = Vec::with_capacity(listed.rows.len());
    for user in &listed.rows {
        rows.push(with_tenant(&call, user).await?);
    }
    let listed = nizam_store::Listed { rows, total: listed.total };
    Ok(paginate::reply(&call.request, query.page, &listed, |row: &Value| row.clone()))
}

/// Both, or all that is wrong with either.
fn both<A, B>(one: Result<A, Errors>, other: Result<B, Errors>) -> Result<(A, B), Errors> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => {
            let mut errors = one.err().unwrap_or_default();
            errors.append(other.err().unwrap_or_default());
            Err(errors)
        }
    }
}

pub(super) async fn create(call: Call, _: Admin, new: UserFields) -> Outcome {
    let password_hash = call.app.passwords.hash(new.password).await?;
    let new =
        NewUser { name: new.name, email: new.email, password_hash, role: new.role, tenant_id: new.tenant_id };
    let committed = call.app.store.create_user(&call.actor(), new).await?;
    let reply = Reply::created(&present::user(&committed.value)).etag(committed.value.version);
    Ok(call.written(reply, committed).await)
}

pub(super) async fn show(call: Call, _: Caller, user: User) -> Outcome {
    let body = json!({"data": with_tenant(&call, &user).await?});
    // Never 304: the tenant beside the user changes without it.
    Ok(Reply::ok(&body).etag(user.version))
}

pub(super) async fn update(call: Call, _: Admin, user: User, fields: UserChangeFields) -> Outcome {
    let expected = call.expected()?;
    let password_hash = match fields.password {
        Some(password) => Some(call.app.passwords.hash(password).await?),
        None => None,
    };
    let change = UserChange {
        name: fields.name,
        email: fields.email,
        password_hash,
        role: fields.role,
        tenant_id: fields.tenant_id,
    };
    let committed = call.app.store.update_user(&call.actor(), user.id, change, &expected).await?;
    let body = json!({"data": with_tenant(&call, &committed.value).await?});
    let reply = Reply::ok(&body).etag(committed.value.version);
    Ok(call.written(reply, committed).await)
}

pub(super) async fn delete(call: Call, _: Admin, user: User, (): ()) -> Outcome {
    let expected = call.expected()?;
    let committed = call.app.store.delete_user(&call.actor(), user.id, &expected).await?;
    Ok(call.written(Reply::no_content(), committed).await)
}

pub(super) async fn granted(call: Call, _: Caller, user: User) -> Outcome {
    let granted = call.app.store.granted(user.id).await?;
    Ok(Reply::ok(&json!({"permissions": slugs(granted)})))
}

pub(super) async fn grant(call: Call, _: Admin, user: User, set: PermissionSet) -> Outcome {
    let committed = call.app.store.grant(&call.actor(), user.id, set).await?;
    let body = json!({"message": "Permissions granted.", "permissions": slugs(committed.value)});
    Ok(call.written(Reply::ok(&body), committed).await)
}

pub(super) async fn revoke(call: Call, _: Admin, user: User, set: PermissionSet) -> Outcome {
    let committed = call.app.store.revoke(&call.actor(), user.id, set).await?;
    let body = json!({"message": "Permissions revoked.", "permissions": slugs(committed.value)});
    Ok(call.written(Reply::ok(&body), committed).await)
}

/// Every permission, by module and name.
pub(super) fn permissions() -> Reply {
    let mut all: Vec<Permission> = Permission::ALL.to_vec();
    all.sort_by_key(|permission| (permission.module(), permission.slug()));
    let row = |permission: Permission| json!({"slug": permission.slug(), "description": permission.description(), "module": permission.module()});
    Reply::ok(&json!({"permissions": all.into_iter().map(row).collect::<Vec<_>>()}))
}

fn slugs(set: PermissionSet) -> Vec<&'static str> {
    let mut slugs: Vec<&str> = set.iter().map(Permission::slug).collect();
    slugs.sort_unstable();
    slugs
}

/// The user with the tenant, or null for none.
async fn with_tenant(call: &Call, user: &User) -> Result<Value, super::failure::Failure> {
    let tenant: Option<Tenant> = match user.tenant_id {
        Some(id) => call.app.store.tenant(id).await?,
        None => None,
    };
    let mut body = present::user(user);
    if let Some(map) = body.as_object_mut() {
        map.insert("tenant".to_owned(), tenant.as_ref().map_or(Value::Null, present::tenant));
    }
    Ok(body)
}
