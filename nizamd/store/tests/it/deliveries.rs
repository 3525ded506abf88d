//! What webhooks are still to be told: claimed once, not lost by whoever dies with it, and only what is wanted.

use std::collections::BTreeSet;
use std::sync::Arc;

use nizam_core::model::CallEvent;
use nizam_core::resource::{Purpose, WEBHOOK};
use nizam_core::validate::{Fields, Input};
use nizam_store::{Delivery, DueWebhook, Enqueued, Expected, NewAttempt, Page, Store};
use nizam_test_postgres::Database;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::Raw;
use crate::ingest::{ORIGIN, delivered, now, numbered};
use crate::support::{Fixture, actor};

const NAMES: [&str; 2] = ["call.started", "call.created"];

/// Makes events of as many channels, gives them.
pub(crate) async fn events(store: &Store, domain: &str, channels: usize) -> Vec<CallEvent> {
    let events = (0..channels).map(|n| {
        let uuid = format!("{domain}-{n}");
        let headers = [("Event-Name", "CHANNEL_CREATE"), ("Unique-ID", &uuid), ("Caller-Context", domain)];
        delivered(&headers, now())
    });
    let origin = nizam_store::Origin { switch: domain, ..ORIGIN };
    store.ingest(origin, &numbered(events), 0).await.unwrap();
    let all = store.all_events_stored_after(0, 10_000).await.unwrap();
    all.into_iter().filter(|event| event.call_uuid.starts_with(domain)).collect()
}

pub(crate) async fn webhook(store: &Store, tenant: Uuid, events: &[&str], is_active: bool) -> DueWebhook {
    let Value::Object(body) =
        json!({"url": "https://hooks.example.org/", "events": events, "is_active": is_active})
    else {
        unreachable!()
    };
    let values = WEBHOOK.read(Purpose::Create, &mut Fields::new(&Input::of(body))).unwrap();
    let made = store.create_record(&actor(), &WEBHOOK, tenant, values).await.unwrap();
    DueWebhook { id: made.value.record.id, tenant_id: tenant }
}

fn attempt(delivery: &Delivery, status: u16) -> NewAttempt<'_> {
    NewAttempt {
        webhook_id: delivery.webhook.id,
        event_id: Some(delivery.event.id),
        event_type: &delivery.event_type,
        payload: &delivery.event.payload,
        response_status: Some(status),
        response_body: Some("done"),
        attempt: delivery.attempt,
        latency_ms: Some(1.5),
        error_message: None,
    }
}

const MINUTE: i64 = 60_000_000;

#[tokio::test]
async fn a_delivery_is_one_claim_s_until_its_time_is_over() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let event = events(store, "acme.example", 1).await.remove(0);
    assert_eq!(store.enqueue_deliveries(&actor(), &event, &NAMES).await.unwrap(), Enqueued::Webhooks(0));
    let wanting = webhook(store, tenant, &["call.created", "call.started"], true).await;
    webhook(store, tenant, &["call.hangup"], true).await;
    webhook(store, tenant, &["call.created"], false).await;
    assert_eq!(store.webhooks_due().await.unwrap(), []);
    assert_eq!(store.enqueue_deliveries(&actor(), &event, &NAMES).await.unwrap(), Enqueued::Webhooks(1));
    assert_eq!(store.webhooks_due().await.unwrap(), [wanting]);

    // One that dies with it leaves it to the next, whose word counts from then on.
    let lost = store.claim_delivery(wanting, now()).await.unwrap().unwrap();
    assert_eq!((&*lost.event_type, lost.attempt, &lost.event), ("call.started", 1, &event));
    assert_eq!(lost.webhook.text("url"), "https://hooks.example.org/");
    let taken = store.claim_delivery(wanting, now() + MINUTE).await.unwrap().unwrap();
    assert_eq!((taken.id, taken.attempt), (lost.id, 2));
    assert!(store.claim_delivery(wanting, now() + MINUTE).await.unwrap().is_none());
    assert_eq!(store.webhooks_due().await.unwrap(), []);
    store.attempted(&lost, &attempt(&lost, 200), None).await.unwrap();
    store.attempted(&taken, &attempt(&taken, 500), Some(now())).await.unwrap();
    assert_eq!(store.webhooks_due().await.unwrap(), [wanting]);

    // Asked for once more while it waits: it is one, and tried from the beginning.
    store.enqueue_deliveries(&actor(), &event, &NAMES).await.unwrap();
    let again = store.claim_delivery(wanting, now() + MINUTE).await.unwrap().unwrap();
    assert_eq!((again.id, again.attempt), (lost.id, 1));
    // Asked for once more while it is under way: what becomes of that ends nothing.
    store.enqueue_deliveries(&actor(), &event, &NAMES).await.unwrap();
    let more = store.claim_delivery(wanting, now() + 2 * MINUTE).await.unwrap().unwrap();
    assert_eq!((more.id, more.attempt), (lost.id, 1));
    store.attempted(&again, &attempt(&again, 200), None).await.unwrap();
    store.attempted(&again, &attempt(&again, 500), Some(now())).await.unwrap();
    assert_eq!(store.webhooks_due().await.unwrap(), [], "the other one lasts");
    store.attempted(&more, &attempt(&more, 500), Some(now())).await.unwrap();
    let after = store.claim_delivery(wanting, now() + MINUTE).await.unwrap().unwrap();
    assert_eq!((after.id, after.attempt), (lost.id, 2));
    store.attempted(&after, &attempt(&after, 204), None).await.unwrap();
    store.enqueue_deliveries(&actor(), &event, &NAMES).await.unwrap();
    assert_ne!(store.claim_delivery(wanting, now()).await.unwrap().unwrap().id, lost.id);
    let noted = store.delivery_attempts(wanting.id, Page::default()).await.unwrap().rows;
    let noted: Vec<_> = noted.iter().rev().map(|a| (a.response_status, a.attempt, a.success)).collect();
    let want =
        [(200, 1, true), (500, 2, false), (200, 1, true), (500, 1, false), (500, 1, false), (204, 2, true)];
    assert_eq!(noted, want.map(|(status, attempt, success)| (Some(status), attempt, success)));
}

#[tokio::test]
async fn what_nobody_wants_any_more_is_dropped() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let all = events(store, "acme.example", 3).await;
    let due = webhook(store, tenant, &["call.created"], true).await;
    let change = async |body: Value| {
        let Value::Object(body) = body else { unreachable!() };
        let values = WEBHOOK.read(Purpose::Update, &mut Fields::new(&Input::of(body))).unwrap();
        store.update_record(&actor(), &WEBHOOK, tenant, due.id, values, &Expected::Anything).await.unwrap();
    };
    store.enqueue_deliveries(&actor(), &all[0], &NAMES).await.unwrap();
    change(json!({"events": ["call.hangup"]})).await;
    assert!(store.claim_delivery(due, now()).await.unwrap().is_none());
    change(json!({"events": ["call.created"]})).await;
    assert_eq!(store.webhooks_due().await.unwrap(), [], "it is gone");

    store.enqueue_deliveries(&actor(), &all[0], &NAMES).await.unwrap();
    change(json!({"is_active": false})).await;
    assert!(store.claim_delivery(due, now()).await.unwrap().is_none());
    change(json!({"is_active": true})).await;
    assert_eq!(store.webhooks_due().await.unwrap(), [], "it is gone");

    // An event that is kept no longer.
    for event in &all {
        store.enqueue_deliveries(&actor(), event, &NAMES).await.unwrap();
    }
    let raw = Raw::of(&fixture).await;
    raw.run(format!("DELETE FROM call_events WHERE id = {}", raw.id(all[1].id))).await;
    let mut claimed = BTreeSet::new();
    while let Some(delivery) = store.claim_delivery(due, now() + MINUTE).await.unwrap() {
        claimed.insert(delivery.event.id);
    }
    assert_eq!(claimed, [all[0].id, all[2].id].into());
    // The same event under its other name is wanted still.
    store.enqueue_deliveries(&actor(), &all[0], &NAMES).await.unwrap();
    change(json!({"events": ["call.started"]})).await;
    let renamed = store.claim_delivery(due, now() + MINUTE).await.unwrap().unwrap();
    assert_eq!((renamed.event.id, &*renamed.event_type), (all[0].id, "call.started"));
    change(json!({"events": ["call.created"]})).await;

    // One that cannot be read is left alone.
    store.enqueue_deliveries(&actor(), &all[0], &NAMES).await.unwrap();
    store.postpone_deliveries(due, now() + MINUTE).await.unwrap();
    assert_eq!(store.webhooks_due().await.unwrap(), []);

    // An event that cannot be read keeps none behind it from being told. PostgreSQL takes none that cannot.
    store.enqueue_deliveries(&actor(), &all[2], &NAMES).await.unwrap();
    if Database::chosen() == Database::Sqlite {
        store.enqueue_deliveries(&actor(), &all[0], &NAMES).await.unwrap();
        let first = raw.id(all[0].id);
        raw.run(format!("UPDATE webhook_deliveries SET due_at = 1 WHERE event_id = {first}")).await;
        raw.run(format!("UPDATE call_events SET payload = 'no JSON' WHERE id = {first}")).await;
    }
    let next = store.claim_delivery(due, now() + MINUTE).await.unwrap().unwrap();
    assert_eq!(next.event.id, all[2].id);
    assert!(store.claim_delivery(due, now() + MINUTE).await.unwrap().is_none(), "it is put off");
    // What is given back is due at once, and its attempt counts.
    store.give_back_delivery(next.id, next.attempt, next.until).await.unwrap();
    let again = store.claim_delivery(due, now() + MINUTE).await.unwrap().unwrap();
    assert_eq!((again.id, again.attempt), (next.id, next.attempt + 1));

    // A tenant that is suspended is told when it no longer is; one whose webhook is deleted, nothing.
    store.enqueue_deliveries(&actor(), &all[2], &NAMES).await.unwrap();
    raw.run("UPDATE tenants SET status = 'suspended'".into()).await;
    assert_eq!(store.webhooks_due().await.unwrap(), []);
    raw.run("UPDATE tenants SET status = 'trial'".into()).await;
    assert_eq!(store.webhooks_due().await.unwrap(), [due]);
    store.delete_record(&actor(), &WEBHOOK, tenant, due.id, &Expected::Anything).await.unwrap();
    assert_eq!(store.webhooks_due().await.unwrap(), []);
    assert!(store.claim_delivery(due, now()).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_claim_share_and_none_has_another_s() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("acme.example").await.id;
    let other = fixture.tenant("beta.example").await.id;
    let store = Arc::new(fixture.store);
    let all = events(&store, "acme.example", 100).await;
    let due = webhook(&store, tenant, &["call.created"], true).await;
    let foreign = webhook(&store, other, &["call.created"], true).await;
    for event in &all {
        assert_eq!(store.enqueue_deliveries(&actor(), event, &NAMES).await.unwrap(), Enqueued::Webhooks(1));
    }
    assert_eq!(store.webhooks_due().await.unwrap(), [due]);
    let claims: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut mine = Vec::new();
                while let Some(delivery) = store.claim_delivery(due, now() + MINUTE).await.unwrap() {
                    mine.push(delivery.event.id);
                }
                mine
            })
        })
        .collect();
    let mut claimed = Vec::new();
    for claim in claims {
        claimed.extend(claim.await.unwrap());
    }
    let once: BTreeSet<Uuid> = claimed.iter().copied().collect();
    assert_eq!((claimed.len(), once), (100, all.iter().map(|event| event.id).collect()));
    assert!(store.claim_delivery(foreign, now()).await.unwrap().is_none());
}

#[tokio::test]
async fn there_is_an_end_to_what_a_tenant_may_ask_for() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let all = events(store, "acme.example", 101).await;
    for _ in 0..100 {
        webhook(store, tenant, &["call.created"], true).await;
    }
    for event in &all[..100] {
        assert_eq!(store.enqueue_deliveries(&actor(), event, &NAMES).await.unwrap(), Enqueued::Webhooks(100));
    }
    assert_eq!(store.enqueue_deliveries(&actor(), &all[100], &NAMES).await.unwrap(), Enqueued::TooMany);
}

#[tokio::test]
async fn what_is_old_goes_and_attempts_of_which_there_are_many() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let event = events(store, "acme.example", 1).await.remove(0);
    let due = webhook(store, tenant, &["call.created"], true).await;
    store.enqueue_deliveries(&actor(), &event, &NAMES).await.unwrap();
    let delivery = store.claim_delivery(due, now()).await.unwrap().unwrap();
    for _ in 0..12 {
        store.attempted(&delivery, &attempt(&delivery, 500), Some(now())).await.unwrap();
    }
    let raw = Raw::of(&fixture).await;
    let columns =
        "id, webhook_id, event_type, payload, attempt, success, delivered_at, created_at, updated_at";
    let (numbers, id, before) = match Database::chosen() {
        Database::Sqlite => (
            "(WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000) SELECT n FROM n) AS numbers",
            "randomblob(16)",
            "created_at - n",
        ),
        Database::Postgres => {
            ("generate_series(1, 1000) n", "gen_random_uuid()", "created_at - n * interval '1 microsecond'")
        }
    };
    raw.run(format!(
        "INSERT INTO webhook_delivery_attempts ({columns}) SELECT {id}, webhook_id, event_type, payload, attempt, success, \
         delivered_at, {before}, updated_at FROM webhook_delivery_attempts, {numbers}"
    ))
    .await;
    let kept = async || store.delivery_attempts(due.id, Page::default()).await.unwrap().total;
    assert_eq!(kept().await, 12 * 1001);
    assert_eq!(store.forget_calls().await.unwrap(), 12 * 1001 - kept().await);
    // Two that were made in the same microsecond stay or go together.
    assert!((10_000..=10_020).contains(&kept().await), "{}", kept().await);
    assert_eq!(store.forget_calls().await.unwrap(), 0);
    assert_eq!(store.webhooks_due().await.unwrap(), [due]);
    raw.run(format!("UPDATE webhook_deliveries SET created_at = {}", raw.time(now() - 6 * 24 * 60 * MINUTE)))
        .await;
    raw.run(format!(
        "UPDATE webhook_delivery_attempts SET created_at = {}",
        raw.time(now() - 31 * 24 * 60 * MINUTE)
    ))
    .await;
    let all = kept().await;
    assert_eq!(store.forget_calls().await.unwrap(), all + 1);
    assert_eq!((store.webhooks_due().await.unwrap(), kept().await), (vec![], 0));
}
