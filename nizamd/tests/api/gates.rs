use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use nizam_core::model::{Permission, Role, Touched};
use nizam_store::Actor;
use nizam_wire::link::Api as Command;
use nizamd::config::Registration;
use nizamd::link::{CommandError, Told};
use nizamd::publisher::{Publisher, SwitchStatus};
use parking_lot::Mutex;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use nizamd::http::Bounds;

use crate::support::{Api, extension};

#[tokio::test]
async fn the_order_of_the_gates() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "a").await;
    let user = api.person(Role::User, Some(tenant)).await;
    let path = format!("/tenants/{tenant}/extensions");
    let made = api.post(&path, &admin, extension("1")).await.json();
    let one = format!("{path}/{}", made["data"]["id"].as_str().unwrap());

    // No token, before anything about the tenant.
    let nowhere = format!("/tenants/{}/extensions", Uuid::now_v7());
    api.send(Method::GET, &nowhere, None, None).await.says(401, "Unauthenticated.");
    // A tenant that is not there, before everything that comes later.
    api.post(&nowhere, &user, json!({})).await.is(404);
    // Fields before the permission.
    let viewer = [Permission::ExtensionsView].into_iter().collect();
    let _quiet = api.store.grant(&Actor::default(), user.id, viewer).await.unwrap();
    api.post(&path, &user, json!({})).await.is(422);
    api.post(&path, &user, extension("2")).await.says(403, "This action is unauthorized.");
    api.put(&one, &user, json!({})).await.is(422);
    api.put(&one, &user, extension("2")).await.says(403, "This action is unauthorized.");
    api.delete(&one, &user).await.says(403, "This action is unauthorized.");
    api.get(&one, &user).await.is(200);
    api.get("/tenants", &user).await.says(403, "This action is unauthorized.");
    let _quiet = api.store.revoke(&Actor::default(), user.id, viewer).await.unwrap();
    api.get(&one, &user).await.says(403, "This action is unauthorized.");
}

#[tokio::test]
async fn a_tenant_that_is_not_operational() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "a").await;
    let user = api.person(Role::User, Some(tenant)).await;
    let path = format!("/tenants/{tenant}/extensions");
    let made = api.post(&path, &user, extension("1")).await.json();
    let one = format!("{path}/{}", made["data"]["id"].as_str().unwrap());
    for status in ["suspended", "terminated"] {
        api.put(&format!("/tenants/{tenant}"), &admin, json!({"status": status})).await.is(200);
        let text = format!("Tenant is {status}.");
        for who in [&user, &admin] {
            api.get(&path, who).await.says(403, &text);
            api.post(&path, who, json!({})).await.says(403, &text);
            api.get(&one, who).await.says(403, &text);
            api.put(&one, who, json!({})).await.says(403, &text);
            api.delete(&one, who).await.says(403, &text);
        }
        api.get(&format!("/tenants/{tenant}"), &user).await.is(200);
        api.get(&format!("/tenants/{tenant}/settings"), &user).await.is(200);
    }
    for status in ["trial", "active"] {
        let change = json!({"status": status, "is_active": false});
        api.put(&format!("/tenants/{tenant}"), &admin, change).await.is(200);
        api.get(&one, &user).await.is(200);
    }
    // A user whose tenant is deleted has none.
    api.delete(&format!("/tenants/{tenant}"), &admin).await.is(204);
    api.get(&path, &user).await.is(404);
    assert_eq!(api.get("/auth/me", &user).await.is(200).json()["user"]["tenant_id"], Value::Null);
}

#[tokio::test]
async fn ids_that_are_none() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "a").await;
    for id in ["x", "1", "%3Cpolicy_id%3E", "..%2f..", "%ff", "%00", "' OR 1=1", &tenant.simple().to_string()]
    {
        let answer = api.get(&format!("/tenants/{id}"), &admin).await;
        let message = answer.is(404).json()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("No query results for model [App\\Models\\Tenant]"), "{message}");
        api.get(&format!("/tenants/{id}/extensions"), &admin).await.is(404);
        api.delete(&format!("/tenants/{tenant}/extensions/{id}"), &admin).await.is(404);
        api.delete(&format!("/auth/tokens/{id}x"), &admin).await.is(404);
    }
    let shown = api.get("/tenants/%3Cpolicy_id%3E", &admin).await.json();
    assert_eq!(shown["message"], "No query results for model [App\\Models\\Tenant] <policy_id>");
}

/// Remembers what it is told; answers after a while, or never.
struct Slow {
    answer: bool,
    told: Mutex<Vec<(u64, Vec<Touched>)>>,
}

impl Publisher for Slow {
    fn live(
        &self,
        generation: u64,
        touched: Vec<Touched>,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(30)).await;
            self.told.lock().push((generation, touched));
            self.answer
        })
    }

    fn command(
        &self,
        _: Option<String>,
        _: Command,
        _: String,
        _: Duration,
    ) -> Pin<Box<dyn Future<Output = Result<String, CommandError>> + Send + '_>> {
        let tally = json!({"found": 0, "unknown": 0, "passed": 0, "refused": 0,
            "latency": {"bounds_ns": [], "counts": [], "sum_ns": 0}});
        let status = json!({
            "uptime_seconds": 5, "panics": 0, "images": [], "lookups": {"directory": tally, "dialplan": tally},
            "spool": {"lag": 31, "dropped": 3, "details": {"lag_ms": 12, "ring_used": 1, "disk_used": 2, "disk_limit": 9,
                "ring_dropped": {"traces": 1, "finals": 0}, "disk_dropped": {"traces": 0, "finals": 2},
                "trouble": "the disk is full"}},
        });
        Box::pin(async move { Ok(status.to_string()) })
    }

    fn switches(&self) -> Vec<SwitchStatus> {
        vec![SwitchStatus {
            name: "fs1".into(),
            core_uuid: "c".into(),
            freeswitch_version: "1.10.12".into(),
            module_version: "0.1.0".into(),
            connected: self.answer,
            generation: 7,
            last_error: Some("secret path".into()),
            told: Told { received: 9, stored: 7, dropped: 2 },
        }]
    }
}

#[tokio::test]
async fn a_write_is_answered_when_the_switches_know_it() {
    for answer in [true, false] {
        let publisher = Arc::new(Slow { answer, told: Mutex::default() });
        let api = Api::with(Bounds::requests(0), Registration::Open, publisher.clone()).await;
        let admin = api.admin().await;
        let tenant = api.tenant(&admin, "a").await;
        let path = format!("/tenants/{tenant}/extensions");
        let made = api.post(&path, &admin, extension("Desk")).await;
        assert_eq!(made.is(201).header("x-nizam-live"), if answer { "" } else { "no" });
        assert_eq!(made.header("x-nizam-generation"), "2");
        let touched = Touched::Extension { tenant_id: tenant, extension: "Desk".into() };
        assert_eq!(
            *publisher.told.lock(),
            [(1, vec![Touched::Domain("a.example".into())]), (2, vec![touched])],
            "told before the answer"
        );
        // What no switch cares about does not wait for one.
        api.post("/auth/tokens", &admin, json!({"name": "x"})).await.is(201);
        assert_eq!(publisher.told.lock().len(), 2);
    }
}

#[tokio::test]
async fn health_says_little_to_strangers() {
    let api = Api::with(
        Bounds::requests(0),
        Registration::Open,
        Arc::new(Slow { answer: true, told: Mutex::default() }),
    )
    .await;
    let stranger = api.send(Method::GET, "/health", None, None).await;
    assert_eq!(
        stranger.is(200).json(),
        json!({"status": "healthy", "checks": {
            "app": {"status": "ok"},
            "database": {"status": "ok"},
            "cache": {"status": "ok"},
            "esl": {"connected": true, "status": "ok"},
            "gateways": {
                "status": "ok", "gateways": [], "registrations": {"count": 0, "entries": []}, "checked_at": null
            },
        }})
    );
    let bad = api.send(Method::GET, "/health", Some("1|nonsense"), None).await;
    assert_eq!(bad.json(), stranger.json());
    let user = api.person(Role::User, None).await;
    let details = api.get("/health", &user).await.json();
    assert_eq!((&details["generation"], &details["switches"][0]["generation"]), (&json!(0), &json!(7)));
    assert!(!details.to_string().contains("secret path") && !details.to_string().contains("disk is full"));
    let admin = api.admin().await;
    let details = api.get("/health", &admin).await;
    assert!(details.text.contains("secret path"));
    assert_eq!(
        details.json()["switches"][0]["spool"],
        json!({"lag": 31, "lag_ms": 12, "dropped_traces": 1, "dropped_finals": 2, "trouble": "the disk is full"})
    );

    let [ours, theirs] = [api.tenant(&admin, "ours").await, api.tenant(&admin, "theirs").await];
    for tenant in [ours, theirs] {
        let gateway =
            json!({"name": "carrier", "host": "sip.example.org", "username": "u", "password": "p4ssw0rd!x"});
        api.post(&format!("/tenants/{tenant}/gateways"), &admin, gateway).await.is(201);
    }
    let member = api.person(Role::User, Some(ours)).await;
    for (token, domains) in
        [(&admin, vec!["ours.example", "theirs.example"]), (&member, vec!["ours.example"]), (&user, vec![])]
    {
        let shown = api.get("/health", token).await.json()["checks"]["gateways"].clone();
        let rows = shown["gateways"].as_array().unwrap();
        assert_eq!(rows.iter().map(|row| row["domain"].as_str().unwrap()).collect::<Vec<_>>(), domains);
        assert!(
            rows.iter().all(|row| row["status"] == "down" && row["state"].is_null()),
            "no switch told of it"
        );
    }

    let nobody = Api::new().await;
    let esl = nobody.send(Method::GET, "/health", None, None).await.is(200).json();
    assert_eq!(esl["checks"]["esl"], json!({"connected": false, "status": "unreachable"}));
    nobody.store.close().await;
    let broken = nobody.send(Method::GET, "/health", None, None).await;
    assert_eq!(broken.is(503).json()["status"], "degraded");
    nobody
        .send(Method::GET, "/auth/me", Some("1|x"), None)
        .await
        .says(503, "The database is busy. Try again.");
}

#[tokio::test]
async fn an_answer_that_is_kept_is_nobody_elses_and_as_new_as_the_last_write() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "kept").await;
    let reader = api.person(Role::User, Some(tenant)).await;
    let stranger = api.person(Role::User, None).await;
    let all = format!("/tenants/{tenant}/extensions");
    let made = api.post(&all, &admin, extension("1001")).await.is(201).json();
    let one = format!("{all}/{}", made["data"]["id"].as_str().unwrap());
    for name in ["C", "D", "E"] {
        let mut body = extension("1001");
        body["directory_first_name"] = json!(name);
        api.put(&one, &admin, body).await.is(200);
        for _ in 0..3 {
            assert_eq!(api.get(&one, &reader).await.is(200).json()["data"]["directory_first_name"], name);
            let list = api.get(&all, &reader).await.is(200).json();
            assert_eq!(list["data"][0]["directory_first_name"], name);
            api.get(&one, &stranger).await.is(403);
        }
    }
    let weak = api.token(reader.id, &["dids.view"], None).await;
    api.send(Method::GET, &one, Some(&weak), None).await.is(403);
    api.get(&one, &reader).await.is(200);
    api.put(&format!("/tenants/{tenant}"), &admin, json!({"status": "suspended"})).await.is(200);
    api.get(&one, &reader).await.is(403);
    api.put(&format!("/tenants/{tenant}"), &admin, json!({"status": "active"})).await.is(200);
    api.get(&one, &reader).await.is(200);
    api.delete(&one, &admin).await.is(204);
    api.get(&one, &reader).await.is(404);
}
