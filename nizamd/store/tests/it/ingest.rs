//! Batches of events, and what becomes of them.

use std::collections::{BTreeMap, HashSet};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use nizam_core::call::Fact;
use nizam_store::{CallEventFilter, CdrFilter, Delivered, Origin, Page, Store};
use nizam_wire::event::EventWriter;
use uuid::Uuid;

use crate::support::Fixture;

pub(crate) const START: i64 = 1_785_153_600_000_000;
pub(crate) const ORIGIN: Origin<'_> = Origin { switch: "fs1", core_uuid: "core-1", incarnation: [1; 16] };

pub(crate) fn delivered(headers: &[(&str, &str)], time: i64) -> Delivered {
    let get = |name: &str| headers.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
    let mut out = Vec::new();
    let mut writer =
        EventWriter::new(&mut out, time, get("Event-Name").as_bytes(), get("Event-Subclass").as_bytes());
    for (name, value) in headers {
        writer.header(name, value.as_bytes());
    }
    match Fact::read(&out, START) {
        Ok(Some(fact)) => Delivered::Fact(Box::new(fact)),
        Ok(None) => Delivered::Nothing,
        Err(unusable) => Delivered::Unusable(unusable.to_string(), out),
    }
}

/// Microseconds since 1970.
pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

/// The events of an answered call with two legs, in the order in which FreeSWITCH tells them.
pub(crate) fn call(domain: &str, n: usize) -> Vec<Delivered> {
    let (a, b) = (format!("a-{domain}-{n}"), format!("b-{domain}-{n}"));
    let start = START + i64::try_from(n).unwrap() * 1_000_000;
    let event = |name: &str, first: bool, after: i64| {
        let (own, other) = if first { (&a, &b) } else { (&b, &a) };
        let answered = (start + 2_000_000).to_string();
        let created = start.to_string();
        let number = format!("10{:02}", n % 100);
        let mut headers = vec![
            ("Event-Name", name),
            ("Unique-ID", own),
            ("Channel-Call-UUID", &a),
            ("Caller-Caller-ID-Number", &number),
            ("Caller-Destination-Number", "1002"),
            ("Call-Direction", if first { "inbound" } else { "outbound" }),
            ("Caller-Channel-Created-Time", &created),
        ];
        if first {
            headers.push(("Caller-Context", domain));
        } else {
            headers.push(("variable_originator", other));
        }
        if !matches!(name, "CHANNEL_CREATE" | "CHANNEL_PROGRESS") {
            headers.push(("Caller-Channel-Answered-Time", &answered));
            headers.push(("Other-Leg-Unique-ID", other));
        }
        if name == "CHANNEL_HANGUP_COMPLETE" {
            headers.extend([
                ("variable_duration", "8"),
                ("variable_billsec", "6"),
                ("variable_hangup_cause", "NORMAL_CLEARING"),
                ("variable_sip_hangup_disposition", if first { "recv_bye" } else { "send_bye" }),
                ("variable_read_codec", "PCMU"),
            ]);
        }
        delivered(&headers, start + after)
    };
    vec![
        event("CHANNEL_CREATE", true, 0),
        event("CHANNEL_CREATE", false, 100),
        event("CHANNEL_PROGRESS", false, 500_000),
        event("CHANNEL_ANSWER", false, 2_000_000),
        event("CHANNEL_ANSWER", true, 2_000_100),
        event("CHANNEL_BRIDGE", true, 2_000_200),
        event("CHANNEL_HANGUP_COMPLETE", false, 8_000_000),
        event("CHANNEL_HANGUP_COMPLETE", true, 8_000_100),
    ]
}

pub(crate) fn numbered(events: impl IntoIterator<Item = Delivered>) -> Vec<(u64, Delivered)> {
    (1..).zip(events).collect()
}

/// All that is kept of a tenant, but for ids and times of rows.
async fn picture(store: &Store, tenant: Uuid) -> BTreeMap<String, Vec<String>> {
    let page = Page { number: 1, size: 100_000 };
    let cdrs =
        store.cdrs(tenant, &CdrFilter { legs: true, ..CdrFilter::default() }, page).await.unwrap().rows;
    let events = store.call_events(tenant, &CallEventFilter::default(), page).await.unwrap().rows;
    let mut picture: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mut cdr in cdrs {
        (cdr.id, cdr.created_at, cdr.updated_at) = (Uuid::nil(), 0, 0);
        picture.entry(format!("cdr {}", cdr.uuid)).or_default().push(format!("{cdr:?}"));
    }
    for event in events {
        picture
            .entry(format!("events {}", event.call_uuid))
            .or_default()
            .push(format!("{} {}", event.event_type, event.payload));
    }
    let usage = store.usage(tenant, "2000-01-01", "2100-01-01").await.unwrap();
    picture.insert("usage".to_owned(), usage.iter().map(|metric| format!("{metric:?}")).collect());
    picture
}

#[tokio::test]
async fn a_call_is_stored_once_whatever_is_sent_again() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let events = numbered(call("acme.example", 1));
    let stored = store.ingest(ORIGIN, &events[..4], 0).await.unwrap();
    assert_eq!((stored.sequence, stored.events, stored.cdrs, stored.newest), (4, 4, 0, 4));
    let stored = store.ingest(ORIGIN, &events, 0).await.unwrap();
    assert_eq!(
        (stored.sequence, stored.repeated, stored.events, stored.cdrs, stored.newest),
        (8, 4, 4, 2, 8)
    );
    let stored = store.ingest(ORIGIN, &events[2..], 3).await.unwrap();
    assert_eq!((stored.sequence, stored.repeated, stored.newest), (8, 6, 8));
    let listed = store.cdrs(tenant, &CdrFilter::default(), Page::default()).await.unwrap();
    assert_eq!((listed.total, &*listed.rows[0].uuid), (1, "a-acme.example-1"), "calls, and not legs");
    let legs = store.cdrs_of_call(tenant, "a-acme.example-1").await.unwrap();
    assert_eq!(legs.iter().map(|cdr| &*cdr.leg).collect::<Vec<_>>(), ["a", "b"]);
    // The leg that was called names no tenant: it is that of who called.
    assert!(legs.iter().all(|cdr| cdr.tenant_id == tenant));
    let usage = store.usage(tenant, "2000-01-01", "2100-01-01").await.unwrap();
    assert_eq!((usage[0].count, usage[0].total), (1, 0.1), "once a call");
    assert_eq!(store.billed_seconds(tenant, 0, i64::MAX / 2).await.unwrap(), 6);
    // Another life of the module begins again at 1.
    let other = Origin { incarnation: [2; 16], ..ORIGIN };
    let stored = store.ingest(other, &numbered(call("acme.example", 2)), 0).await.unwrap();
    assert_eq!((stored.events, stored.cdrs, stored.newest), (8, 2, 16));
}

#[tokio::test]
async fn what_is_nobodys_is_kept_apart_and_found_again() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let events = [
        delivered(
            &[("Event-Name", "CHANNEL_CREATE"), ("Unique-ID", "u"), ("Caller-Context", "public")],
            START,
        ),
        delivered(
            &[("Event-Name", "CHANNEL_CREATE"), ("Unique-ID", "stranger"), ("Caller-Context", "public")],
            START,
        ),
        Delivered::Unusable("no sense".to_owned(), b"\0x".to_vec()),
        delivered(
            &[
                ("Event-Name", "CHANNEL_ANSWER"),
                ("Unique-ID", "u"),
                ("variable_nizam_tenant", &tenant.to_string()),
            ],
            START + 1,
        ),
    ];
    let stored = store.ingest(ORIGIN, &numbered(events[..3].to_vec()), 0).await.unwrap();
    assert_eq!((stored.events, stored.strays, stored.quarantined), (0, 2, 1));
    let stored = store.ingest(ORIGIN, &numbered(events), 0).await.unwrap();
    assert_eq!((stored.events, stored.newest), (1, 2), "and the one before, which is the tenant's now");
    let listed = store.call_events(tenant, &CallEventFilter::default(), Page::default()).await.unwrap().rows;
    let types: Vec<&str> = listed.iter().map(|event| &*event.event_type).collect();
    assert_eq!(types, ["call.created", "call.answered"]);
    assert_eq!(listed[0].payload["tenant_id"], tenant.to_string());
}

#[tokio::test]
async fn channels_of_a_switch_that_died_are_closed_once_and_marked() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let events = numbered(call("acme.example", 1));
    store.ingest(ORIGIN, &events[..6], 0).await.unwrap();
    // The module was loaded again, and FreeSWITCH goes on: whoever still talks, talks. What the new life has told is its own.
    let reloaded = Origin { incarnation: [2; 16], ..ORIGIN };
    store.ingest(reloaded, &numbered(call("acme.example", 2))[..1], 0).await.unwrap();
    assert_eq!(store.doubtful_channels(ORIGIN).await.unwrap().len(), 2);
    let alive: HashSet<String> = ["a-acme.example-1".to_owned()].into();
    assert_eq!(store.close_lost(ORIGIN, &alive).await.unwrap().cdrs, 1);
    assert_eq!(store.close_lost(ORIGIN, &alive).await.unwrap().cdrs, 0);
    // FreeSWITCH itself is another one, and the last life of the one before has ended: with it goes what lives before it left.
    let restarted = Origin { core_uuid: "core-2", ..reloaded };
    let present = Origin { incarnation: [3; 16], ..restarted };
    store.ingest(present, &numbered(call("acme.example", 3))[..1], 0).await.unwrap();
    assert!(store.doubtful_channels(restarted).await.unwrap().is_empty());
    assert_eq!(store.close_lost(restarted, &HashSet::new()).await.unwrap().cdrs, 2);
    assert_eq!(store.close_lost(restarted, &HashSet::new()).await.unwrap().cdrs, 0);
    assert!(store.cdrs_of_call(tenant, "a-acme.example-3").await.unwrap().is_empty(), "it has only begun");
    let legs = store.cdrs_of_call(tenant, "a-acme.example-1").await.unwrap();
    assert_eq!(legs.len(), 2);
    for leg in &legs {
        assert_eq!(
            (leg.closed_by.as_deref(), &leg.hangup_cause, leg.billsec),
            (Some("reconciler"), &None, 0)
        );
    }
    assert!(
        store.usage(tenant, "2000-01-01", "2100-01-01").await.unwrap().is_empty(),
        "nobody knows how long"
    );
    // What the channel itself says counts more, if it comes after all.
    store.ingest(present, &numbered(call("acme.example", 1).split_off(5))[1..], 0).await.unwrap();
    let legs = store.cdrs_of_call(tenant, "a-acme.example-1").await.unwrap();
    assert_eq!(
        legs.iter().map(|leg| (&leg.closed_by, leg.billsec)).collect::<Vec<_>>(),
        [(&None, 6), (&None, 6)]
    );
    let told = store.events_of_channel(tenant, "a-acme.example-1").await.unwrap();
    let ends: Vec<_> = told.iter().filter(|event| event.event_type == "call.hangup").collect();
    assert_eq!(ends.len(), 1, "it is told once how it ended");
    assert_eq!(ends[0].payload["metadata"]["closed_by"], serde_json::Value::Null);
}

#[tokio::test]
async fn the_end_of_a_life_that_told_nothing_closes_nothing() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    store.ingest(ORIGIN, &numbered(call("acme.example", 1))[..2], 0).await.unwrap();
    let unknown = Origin { incarnation: [8; 16], ..ORIGIN };
    for _ in 0..2 {
        assert!(store.doubtful_channels(unknown).await.unwrap().is_empty());
        assert_eq!(store.close_lost(unknown, &HashSet::new()).await.unwrap().cdrs, 0);
        store.incarnation_ended(unknown).await.unwrap();
    }
    assert!(store.cdrs_of_call(tenant, "a-acme.example-1").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_channel_is_closed_by_itself_unless_something_was_heard_of_it_meanwhile() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let before = now();
    let events = numbered(call("acme.example", 1));
    store.ingest(ORIGIN, &events[..6], 0).await.unwrap();
    assert!(store.silent_channels(ORIGIN, before).await.unwrap().is_empty());
    let after = now() + 1;
    let uuids = store.silent_channels(ORIGIN, after).await.unwrap();
    assert_eq!(uuids.len(), 2);
    let other = Origin { incarnation: [2; 16], ..ORIGIN };
    for (origin, since, closed) in
        [(ORIGIN, before, 0), (other, after, 0), (ORIGIN, after, 1), (ORIGIN, after, 0)]
    {
        assert_eq!(store.close_silent(origin, &uuids[0], since).await.unwrap().cdrs, closed);
    }
    assert_eq!(store.silent_channels(ORIGIN, after).await.unwrap(), uuids[1..]);
    let legs = store.cdrs_of_call(tenant, "a-acme.example-1").await.unwrap();
    assert_eq!(
        legs.iter().map(|leg| (&*leg.uuid, leg.closed_by.as_deref())).collect::<Vec<_>>(),
        [(&*uuids[0], Some("reconciler"))]
    );
}

#[tokio::test]
async fn a_channel_that_tells_its_end_after_it_was_closed_has_the_cdr_of_one_that_never_was() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    // Its last event alone says neither who called whom, nor when, nor that it was recorded and held.
    let events = |uuid: &str| {
        let event = |name: &str, at: i64, more: &[(&str, &str)]| {
            let headers: Vec<_> =
                [("Event-Name", name), ("Unique-ID", uuid)].iter().chain(more).copied().collect();
            delivered(&headers, START + at * 1_000_000)
        };
        let created = START.to_string();
        let begun = [
            ("variable_originator", "somebody"),
            ("Channel-Call-UUID", "somebody"),
            ("Caller-Context", "acme.example"),
            ("Caller-Caller-ID-Name", "Ada"),
            ("Caller-Caller-ID-Number", "1001"),
            ("Caller-Destination-Number", "1002"),
            ("Call-Direction", "outbound"),
            ("Caller-Channel-Created-Time", &created),
            ("variable_nizam_generation", "7"),
        ];
        numbered([
            event("CHANNEL_CREATE", 0, &begun),
            event("CHANNEL_ANSWER", 2, &[("Other-Leg-Unique-ID", "somebody")]),
            event("CHANNEL_HOLD", 3, &[]),
            event("CHANNEL_UNHOLD", 5, &[]),
            event("RECORD_START", 6, &[("Record-File-Path", "/r/x.wav")]),
            event(
                "CHANNEL_HANGUP_COMPLETE",
                9,
                &[("variable_billsec", "7"), ("variable_hangup_cause", "NORMAL_CLEARING")],
            ),
        ])
    };
    let other = Origin { switch: "fs2", ..ORIGIN };
    store.ingest(other, &events("straight"), 0).await.unwrap();
    let lost = events("lost");
    store.ingest(ORIGIN, &lost[..5], 0).await.unwrap();
    let after = now() + 1;
    assert_eq!(store.close_silent(ORIGIN, "lost", after).await.unwrap().cdrs, 1);
    store.ingest(ORIGIN, &lost, 0).await.unwrap();
    let page = Page::default();
    let cdrs =
        store.cdrs(tenant, &CdrFilter { legs: true, ..CdrFilter::default() }, page).await.unwrap().rows;
    let [one, two] = ["straight", "lost"].map(|uuid| {
        let mut cdr = cdrs.iter().find(|cdr| cdr.uuid == uuid).unwrap().clone();
        (cdr.id, cdr.created_at, cdr.updated_at) = (Uuid::nil(), 0, 0);
        (cdr.uuid, cdr.switch_name) = (String::new(), None);
        cdr
    });
    assert_eq!((one.hold_ms, one.recording_path.as_deref(), &*one.leg), (Some(2000), Some("/r/x.wav"), "b"));
    assert_eq!((two.caller_id_number.as_str(), two.generation), ("1001", Some(7)));
    assert_eq!(one, two);
}

#[tokio::test]
async fn what_is_old_goes_where_the_tenant_wants_it_so() {
    let fixture = Fixture::new().await;
    let (keeps, forgets) = (fixture.tenant("acme.example").await.id, fixture.tenant("beta.example").await.id);
    let store = &fixture.store;
    let now = now();
    let end = |uuid: &str, domain: &str, at: i64| {
        let headers =
            [("Event-Name", "CHANNEL_HANGUP_COMPLETE"), ("Unique-ID", uuid), ("Caller-Context", domain)];
        delivered(&headers, at)
    };
    for (switch, domain) in [("fs1", "acme.example"), ("fs2", "beta.example")] {
        let (old, new) = (format!("old-{switch}"), format!("new-{switch}"));
        let events = [end(&old, domain, now - 30 * 86_400_000_000), end(&new, domain, now)];
        store.ingest(Origin { switch, ..ORIGIN }, &numbered(events), 0).await.unwrap();
    }
    assert_eq!(store.forget_calls().await.unwrap(), 0, "without a word of the tenant nothing goes");
    let settings = nizam_core::validate::Settings::Map(
        [("call_retention_days".to_owned(), serde_json::json!(7))].into_iter().collect(),
    );
    store
        .put_settings(&crate::support::actor(), forgets, settings, &nizam_store::Expected::Anything)
        .await
        .unwrap();
    assert_eq!(store.forget_calls().await.unwrap(), 2, "a CDR and its event");
    assert_eq!(store.forget_calls().await.unwrap(), 0);
    let cdrs = async |tenant| {
        let filter = CdrFilter { legs: true, ..CdrFilter::default() };
        store.cdrs(tenant, &filter, Page::default()).await.unwrap().total
    };
    assert_eq!((cdrs(keeps).await, cdrs(forgets).await), (2, 1));
}

/// A small generator of numbers, the same for a seed everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// Calls that overlap, in one order.
fn mixed(domain: &str, calls: usize, random: &mut Random) -> Vec<(u64, Delivered)> {
    let mut open: Vec<std::vec::IntoIter<Delivered>> =
        (0..calls).map(|n| call(domain, n).into_iter()).collect();
    let mut all = Vec::new();
    while !open.is_empty() {
        let which = random.below(open.len());
        match open[which].next() {
            Some(event) => all.push(event),
            None => drop(open.swap_remove(which)),
        }
    }
    numbered(all)
}

#[tokio::test]
async fn however_batches_are_cut_and_sent_again_the_tables_are_the_same() {
    let seed =
        std::env::var("NIZAM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(88_172_645_463_325_252);
    println!("NIZAM_SEED={seed}");
    let mut random = Random(seed);
    let (one, two) = (mixed("acme.example", 25, &mut random), mixed("beta.example", 25, &mut random));
    let straight = Fixture::new().await;
    let mut want = Vec::new();
    for (name, domain, events) in [("fs1", "acme.example", &one), ("fs2", "beta.example", &two)] {
        let tenant = straight.tenant(domain).await.id;
        straight.store.ingest(Origin { switch: name, ..ORIGIN }, events, 0).await.unwrap();
        want.push(picture(&straight.store, tenant).await);
    }
    assert_eq!(want[0].keys().filter(|key| key.starts_with("cdr")).count(), 50);
    for _ in 0..5 {
        let fixture = Fixture::new().await;
        let tenants = [fixture.tenant("acme.example").await.id, fixture.tenant("beta.example").await.id];
        let (store, mut at) = (&fixture.store, [0, 0]);
        while at[0] < one.len() || at[1] < two.len() {
            let which = random.below(2);
            let (name, events) = [("fs1", &one), ("fs2", &two)][which];
            // From somewhere that was acknowledged, or sent before and not, to somewhere beyond.
            let from = at[which] - random.below(at[which].min(30) + 1);
            let to = (at[which] + random.below(40)).min(events.len());
            store.ingest(Origin { switch: name, ..ORIGIN }, &events[from..to.max(from)], 0).await.unwrap();
            at[which] = to.max(at[which]);
        }
        for (tenant, want) in tenants.into_iter().zip(&want) {
            let got = picture(store, tenant).await;
            let ours = |text: &str, id: Uuid| text.replace(&id.to_string(), "T");
            for (key, rows) in want {
                let want_rows: Vec<String> = rows.iter().map(|row| without_tenant(row)).collect();
                let got_rows: Vec<String> = got
                    .get(key)
                    .into_iter()
                    .flatten()
                    .map(|row| without_tenant(&ours(row, tenant)))
                    .collect();
                assert_eq!(got_rows, want_rows, "{key}");
            }
            assert_eq!(got.len(), want.len());
        }
    }
}

/// A row without the ids of tenants, which differ from database to database.
fn without_tenant(row: &str) -> String {
    let mut text = row.to_owned();
    for mark in ["tenant_id: ", "\"tenant_id\":\""] {
        if let Some(at) = text.find(mark) {
            let from = at + mark.len();
            let length = if text[from..].starts_with('T') { 1 } else { 36 };
            text.replace_range(from..from + length, "");
        }
    }
    text
}

/// How many events a second are stored, in batches as the link has them: printed, and not judged.
#[tokio::test]
#[ignore = "measures"]
async fn rate() {
    for size in [64, 256, 1024] {
        let fixture = Fixture::new().await;
        fixture.tenant("acme.example").await;
        let mut events = Vec::new();
        // Fifty calls at a time.
        for first in (0..5000).step_by(50) {
            let calls: Vec<Vec<Delivered>> = (first..first + 50).map(|n| call("acme.example", n)).collect();
            events.extend((0..8).flat_map(|step| calls.iter().map(move |call| call[step].clone())));
        }
        let events = numbered(events);
        let start = Instant::now();
        for batch in events.chunks(size) {
            fixture.store.ingest(ORIGIN, batch, 0).await.unwrap();
        }
        let rate = f64::from(u32::try_from(events.len()).unwrap()) / start.elapsed().as_secs_f64();
        println!("ingest: {} events in batches of {size}: {rate:.0} events/s", events.len());
    }
}
