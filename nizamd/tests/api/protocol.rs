use nizam_core::model::Role;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Api, answer};

#[tokio::test]
async fn unknown_paths_and_methods() {
    let api = Api::new().await;
    let nothing = api.send(Method::GET, "/nothing", None, None).await;
    nothing.says(404, "The route api/v1/nothing could not be found.");
    for path in ["//", "//api", "//x/health", "//api/v2/health", "//api/v1/tenants/x/y/z"] {
        api.send(Method::GET, path, None, None).await.is(404);
    }
    let wrong = api.send(Method::DELETE, "/tenants", None, None).await;
    wrong.says(
        405,
        "The DELETE method is not supported for route api/v1/tenants. Supported methods: GET, HEAD, POST.",
    );
    assert_eq!(wrong.header("allow"), "GET, HEAD, POST");
    let patch = api.send(Method::PATCH, "/health", None, None).await;
    assert_eq!(patch.is(405).header("allow"), "GET, HEAD");
    let odd = Method::from_bytes(b"BREW").unwrap();
    assert_eq!(
        api.send(odd, "/tenants/x", None, None).await.is(405).header("allow"),
        "GET, HEAD, PUT, PATCH, DELETE"
    );
}

#[tokio::test]
async fn both_bases_answer() {
    let api = Api::new().await;
    let person = api.person(Role::User, None).await;
    for path in ["//api/health", "//api/v1/health", "//api/v1/health/", "//api/auth/me"] {
        api.get(path, &person).await.is(200);
    }
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let api = Api::new().await;
    let person = api.person(Role::User, None).await;
    for path in ["/health", "/auth/me", "/tenants"] {
        let get = api.get(path, &person).await;
        let head = api.send(Method::HEAD, path, Some(&person.token), None).await;
        assert_eq!((head.is(200).text.as_str(), head.header("content-type")), ("", "application/json"));
        assert_eq!(head.header("content-length"), get.text.len().to_string(), "{path}");
    }
    assert_eq!(api.send(Method::HEAD, "/auth/me", None, None).await.is(401).text, "");
    api.send(Method::HEAD, "/auth/login", None, None).await.is(405);
}

#[tokio::test]
async fn browsers_of_any_origin_may_ask() {
    let api = Api::new().await;
    let request = api
        .client
        .request(Method::OPTIONS, api.url("/auth/me"))
        .header("origin", "https://console.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization");
    let preflight = answer(request).await;
    assert_eq!(preflight.is(204).header("access-control-allow-origin"), "*");
    assert!(preflight.header("access-control-allow-headers").contains("Authorization"));
    assert!(preflight.header("access-control-allow-methods").contains("PATCH"));
    assert_eq!(preflight.header("access-control-allow-credentials"), "");
    let plain = api.send(Method::GET, "/auth/me", None, None).await;
    assert_eq!(plain.is(401).header("access-control-allow-origin"), "*");
    for name in ["X-Nizam-Generation", "ETag", "Idempotency-Replayed", "Content-Disposition", "Retry-After"] {
        let exposed = plain.header("access-control-expose-headers");
        assert!(exposed.split(',').any(|exposed| exposed.trim() == name), "{name}: {exposed}");
    }
    api.send(Method::OPTIONS, "/nothing", None, None).await.is(404);
}

#[tokio::test]
async fn requests_have_names() {
    let api = Api::new().await;
    let named = answer(api.client.get(api.url("/health")).header("x-request-id", "abc-123")).await;
    assert_eq!(named.header("x-request-id"), "abc-123");
    let odd = answer(api.client.get(api.url("/health")).header("x-request-id", "a b<script>")).await;
    assert_eq!(odd.header("x-request-id").len(), 36);
    let unnamed = api.send(Method::GET, "/nothing", None, None).await;
    assert_eq!(unnamed.header("x-request-id").len(), 36);
    assert_eq!(unnamed.header("cache-control"), "no-store");
}

#[tokio::test]
async fn what_an_operation_does_not_know_is_said() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let body = json!({"name": "n", "domain": "a.example", "settings": {"x": 1}, "odd name\r\n": 1});
    let made = api.post("/tenants", &admin, body).await;
    assert_eq!(made.is(201).header("x-nizam-ignored-fields"), "odd%20name%0D%0A, settings");
    assert_eq!(made.json()["data"]["settings"], json!([]));
    let tenant = made.json()["data"]["id"].as_str().unwrap().to_owned();
    let mut row = crate::support::extension("1001");
    row["voicemail_pinn"] = json!("4711");
    let rows = json!({"extensions": [row]});
    let bulk = api.post(&format!("/tenants/{tenant}/extensions/bulk"), &admin, rows).await;
    assert_eq!(bulk.is(201).header("x-nizam-ignored-fields"), "extensions.*.voicemail_pinn");
    // Also beside errors; a query is not a body.
    let wrong = api.post("/tenants?page=1", &admin, json!({"colour": 1})).await;
    assert_eq!(wrong.is(422).header("x-nizam-ignored-fields"), "colour");
}

#[tokio::test]
async fn query_and_body_are_one() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let made = api.post("/tenants?domain=query.example&name=query", &admin, json!({"name": "body"})).await;
    let data = made.is(201).json()["data"].clone();
    assert_eq!((&data["name"], &data["domain"]), (&json!("body"), &json!("query.example")));
}

#[tokio::test]
async fn a_get_with_a_body_is_a_get() {
    let api = Api::new().await;
    let person = api.person(Role::User, None).await;
    for body in ["[]", "{\"page\":2}", "nonsense"] {
        let request = api.client.get(api.url("/tenants")).bearer_auth(&person.token);
        let request = request.header("content-type", "application/json").body(body);
        assert_eq!(answer(request).await.is(200).json()["meta"]["current_page"], 1);
    }
    let request = api.client.post(api.url("/auth/logout")).bearer_auth(&person.token);
    answer(request.header("content-type", "application/json").body("[]")).await.is(204);
}

#[tokio::test]
async fn the_table_and_the_server_agree() {
    let api = Api::new().await;
    for route in nizamd::http::routes() {
        let path = route.path.replace("{tenant}", "x").replace("{extension}", "x").replace("{token}", "x");
        let found = api.send(route.method.as_str().parse().unwrap(), &path, None, Some(json!({}))).await;
        let public = route.gate == nizamd::http::Gate::Public;
        assert_eq!(found.status.as_u16() == 401, !public, "{} {found:?}", route.id);
    }
}

#[tokio::test]
async fn a_request_without_a_path_is_answered() {
    let api = Api::new().await;
    let address = api.base.strip_prefix("http://").unwrap();
    for line in ["CONNECT example.org:443 HTTP/1.1", "OPTIONS * HTTP/1.1", "GET http://example.org HTTP/1.1"]
    {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("{line}\r\nHost: example.org\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 "), "{line}: {answer:?}");
        assert!(answer.contains("could not be found"), "{line}: {answer:?}");
    }
}
