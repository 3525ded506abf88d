use nizam_core::model::{Abilities, NewUser, Permission, PermissionSet, Role};
use nizam_store::{Expected, Presented, Query, StoreError};

use crate::support::{Fixture, actor};

#[tokio::test]
async fn an_address_is_unique_in_any_case() {
    let fixture = Fixture::new().await;
    fixture.user("a@example.org", None).await;
    let new = NewUser {
        name: "B".into(),
        email: "A@Example.org".into(),
        password_hash: String::new(),
        role: Role::Admin,
        tenant_id: None,
    };
    match fixture.store.create_user(&actor(), new).await.unwrap_err() {
        StoreError::Invalid(errors) => assert_eq!(errors.message(), "The email has already been taken."),
        other => panic!("{other}"),
    }
    let (user, hash) = fixture.store.user_by_email("A@EXAMPLE.ORG").await.unwrap().unwrap();
    assert_eq!((user.email.as_str(), hash.as_str()), ("a@example.org", "$argon2id$"));
    assert_eq!(fixture.store.generation().await.unwrap(), 0, "no switch cares about users");
}

#[tokio::test]
async fn a_token_is_good_until_it_is_over_or_gone() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let user = fixture.user("a@example.org", None).await;
    let (made, secret) = store.create_token(&actor(), user.id, "t", &Abilities::all(), None).await.unwrap();
    let token = secret.token(made.value.id);
    let authentic = store.authenticate(&Presented::parse(&token).unwrap()).await.unwrap().unwrap();
    assert_eq!((&authentic.user, &authentic.token), (&user, &made.value));

    let bare = token.split_once('|').unwrap().1;
    assert!(store.authenticate(&Presented::parse(bare).unwrap()).await.unwrap().is_some(), "found by hash");
    let flip = if token.ends_with('0') { "1" } else { "0" };
    let wrong = format!("{}{flip}", &token[..token.len() - 1]);
    let other_id = format!("{}|{bare}", made.value.id + 1);
    for text in [wrong.as_str(), other_id.as_str(), "nonsense", "1|x", "-1|x"] {
        assert!(store.authenticate(&Presented::parse(text).unwrap()).await.unwrap().is_none(), "{text}");
    }
    for text in ["", "|", "1|", "x|y", "99999999999999999999|x", &"x".repeat(256)] {
        assert!(Presented::parse(text).is_none(), "{text}");
    }

    store.touch_token(made.value.id).await.unwrap();
    assert!(store.tokens(user.id).await.unwrap()[0].last_used_at.is_some());
    assert!(
        !store.delete_token(&actor(), user.id + 1, made.value.id).await.unwrap().value,
        "of another user"
    );
    assert!(store.delete_token(&actor(), user.id, made.value.id).await.unwrap().value);
    assert!(store.authenticate(&Presented::parse(&token).unwrap()).await.unwrap().is_none());

    let (over, secret) =
        store.create_token(&actor(), user.id, "t", &Abilities::all(), Some(1)).await.unwrap();
    let token = secret.token(over.value.id);
    assert!(store.authenticate(&Presented::parse(&token).unwrap()).await.unwrap().is_none());
}

#[tokio::test]
async fn revoking_the_last_grant_leaves_nothing() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let user = fixture.user("a@example.org", None).await;
    let (made, secret) = store.create_token(&actor(), user.id, "t", &Abilities::all(), None).await.unwrap();
    let token = secret.token(made.value.id);
    let may = async || {
        let who = store.authenticate(&Presented::parse(&token).unwrap()).await.unwrap().unwrap();
        (who.user.may(Permission::DidsView, who.granted), who.user.may(Permission::DidsDelete, who.granted))
    };
    assert_eq!(may().await, (true, true));
    let set: PermissionSet = [Permission::DidsView].into_iter().collect();
    for _ in 0..2 {
        store.grant(&actor(), user.id, set).await.unwrap();
        assert_eq!(may().await, (true, false));
    }
    store.revoke(&actor(), user.id, set).await.unwrap();
    assert_eq!(may().await, (false, false));
    assert!(matches!(store.grant(&actor(), 99, set).await.unwrap_err(), StoreError::NotFound));
}

#[tokio::test]
async fn users_outlive_their_tenant() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("a.example").await;
    let user = fixture.user("a@example.org", Some(tenant.id)).await;
    fixture.store.delete_tenant(&actor(), tenant.id, &Expected::Anything).await.unwrap();
    assert_eq!(fixture.store.user(user.id).await.unwrap().unwrap().tenant_id, None);
    assert_eq!(fixture.store.tenants(None, &Query::default()).await.unwrap().total, 0);
}
