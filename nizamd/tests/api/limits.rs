use std::sync::Arc;

use nizam_core::model::Role;
use nizamd::config::Registration;
use nizamd::publisher::Nobody;
use reqwest::Method;
use serde_json::json;

use nizamd::http::Bounds;

use crate::support::Api;

#[tokio::test]
async fn requests_of_a_user_are_counted() {
    let api = Api::with(Bounds::requests(3), Registration::Open, Arc::new(Nobody)).await;
    let (one, two) = (api.person(Role::User, None).await, api.person(Role::User, None).await);
    for left in ["2", "1", "0"] {
        let answer = api.get("/auth/me", &one).await;
        assert_eq!(answer.is(200).header("x-ratelimit-limit"), "3");
        assert_eq!(answer.header("x-ratelimit-remaining"), left);
    }
    let answer = api.get("/auth/me", &one).await;
    answer.says(429, "Too Many Attempts.");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait));
    let reset: i64 = answer.header("x-ratelimit-reset").parse().unwrap();
    let now = jiff::Timestamp::now().as_second();
    assert!((now..=now + 61).contains(&reset));
    // Another user has a window of its own; health has none; headers are everywhere.
    api.get("/auth/me", &two).await.is(200);
    for _ in 0..5 {
        let health = api.send(Method::GET, "/health", None, None).await;
        assert_eq!((health.status.as_u16(), health.header("x-ratelimit-limit")), (200, "3"));
    }
    assert_eq!(api.get("/nothing", &one).await.is(404).header("x-ratelimit-limit"), "3");
    assert_eq!(api.send(Method::GET, "/auth/me", None, None).await.is(401).header("x-ratelimit-limit"), "3");
}

#[tokio::test]
async fn logins_and_registrations_share_five_a_minute() {
    let api = Api::with(Bounds::requests(1000), Registration::Open, Arc::new(Nobody)).await;
    for i in 0..5 {
        let path = if i % 2 == 0 { "/auth/login" } else { "/auth/register" };
        let answer = api.send(Method::POST, path, None, Some(json!({}))).await;
        assert_eq!(answer.is(422).header("x-ratelimit-limit"), "5");
    }
    api.send(Method::POST, "/auth/login", None, Some(json!({}))).await.says(429, "Too Many Attempts.");
    let person = api.person(Role::User, None).await;
    api.get("/auth/me", &person).await.is(200);
}

#[tokio::test]
async fn wrong_tokens_are_five_a_minute() {
    let api = Api::with(Bounds::requests(1000), Registration::Open, Arc::new(Nobody)).await;
    let person = api.person(Role::User, None).await;
    for _ in 0..5 {
        api.send(Method::GET, "/auth/me", Some("1|wrong"), None).await.is(401);
    }
    let answer = api.send(Method::GET, "/auth/me", Some("1|wrong"), None).await;
    answer.says(429, "Too Many Attempts.");
    assert_eq!(answer.header("x-ratelimit-limit"), "5");
    // Somebody else behind the same address is not shut out, and no token is not a wrong one.
    api.get("/auth/me", &person).await.is(200);
    api.send(Method::GET, "/auth/me", None, None).await.is(401);
}

#[tokio::test]
async fn zero_is_no_limit() {
    let api = Api::with(Bounds::requests(0), Registration::Open, Arc::new(Nobody)).await;
    for _ in 0..20 {
        let answer = api.send(Method::POST, "/auth/login", None, Some(json!({}))).await;
        assert_eq!(answer.is(422).header("x-ratelimit-limit"), "");
        api.send(Method::GET, "/auth/me", Some("1|wrong"), None).await.is(401);
    }
}
