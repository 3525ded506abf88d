//! `nizamd token create`

use nizam_core::model::Abilities;
use nizam_store::Actor;

use super::print;
use crate::config::Config;
use crate::fatal::Fatal;
use crate::opening;

pub(super) async fn create(config: &Config, email: &str, name: &str) -> Result<(), Fatal> {
    if name.trim().is_empty() || name.chars().count() > 255 || name.chars().any(char::is_control) {
        return Err(Fatal::new("the name of a token has 1 to 255 characters, no control characters"));
    }
    let store = opening::store(config).await?;
    let Some((user, _)) = store.user_by_email(email).await? else {
        return Err(Fatal::new(format!("there is no user {email:?}; `nizamd admin create` makes an admin")));
    };
    let (token, secret) =
        store.create_token(&Actor::default(), user.id, name.trim(), &Abilities::all(), None).await?;
    store.close().await;
    print(&secret.token(token.value.id))
}
