//! Registration, login, logout, and who one is.

use nizam_core::model::{Abilities, NewUser, Role, User};
use nizam_core::validate::{Login, Registration as NewRegistration};
use serde_json::{Value, json};
use warp::http::StatusCode;

use super::call::Call;
use super::failure::Failure;
use super::gate::Caller;
use super::present;
use super::reply::{Outcome, Reply};
use crate::config::Registration;

/// Name of the token that registration and login make.
const TOKEN: &str = "auth-token";

pub(super) async fn register(call: Call, new: NewRegistration) -> Outcome {
    if call.app.registration == Registration::Closed {
        return Err(Failure::Answer(StatusCode::FORBIDDEN, "Registration is closed.".to_owned()));
    }
    let password_hash = call.app.passwords.hash(new.password).await?;
    let new = NewUser { name: new.name, email: new.email, password_hash, role: Role::User, tenant_id: None };
    let user = call.app.store.create_user(&call.actor(), new).await?.value;
    Ok(Reply::created(&signed_in(&call, &user).await?))
}

pub(super) async fn login(call: Call, login: Login) -> Outcome {
    let found = call.app.store.user_by_email(&login.email).await?;
    let (user, hash) = found.map_or((None, None), |(user, hash)| (Some(user), Some(hash)));
    let good = call.app.passwords.verify(login.password, hash).await?;
    match user {
        Some(user) if good => Ok(Reply::ok(&signed_in(&call, &user).await?)),
        _ => Err(Failure::Answer(StatusCode::UNAUTHORIZED, "Invalid credentials.".to_owned())),
    }
}

pub(super) async fn logout(call: Call, caller: Caller) -> Outcome {
    let who = caller.who();
    let committed = call.app.store.delete_token(&call.actor(), who.user.id, who.token.id).await?;
    Ok(call.written(Reply::no_content(), committed).await)
}

pub(super) async fn me(call: Call, caller: Caller) -> Outcome {
    let who = caller.who();
    let tenant = match who.user.tenant_id {
        Some(id) => call.app.store.tenant(id).await?,
        None => None,
    };
    let mut user = present::user(&who.user);
    if let Some(map) = user.as_object_mut() {
        map.insert("tenant".to_owned(), tenant.as_ref().map_or(Value::Null, present::tenant));
    }
    Ok(Reply::ok(&json!({"user": user})))
}

async fn signed_in(call: &Call, user: &User) -> Result<Value, Failure> {
    let made = call.app.store.create_token(&call.actor(), user.id, TOKEN, &Abilities::all(), None).await?;
    let (token, secret) = made;
    Ok(json!({"user": present::user(user), "token": secret.token(token.value.id)}))
}
