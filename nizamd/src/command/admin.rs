//! `nizamd admin create`

use nizam_core::model::{Abilities, NewUser, Role};
use nizam_core::validate::{Fields, Input, registration};
use nizam_store::Actor;
use serde_json::json;

use super::print;
use crate::config::Config;
use crate::fatal::Fatal;
use crate::opening;
use crate::password::Passwords;

pub(super) async fn create(
    config: &Config,
    email: String,
    password: String,
    name: String,
) -> Result<(), Fatal> {
    // The same rules as for those who register.
    let body = json!({"name": name, "email": email, "password": password, "password_confirmation": password});
    let input = Input::json(body.to_string().as_bytes()).map_err(|e| Fatal::new(e.to_string()))?;
    let new = registration(&mut Fields::new(&input)).map_err(|errors| Fatal::new(errors.message()))?;
    let store = opening::store(config).await?;
    let password_hash =
        Passwords::default().hash(new.password).await.map_err(|error| Fatal::new(error.to_string()))?;
    let new = NewUser { name: new.name, email: new.email, password_hash, role: Role::Admin, tenant_id: None };
    let actor = Actor::default();
    let user = store.create_user(&actor, new).await?.value;
    let (token, secret) =
        store.create_token(&actor, user.id, "admin create", &Abilities::all(), None).await?;
    store.close().await;
    print(&secret.token(token.value.id))
}
