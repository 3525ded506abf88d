//! What webhooks are still to be told: claimed once, not lost by whoever dies with it, and only what is wanted.

use std::collections::BTreeSet;
use std::sync::Arc;

use nizam_core::model::CallEvent;
use nizam_core::resource::{Purpose, WEBHOOK};
use nizam_core::validate::{Fields, Input};
use nizam_store::{
    Claimant, Delivery, DueWebhook, Enqueued, Expected, Keyring, NewAttempt, Outcome, Page, Store,
};
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

async fn claim(store: &Store, due: DueWebhook, until: i64) -> Option<Delivery> {
    store.claim_deliveries(&[(due, 1)], until).await.unwrap().pop()
}

async fn attempted(store: &Store, delivery: &Delivery, status: u16, next: Option<i64>) {
    store.attempted(&[Outcome { delivery, attempt: attempt(delivery, status), next }]).await.unwrap();
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
    let lost = claim(store, wanting, now()).await.unwrap();
    assert_eq!((&*lost.event_type, lost.attempt, &lost.event), ("call.started", 1, &event));
    assert_eq!(lost.webhook.text("url"), "https://hooks.example.org/");
    let taken = claim(store, wanting, now() + MINUTE).await.unwrap();
    assert_eq!((taken.id, taken.attempt), (lost.id, 1), "nobody knows of the first one: it does not count");
    assert!(claim(store, wanting, now() + MINUTE).await.is_none());
    assert_eq!(store.webhooks_due().await.unwrap(), []);
    attempted(store, &lost, 200, None).await;
    attempted(store, &taken, 500, Some(now())).await;
    assert_eq!(store.webhooks_due().await.unwrap(), [wanting]);

    // Asked for once more while it waits: it is one, and tried from the beginning.
    store.enqueue_deliveries(&actor(), &event, &NAMES).await.unwrap();
    let again = claim(store, wanting, now() + MINUTE).await.unwrap();
    assert_eq!((again.id, again.attempt), (lost.id, 1));
    // Asked for once more while it is under way: what becomes of that ends nothing.
    store.enqueue_deliveries(&actor(), &event, &NAMES).await.unwrap();
    let more = claim(store, wanting, now() + 2 * MINUTE).await.unwrap();
    assert_eq!((more.id, more.attempt), (lost.id, 1));
    attempted(store, &again, 200, None).await;
    attempted(store, &again, 500, Some(now())).await;
    assert_eq!(store.webhooks_due().await.unwrap(), [], "the other one lasts");
    attempted(store, &more, 500, Some(now())).await;
    let after = claim(store, wanting, now() + MINUTE).await.unwrap();
    assert_eq!((after.id, after.attempt), (lost.id, 2));
    attempted(store, &after, 204, None).await;
    store.enqueue_deliveries(&actor(), &event, &NAMES).await.unwrap();
    assert_ne!(claim(store, wanting, now()).await.unwrap().id, lost.id);
    let noted = store.delivery_attempts(wanting.id, Page::default()).await.unwrap().rows;
    let noted: Vec<_> = noted.iter().rev().map(|a| (a.response_status, a.attempt, a.success)).collect();
    let want =
        [(200, 1, true), (500, 1, false), (200, 1, true), (500, 1, false), (500, 1, false), (204, 2, true)];
    assert_eq!(noted, want.map(|(status, attempt, success)| (Some(status), attempt, success)));
}

#[tokio::test]
async fn what_comes_behind_something_that_was_put_off_waits_as_long() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let due = webhook(store, tenant, &["call.created", "call.answered"], true).await;
    let first = events(store, "acme.example", 1).await.remove(0);
    store.feed_webhooks().await.unwrap();
    let claimed = claim(store, due, now() + MINUTE).await.unwrap();
    attempted(store, &claimed, 503, Some(now() + 60 * MINUTE)).await;

    let headers = [
        ("Event-Name", "CHANNEL_ANSWER"),
        ("Unique-ID", &*first.call_uuid),
        ("Caller-Context", "acme.example"),
    ];
    let origin = nizam_store::Origin { switch: "later", ..ORIGIN };
    store.ingest(origin, &numbered([delivered(&headers, now())]), 0).await.unwrap();
    assert_eq!(store.feed_webhooks().await.unwrap().deliveries, 1);
    assert_eq!(
        store.webhooks_due().await.unwrap(),
        [],
        "it waits behind the first one, and nobody looks at it"
    );

    // When the first one is asked for once more, the other one follows it.
    let hook = store.record(&WEBHOOK, tenant, due.id).await.unwrap().unwrap();
    store.redeliver(&actor(), &hook, first.id).await.unwrap().unwrap();
    let again = claim(store, due, now() + MINUTE).await.unwrap();
    assert_eq!(again.event.id, first.id);
    assert!(claim(store, due, now() + MINUTE).await.is_none(), "in its order");
    attempted(store, &again, 200, None).await;
    let second = claim(store, due, now() + MINUTE).await.unwrap();
    assert_eq!(
        (&*second.event.event_type, second.event.call_id.as_deref()),
        ("call.answered", Some(&*first.call_uuid))
    );
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
    assert!(claim(store, due, now()).await.is_none());
    change(json!({"events": ["call.created"]})).await;
    assert_eq!(store.webhooks_due().await.unwrap(), [], "it is gone");

    store.enqueue_deliveries(&actor(), &all[0], &NAMES).await.unwrap();
    change(json!({"is_active": false})).await;
    assert!(claim(store, due, now()).await.is_none());
    change(json!({"is_active": true})).await;
    assert_eq!(store.webhooks_due().await.unwrap(), [], "it is gone");

    // Also where nothing was due meanwhile.
    store.enqueue_deliveries(&actor(), &all[0], &NAMES).await.unwrap();
    change(json!({"is_active": false})).await;
    change(json!({"is_active": true})).await;
    assert_eq!(store.webhooks_due().await.unwrap(), [], "it is gone");

    // An event that is kept no longer.
    for event in &all {
        store.enqueue_deliveries(&actor(), event, &NAMES).await.unwrap();
    }
    let raw = Raw::of(&fixture).await;
    raw.run(format!("DELETE FROM call_events WHERE id = {}", raw.id(all[1].id))).await;
    let mut claimed = BTreeSet::new();
    while let Some(delivery) = claim(store, due, now() + MINUTE).await {
        claimed.insert(delivery.event.id);
    }
    assert_eq!(claimed, [all[0].id, all[2].id].into());
    // The same event under its other name is wanted still.
    store.enqueue_deliveries(&actor(), &all[0], &NAMES).await.unwrap();
    change(json!({"events": ["call.started"]})).await;
    let renamed = claim(store, due, now() + MINUTE).await.unwrap();
    assert_eq!((renamed.event.id, &*renamed.event_type), (all[0].id, "call.started"));
    change(json!({"events": ["call.created"]})).await;

    // One that cannot be read is left alone.
    store.enqueue_deliveries(&actor(), &all[0], &NAMES).await.unwrap();
    if Database::chosen() == Database::Sqlite {
        raw.run("UPDATE webhooks SET events = 'no JSON'".into()).await;
        assert!(claim(store, due, now()).await.is_none());
        raw.run("UPDATE webhooks SET events = '[\"call.created\"]'".into()).await;
        assert_eq!(store.webhooks_due().await.unwrap(), [], "it is put off");
    } else {
        raw.run(format!("UPDATE webhook_deliveries SET due_at = {}", raw.time(now() + MINUTE))).await;
    }

    // An event that cannot be read keeps none behind it from being told. PostgreSQL takes none that cannot.
    store.enqueue_deliveries(&actor(), &all[2], &NAMES).await.unwrap();
    if Database::chosen() == Database::Sqlite {
        store.enqueue_deliveries(&actor(), &all[0], &NAMES).await.unwrap();
        let first = raw.id(all[0].id);
        raw.run(format!("UPDATE webhook_deliveries SET due_at = 1 WHERE event_id = {first}")).await;
        raw.run(format!("UPDATE call_events SET payload = 'no JSON' WHERE id = {first}")).await;
    }
    let next = claim(store, due, now() + MINUTE).await.unwrap();
    assert_eq!(next.event.id, all[2].id);
    assert!(claim(store, due, now() + MINUTE).await.is_none(), "it is put off");
    // What is given back is due at once, and its attempt does not count.
    store.give_back_deliveries(&[next.id], next.until).await.unwrap();
    let again = claim(store, due, now() + MINUTE).await.unwrap();
    assert_eq!((again.id, again.attempt), (next.id, next.attempt));

    // A tenant that is suspended is told when it no longer is; one whose webhook is deleted, nothing.
    store.enqueue_deliveries(&actor(), &all[2], &NAMES).await.unwrap();
    raw.run("UPDATE tenants SET status = 'suspended'".into()).await;
    assert_eq!(store.webhooks_due().await.unwrap(), []);
    raw.run("UPDATE tenants SET status = 'trial'".into()).await;
    assert_eq!(store.webhooks_due().await.unwrap(), [due]);
    store.delete_record(&actor(), &WEBHOOK, tenant, due.id, &Expected::Anything).await.unwrap();
    assert_eq!(store.webhooks_due().await.unwrap(), []);
    assert!(claim(store, due, now()).await.is_none());
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
                loop {
                    let claimed = store.claim_deliveries(&[(due, 3)], now() + MINUTE).await.unwrap();
                    if claimed.is_empty() {
                        break mine;
                    }
                    mine.extend(claimed.into_iter().map(|delivery| delivery.event.id));
                }
            })
        })
        .collect();
    let mut claimed = Vec::new();
    for claim in claims {
        claimed.extend(claim.await.unwrap());
    }
    let once: BTreeSet<Uuid> = claimed.iter().copied().collect();
    assert_eq!((claimed.len(), once), (100, all.iter().map(|event| event.id).collect()));
    assert!(claim(&store, foreign, now()).await.is_none());
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
    let delivery = claim(store, due, now()).await.unwrap();
    for _ in 0..12 {
        attempted(store, &delivery, 500, Some(now())).await;
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
    raw.run(format!(
        "UPDATE webhook_deliveries SET created_at = {}",
        raw.time(now() - 11 * 24 * 60 * MINUTE)
    ))
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

/// Makes calls of as many events each, gives those: of the first call all, then of the second, in their order.
async fn calls(store: &Store, domain: &str, calls: usize) -> Vec<Vec<CallEvent>> {
    let names = ["CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_HOLD", "CHANNEL_UNHOLD"];
    let events = names.iter().flat_map(|name| {
        (0..calls).map(move |n| {
            let uuid = format!("{domain}-{n}");
            delivered(&[("Event-Name", name), ("Unique-ID", &uuid), ("Caller-Context", domain)], now())
        })
    });
    let origin = nizam_store::Origin { switch: domain, ..ORIGIN };
    store.ingest(origin, &numbered(events), 0).await.unwrap();
    let all = store.all_events_stored_after(0, 10_000).await.unwrap();
    let of_call = |n| {
        let uuid = format!("{domain}-{n}");
        all.iter().filter(|event| event.call_uuid == uuid).cloned().collect()
    };
    (0..calls).map(of_call).collect()
}

/// Has a webhook told of all of them, whatever it is subscribed to.
async fn enqueue(store: &Store, events: &[CallEvent]) {
    for event in events {
        let told = store.enqueue_deliveries(&actor(), event, &["call.created"]).await.unwrap();
        assert_eq!(told, Enqueued::Webhooks(1));
    }
}

#[tokio::test]
async fn a_call_is_told_in_order_and_no_other_waits_for_it() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let all = calls(store, "acme.example", 2).await;
    let (one, two) = (&all[0], &all[1]);
    assert!(one.len() >= 3, "{one:?}");
    let due = webhook(store, tenant, &["call.created"], true).await;
    enqueue(store, one).await;
    enqueue(store, two).await;
    let many = async |until: i64| {
        let mut claimed = store.claim_deliveries(&[(due, 100)], until).await.unwrap();
        claimed.sort_by_key(|delivery| delivery.event.sequence);
        claimed
    };
    let ids = |claimed: &[Delivery]| claimed.iter().map(|delivery| delivery.event.id).collect::<Vec<_>>();
    let first = many(now() + MINUTE).await;
    assert_eq!(ids(&first), [one[0].id, two[0].id], "what is under way holds up what follows");
    assert!(many(now() + MINUTE).await.is_empty());
    // One has it, the other waits, and its call alone.
    attempted(store, &first[0], 200, None).await;
    attempted(store, &first[1], 500, Some(now() + MINUTE)).await;
    let second = many(now() + MINUTE).await;
    assert_eq!(ids(&second), [one[1].id]);
    // What waits for it is not even looked at.
    store.give_back_deliveries(&[second[0].id], second[0].until).await.unwrap();
    let second = many(now() + MINUTE).await;
    assert_eq!(store.webhooks_due().await.unwrap(), [due], "the third of the first call");
    // A dead letter lets the next one go.
    attempted(store, &second[0], 500, None).await;
    let third = many(now() + MINUTE).await;
    assert_eq!(ids(&third), [one[2].id]);
    for delivery in &third {
        attempted(store, delivery, 200, None).await;
    }
    while let Some(next) = claim(store, due, now() + MINUTE).await {
        attempted(store, &next, 200, None).await;
    }
    assert_eq!(store.webhooks_due().await.unwrap(), []);
    // Asked for once more, what was put off goes at once, and with it what waited for it.
    enqueue(store, &two[..1]).await;
    let mut told = Vec::new();
    while let Some(next) = claim(store, due, now() + MINUTE).await {
        assert_eq!(next.attempt, 1);
        told.push(next.event.id);
        attempted(store, &next, 200, None).await;
    }
    assert_eq!(told, two.iter().map(|event| event.id).collect::<Vec<_>>());
    // Without a key nothing waits for anything.
    enqueue(store, one).await;
    let raw = Raw::of(&fixture).await;
    raw.run("UPDATE webhook_deliveries SET order_key = ''".into()).await;
    assert_eq!(many(now() + MINUTE).await.len(), one.len());
}

#[tokio::test]
async fn one_statement_claims_for_many_and_one_transaction_notes_for_many() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let mut shares = Vec::new();
    for domain in ["acme.example", "beta.example"] {
        let tenant = fixture.tenant(domain).await.id;
        let all = events(store, domain, 5).await;
        for _ in 0..2 {
            shares.push((webhook(store, tenant, &["call.created"], true).await, 3));
        }
        for event in &all {
            store.enqueue_deliveries(&actor(), event, &NAMES).await.unwrap();
        }
    }
    shares[3].1 = 0;
    let claimed = store.claim_deliveries(&shares, now() + MINUTE).await.unwrap();
    let of = |due: DueWebhook| claimed.iter().filter(|delivery| delivery.webhook.id == due.id).count();
    assert_eq!(shares.iter().map(|(due, _)| of(*due)).collect::<Vec<_>>(), [3, 3, 3, 0]);
    assert!(claimed.iter().all(|delivery| delivery.event.tenant_id == delivery.webhook.tenant_id));
    // One webhook is gone meanwhile: nothing of it is noted, and all of the others.
    let gone = shares[0].0;
    store.delete_record(&actor(), &WEBHOOK, gone.tenant_id, gone.id, &Expected::Anything).await.unwrap();
    let outcomes: Vec<Outcome<'_>> = claimed
        .iter()
        .enumerate()
        .map(|(n, delivery)| {
            let next = (n % 2 == 0).then(|| now() + MINUTE);
            Outcome { delivery, attempt: attempt(delivery, if n % 2 == 0 { 503 } else { 200 }), next }
        })
        .collect();
    store.attempted(&outcomes).await.unwrap();
    let mut noted = 0;
    for (due, _) in &shares {
        noted += store.delivery_attempts(due.id, Page::default()).await.unwrap().total;
    }
    assert_eq!(noted, 6);
    let left = claimed.iter().enumerate().filter(|(n, one)| n % 2 == 0 && one.webhook.id != gone.id).count();
    let waiting = 5 + 2 + 2 + u64::try_from(left).unwrap();
    assert_eq!(store.deliveries_waiting().await.unwrap(), waiting);
}

#[tokio::test]
async fn what_a_dead_process_has_claimed_is_given_back_at_once() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let all = events(store, "acme.example", 3).await;
    let due = webhook(store, tenant, &["call.created"], true).await;
    for event in &all {
        store.enqueue_deliveries(&actor(), event, &NAMES).await.unwrap();
    }
    let (dead, mut alive) =
        (Store::open(&fixture.url, Keyring::new(&fixture.key)).await.unwrap(), Claimant::default());
    let mut claims = Claimant::default();
    assert_eq!(dead.bury(&mut claims).await.unwrap(), 0);
    let lost = dead.claim_deliveries(&[(due, 2)], now() + MINUTE).await.unwrap();
    assert_eq!(lost.len(), 2);
    let mine = claim(store, due, now() + MINUTE).await.unwrap();
    if Database::chosen() == Database::Postgres {
        assert_eq!(store.bury(&mut alive).await.unwrap(), 0, "it is not dead yet");
    }
    drop(claims);
    let mut given_back = 0;
    while given_back < 2 {
        given_back += store.bury(&mut alive).await.unwrap();
    }
    let again = store.claim_deliveries(&[(due, 3)], now() + MINUTE).await.unwrap();
    let ids = |claimed: &[Delivery]| claimed.iter().map(|delivery| delivery.id).collect::<BTreeSet<_>>();
    assert_eq!(ids(&again), ids(&lost), "not those of who lives");
    assert!(again.iter().all(|delivery| delivery.attempt == 1), "no attempt is used up");
    // What the dead one has to say is noted, but changes nothing.
    attempted(&dead, &lost[0], 200, None).await;
    assert_eq!(store.deliveries_waiting().await.unwrap(), 3);
    attempted(store, &mine, 200, None).await;
    assert_eq!(store.deliveries_waiting().await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_that_claim_and_note_at_once_keep_the_order_and_never_wait_for_each_other() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("acme.example").await.id;
    let store = Arc::new(fixture.store);
    let all = calls(&store, "acme.example", 40).await;
    let due = webhook(&store, tenant, &["call.created"], true).await;
    enqueue(&store, &all.concat()).await;
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let (store, told) = (Arc::clone(&store), Arc::clone(&told));
            tokio::spawn(async move {
                while store.deliveries_waiting().await.unwrap() > 0 {
                    let claimed = store.claim_deliveries(&[(due, 7)], now() + MINUTE).await.unwrap();
                    let outcomes: Vec<Outcome<'_>> = claimed
                        .iter()
                        .map(|delivery| {
                            let fails = delivery.attempt == 1 && delivery.event.sequence % 3 == worker % 3;
                            if !fails {
                                told.lock().unwrap().push(delivery.event.clone());
                            }
                            let status = if fails { 500 } else { 200 };
                            Outcome { delivery, attempt: attempt(delivery, status), next: fails.then(now) }
                        })
                        .collect();
                    store.attempted(&outcomes).await.unwrap();
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let told = told.lock().unwrap();
    assert_eq!(told.len(), all.concat().len(), "each once");
    for call in all {
        let of_call = told.iter().filter(|event| event.call_uuid == call[0].call_uuid);
        assert_eq!(
            of_call.map(|event| event.sequence).collect::<Vec<_>>(),
            call.iter().map(|event| event.sequence).collect::<Vec<_>>()
        );
    }
}
