//! Events as they happen: each once and in order, to those who may have them, whenever they come back.

use std::sync::Arc;
use std::time::Duration;

use nizam_core::model::Role;
use nizam_store::{Delivered, Origin, Store};
use reqwest::Response;
use serde_json::Value;
use uuid::Uuid;

use crate::call_records::told;
use crate::support::{Api, Person};

/// A stream that is being read.
pub(crate) struct Stream {
    response: Response,
    text: String,
}

/// A frame: its name, its id, its data.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) event: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

impl Stream {
    pub(crate) async fn open(api: &Api, who: &Person, path: &str, last: Option<&str>) -> Self {
        let mut request = api.client.get(api.url(path)).bearer_auth(&who.token);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        // A place that was given up a moment ago may not be free yet.
        let response = loop {
            let response = request.try_clone().unwrap().send().await.unwrap();
            if response.status() != 429 {
                break response;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let headers = response.headers();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(headers["content-type"], "text/event-stream");
        assert_eq!(headers["cache-control"], "no-cache");
        assert_eq!(headers["x-accel-buffering"], "no");
        Self { response, text: String::new() }
    }

    /// The next frame, comments left out; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.text = rest;
                if frame.starts_with(':') {
                    continue;
                }
                let field = |name: &str| {
                    frame
                        .lines()
                        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                        .map(str::to_owned)
                };
                let data = serde_json::from_str(&field("data").unwrap()).unwrap();
                return Some(Frame { event: field("event").unwrap(), id: field("id"), data });
            }
            let chunk = tokio::time::timeout(Duration::from_secs(40), self.response.chunk()).await;
            // A heartbeat comes at least.
            let chunk = chunk.unwrap().ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// All frames until the end.
    pub(crate) async fn all(mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next().await {
            frames.push(frame);
        }
        frames
    }
}

/// Beginnings of channels in a domain.
pub(crate) fn begun(domain: &str, from: usize, to: usize) -> Vec<(u64, Delivered)> {
    let event = |n: usize| {
        let uuid = format!("{domain}-{}", n / 3);
        let name = ["CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE"][n % 3];
        let headers =
            [("Unique-ID", &*uuid), ("Caller-Context", domain), ("variable_hangup_cause", "NORMAL_CLEARING")];
        (n as u64 + 1, told(name, "", i64::try_from(n).unwrap(), &headers))
    };
    (from..to).map(event).collect()
}

pub(crate) async fn ingest(store: &Store, switch: &str, events: &[(u64, Delivered)]) {
    let origin = Origin { switch, core_uuid: "c", incarnation: [1; 16] };
    store.ingest(origin, events, 0).await.unwrap();
}

struct Two {
    api: Api,
    member: Person,
    ours: Uuid,
    path: String,
}

async fn two() -> Two {
    let api = Api::new().await;
    let admin = api.admin().await;
    let ours = api.tenant(&admin, "ours").await;
    api.tenant(&admin, "theirs").await;
    let member = api.person(Role::User, Some(ours)).await;
    Two { api, member, ours, path: format!("/tenants/{ours}/call-events/stream") }
}

fn sequences(frames: &[Frame]) -> Vec<i64> {
    frames.iter().filter_map(|frame| frame.data["sequence"].as_i64()).collect()
}

pub(crate) async fn stored(store: &Store, tenant: Uuid) -> Vec<i64> {
    let events = store.events_stored_after(tenant, 0, 100_000).await.unwrap();
    events.iter().map(|event| event.sequence).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_back_misses_nothing_and_sees_nothing_twice() {
    const EVENTS: usize = 3000;
    let Two { api, member, ours, path } = two().await;
    let api = Arc::new(api);
    let mut readers = Vec::new();
    for reader in 0..3_usize {
        let (api, member, path) = (Arc::clone(&api), member.clone(), path.clone());
        readers.push(tokio::spawn(async move {
            let (mut seen, mut last, mut visits) = (Vec::new(), None::<String>, 0);
            while seen.len() < EVENTS {
                let path = if last.is_none() { format!("{path}?since=0") } else { path.clone() };
                let mut stream = Stream::open(&api, &member, &path, last.as_deref()).await;
                visits += 1;
                // The third one stays, and is slow at first: more is stored than is kept in memory.
                if reader == 2 {
                    tokio::time::sleep(Duration::from_secs(3)).await;
                }
                for _ in 0..if reader == 2 { EVENTS } else { 50 + 97 * (visits % 7) } {
                    if seen.len() == EVENTS {
                        break;
                    }
                    let frame = stream.next().await.expect("it lasts");
                    assert_eq!(frame.data["payload"]["tenant_id"], ours_of(&path), "nothing of others");
                    assert_eq!(frame.id.as_deref(), Some(&*frame.data["sequence"].to_string()));
                    seen.push(frame.data["sequence"].as_i64().unwrap());
                    last = frame.id;
                }
            }
            (seen, visits)
        }));
    }
    let (mine, other) = (begun("ours.example", 0, EVENTS), begun("theirs.example", 0, EVENTS));
    for (mine, other) in mine.chunks(37).zip(other.chunks(37)) {
        ingest(&api.store, "fs1", mine).await;
        ingest(&api.store, "fs2", other).await;
    }
    let want = stored(&api.store, ours).await;
    assert_eq!(want.len(), EVENTS);
    for reader in readers {
        let (seen, visits) = reader.await.unwrap();
        assert!(seen == want, "{visits} visits: {} events instead of {}", seen.len(), want.len());
        println!("stream: {} events in {visits} visits, each once and in order", seen.len());
    }
}

/// The tenant of a path.
fn ours_of(path: &str) -> Value {
    path.split('/').nth(2).unwrap().into()
}

#[tokio::test]
async fn a_stream_begins_and_ends_where_it_is_asked_to() {
    let Two { api, member, ours, path } = two().await;
    ingest(&api.store, "fs1", &begun("ours.example", 0, 30)).await;
    ingest(&api.store, "fs2", &begun("theirs.example", 0, 30)).await;
    let all = stored(&api.store, ours).await;
    let read = async |query: &str, last: Option<&str>| {
        let mut frames =
            Stream::open(&api, &member, &format!("{path}?timeout=0&{query}"), last).await.all().await;
        let end = frames.pop().unwrap();
        assert_eq!(
            (&*end.event, &end.data["message"]),
            ("timeout", &"Connection timeout, please reconnect.".into())
        );
        frames
    };
    assert_eq!(sequences(&read("", None).await), [0_i64; 0], "only what comes");
    let frames = read("since=0", None).await;
    assert_eq!(sequences(&frames), all);
    let first = &frames[0].data;
    assert_eq!(
        (first["event_type"].as_str(), first["schema_version"].as_str()),
        (Some("call.created"), Some("1.0"))
    );
    assert_eq!(sequences(&read(&format!("since={}", all[9]), None).await), all[10..]);
    let tenth = frames[9].data["id"].as_str().unwrap().to_owned();
    assert_eq!(sequences(&read(&format!("since={tenth}"), None).await), all[10..]);
    assert_eq!(sequences(&read("since=0", Some(&tenth)).await), all[10..], "the header says more");
    assert_eq!(sequences(&read("", Some(&all[9].to_string())).await), all[10..]);
    // They happened a microsecond after the other.
    let at = "2026-07-27T12:00:00.000005Z";
    assert_eq!(sequences(&read(&format!("since={at}"), None).await), all[5..]);
    // What happened then and was told late has a later number than what happened after it.
    let late = told("CHANNEL_CREATE", "", 3, &[("Unique-ID", "late"), ("Caller-Context", "ours.example")]);
    ingest(&api.store, "fs3", &[(1, late)]).await;
    let frames = read(&format!("since={at}"), None).await;
    assert_eq!(sequences(&frames), all[5..], "what happened before is not told");
    let at = "2026-07-27T12:00:00.000003Z";
    assert_eq!(
        read(&format!("since={at}"), None).await.len(),
        28,
        "and what happened since is, whenever it was told"
    );
    for name in ["call.started", "call.created"] {
        let frames = read(&format!("since=0&event_types=call.missed,{name}"), None).await;
        assert_eq!(frames.len(), 11, "{name}");
        assert!(frames.iter().all(|frame| frame.event == "call.created"));
    }
    assert_eq!(read("since=0&call_uuid=ours.example-3", None).await.len(), 3);
    assert_eq!(read("since=0&call_uuid=theirs.example-3", None).await.len(), 0);
    for (query, field) in [
        ("since=soon", "since"),
        ("since=-1", "since"),
        ("since=99999999999999999999", "since"),
        // Of another database, before this one was restored.
        ("since=4711", "last_event_id"),
        ("timeout=301", "timeout"),
        ("timeout=x", "timeout"),
        ("event_types=%00", "event_types"),
        ("call_uuid=%01", "call_uuid"),
        ("since=019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01", "last_event_id"),
    ] {
        api.get(&format!("{path}?{query}"), &member).await.names(&[field]);
    }
    // The id of another tenant's event is one that is not there.
    let theirs = api.store.all_events_stored_after(0, 1000).await.unwrap();
    let theirs = theirs.iter().find(|event| event.tenant_id != ours).unwrap();
    for id in [theirs.id.to_string(), "nonsense".to_owned()] {
        let request = api.client.get(api.url(&path)).bearer_auth(&member.token).header("last-event-id", id);
        crate::support::answer(request).await.names(&["last_event_id"]);
    }
}

#[tokio::test]
async fn a_tenant_has_so_many_streams_and_each_ends_with_its_token() {
    let Two { api, member, ours, path } = two().await;
    let other = api.person(Role::User, Some(ours)).await;
    let mut streams = Vec::new();
    for who in [&member, &member, &other] {
        streams.push(Stream::open(&api, who, &path, None).await);
    }
    let refused = api.get(&path, &member).await;
    assert_eq!(refused.is(429).header("content-type"), "text/event-stream");
    assert!(
        refused.text.contains("event: error\ndata: {\"message\":\"Connection limit reached.\"}\n\n"),
        "{refused:?}"
    );
    // A place that is given up is free.
    drop(streams.remove(0));
    let mut again = Stream::open(&api, &member, &path, None).await;
    // A token that is revoked, and a user who may not any more.
    api.send(reqwest::Method::POST, "/auth/logout", Some(&other.token), None).await.is(204);
    let nothing = nizam_core::model::PermissionSet::default();
    let _none = api.store.grant(&nizam_store::Actor::default(), member.id, nothing).await.unwrap();
    ingest(&api.store, "fs1", &begun("ours.example", 0, 1)).await;
    assert_eq!(again.next().await.unwrap().event, "call.created", "it lasts until it is looked at");
    for mut stream in streams.into_iter().chain([again]) {
        let last = loop {
            let frame = stream.next().await.unwrap();
            if frame.event != "call.created" {
                break frame;
            }
        };
        assert_eq!((&*last.event, &last.data["message"]), ("error", &"Unauthenticated.".into()));
        assert!(stream.next().await.is_none());
    }
    api.get(&path, &member).await.is(403);
}

#[tokio::test]
async fn streams_end_with_the_process_and_say_so() {
    let Two { api, member, path, .. } = two().await;
    ingest(&api.store, "fs1", &begun("ours.example", 0, 3)).await;
    let mut waiting = Stream::open(&api, &member, &path, None).await;
    let mut behind = Stream::open(&api, &member, &format!("{path}?since=0"), None).await;
    assert_eq!(behind.next().await.unwrap().event, "call.created");
    api.hub.close();
    for stream in [&mut waiting, &mut behind] {
        let last = loop {
            let frame = stream.next().await.unwrap();
            if !frame.event.starts_with("call.") {
                break frame;
            }
        };
        assert_eq!(
            (&*last.event, &last.data["message"]),
            ("timeout", &"The server ends, please reconnect.".into())
        );
        assert!(stream.next().await.is_none());
    }
}
