//! An event that webhooks are told once more: signed, to those of the tenant that want it, and never into networks of the operator.

use std::sync::Arc;
use std::time::Duration;

use nizam_core::model::{CallEvent, Role};
use nizam_core::resource::{Purpose, WEBHOOK};
use nizam_core::validate::{Fields, Input};
use nizam_store::{Actor, Origin};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::call_records::told;
use crate::support::{Api, Person, is_time};

const NO: &str = "HTTP/1.1 503 Later\r\ncontent-length: 0\r\n\r\n";
pub(crate) const YES: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// What a receiver got: the head, the body.
pub(crate) type Got = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A receiver that answers everything with these bytes.
pub(crate) async fn receiver(answer: &'static str) -> (u16, Got) {
    receiver_of([answer]).await
}

/// One that answers first with these bytes, then with those, and with the last from then on.
async fn receiver_of(answers: impl Into<Vec<&'static str>>) -> (u16, Got) {
    let mut answers = answers.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, got) = (listener.local_addr().unwrap().port(), Got::default());
    let kept = Arc::clone(&got);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let got = Arc::clone(&kept);
            let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0] };
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                loop {
                    stream.read_buf(&mut bytes).await.unwrap();
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length = head
                        .lines()
                        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
                    if body.len() >= length.unwrap_or(0_usize) {
                        got.lock().push((head.to_owned(), body.as_bytes().to_vec()));
                        break;
                    }
                }
                stream.write_all(answer.as_bytes()).await.unwrap();
            });
        }
    });
    (port, got)
}

pub(crate) async fn webhook(api: &Api, who: &Person, tenant: &str, body: Value) -> (String, String) {
    let made = api.post(&format!("/tenants/{tenant}/webhooks"), who, body).await.is(201).json();
    (made["data"]["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap_or_default().to_owned())
}

async fn attempts(api: &Api, who: &Person, tenant: &str, webhook: &str) -> Vec<Value> {
    some_attempts(api, who, tenant, webhook, 1).await
}

/// So many attempts, the newest first; fewer, if there are not so many after a minute.
pub(crate) async fn some_attempts(
    api: &Api,
    who: &Person,
    tenant: &str,
    webhook: &str,
    least: usize,
) -> Vec<Value> {
    let mut found = Vec::new();
    for _ in 0..1200 {
        let path = format!("/tenants/{tenant}/webhooks/{webhook}/delivery-attempts");
        found.clone_from(api.get(&path, who).await.is(200).json()["data"].as_array().unwrap());
        if found.len() >= least {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    found
}

#[tokio::test]
async fn a_receiver_that_fails_is_told_again_and_one_that_is_gone_is_not() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "ours").await.to_string();
    let event = event(&api).await;
    let (failing, got) = receiver_of([NO, YES]).await;
    let (gone, asked) = receiver_of(["HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", YES]).await;
    let to = |port: u16| json!({"url": format!("http://127.0.0.1:{port}/"), "events": ["call.created"]});
    let (fails, _) = webhook(&api, &admin, &tenant, to(failing)).await;
    let (ends, _) = webhook(&api, &admin, &tenant, to(gone)).await;
    let path = format!("/tenants/{tenant}/call-events/redispatch/{}", event.id);
    assert_eq!(api.post(&path, &admin, json!([])).await.is(200).json()["webhooks"], 2);
    let told = some_attempts(&api, &admin, &tenant, &fails, 2).await;
    let told: Vec<_> = told
        .iter()
        .map(|a| (a["attempt"].as_i64(), a["success"].as_bool(), a["response_status"].as_i64()))
        .collect();
    assert_eq!(told, [(Some(2), Some(true), Some(200)), (Some(1), Some(false), Some(503))]);
    let bodies: Vec<Vec<u8>> = got.lock().iter().map(|(_, body)| body.clone()).collect();
    assert_eq!((bodies.len(), &bodies[0]), (2, &bodies[1]), "the same, with the same id");
    let told = attempts(&api, &admin, &tenant, &ends).await;
    assert_eq!((told.len(), asked.lock().len()), (1, 1), "nobody is told again who is gone");
    assert_eq!(told[0]["error_message"], "Dead letter: the receiver answered 410");
    // The webhook says so, until somebody makes it active again.
    let one = format!("/tenants/{tenant}/webhooks/{ends}");
    let mut shown = Value::Null;
    for _ in 0..1200 {
        shown = api.get(&one, &admin).await.is(200).json()["data"].clone();
        if shown["is_active"] == false {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(shown["is_active"], false);
    assert_eq!(shown["disabled_reason"], "The receiver answered 410 Gone: it wants no more events.");
    assert!(is_time(&shown["disabled_at"]));
    let trail =
        api.get(&format!("/tenants/{tenant}/audit-logs?per_page=1"), &admin).await.json()["data"][0].clone();
    assert_eq!((&trail["auditable_id"], &trail["user_id"]), (&json!(ends), &Value::Null));
    assert_eq!(trail["new_values"]["is_active"], false);
    let again = api.put(&one, &admin, json!({"is_active": true})).await.is(200).json();
    assert_eq!(
        (&again["data"]["disabled_at"], &again["data"]["disabled_reason"]),
        (&Value::Null, &Value::Null)
    );
}

/// Makes a webhook without asking whether it may be reached.
async fn named(api: &Api, tenant: &str, url: &str) -> String {
    let Value::Object(body) = json!({"url": url, "events": ["call.created"]}) else { unreachable!() };
    let values = WEBHOOK.read(Purpose::Create, &mut Fields::new(&Input::of(body))).unwrap();
    let tenant = tenant.parse().unwrap();
    let made = api.store.create_record(&Actor::default(), &WEBHOOK, tenant, values).await.unwrap();
    made.value.record.id.to_string()
}

/// An event of the tenant `ours`.
pub(crate) async fn event(api: &Api) -> CallEvent {
    let origin = Origin { switch: "fs1", core_uuid: "c", incarnation: [1; 16] };
    let begun = told("CHANNEL_CREATE", "", 0, &[("Unique-ID", "call-1"), ("Caller-Context", "ours.example")]);
    api.store.ingest(origin, &[(1, begun)], 0).await.unwrap();
    api.store.all_events_stored_after(0, 10).await.unwrap().remove(0)
}

#[tokio::test]
async fn webhooks_are_told_once_more() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let (ours, theirs) =
        (api.tenant(&admin, "ours").await.to_string(), api.tenant(&admin, "theirs").await.to_string());
    let event = event(&api).await;

    let (good, got) = receiver("HTTP/1.1 204 No Content\r\n\r\n").await;
    let (bad, refused) = receiver("HTTP/1.1 500 Oh\r\ncontent-length: 4\r\n\r\nohno").await;
    let (elsewhere, lured) = receiver("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let away: &'static str = Box::leak(
        format!("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{elsewhere}/\r\ncontent-length: 0\r\n\r\n")
            .into_boxed_str(),
    );
    let (moving, asked) = receiver(away).await;
    let to =
        |port: u16, name: &str| json!({"url": format!("http://127.0.0.1:{port}/hook"), "events": [name]});
    let (wants, secret) = webhook(&api, &admin, &ours, to(good, "call.started")).await;
    let (fails, _) = webhook(&api, &admin, &ours, to(bad, "call.created")).await;
    let (redirects, _) = webhook(&api, &admin, &ours, to(moving, "call.created")).await;
    let (other, _) = webhook(&api, &admin, &ours, to(elsewhere, "call.hangup")).await;
    let mut off = to(elsewhere, "call.created");
    off["is_active"] = json!(false);
    webhook(&api, &admin, &ours, off).await;
    webhook(&api, &admin, &theirs, to(elsewhere, "call.created")).await;
    // A network of the operator: nothing but 127.0.0.0/8 is allowed here.
    let inside = json!({"url": "http://[::1]/hook", "events": ["call.created"]});
    api.post(&format!("/tenants/{ours}/webhooks"), &admin, inside).await.names(&["url"]);
    // It was there before anybody said so.
    let inside = named(&api, &ours, "http://[::1]/hook").await;

    let path = format!("/tenants/{ours}/call-events/redispatch/{}", event.id);
    let answer = api.post(&path, &admin, json!([])).await.is(200).json();
    let want = json!({"message": "Event re-dispatched to webhooks.", "event_id": event.id, "event_type": "call.created", "webhooks": 4});
    assert_eq!(answer, want);

    let told = attempts(&api, &admin, &ours, &wants).await;
    assert_eq!(
        (&told[0]["success"], &told[0]["response_status"], &told[0]["attempt"]),
        (&json!(true), &json!(204), &json!(1))
    );
    assert_eq!(
        (&told[0]["event_type"], &told[0]["payload"]["call_uuid"]),
        (&json!("call.started"), &json!("call-1"))
    );
    let (head, body) = got.lock()[0].clone();
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:"))).unwrap();
        line.split_once(':').unwrap().1.trim().to_owned()
    };
    assert_eq!(
        (header("content-type"), header("x-nizam-event")),
        ("application/json".into(), "call.started".into())
    );
    // As the receiver in the documentation does it, with a program that is none of ours.
    let signed = [header("x-nizam-timestamp").as_bytes(), b".", &body].concat();
    let mut openssl = std::process::Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", &secret])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut openssl.stdin.take().unwrap(), &signed).unwrap();
    let made = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(made.trim().rsplit(' ').next(), Some(&*header("x-nizam-signature")));
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&body["event"], &body["id"], &body["sequence"]),
        (&json!("call.started"), &json!(event.id), &json!(event.sequence))
    );
    assert_eq!((&body["data"], &body["timestamp"]), (&event.payload, &event.payload["timestamp"]));

    let failed = attempts(&api, &admin, &ours, &fails).await;
    assert_eq!((&failed[0]["success"], &failed[0]["response_status"]), (&json!(false), &json!(500)));
    let redirected = attempts(&api, &admin, &ours, &redirects).await;
    assert_eq!((&redirected[0]["success"], &redirected[0]["response_status"]), (&json!(false), &json!(302)));
    let forbidden = attempts(&api, &admin, &ours, &inside).await;
    let why = forbidden[0]["error_message"].as_str().unwrap();
    assert!(why.contains("a loopback address, which no webhook may reach"), "{why}");
    assert_eq!(forbidden[0]["response_status"], Value::Null);
    assert_eq!(got.lock().len(), 1);
    // These are told again.
    assert!(!refused.lock().is_empty() && !asked.lock().is_empty());
    assert!(lured.lock().is_empty(), "nobody who did not want it, no other tenant, and no redirection");
    let path_of_other = format!("/tenants/{ours}/webhooks/{other}/delivery-attempts");
    assert_eq!(api.get(&path_of_other, &admin).await.is(200).json()["data"], json!([]));

    // Nobody's event but the own tenant's.
    let member = api.person(Role::User, Some(theirs.parse().unwrap())).await;
    api.post(&path, &member, json!([])).await.is(403);
    let path = format!("/tenants/{theirs}/call-events/redispatch/{}", event.id);
    api.post(&path, &member, json!([])).await.says(404, "Event not found.");
    api.post(&format!("/tenants/{theirs}/call-events/redispatch/x"), &member, json!([]))
        .await
        .says(404, "Event not found.");
}
