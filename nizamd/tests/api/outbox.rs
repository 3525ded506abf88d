//! What happens to a tenant, also to its configuration, reaches those who may see it: streams and webhooks, and nobody of another tenant.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use nizam_core::model::{Permission as P, PermissionSet, Role};
use nizam_store::Actor;
use parking_lot::Mutex;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::redispatch::{YES, receiver, webhook};
use crate::resources::id;
use crate::streams::{Frame, Stream, begun, ingest};
use crate::support::{Api, Person, extension};

/// Events of two tenants, unless `NIZAM_ISOLATION_EVENTS` says otherwise.
const EVENTS: usize = 2000;

async fn make(api: &Api, who: &Person, tenant: Uuid, path: &str, body: Value) -> Uuid {
    id(&api.post(&format!("/tenants/{tenant}/{path}"), who, body).await.is(201).json())
}

fn names(frames: &[Frame]) -> Vec<&str> {
    frames.iter().map(|frame| &*frame.event).collect()
}

#[tokio::test]
async fn a_stream_tells_of_what_its_client_may_see() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let ours = api.tenant(&admin, "ours").await;
    let number = make(&api, &admin, ours, "extensions", extension("1001")).await;
    let to = json!({"number": "+4930123", "destination_type": "extension", "destination_id": number});
    let did = make(&api, &admin, ours, "dids", to).await;
    ingest(&api.store, "fs1", &begun("ours.example", 0, 2)).await;
    let holiday = json!({"name": "h", "dates": ["12-25"]});
    let holiday = make(&api, &admin, ours, "holidays", holiday).await;
    api.put(&format!("/tenants/{ours}"), &admin, json!({"name": "Ours"})).await.is(200);
    api.send(Method::DELETE, &format!("/tenants/{ours}/dids/{did}"), Some(&admin.token), None).await.is(204);

    let read = async |who: &Person, query: &str| {
        let path = format!("/tenants/{ours}/{query}");
        let mut frames = Stream::open(&api, who, &path, None).await.all().await;
        assert_eq!(frames.pop().unwrap().event, "timeout");
        frames
    };
    let all = "events/stream?since=0&timeout=0";
    let frames = read(&admin, all).await;
    let want = [
        ("extension.created", json!({"extension_id": number, "extension": "1001"}), Some(number)),
        ("did.created", json!({"did_id": did, "number": "+4930123"}), Some(did)),
        ("call.created", Value::Null, None),
        ("call.answered", Value::Null, None),
        (
            "routing.updated",
            json!({"resource": "holiday", "id": holiday, "action": "created"}),
            Some(holiday),
        ),
        ("tenant.updated", json!({"tenant_id": ours, "changed": ["name"]}), Some(ours)),
        ("did.deleted", json!({"did_id": did, "number": "+4930123"}), Some(did)),
    ];
    assert_eq!(names(&frames), want.clone().map(|(name, ..)| name));
    for (n, (frame, (name, payload, resource))) in frames.iter().zip(&want).enumerate() {
        assert_eq!(frame.data["sequence"], json!(n + 1), "{name}");
        assert_eq!(frame.data.get("resource_id").cloned(), resource.map(|id| json!(id)), "{name}");
        assert_eq!(frame.data.get("call_uuid").is_some(), resource.is_none(), "{name}");
        if resource.is_some() {
            assert_eq!(frame.data["payload"], *payload, "{name}");
        }
    }
    // The other stream is of calls alone, as it was; positions are the same in both.
    assert_eq!(
        names(&read(&admin, "call-events/stream?since=0&timeout=0").await),
        ["call.created", "call.answered"]
    );
    assert_eq!(names(&read(&admin, "call-events/stream?since=3&timeout=0").await), ["call.answered"]);
    let id = frames[4].data["id"].as_str().unwrap();
    for path in ["events/stream", "call-events/stream"] {
        let rest = read(&admin, &format!("{path}?since={id}&timeout=0")).await;
        assert_eq!(rest.len(), if path == "events/stream" { 2 } else { 0 }, "{path}");
    }
    let some = read(&admin, &format!("{all}&event_types=call.started,did.deleted")).await;
    assert_eq!(names(&some), ["call.created", "did.deleted"]);
    assert_eq!(names(&read(&admin, &format!("{all}&call_uuid={number}")).await), [""; 0], "no channel");

    for (more, told) in [
        (None, vec![]),
        (Some(P::ExtensionsView), vec!["extension.created"]),
        (Some(P::DidsView), vec!["did.created", "did.deleted"]),
        (Some(P::HolidaysView), vec!["routing.updated"]),
        (Some(P::CallRoutingPoliciesView), vec![]),
        (Some(P::TenantsView), vec!["tenant.updated"]),
    ] {
        let person = api.person(Role::User, Some(ours)).await;
        let set: PermissionSet = more.into_iter().chain([P::CallEventsView]).collect();
        let _granted = api.store.grant(&Actor::default(), person.id, set).await.unwrap();
        let frames = read(&person, all).await;
        let mut seen = names(&frames);
        seen.retain(|name| !name.starts_with("call."));
        assert_eq!((frames.len() - told.len(), seen), (2, told), "{more:?}");
        // Nor does a token that may less than its user tell more than it may.
        let token = api.token(person.id, &["call_events.view"], None).await;
        let narrow = Person { id: person.id, token };
        assert_eq!(names(&read(&narrow, all).await), ["call.created", "call.answered"], "{more:?}");
    }
    let nobody = api.person(Role::User, Some(ours)).await;
    let set: PermissionSet = [P::ExtensionsView].into_iter().collect();
    let _granted = api.store.grant(&Actor::default(), nobody.id, set).await.unwrap();
    api.get(&format!("/tenants/{ours}/{all}"), &nobody).await.is(403);
}

#[tokio::test]
async fn webhooks_are_told_without_being_asked_to() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let ours = api.tenant(&admin, "ours").await;
    let (port, got) = receiver(YES).await;
    let url = format!("http://127.0.0.1:{port}/hook");
    let events = ["extension.created", "call.started", "did.deleted"];
    webhook(&api, &admin, &ours.to_string(), json!({"url": url, "events": events})).await;
    let number = make(&api, &admin, ours, "extensions", extension("1001")).await;
    ingest(&api.store, "fs1", &begun("ours.example", 0, 2)).await;
    let bodies = tokio::time::timeout(Duration::from_mins(1), async {
        while got.lock().len() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        got.lock().clone()
    });
    let bodies: Vec<Value> =
        bodies.await.unwrap().iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect();
    let told = |name: &str| bodies.iter().find(|body| body["event"] == name).unwrap();
    let made = told("extension.created");
    assert_eq!(made["data"], json!({"extension_id": number, "extension": "1001"}));
    assert_eq!((&made["sequence"], &made["schema_version"]), (&json!(1), &json!("1.0")));
    let at = made["timestamp"].as_str().unwrap();
    assert!(at.len() == 25 && at.ends_with("+00:00"), "{at}");
    let begun = told("call.started");
    assert_eq!(begun["data"]["event_type"], "call.created");
    assert_eq!(bodies.len(), 2, "and of nothing else");
}

/// What a stream told: sequences and ids.
type Seen = Arc<Mutex<Vec<(i64, Uuid)>>>;

/// Follows a tenant for ever, and comes back when a stream has lasted as long as it may.
async fn follow(api: Arc<Api>, tenant: Uuid, seen: Seen) {
    let member = api.person(Role::User, Some(tenant)).await;
    let mut last = "0".to_owned();
    loop {
        let path = format!("/tenants/{tenant}/events/stream");
        let mut stream = Stream::open(&api, &member, &path, Some(&last)).await;
        while let Some(Frame { id: Some(id), data, .. }) = stream.next().await {
            let event = data["id"].as_str().unwrap().parse().unwrap();
            seen.lock().push((data["sequence"].as_i64().unwrap(), event));
            last = id;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_have_all_of_their_tenant_and_nothing_of_another() {
    let most: usize = std::env::var("NIZAM_ISOLATION_EVENTS").map_or(EVENTS, |text| text.parse().unwrap());
    let api = Arc::new(Api::new().await);
    let admin = api.admin().await;
    let tenants =
        [("ours", api.tenant(&admin, "ours").await), ("theirs", api.tenant(&admin, "theirs").await)];
    let readers = tenants.map(|(_, tenant)| {
        let (api, seen) = (Arc::clone(&api), Seen::default());
        let reader = tokio::spawn(follow(api, tenant, Arc::clone(&seen)));
        (reader, seen)
    });
    let writers = tenants.map(|(name, tenant)| {
        let (api, admin) = (Arc::clone(&api), admin.clone());
        tokio::spawn(async move {
            let domain = format!("{name}.example");
            let (mut from, mut n) = (0, 0);
            while from < most / 2 {
                // As many as 37 of calls, then one or two of the configuration.
                let to = (from + 1 + (n * 7) % 37).min(most / 2);
                ingest(&api.store, name, &begun(&domain, from, to)).await;
                from = to;
                let made =
                    make(&api, &admin, tenant, "extensions", extension(&format!("{}", 2000 + n))).await;
                if n % 3 == 0 {
                    let path = format!("/tenants/{tenant}/extensions/{made}");
                    api.send(Method::DELETE, &path, Some(&admin.token), None).await.is(204);
                }
                n += 1;
            }
        })
    });
    for writer in writers {
        writer.await.unwrap();
    }
    let (mut told, mut foreign) = (0, 0);
    for ((name, tenant), (reader, seen)) in tenants.into_iter().zip(readers) {
        let want = api.store.events_stored_after(tenant, 0, 1_000_000).await.unwrap();
        let want: Vec<(i64, Uuid)> = want.iter().map(|event| (event.sequence, event.id)).collect();
        let all = async {
            while seen.lock().len() < want.len() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let all = tokio::time::timeout(Duration::from_mins(2), all).await;
        reader.abort();
        let seen = seen.lock().clone();
        let own: BTreeSet<Uuid> = want.iter().map(|(_, id)| *id).collect();
        foreign += seen.iter().filter(|(_, id)| !own.contains(id)).count();
        assert!(all.is_ok() && seen == want, "{name}: {} events instead of {}", seen.len(), want.len());
        told += seen.len();
    }
    assert_eq!(foreign, 0);
    println!(
        "isolation: {told} events of two tenants in their streams, each once and in order, {foreign} of another tenant's"
    );
}
