//! Lists of what is kept of calls, and what a change of an extension does to its phones.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nizam_core::model::Touched;
use nizam_wire::link::Api as Command;
use nizamd::config::Registration;
use nizamd::http::Bounds;
use nizamd::link::CommandError;
use nizamd::publisher::{Publisher, SwitchStatus};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::support::{Api, answer, extension};

#[tokio::test]
async fn lists_of_calls_have_filters_pages_and_cursors() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let here = format!("/tenants/{}", api.tenant(&admin, "calls").await);
    let cdrs =
        api.get(&format!("{here}/cdrs?direction=inbound&date_from=2026-01-01"), &admin).await.is(200).json();
    assert_eq!((&cdrs["data"], &cdrs["meta"]["per_page"]), (&json!([]), &json!(15)));
    let part = api.get(&format!("{here}/cdrs?cursor=&per_page=5"), &admin).await.is(200).json();
    assert_eq!(part, json!({"data": [], "per_page": 5, "next_cursor": null}));
    let events = api.get(&format!("{here}/call-events?event_type=call.hangup"), &admin).await.is(200).json();
    assert_eq!((&events["data"], &events["per_page"]), (&json!([]), &json!(50)));
    let part = api.get(&format!("{here}/call-events?cursor="), &admin).await.is(200).json();
    assert_eq!(part["next_cursor"], Value::Null);

    for (path, field) in [
        ("cdrs?direction=sideways", "direction"),
        ("cdrs?date_from=yesterday", "date_from"),
        ("cdrs?uuid=%00", "uuid"),
        ("cdrs?cursor=1.zz", "cursor"),
        ("call-events?to=x", "to"),
        ("call-events?cursor=.", "cursor"),
    ] {
        api.get(&format!("{here}/{path}"), &admin).await.names(&[field]);
    }
    // Whatever time people write: a list, and no error of the database.
    for (path, from, to) in
        [("cdrs", "date_from", "date_to"), ("call-events", "from", "to"), ("audit-logs", "from", "to")]
    {
        for time in [
            "-9999-01-01",
            "0001-01-01",
            "9999-12-31T23:59:59Z",
            "1969-12-31T23:59:59Z",
            "2026-01-01T24:00:00Z",
        ] {
            for name in [from, to] {
                let answer = api.get(&format!("{here}/{path}?{name}={time}"), &admin).await;
                assert!(
                    [200, 422].contains(&answer.status.as_u16()),
                    "{path} {name}={time}: {}",
                    answer.status
                );
            }
        }
        let id = "00000000000000000000000000000007";
        for (time, status) in [
            ("0", 200),
            ("9223372036854775807", 200),
            ("-9223372036854775808", 422),
            ("99999999999999999999", 422),
        ] {
            api.get(&format!("{here}/{path}?cursor={time}.{id}"), &admin).await.is(status);
        }
    }
    let long = format!("{here}/cdrs?caller_id_number={}", "1".repeat(256));
    api.get(&long, &admin).await.names(&["caller_id_number"]);
    let none = "019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01";
    for id in [none, "no-id"] {
        api.get(&format!("{here}/cdrs/{id}"), &admin).await.says(404, "CDR not found.");
    }
    for method in [Method::POST, Method::DELETE] {
        let path = format!("{here}/cdrs");
        api.send(method, &path, Some(&admin.token), None).await.is(405);
    }
}

#[tokio::test]
async fn codec_metrics_name_the_active_gateways() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let here = format!("/tenants/{}", api.tenant(&admin, "codecs").await);
    for (name, active) in [("one", true), ("two", false)] {
        let body =
            json!({"name": name, "host": "sip.example.org", "inbound_codecs": ["PCMU"], "is_active": active});
        api.post(&format!("{here}/gateways"), &admin, body).await.is(201);
    }
    let data = api.get(&format!("{here}/codec-metrics"), &admin).await.is(200).json()["data"].clone();
    assert_eq!((&data["codec_distribution"], &data["codec_mismatch_count"]), (&json!([]), &json!(0)));
    assert_eq!((&data["codec_mismatch_rate"], &data["active_gateways"]), (&json!(0.0), &json!(1)));
    assert_eq!(data["gateways"][0]["name"], "one");
    assert_eq!(data["gateways"][0]["inbound_codecs"], json!(["PCMU"]));
    assert_eq!(data["gateways"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_change_that_phones_show_touches_their_profiles() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let here = format!("/tenants/{}", api.tenant(&admin, "phones").await);
    let made = api.post(&format!("{here}/extensions"), &admin, extension("1001")).await.is(201).json();
    let id = made["data"]["id"].as_str().unwrap().to_owned();
    let one = format!("{here}/extensions/{id}");
    let mut profiles = Vec::new();
    for (name, active) in [("desk", true), ("old", false)] {
        let body = json!({"name": name, "vendor": "yealink", "extension_id": id, "is_active": active});
        let made = api.post(&format!("{here}/device-profiles"), &admin, body).await.is(201).json();
        profiles.push(format!("{here}/device-profiles/{}", made["data"]["id"].as_str().unwrap()));
    }
    let stamps = async || {
        let mut stamps = Vec::new();
        for profile in &profiles {
            let answer = api.get(profile, &admin).await;
            let etag = answer.header("etag").to_owned();
            stamps.push((answer.is(200).json()["data"]["updated_at"].clone(), etag));
        }
        stamps
    };
    for (field, value, shown) in [
        ("outbound_caller_id_number", json!("+15550100"), false),
        ("voicemail_pin", json!("4711"), false),
        ("is_active", json!(false), false),
        ("password", json!("another-secret"), true),
        ("extension", json!("1002"), true),
        ("directory_first_name", json!("Ada"), true),
        ("directory_last_name", json!("L."), true),
        ("effective_caller_id_name", json!("Ada L."), true),
        ("effective_caller_id_number", json!("1002"), true),
        ("voicemail_enabled", json!(true), true),
    ] {
        let before = stamps().await;
        api.send(
            Method::PATCH,
            &one,
            Some(&admin.token),
            Some(change(&api, &one, &admin, field, value).await),
        )
        .await
        .is(200);
        let after = stamps().await;
        assert_eq!(before[0] != after[0], shown, "{field}");
        assert_eq!(before[0].1 != after[0].1, shown, "{field}: the entity tag goes with it");
        assert_eq!(before[1], after[1], "an inactive profile stays");
    }
}

/// The row with another value of one field.
async fn change(api: &Api, one: &str, admin: &crate::support::Person, field: &str, value: Value) -> Value {
    let mut row = api.get(one, admin).await.is(200).json()["data"].clone();
    row[field] = value;
    row
}

/// A switch that answers commands with what this says of their arguments.
struct Answering<F>(F);

type Answered<'a> = Pin<Box<dyn Future<Output = Result<String, CommandError>> + Send + 'a>>;

impl<F: Fn(String) -> Answered<'static> + Send + Sync> Publisher for Answering<F> {
    fn live(&self, _: u64, _: Vec<Touched>) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(async { true })
    }

    fn switches(&self) -> Vec<SwitchStatus> {
        Vec::new()
    }

    fn command(&self, _: Option<String>, _: Command, argument: String, _: Duration) -> Answered<'_> {
        self.0(argument)
    }
}

/// What a switch was told to do: it counts that, and is away until it is said to be there.
#[derive(Default)]
struct Counting {
    there: AtomicBool,
    done: AtomicUsize,
}

impl Counting {
    fn switch(self: &Arc<Self>) -> Arc<impl Publisher + use<>> {
        let told = Arc::clone(self);
        Arc::new(Answering(move |argument: String| -> Answered<'static> {
            let told = Arc::clone(&told);
            Box::pin(async move {
                if !told.there.load(Ordering::Relaxed) {
                    return Err(CommandError::NoSwitch);
                }
                told.done.fetch_add(1, Ordering::Relaxed);
                // Nothing is recorded: that cannot be stopped.
                let nothing = argument.contains(" stop ");
                Ok(if nothing { "-ERR Cannot stop record session!" } else { "+OK" }.to_owned())
            })
        }))
    }
}

/// Phones that ring until somebody lifts the receiver; of other commands nothing is known.
fn patient(phones: &Arc<Semaphore>) -> Arc<impl Publisher + use<>> {
    let phones = Arc::clone(phones);
    Arc::new(Answering(move |_: String| -> Answered<'static> {
        let phones = Arc::clone(&phones);
        Box::pin(async move {
            phones.acquire().await.unwrap().forget();
            Ok("+OK".to_owned())
        })
    }))
}

#[tokio::test]
async fn a_tenant_leaves_others_some_of_the_calls_that_a_switch_makes_at_once() {
    let phones = Arc::new(Semaphore::new(0));
    let api = Api::with(Bounds::requests(0), Registration::Open, patient(&phones)).await;
    let admin = api.admin().await;
    let mut paths = Vec::new();
    for name in ["greedy", "modest"] {
        let here = format!("/tenants/{}", api.tenant(&admin, name).await);
        api.post(&format!("{here}/extensions"), &admin, extension("1001")).await.is(201);
        paths.push(format!("{here}/calls/originate"));
    }
    let originate =
        async |path: &str| api.post(path, &admin, json!({"extension": "1001", "destination": "1002"})).await;
    let all = futures_util::future::join_all((0..16).map(|_| originate(&paths[0]))).await;
    assert!(all.iter().all(|answer| answer.status == 200), "they ring");
    let refused = originate(&paths[0]).await;
    refused.is(429);
    assert!(refused.text.contains("16 calls of this tenant are being made already"), "{}", refused.text);
    assert_eq!(refused.header("retry-after"), "5");
    originate(&paths[1]).await.is(200);
    // Somebody answers.
    phones.add_permits(1);
    let deadline = Instant::now() + Duration::from_secs(30);
    while originate(&paths[0]).await.status != 200 {
        assert!(Instant::now() < deadline);
    }
    originate(&paths[0]).await.is(429);
    phones.add_permits(100);
}

#[tokio::test]
async fn a_call_is_made_once_with_one_key() {
    let switch = Arc::new(Counting::default());
    let api = Api::with(Bounds::requests(0), Registration::Open, switch.switch()).await;
    let admin = api.admin().await;
    let here = format!("/tenants/{}", api.tenant(&admin, "once").await);
    api.post(&format!("{here}/extensions"), &admin, extension("1001")).await.is(201);
    let path = format!("{here}/calls/originate");
    let body = json!({"extension": "1001", "destination": "1002"});
    let send = async |key: &str| {
        let request = api.client.post(api.url(&path)).bearer_auth(&admin.token);
        answer(request.header("idempotency-key", key).json(&body)).await
    };
    send("away").await.is(503);
    switch.there.store(true, Ordering::Relaxed);
    let first = send("away").await;
    first.is(200);
    for _ in 0..3 {
        let again = send("away").await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.is(200).text, first.text);
    }
    assert_eq!(
        switch.done.load(Ordering::Relaxed),
        1,
        "what was not done may be sent again, what was done is done"
    );
    send("other").await.is(200);
    assert_eq!(switch.done.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_recording_is_toggled_once_with_one_key() {
    let switch = Arc::new(Counting::default());
    switch.there.store(true, Ordering::Relaxed);
    let api = Api::with(Bounds::requests(0), Registration::Open, switch.switch()).await;
    let admin = api.admin().await;
    let here = format!("/tenants/{}", api.tenant(&admin, "recorded").await);
    let domain = api.get(&here, &admin).await.json()["data"]["domain"].as_str().unwrap().to_owned();
    let channel = uuid::Uuid::new_v4().to_string();
    let headers = [
        ("Unique-ID", &*channel),
        ("Channel-Call-UUID", &*channel),
        ("Caller-Context", &*domain),
        ("Call-Direction", "inbound"),
    ];
    let begun = crate::call_records::told("CHANNEL_CREATE", "", 0, &headers);
    let origin = nizam_store::Origin { switch: "fs1", core_uuid: "c", incarnation: [1; 16] };
    api.store.ingest(origin, &[(1, begun)], 0).await.unwrap();
    let send = async || {
        let request = api.client.post(api.url(&format!("{here}/calls/recording"))).bearer_auth(&admin.token);
        answer(request.header("idempotency-key", "a").json(&json!({"uuid": channel}))).await
    };
    let first = send().await;
    assert_eq!(first.is(200).json()["message"], "Recording start command sent.");
    assert_eq!(send().await.is(200).header("idempotency-replayed"), "true");
    assert_eq!(switch.done.load(Ordering::Relaxed), 2, "stopped in vain, then started, and that once");
}
