//! The minutes of calls that are handed on: each second of talk once, for one call.

use nizam_core::validate::Settings;
use nizam_store::{Delivered, Expected, Origin};
use serde_json::json;

use crate::ingest::{ORIGIN, START, delivered, now, numbered};
use crate::support::{Fixture, actor};

/// A channel: who made it, whom it talked to last, and the seconds at which it was answered and ended.
struct Leg(&'static str, Option<&'static str>, &'static str, i64, i64);

impl Leg {
    fn events(&self) -> [Delivered; 2] {
        let Self(uuid, maker, other, answered, ended) = *self;
        let at = |seconds: i64| (START + seconds * 1_000_000).to_string();
        let (created, taken, over, billsec) =
            (at(answered - 1), at(answered), at(ended), (ended - answered).to_string());
        let mut base = vec![
            ("Unique-ID", uuid),
            ("Caller-Context", "acme.example"),
            ("Call-Direction", if maker.is_some() { "outbound" } else { "inbound" }),
            ("Caller-Channel-Created-Time", &*created),
        ];
        base.extend(maker.map(|maker| ("variable_originator", maker)));
        let begun = [vec![("Event-Name", "CHANNEL_CREATE")], base.clone()].concat();
        let end = [
            vec![
                ("Event-Name", "CHANNEL_HANGUP_COMPLETE"),
                ("Other-Leg-Unique-ID", other),
                ("Caller-Channel-Answered-Time", &*taken),
                ("variable_end_uepoch", &*over),
                ("variable_billsec", &*billsec),
            ],
            base,
        ]
        .concat();
        [delivered(&begun, START + (answered - 1) * 1_000_000), delivered(&end, START + ended * 1_000_000)]
    }
}

/// Each order of the ends, one batch after the other, sent again, and all at once: the seconds, and in how many measurements.
async fn metered(legs: &[Leg], seconds: i64, calls: u64) {
    let begun: Vec<Delivered> = legs.iter().map(|leg| leg.events()[0].clone()).collect();
    for first in 0..legs.len() {
        for size in [1, 100] {
            let fixture = Fixture::new().await;
            let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
            let mut ends: Vec<Delivered> = legs.iter().map(|leg| leg.events()[1].clone()).collect();
            ends.rotate_left(first);
            let events = numbered(begun.iter().cloned().chain(ends));
            for batch in events.chunks(size) {
                for _ in 0..2 {
                    store.ingest(ORIGIN, batch, 0).await.unwrap();
                }
            }
            let usage = store.usage(tenant, "2000-01-01", "2100-01-01").await.unwrap();
            let minutes = usage.first().map_or((0, 0.0), |metric| (metric.count, metric.total * 60.0));
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let difference = minutes.1 - seconds as f64;
            assert!(
                minutes.0 == calls && difference.abs() < 0.1,
                "{minutes:?}, from {first} on in batches of {size}"
            );
            let billed = store.billed_seconds(tenant, 0, i64::MAX / 2).await.unwrap();
            assert_eq!(i64::try_from(billed).unwrap(), seconds, "from {first} on in batches of {size}");
        }
    }
}

#[tokio::test]
async fn a_call_that_its_caller_hands_on_is_counted_to_its_end() {
    // A calls B, and hands B on to C; a minute of it waits in between, and C is handed on to D.
    metered(
        &[
            Leg("a", None, "b", 0, 10),
            Leg("b", Some("a"), "d", 0, 3610),
            Leg("c", Some("b"), "b", 70, 1000),
            Leg("d", Some("b"), "b", 1005, 3610),
        ],
        3610,
        1,
    )
    .await;
}

#[tokio::test]
async fn a_call_that_is_handed_on_into_another_is_counted_with_one_of_them() {
    // The callee asks C in a call of its own, and hands A on to it: of that call nothing is left then.
    metered(
        &[
            Leg("a", None, "d", 0, 1000),
            Leg("b", Some("a"), "a", 0, 30),
            Leg("c", None, "d", 20, 30),
            Leg("d", Some("c"), "a", 20, 1000),
        ],
        1010,
        2,
    )
    .await;
    // The caller does so: its first call goes on.
    metered(
        &[
            Leg("a", None, "b", 0, 30),
            Leg("b", Some("a"), "d", 0, 1000),
            Leg("c", None, "d", 20, 30),
            Leg("d", Some("c"), "b", 20, 1000),
        ],
        1010,
        2,
    )
    .await;
}

#[tokio::test]
async fn a_leg_that_ends_a_little_later_adds_nothing() {
    metered(&[Leg("a", None, "b", 0, 60), Leg("b", Some("a"), "a", 0, 60)], 60, 1).await;
}

#[tokio::test]
async fn a_call_that_is_handed_on_at_once_is_counted_whichever_leg_is_stored_last() {
    metered(&[Leg("a", None, "b", 10, 10), Leg("b", Some("a"), "a", 10, 100)], 90, 1).await;
}

#[tokio::test]
async fn two_switches_that_store_legs_of_one_call_at_once_count_both() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let legs =
        [Leg("a", None, "b", 0, 10), Leg("b", Some("a"), "c", 0, 70), Leg("c", Some("b"), "b", 11, 70)];
    let begun = numbered(legs.iter().map(|leg| leg.events()[0].clone()));
    store.ingest(ORIGIN, &begun, 0).await.unwrap();
    let ends: Vec<_> = (10..).zip(legs.iter().map(|leg| leg.events()[1].clone())).collect();
    let other = Origin { switch: "fs2", ..ORIGIN };
    let (one, two, three) = tokio::join!(
        store.ingest(ORIGIN, &ends[..1], 0),
        store.ingest(other, &ends[1..2], 0),
        store.ingest(Origin { switch: "fs3", ..ORIGIN }, &ends[2..], 0),
    );
    assert_eq!([one, two, three].map(|stored| stored.unwrap().cdrs), [1, 1, 1]);
    let usage = store.usage(tenant, "2000-01-01", "2100-01-01").await.unwrap();
    assert_eq!((usage[0].count, (usage[0].total * 60.0).round()), (1, 70.0));
}

#[tokio::test]
async fn minutes_that_were_counted_stay_when_the_leg_that_they_are_of_is_forgotten() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let legs = [Leg("a", None, "b", 0, 10), Leg("b", Some("a"), "c", 0, 70)];
    store.ingest(ORIGIN, &numbered(legs.iter().map(|leg| leg.events()[0].clone())), 0).await.unwrap();
    let ends: Vec<_> = (10..).zip(legs.iter().map(|leg| leg.events()[1].clone())).collect();
    store.ingest(ORIGIN, &ends[..1], 0).await.unwrap();
    let day = Settings::Map([("call_retention_days".to_owned(), json!(1))].into_iter().collect());
    store.put_settings(&actor(), tenant, day, &Expected::Anything).await.unwrap();
    assert!(store.forget_calls().await.unwrap() > 0);
    store.ingest(ORIGIN, &ends[1..], 0).await.unwrap();
    let usage = store.usage(tenant, "2000-01-01", "2100-01-01").await.unwrap();
    assert_eq!((usage[0].count, (usage[0].total * 60.0).round()), (1, 10.0));
}

#[tokio::test]
async fn what_the_reconciler_closed_is_counted_when_it_tells_its_end() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let legs =
        [Leg("a", None, "b", 0, 10), Leg("b", Some("a"), "c", 0, 70), Leg("c", Some("b"), "b", 11, 70)];
    store.ingest(ORIGIN, &numbered(legs.iter().map(|leg| leg.events()[0].clone())), 0).await.unwrap();
    assert_eq!(store.close_silent(ORIGIN, "a", now() + 1).await.unwrap().cdrs, 1);
    let ends: Vec<_> = (10..).zip([1, 2, 0].map(|n: usize| legs[n].events()[1].clone())).collect();
    store.ingest(ORIGIN, &ends[..2], 0).await.unwrap();
    assert!(store.usage(tenant, "2000-01-01", "2100-01-01").await.unwrap().is_empty(), "nobody knows");
    store.ingest(ORIGIN, &ends, 0).await.unwrap();
    let usage = store.usage(tenant, "2000-01-01", "2100-01-01").await.unwrap();
    assert_eq!((usage[0].count, (usage[0].total * 60.0).round()), (1, 70.0));
}
