//! Events that a webhook is told once more: those of its tenant that it wants, of the time that was asked for, and no more than one request may.

use std::collections::BTreeSet;

use nizam_core::resource::{Record, WEBHOOK};
use nizam_store::{
    Actor, DueWebhook, Expected, Idempotency, MOST_REDRIVEN, NewAttempt, Redrive, Redriven, Store,
};
use nizam_test_postgres::Database;
use serde_json::json;
use uuid::Uuid;

use crate::calls::Raw;
use crate::deliveries::{events, webhook};
use crate::ingest::now;
use crate::support::{Fixture, actor};

const ALL: Redrive = Redrive { from: 0, to: i64::MAX / 2, only_failed: false };

async fn record(store: &Store, due: DueWebhook) -> Record {
    store.record(&WEBHOOK, due.tenant_id, due.id).await.unwrap().unwrap()
}

/// Events of the configuration of a tenant, each a microsecond after the other.
async fn changes(raw: &Raw, tenant: Uuid, event: &str, (first, count): (i64, i64)) {
    let (id, at) = if Database::chosen() == Database::Sqlite {
        ("randomblob(16)", "i".to_owned())
    } else {
        ("gen_random_uuid()", format!("{} + i * interval '1 microsecond'", raw.time(0)))
    };
    let last = first + count - 1;
    raw.run(format!(
        "INSERT INTO resource_events (id, tenant_id, event_type, resource_id, payload, occurred_at, created_at, sequence) \
         SELECT {id}, {}, '{event}', {}, '{{}}', {at}, {at}, 1000000 + i FROM \
         (WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last}) SELECT i FROM n) AS numbers",
        raw.id(tenant),
        raw.id(Uuid::now_v7()),
    ))
    .await;
}

#[tokio::test]
async fn what_is_asked_for_is_told_once_more() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let other = fixture.tenant("other.example").await.id;
    let (mine, theirs) = (events(store, "acme.example", 3).await, events(store, "other.example", 2).await);
    let due = webhook(store, tenant, &["call.started", "extension.created"], true).await;
    let hook = record(store, due).await;
    let redrive = async |what: Redrive| store.redrive(&actor(), &hook, what).await.unwrap();
    let claimed = async || {
        let mut claimed = BTreeSet::new();
        for delivery in store.claim_deliveries(&[(due, 10)], now() + 60_000_000).await.unwrap() {
            assert_eq!((&*delivery.event_type, delivery.attempt), ("call.started", 1));
            claimed.insert(delivery.event.id);
        }
        claimed
    };
    let ids: BTreeSet<Uuid> = mine.iter().map(|event| event.id).collect();
    assert_eq!(redrive(ALL).await, Redriven { deliveries: 3, next: None });
    assert_eq!(claimed().await, ids);
    assert_eq!(redrive(ALL).await.deliveries, 3, "what is under way begins anew");
    assert_eq!(claimed().await, ids);
    for (from, to, deliveries) in [
        (mine[0].occurred_at, mine[2].occurred_at, 3),
        (mine[2].occurred_at + 1, i64::MAX / 2, 0),
        (0, mine[0].occurred_at - 1, 0),
    ] {
        let what = Redrive { from, to, only_failed: false };
        assert_eq!(redrive(what).await, Redriven { deliveries, next: None }, "{from} {to}");
    }

    // What failed, and what at last did not.
    let failed = Redrive { only_failed: true, ..ALL };
    assert_eq!(redrive(failed).await.deliveries, 0);
    let attempt = |status: u16, event: usize| NewAttempt {
        webhook_id: due.id,
        event_id: Some(mine[event].id),
        event_type: "call.started",
        payload: &mine[event].payload,
        response_status: Some(status),
        response_body: None,
        attempt: 1,
        latency_ms: None,
        error_message: None,
    };
    let raw = Raw::of(&fixture).await;
    for (status, event, deliveries) in [(500, 0, 3), (404, 1, 3), (200, 2, 2), (200, 0, 1)] {
        raw.run("DELETE FROM webhook_deliveries".to_owned()).await;
        store.note_attempt(&attempt(status, event)).await.unwrap();
        assert_eq!(redrive(failed).await.deliveries, deliveries, "{status}");
        assert_eq!(redrive(failed).await.deliveries, 0, "what waits already is left alone");
    }

    // One, by its id; nobody else's.
    let one =
        async |id: Uuid| store.redeliver(&actor(), &hook, id).await.unwrap().map(|done| done.deliveries);
    assert_eq!(one(mine[1].id).await, Some(1));
    assert_eq!((one(theirs[0].id).await, one(Uuid::now_v7()).await), (None, None));
    changes(&raw, tenant, "extension.created", (1, 2)).await;
    changes(&raw, tenant, "did.created", (3, 2)).await;
    changes(&raw, other, "extension.created", (5, 2)).await;
    assert_eq!(redrive(ALL).await.deliveries, 5);
}

#[tokio::test]
async fn a_request_has_its_bounds_and_says_where_to_go_on() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let due = webhook(store, tenant, &["extension.created"], true).await;
    let hook = record(store, due).await;
    let raw = Raw::of(&fixture).await;
    let most = i64::try_from(MOST_REDRIVEN).unwrap();
    changes(&raw, tenant, "extension.created", (1, most + 100)).await;
    let first = store.redrive(&actor(), &hook, ALL).await.unwrap();
    assert_eq!(first, Redriven { deliveries: MOST_REDRIVEN, next: Some(most + 1) });
    let rest = Redrive { from: first.next.unwrap(), ..ALL };
    assert_eq!(store.redrive(&actor(), &hook, rest).await.unwrap(), Redriven { deliveries: 100, next: None });
}

#[tokio::test]
async fn a_webhook_whose_receiver_is_gone_says_so_until_it_is_changed() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let due = webhook(store, tenant, &["call.created"], true).await;
    let before = record(store, due).await;
    assert!(store.disable_webhook(&before, "It is gone.").await.unwrap());
    let after = record(store, due).await;
    assert_eq!(
        (after.is("is_active"), after.text("disabled_reason"), after.version),
        (false, "It is gone.", 2)
    );
    assert!(after.value("disabled_at").is_i64());
    // Said twice it is said once; and the answer of a receiver that is another one by now says nothing.
    assert!(!store.disable_webhook(&before, "Again.").await.unwrap());
    assert!(!store.disable_webhook(&after, "Again.").await.unwrap());
    let change = [("is_active".to_owned(), json!(true))].into_iter().collect();
    store.update_record(&actor(), &WEBHOOK, tenant, due.id, change, &Expected::Anything).await.unwrap();
    assert!(!store.disable_webhook(&after, "Too late.").await.unwrap());
    assert!(record(store, due).await.is("is_active"));
}

#[tokio::test]
async fn several_at_once_and_the_feed_do_not_wait_for_each_other_in_turn() {
    const EVENTS: i64 = 400;
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let raw = Raw::of(&fixture).await;
    let due = webhook(store, tenant, &["extension.created"], true).await;
    let hook = record(store, due).await;
    // The other way round: the feed goes by the numbers, a redrive by the time.
    changes(&raw, tenant, "extension.created", (0, EVENTS)).await;
    raw.run("UPDATE resource_events SET sequence = 3000000 - sequence WHERE sequence >= 1000000".into())
        .await;
    raw.run("UPDATE event_counter SET sequence = 3000000".into()).await;
    let told = EVENTS.unsigned_abs();
    for _ in 0..5 {
        raw.run("DELETE FROM webhook_deliveries".into()).await;
        raw.run("UPDATE webhook_feed SET sequence = 1000000".into()).await;
        let redrive = async || store.redrive(&actor(), &hook, ALL).await;
        let (one, two, fed) = tokio::join!(redrive(), redrive(), store.feed_webhooks());
        assert_eq!(one.unwrap(), Redriven { deliveries: told, next: None });
        assert_eq!(two.unwrap(), Redriven { deliveries: told, next: None });
        fed.unwrap();
        assert_eq!(store.deliveries_waiting().await.unwrap(), told);
    }
}

#[tokio::test]
async fn one_that_ends_early_says_where_and_one_that_did_nothing_can_be_asked_for_again() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let raw = Raw::of(&fixture).await;
    let due = webhook(store, tenant, &["extension.created"], true).await;
    let hook = record(store, due).await;
    changes(&raw, tenant, "extension.created", (0, 1000)).await;
    let fails_from = async |sequence: i64| {
        raw.run(match Database::chosen() {
            Database::Sqlite => format!(
                "CREATE TRIGGER broken BEFORE INSERT ON webhook_deliveries WHEN NEW.sequence >= {sequence} \
                 BEGIN SELECT RAISE(ABORT, 'broken'); END"
            ),
            Database::Postgres => {
                format!("ALTER TABLE webhook_deliveries ADD CONSTRAINT broken CHECK (sequence < {sequence})")
            }
        })
        .await;
    };
    let works = async || {
        let sqlite = Database::chosen() == Database::Sqlite;
        let postgres = "ALTER TABLE webhook_deliveries DROP CONSTRAINT broken";
        raw.run(if sqlite { "DROP TRIGGER broken" } else { postgres }.into()).await;
    };
    // The first page is done, the second is not.
    fails_from(1_000_700).await;
    assert_eq!(
        store.redrive(&actor(), &hook, ALL).await.unwrap(),
        Redriven { deliveries: 500, next: Some(499) }
    );
    assert_eq!(store.deliveries_waiting().await.unwrap(), 500);
    works().await;
    let rest = Redrive { from: 499, ..ALL };
    assert_eq!(store.redrive(&actor(), &hook, rest).await.unwrap(), Redriven { deliveries: 501, next: None });
    assert_eq!(store.deliveries_waiting().await.unwrap(), 1000);

    raw.run("DELETE FROM webhook_deliveries".into()).await;
    fails_from(0).await;
    let user = fixture.user("admin@example.org", None).await;
    let key = Idempotency { key: "once".into(), request: [1; 32] };
    let asks = Actor { user_id: Some(user.id), idempotency: Some(key), ..actor() };
    store.redrive(&asks, &hook, ALL).await.unwrap_err();
    works().await;
    assert_eq!(store.redrive(&asks, &hook, ALL).await.unwrap().deliveries, 1000, "the key is free");
    store.redrive(&asks, &hook, ALL).await.unwrap_err();
}
