//! What can be done with a webhook: its secret is changed, it is tried out, and told of what was before.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nizam_core::model::Role;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::redispatch::{Got, event, receiver, some_attempts, webhook};
use crate::support::{Api, is_time};

const YES: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nthank";

/// The headers and the body of what a receiver got by its number, from 0.
async fn got(got: &Got, index: usize) -> (Vec<(String, String)>, Value) {
    for _ in 0..1200 {
        if let Some((head, body)) = got.lock().get(index) {
            let headers = head.lines().filter_map(|line| line.split_once(": "));
            let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
            return (headers, serde_json::from_slice(body).unwrap());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nobody was told")
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> &'h str {
    headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

#[tokio::test]
async fn a_webhook_is_tried_out_with_both_secrets_while_one_is_changed() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "ours").await.to_string();
    let (port, received) = receiver(YES).await;
    let body = json!({"url": format!("http://127.0.0.1:{port}/"), "events": ["call.created"]});
    let (id, secret) = webhook(&api, &admin, &tenant, body).await;
    let one = format!("/tenants/{tenant}/webhooks/{id}");

    let came = api.post(&format!("{one}/test"), &admin, json!([])).await.is(200).json()["data"].clone();
    assert_eq!(
        (&came["success"], &came["response_status"], &came["response_body"]),
        (&json!(true), &json!(200), &json!("thank"))
    );
    let (headers, body) = got(&received, 0).await;
    assert_eq!((header(&headers, "x-nizam-event"), &body["event"]), ("webhook.test", &json!("webhook.test")));
    assert_eq!(
        (header(&headers, "webhook-id"), &body["id"]),
        (came["event_id"].as_str().unwrap(), &came["event_id"])
    );
    assert_eq!(header(&headers, "webhook-timestamp"), header(&headers, "x-nizam-timestamp"));
    assert!(
        !header(&headers, "webhook-signature").contains(' ')
            && header(&headers, "x-nizam-signature-previous").is_empty()
    );
    let noted = some_attempts(&api, &admin, &tenant, &id, 1).await;
    assert_eq!((&noted[0]["event_type"], &noted[0]["event_id"]), (&json!("webhook.test"), &came["event_id"]));
    assert_eq!((&noted[0]["response_body"], noted[0]["latency_ms"].is_number()), (&json!("thank"), true));

    let rotate = format!("{one}/rotate-secret");
    api.post(&rotate, &admin, json!({"secret": "short", "overlap_seconds": 604_801}))
        .await
        .names(&["secret", "overlap_seconds"]);
    let rotated = api.post(&rotate, &admin, json!([])).await.is(200).json();
    let new = rotated["secret"].as_str().unwrap();
    assert!(new.len() == 32 && new != secret);
    assert!(is_time(&rotated["data"]["previous_secret_until"]));
    assert!(rotated["data"].get("previous_secret").is_none() && rotated["data"].get("secret").is_none());
    api.post(&format!("{one}/test"), &admin, json!([])).await.is(200);
    let (headers, _) = got(&received, 1).await;
    assert_eq!(header(&headers, "webhook-signature").split(' ').count(), 2);
    assert_eq!(header(&headers, "x-nizam-signature-previous").len(), 64);

    // A secret that is set is the only one.
    api.put(&one, &admin, json!({"secret": "a secret that leaked"})).await.is(200);
    let shown = api.get(&one, &admin).await.is(200).json();
    assert_eq!(shown["data"]["previous_secret_until"], Value::Null);
    api.post(&format!("{one}/test"), &admin, json!([])).await.is(200);
    assert!(header(&got(&received, 2).await.0, "x-nizam-signature-previous").is_empty());
    let own = json!({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "overlap_seconds": 0});
    let rotated = api.post(&rotate, &admin, own).await.is(200).json();
    assert_eq!(rotated["data"]["previous_secret_until"], Value::Null);

    let trail = api.get(&format!("/tenants/{tenant}/audit-logs?per_page=100"), &admin).await.text;
    assert!([&*secret, new, "leaked", "MfKQ9r8"].iter().all(|secret| !trail.contains(secret)), "{trail}");

    // A receiver that nobody can reach.
    api.put(&one, &admin, json!({"url": "http://nowhere.invalid/"})).await.is(200);
    let came = api.post(&format!("{one}/test"), &admin, json!([])).await.is(200).json()["data"].clone();
    assert_eq!((&came["success"], &came["response_status"]), (&json!(false), &Value::Null));
    assert!(came["error_message"].as_str().unwrap().contains("nowhere.invalid"));
}

#[tokio::test]
async fn what_was_before_is_told_once_more() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "ours").await.to_string();
    let event = event(&api).await;
    let (port, received) = receiver(YES).await;
    let body = json!({"url": format!("http://127.0.0.1:{port}/"), "events": ["call.started"], "format": "cloudevents"});
    let (id, _) = webhook(&api, &admin, &tenant, body).await;
    let one = format!("/tenants/{tenant}/webhooks/{id}");
    let ask = async |what: &str, body: Value| api.post(&format!("{one}/{what}"), &admin, body).await;

    let told = ask("redeliver", json!({"event_id": event.id})).await.is(200).json();
    assert_eq!(told["data"], json!({"deliveries": 1, "next_from": null}));
    let (headers, body) = got(&received, 0).await;
    assert_eq!(header(&headers, "content-type"), "application/cloudevents+json");
    assert_eq!(
        (&body["type"], &body["id"], &body["data"]),
        (&json!("io.nizam.call.started"), &json!(event.id), &event.payload)
    );
    let noted = some_attempts(&api, &admin, &tenant, &id, 1).await;
    assert_eq!(noted[0]["event_id"], json!(event.id));

    // By the id of an attempt; by the time; and what failed, which nothing did.
    ask("redeliver", json!({"event_id": noted[0]["id"]})).await.is(200);
    assert_eq!(got(&received, 1).await.1["id"], json!(event.id));
    some_attempts(&api, &admin, &tenant, &id, 2).await;
    let told = ask("redrive", json!({"from": "1970-01-01"})).await.is(200).json();
    assert_eq!(told["data"], json!({"deliveries": 1, "next_from": null}));
    assert_eq!(got(&received, 2).await.1["id"], json!(event.id));
    some_attempts(&api, &admin, &tenant, &id, 3).await;
    for body in [
        json!({"from": "1970-01-01", "only_failed": true}),
        json!({"from": "1970-01-01", "to": "1970-01-02"}),
        json!({"from": "2036-01-01"}),
    ] {
        assert_eq!(ask("redrive", body).await.is(200).json()["data"]["deliveries"], 0);
    }
    api.put(&one, &admin, json!({"url": "http://nowhere.invalid/"})).await.is(200);
    ask("redeliver", json!({"event_id": event.id})).await.is(200);
    some_attempts(&api, &admin, &tenant, &id, 4).await;

    ask("redrive", json!({"from": "soon", "to": "later"})).await.names(&["from", "to"]);
    ask("redrive", json!({})).await.names(&["from"]);
    ask("redrive", json!({"from": "2026-01-02", "to": "2026-01-01"})).await.names(&["to"]);
    ask("redeliver", json!({"event_id": "x"})).await.names(&["event_id"]);
    ask("redeliver", json!({"event_id": id})).await.names(&["event_id"]);
    // Not another tenant's.
    let theirs = api.tenant(&admin, "theirs").await;
    let member = api.person(Role::User, Some(theirs)).await;
    let body = json!({"url": format!("http://127.0.0.1:{port}/"), "events": ["call.started"]});
    let (other, _) = webhook(&api, &member, &theirs.to_string(), body).await;
    let path = format!("/tenants/{theirs}/webhooks/{other}/redeliver");
    api.post(&path, &member, json!({"event_id": event.id})).await.names(&["event_id"]);
    let path = format!("/tenants/{theirs}/webhooks/{id}/redeliver");
    api.post(&path, &member, json!({"event_id": event.id})).await.is(404);
    api.put(&one, &admin, json!({"is_active": false})).await.is(200);
    ask("redeliver", json!({"event_id": event.id})).await.is(409);
    ask("redrive", json!({"from": "1970-01-01"})).await.is(409);
}

#[tokio::test]
async fn a_url_that_may_not_be_reached_is_refused_when_it_is_saved() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "ours").await.to_string();
    let hooks = format!("/tenants/{tenant}/webhooks");
    let to = |url: &str| json!({"url": url, "events": ["call.created"]});
    for url in [
        "file:///etc/passwd",
        "nonsense",
        "http://10.1",
        "http://[::ffff:10.0.0.1]",
        "http://167772161",
        "http://example.org@10.0.0.1/",
        "http://0x0a000001/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:8080/",
        "http://0/",
        "http://[fd00::1]/",
        "http://example.org:99999/",
    ] {
        api.post(&hooks, &admin, to(url)).await.names(&["url"]);
    }
    let refused = api.post(&hooks, &admin, to("http://167772161/")).await.json();
    let want = "The url field must be a URL that a webhook may reach: 10.0.0.1 is a private address, which no webhook may reach \
                (webhook_networks).";
    assert_eq!(refused["errors"]["url"][0], want);
    // What the operator allows, and names, which are looked up at each attempt.
    for url in ["http://127.1:8080/", "http://localhost/", "https://hooks.example.org/x", "https://8.8.8.8/"]
    {
        let made = api.post(&hooks, &admin, to(url)).await.is(201).json();
        let one = format!("{hooks}/{}", made["data"]["id"].as_str().unwrap());
        api.put(&one, &admin, json!({"url": "http://192.168.1.1/"})).await.names(&["url"]);
    }
    let mapping = json!({"url": "https://8.8.8.8/", "events": ["call.created"], "mapping": {"a": "b c"}, "format": "xml"});
    api.post(&hooks, &admin, mapping).await.names(&["mapping.a", "format"]);
}

/// A receiver that says for two seconds that it goes on, and nothing else; its port.
fn interim() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let (mut stream, began) = (stream.unwrap(), Instant::now());
                let more = "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
                while began.elapsed() < Duration::from_secs(2) && stream.write_all(more.as_bytes()).is_ok() {}
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_tried_out_keeps_nobody_else_waiting() {
    let api = Arc::new(Api::new().await);
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "ours").await.to_string();
    let port = interim();
    let mut tests = JoinSet::new();
    for _ in 0..4 {
        let body = json!({"url": format!("http://127.0.0.1:{port}/"), "events": ["call.created"]});
        let (id, _) = webhook(&api, &admin, &tenant, body).await;
        let (api, admin) = (Arc::clone(&api), api.admin().await);
        let test = format!("/tenants/{tenant}/webhooks/{id}/test");
        tests.spawn(async move {
            api.post(&test, &admin, json!([])).await.is(200).json()["data"]["success"].clone()
        });
    }
    let mut times = Vec::new();
    while times.len() < 15 {
        let began = Instant::now();
        api.get("/auth/me", &admin).await.is(200);
        times.push(began.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times.sort();
    println!("while receivers say nothing but 100: median {:?}, longest {:?}", times[7], times[14]);
    assert!(times[14] < Duration::from_secs(1), "{times:?}");
    while let Some(success) = tests.join_next().await {
        assert_eq!(success.unwrap(), json!(false));
    }
}
