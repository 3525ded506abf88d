//! What is stored becomes deliveries: each event once to each webhook that wants it, whoever feeds, and nothing of another tenant's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nizam_core::model::{CallEvent, TenantChange, TenantStatus};
use nizam_core::resource::{HOLIDAY, Purpose, WEBHOOK, WEBHOOK_EVENTS};
use nizam_core::validate::{Fields, Input};
use nizam_store::{Delivered, Expected, Fed, Keyring, Origin, Store};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::Raw;
use crate::ingest::{ORIGIN, call, delivered, now, numbered};
use crate::outbox::of;
use crate::random::Random;
use crate::support::{Fixture, actor, change, new_extension};

/// A row of `webhook_deliveries`.
type Row = (Uuid, Uuid, String, String, i64);

impl Raw {
    async fn deliveries(&self) -> Vec<Row> {
        const SQL: &str = "SELECT webhook_id, event_id, event_type, order_key, sequence FROM webhook_deliveries ORDER BY sequence, id";
        match self {
            Self::Sqlite(pool) => sqlx::query_as(SQL).fetch_all(pool).await.unwrap(),
            Self::Postgres(pool) => sqlx::query_as(SQL).fetch_all(pool).await.unwrap(),
        }
    }
}

async fn webhook(store: &Store, tenant: Uuid, events: &[&str], is_active: bool) -> Uuid {
    let body = json!({"url": "https://hooks.example.org/", "events": events, "is_active": is_active});
    store.create_record(&actor(), &WEBHOOK, tenant, of(&WEBHOOK, body)).await.unwrap().value.record.id
}

async fn set_active(store: &Store, tenant: Uuid, id: Uuid, is_active: bool) {
    let Value::Object(body) = json!({"is_active": is_active}) else { unreachable!() };
    let values = WEBHOOK.read(Purpose::Update, &mut Fields::new(&Input::of(body))).unwrap();
    store.update_record(&actor(), &WEBHOOK, tenant, id, values, &Expected::Anything).await.unwrap();
}

/// Feeds until there is nothing more; gives how many events and deliveries that were.
async fn feed(store: &Store) -> (usize, usize) {
    let mut all = (0, 0);
    loop {
        let Fed { events, deliveries, more } = store.feed_webhooks().await.unwrap();
        all = (all.0 + events, all.1 + deliveries);
        if !more {
            return all;
        }
    }
}

/// The call of a channel that nobody answers.
fn unanswered(domain: &str, uuid: &str) -> Delivered {
    let headers = [
        ("Event-Name", "CHANNEL_HANGUP_COMPLETE"),
        ("Unique-ID", uuid),
        ("Caller-Context", domain),
        ("variable_hangup_cause", "NO_ANSWER"),
    ];
    delivered(&headers, now())
}

#[tokio::test]
async fn each_webhook_is_told_what_it_wants_by_the_name_it_wants() {
    let fixture = Fixture::new().await;
    let (store, raw) = (&fixture.store, Raw::of(&fixture).await);
    let (ours, theirs) = (fixture.tenant("acme.example").await.id, fixture.tenant("beta.example").await.id);
    store.create_extension(&actor(), ours, new_extension("1000")).await.unwrap();
    assert_eq!(feed(store).await, (0, 0), "without a webhook nothing is looked through");

    // Stored before it was there, though nobody had looked through it yet.
    store.create_extension(&actor(), ours, new_extension("1001")).await.unwrap();
    let started = webhook(store, ours, &["call.created", "call.started"], true).await;
    let stored = webhook(store, ours, &["call.bridged", "call.missed", "extension.deleted"], true).await;
    let idle = webhook(store, ours, &["call.started", "extension.created"], false).await;
    let foreign = webhook(store, theirs, &["call.started", "extension.created", "did.created"], true).await;
    assert_eq!(feed(store).await, (2, 0), "what was there before it is not told");

    store.ingest(ORIGIN, &numbered(call("acme.example", 1)), 0).await.unwrap();
    let made = store.create_extension(&actor(), ours, new_extension("1002")).await.unwrap().value.id;
    store.delete_extension(&actor(), ours, made, &Expected::Anything).await.unwrap();
    store
        .ingest(Origin { switch: "fs2", ..ORIGIN }, &[(1, unanswered("acme.example", "lonely"))], 0)
        .await
        .unwrap();
    let events = store.events_stored_after(ours, 2, 100).await.unwrap();
    assert_eq!(feed(store).await, (events.len(), 5));
    assert_eq!(feed(store).await, (0, 0));
    let at = |kind: &str, n: usize| {
        let event = events.iter().filter(|event| event.event_type == kind).nth(n).unwrap();
        (event.id, event.sequence)
    };
    let row = |webhook: Uuid, (event, sequence): (Uuid, i64), name: &str, key: &str| -> Row {
        (webhook, event, name.to_owned(), key.to_owned(), sequence)
    };
    let leg = "a-acme.example-1";
    let want = [
        row(started, at("call.created", 0), "call.started", leg),
        row(started, at("call.created", 1), "call.started", leg),
        row(stored, at("call.bridged", 0), "call.bridged", leg),
        row(stored, at("extension.deleted", 0), "extension.deleted", &made.to_string()),
        row(stored, at("call.missed", 0), "call.missed", "lonely"),
    ];
    assert_eq!(raw.deliveries().await, want, "all legs of a call are told in one order");
    // It can be delivered.
    let due = store.webhooks_due().await.unwrap();
    assert_eq!(due.iter().map(|due| due.id).collect::<BTreeSet<_>>(), [started, stored].into());
    let due = *due.iter().find(|due| due.id == stored).unwrap();
    let names: Vec<(String, Uuid)> = {
        let claimed = store.claim_deliveries(&[(due, 10)], now() + 60_000_000).await.unwrap();
        claimed.into_iter().map(|delivery| (delivery.event_type, delivery.event.id)).collect()
    };
    assert_eq!(names.len(), 3);
    assert!(names.contains(&("extension.deleted".to_owned(), at("extension.deleted", 0).0)));

    // Active again, it is told from then on; what was stored meanwhile is not, looked through or not.
    set_active(store, ours, started, false).await;
    store.ingest(Origin { switch: "fs3", ..ORIGIN }, &numbered(call("acme.example", 2)), 0).await.unwrap();
    set_active(store, ours, started, true).await;
    set_active(store, ours, idle, true).await;
    let before = store.newest_event().await.unwrap();
    store.create_extension(&actor(), ours, new_extension("1003")).await.unwrap();
    store.ingest(Origin { switch: "fs4", ..ORIGIN }, &numbered(call("acme.example", 3)), 0).await.unwrap();
    feed(store).await;
    let rows = raw.deliveries().await;
    let of_hook = |id: Uuid| rows.iter().filter(|row| row.0 == id && row.4 > want[4].4).collect::<Vec<_>>();
    assert_eq!(of_hook(started).len(), 2);
    assert_eq!(of_hook(idle).len(), 3);
    assert!(of_hook(started).iter().chain(&of_hook(idle)).all(|row| row.4 > before));

    // A tenant that is suspended is told of nothing that happens then.
    let status = async |status| {
        let change = TenantChange { status: Some(status), ..TenantChange::default() };
        store.update_tenant(&actor(), theirs, change, &Expected::Anything).await.unwrap();
    };
    status(TenantStatus::Suspended).await;
    store.create_extension(&actor(), theirs, new_extension("1001")).await.unwrap();
    feed(store).await;
    status(TenantStatus::Active).await;
    store.create_extension(&actor(), theirs, new_extension("1002")).await.unwrap();
    feed(store).await;
    let rows: Vec<Row> = raw.deliveries().await.into_iter().filter(|row| row.0 == foreign).collect();
    assert_eq!(rows.iter().map(|row| &*row.2).collect::<Vec<_>>(), ["extension.created"]);

    // What is deleted before it is looked through holds nobody up.
    store.create_extension(&actor(), theirs, new_extension("1004")).await.unwrap();
    store.delete_tenant(&actor(), theirs, &Expected::Anything).await.unwrap();
    assert_eq!(feed(store).await, (0, 0));
    store.create_extension(&actor(), ours, new_extension("1005")).await.unwrap();
    assert_eq!(feed(store).await, (1, 1));
}

/// Random events of a tenant: those of calls, and now and then of the configuration.
async fn happens(store: &Store, random: &mut Random, (domain, tenant): (&str, Uuid), n: usize) {
    match random.below(8) {
        0 => {
            let made = store
                .create_extension(&actor(), tenant, new_extension(&format!("9{n}")))
                .await
                .unwrap()
                .value;
            if random.below(2) == 0 {
                let change = change(&format!("8{n}"));
                store.update_extension(&actor(), tenant, made.id, change, &Expected::Anything).await.unwrap();
            }
        }
        1 => {
            let values = of(&HOLIDAY, json!({"name": format!("h{n}"), "dates": ["12-25"]}));
            store.create_record(&actor(), &HOLIDAY, tenant, values).await.unwrap();
        }
        _ => {
            let many = 1 + random.below(12);
            let events = (0..many).flat_map(|more| call(domain, n * 100 + more));
            let mut incarnation = [0; 16];
            incarnation[..8].copy_from_slice(&n.to_be_bytes());
            let origin = Origin { switch: domain, core_uuid: "c", incarnation };
            store.ingest(origin, &numbered(events), 0).await.unwrap();
        }
    }
}

/// Two daemons feed while two write: every event of a tenant is delivered to its webhooks once, and to no other's.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn webhooks_are_told_all_of_their_tenant_and_nothing_of_another() {
    let most: usize = std::env::var("NIZAM_ISOLATION_EVENTS").map_or(2000, |text| text.parse().unwrap());
    let fixture = Fixture::new().await;
    let raw = Raw::of(&fixture).await;
    let tenants = [
        ("acme.example", fixture.tenant("acme.example").await.id),
        ("beta.example", fixture.tenant("beta.example").await.id),
    ];
    let second = Arc::new(Store::open(&fixture.url, Keyring::new(&fixture.key)).await.unwrap());
    let first = Arc::new(fixture.store);
    let mut hooks = BTreeMap::new();
    for (_, tenant) in tenants {
        for _ in 0..2 {
            hooks.insert(webhook(&first, tenant, WEBHOOK_EVENTS, true).await, tenant);
        }
    }
    let done = Arc::new(AtomicBool::new(false));
    let feeders: Vec<_> = [&first, &second]
        .map(|store| {
            let (store, done) = (Arc::clone(store), Arc::clone(&done));
            tokio::spawn(async move {
                let mut fed = 0;
                while !done.load(Ordering::Relaxed) {
                    fed += feed(&store).await.0;
                    tokio::task::yield_now().await;
                }
                fed
            })
        })
        .into();
    let writers: Vec<_> = tenants
        .iter()
        .zip([&first, &second])
        .map(|(&(domain, tenant), store)| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ tenant.as_u64_pair().1);
                let mut n = 0;
                while store.newest_event().await.unwrap() < i64::try_from(most).unwrap() {
                    happens(&store, &mut random, (domain, tenant), n).await;
                    n += 1;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let mut fed = Vec::new();
    for feeder in feeders {
        fed.push(feeder.await.unwrap());
    }
    fed.push(feed(&first).await.0);
    let rows = raw.deliveries().await;
    let (mut events, mut foreign) = (0, 0);
    for (domain, tenant) in tenants {
        let all = first.events_stored_after(tenant, 0, 1_000_000).await.unwrap();
        assert!(all.iter().all(|event| event.tenant_id == tenant));
        let wanted = |event: &&CallEvent| nizam_core::event::names(&event.event_type).next().is_some();
        let want: Vec<(Uuid, i64)> =
            all.iter().filter(wanted).map(|event| (event.id, event.sequence)).collect();
        let own: BTreeSet<Uuid> = all.iter().map(|event| event.id).collect();
        for (hook, _) in hooks.iter().filter(|(_, whose)| **whose == tenant) {
            let told: Vec<(Uuid, i64)> =
                rows.iter().filter(|row| row.0 == *hook).map(|row| (row.1, row.4)).collect();
            foreign += told.iter().filter(|(id, _)| !own.contains(id)).count();
            assert!(told == want, "{domain}: {} deliveries instead of {}", told.len(), want.len());
        }
        events += all.len();
    }
    assert_eq!((foreign, fed.iter().sum::<usize>()), (0, events), "each is looked through once");
    println!(
        "isolation: {events} events of two tenants, {} deliveries to {} webhooks, {foreign} of another tenant's; fed by {fed:?}",
        rows.len(),
        hooks.len()
    );
}
