use nizam_core::model::Role;
use nizamd::config::Registration;
use nizamd::publisher::Nobody;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;

use nizamd::http::Bounds;

use crate::support::{Api, Person, answer, is_time};

fn registration(email: &str) -> Value {
    json!({"name": "Ann", "email": email, "password": "correct horse", "password_confirmation": "correct horse"})
}

#[tokio::test]
async fn from_registration_to_logout() {
    let api = Api::new().await;
    let made = api.send(Method::POST, "/auth/register", None, Some(registration("Ann@Example.org"))).await;
    let body = made.is(201).json();
    assert_eq!(body["user"]["email"], "Ann@Example.org");
    assert_eq!(body["user"]["role"], "user");
    assert_eq!(body["user"]["tenant_id"], Value::Null);
    assert!(is_time(&body["user"]["created_at"]));
    assert!(body["user"].get("password").is_none() && body["user"].get("tenant").is_none());
    let token = body["token"].as_str().unwrap();
    let (id, secret) = token.split_once('|').unwrap();
    assert!(id.parse::<i64>().is_ok() && secret.len() == 48);

    let again = api.send(Method::POST, "/auth/register", None, Some(registration("ann@example.ORG"))).await;
    again.names(&["email"]);
    assert_eq!(again.json()["errors"]["email"], json!(["The email has already been taken."]));

    let login = |password: &'static str| {
        let body = json!({"email": "ann@example.org", "password": password});
        api.send(Method::POST, "/auth/login", None, Some(body))
    };
    login("wrong horse").await.says(401, "Invalid credentials.");
    let logged = login("correct horse").await;
    let logged = logged.is(200).json();
    let person =
        Person { id: body["user"]["id"].as_i64().unwrap(), token: logged["token"].as_str().unwrap().into() };
    let body = json!({"email": "nobody@example.org", "password": "correct horse"});
    api.send(Method::POST, "/auth/login", None, Some(body)).await.says(401, "Invalid credentials.");

    let me = api.get("/auth/me", &person).await;
    assert_eq!(me.is(200).json()["user"]["id"], json!(person.id));
    assert_eq!(me.json()["user"]["tenant"], Value::Null);
    api.post("/auth/logout", &person, json!([])).await.is(204);
    api.get("/auth/me", &person).await.says(401, "Unauthenticated.");
    let first = Person { id: person.id, token: token.into() };
    api.get("/auth/me", &first).await.is(200);
}

#[tokio::test]
async fn what_a_registration_lacks_is_named() {
    let api = Api::new().await;
    let post = |path: &'static str, body: Value| api.send(Method::POST, path, None, Some(body));
    post("/auth/register", json!([])).await.names(&["name", "email", "password"]);
    let unconfirmed = json!({"name": "A", "email": "a@b", "password": "12345678"});
    let answer = post("/auth/register", unconfirmed).await;
    answer.names(&["password"]);
    assert_eq!(answer.json()["message"], "The password field confirmation does not match.");
    let short = json!({"name": "A", "email": "no", "password": "short", "password_confirmation": "short"});
    post("/auth/register", short).await.names(&["email", "password"]);
    post("/auth/login", json!({})).await.names(&["email", "password"]);
    post("/auth/login", json!({"email": 7, "password": ["x"]})).await.names(&["email", "password"]);
}

#[tokio::test]
async fn a_closed_registration_is_closed() {
    let api = Api::with(Bounds::requests(0), Registration::Closed, Arc::new(Nobody)).await;
    let answer = api.send(Method::POST, "/auth/register", None, Some(registration("a@example.org"))).await;
    answer.says(403, "Registration is closed.");
    assert!(api.store.user_by_email("a@example.org").await.unwrap().is_none());
}

#[tokio::test]
async fn tokens_of_ones_own() {
    let api = Api::new().await;
    let (person, other) = (api.person(Role::User, None).await, api.person(Role::User, None).await);
    let made = api.post("/auth/tokens", &person, json!({"name": "phone", "abilities": ["read"]})).await;
    let body = made.is(201).json();
    let secret = body["plainTextToken"].as_str().unwrap();
    assert_eq!(body["data"]["abilities"], json!(["read"]));
    assert_eq!(body["data"]["tokenable_type"], "App\\Models\\User");
    assert_eq!(body["data"]["tokenable_id"], json!(person.id));

    let list = api.get("/auth/tokens", &person).await;
    let list = list.is(200).json();
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    assert!(!list.to_string().contains(secret.split_once('|').unwrap().1));

    let id = body["data"]["id"].as_i64().unwrap();
    api.delete(&format!("/auth/tokens/{id}"), &other).await.says(403, "Forbidden.");
    api.delete("/auth/tokens/999999", &other).await.says(403, "Forbidden.");
    api.delete("/auth/tokens/x", &other).await.is(404);
    api.delete(&format!("/auth/tokens/{id}"), &person).await.is(204);
    let gone = Person { id: person.id, token: secret.into() };
    api.get("/auth/me", &gone).await.is(401);
    api.post("/auth/tokens", &person, json!({})).await.names(&["name"]);
    api.post("/auth/tokens", &person, json!({"name": "x", "abilities": "read"})).await.names(&["abilities"]);
    api.post("/auth/tokens", &person, json!({"name": "x", "expires_at": "2001-01-01"}))
        .await
        .names(&["expires_at"]);
    let ends =
        api.post("/auth/tokens", &person, json!({"name": "x", "expires_at": "2999-01-01T00:00:00Z"})).await;
    assert_eq!(ends.is(201).json()["data"]["expires_at"], "2999-01-01T00:00:00.000000Z");
}

#[tokio::test]
async fn abilities_and_ends_are_kept() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "a").await;
    let user = api.person(Role::User, Some(tenant)).await;
    let path = format!("/tenants/{tenant}/extensions");
    let with =
        async |abilities: &[&str]| Person { id: user.id, token: api.token(user.id, abilities, None).await };
    let body = crate::support::extension;

    let read = with(&["read"]).await;
    api.get(&path, &read).await.is(200);
    api.post(&path, &read, body("1")).await.says(403, "This action is unauthorized.");
    let write = with(&["write"]).await;
    api.post(&path, &write, body("1")).await.is(201);
    api.get(&path, &write).await.is(403);
    let slug = with(&["extensions.create"]).await;
    api.post(&path, &slug, body("2")).await.is(201);
    api.get(&path, &slug).await.is(403);
    let nothing = with(&["made-up"]).await;
    api.get("/auth/tokens", &nothing).await.is(403);
    api.get("/auth/me", &nothing).await.is(200);
    api.post("/auth/logout", &nothing, json!({})).await.is(204);

    // Nobody makes a stronger token than the one in hand.
    api.post("/auth/tokens", &write, json!({"name": "x"})).await.is(403);
    api.post("/auth/tokens", &write, json!({"name": "x", "abilities": ["write"]})).await.is(201);
    // What it makes ends with it at the latest.
    let end = jiff::Timestamp::now().as_microsecond() + 3_600_000_000;
    let short = Person { id: user.id, token: api.token(user.id, &["*"], Some(end)).await };
    let made = api.post("/auth/tokens", &short, json!({"name": "x"})).await.is(201).json();
    let made = made["data"]["expires_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(made.as_microsecond(), end);
    let beyond = json!({"name": "x", "expires_at": "2999-01-01"});
    api.post("/auth/tokens", &short, beyond).await.says(403, "This action is unauthorized.");
    // An admin's token is an admin's only as far as it goes.
    let limited = Person { id: admin.id, token: api.token(admin.id, &["extensions.view"], None).await };
    api.get(&path, &limited).await.is(200);
    api.delete(&format!("/tenants/{tenant}"), &limited).await.is(403);

    let over = Person { id: user.id, token: api.token(user.id, &["*"], Some(1)).await };
    api.get("/auth/me", &over).await.says(401, "Unauthenticated.");
}

#[tokio::test]
async fn what_is_no_token_is_none() {
    let api = Api::new().await;
    let person = api.person(Role::User, None).await;
    let (id, secret) = person.token.split_once('|').unwrap();
    for header in [
        String::new(),
        "Bearer".into(),
        "Bearer ".into(),
        format!("Basic {}", person.token),
        format!("Bearer {id}|"),
        format!("Bearer {id}|{}", &secret[..47]),
        format!("Bearer 0|{secret}"),
        format!("Bearer {id}|{secret}x"),
        "Bearer ' OR 1=1 --".into(),
        format!("Bearer {}", "x".repeat(5000)),
    ] {
        let request = api.client.get(api.url("/auth/me")).header("authorization", &header);
        answer(request).await.says(401, "Unauthenticated.");
    }
    let bare = Person { id: person.id, token: secret.to_owned() };
    api.get("/auth/me", &bare).await.is(200);
    let request =
        api.client.get(api.url("/auth/me")).header("authorization", format!("bearer {}", person.token));
    answer(request).await.is(200);
}

#[tokio::test]
async fn the_last_use_is_noted() {
    let api = Api::new().await;
    let person = api.person(Role::User, None).await;
    api.get("/auth/me", &person).await.is(200);
    for _ in 0..500 {
        if api.store.tokens(person.id).await.unwrap()[0].last_used_at.is_some() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the last use is not noted");
}

#[tokio::test]
async fn a_key_of_a_request_that_needs_no_token_means_nothing() {
    let api = Api::new().await;
    let admin = api.admin().await;
    for name in ["first", "second"] {
        let email = format!("{name}@example.org");
        let body = json!({"name": name, "email": email, "password": "password1", "password_confirmation": "password1"});
        let request = api.client.post(api.url("/auth/register")).bearer_auth(&admin.token);
        answer(request.header("idempotency-key", "one").json(&body)).await.is(201);
    }
}
