//! Webhooks to receivers that fail at random, beside one that never answers, while nizamd is killed: each event is delivered, those of a
//! call in order, again only as the same, and who does not answer delays nobody else.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nizam_test_postgres::Database;
use serde_json::json;
use uuid::Uuid;

use crate::flaky::{Flaky, Received, dead};
use crate::outbox::{Fed, Outbox};
use crate::site::Site;

/// Webhooks whose receiver answers, if it does not fail.
const WEBHOOKS: usize = 3;
/// Events of a call.
const EVENTS: i64 = 4;
/// Between chunks of events.
const PAUSE: Duration = Duration::from_millis(300);

/// Chunks of events: one of each of some calls, then the next of each.
fn chunks(name: &str, events: usize, calls: usize) -> Vec<Vec<Fed>> {
    let blocks = events.div_ceil(calls * usize::try_from(EVENTS).unwrap());
    let chunk = |block: usize, number: i64| {
        let call =
            move |call: usize| Fed { id: Uuid::now_v7(), call: format!("{name}-{block}-{call}"), number };
        (0..calls).map(call).collect()
    };
    (0..blocks).flat_map(|block| (0..EVENTS).map(move |number| chunk(block, number))).collect()
}

/// Waits until nothing waits for these any more.
fn settle(outbox: &Outbox, webhooks: &[Uuid], longest: Duration) {
    let began = Instant::now();
    while webhooks.iter().any(|webhook| outbox.waiting(*webhook) > 0) {
        assert!(began.elapsed() < longest, "it does not come to an end");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn id_of(received: &Received) -> Uuid {
    received.body["id"].as_str().unwrap().parse().unwrap()
}

/// How long it took from before the transaction of an event to its receipt, sorted.
fn delays(received: &[Received], fed: &HashMap<Uuid, Instant>) -> Vec<Duration> {
    let mut delays: Vec<Duration> =
        received.iter().map(|received| received.at.duration_since(fed[&id_of(received)])).collect();
    delays.sort_unstable();
    delays
}

/// Compares what one webhook has received with what it was to; gives how many of its events it took again.
fn judge(received: &[&Received], fed: &[Fed]) -> usize {
    let known: HashMap<Uuid, &Fed> = fed.iter().map(|event| (event.id, event)).collect();
    let mut took = HashSet::new();
    let mut next: HashMap<&str, i64> = HashMap::new();
    let mut bodies = HashMap::new();
    let mut again = 0;
    for received in received {
        let event = known.get(&id_of(received)).unwrap_or_else(|| panic!("nobody has fed {received:?}"));
        assert_eq!(received.body["data"], json!({"call": event.call, "number": event.number}));
        assert_eq!(
            bodies.entry(event.id).or_insert(&received.body),
            &&received.body,
            "the same, as the same"
        );
        let next = next.entry(&event.call).or_default();
        assert!(event.number <= *next, "{event:?} was sent before number {next} of its call was taken");
        if received.success {
            again += usize::from(!took.insert(event.id));
            *next = EVENTS.min(event.number + 1).max(*next);
        }
    }
    let lost: Vec<&Fed> = fed.iter().filter(|event| !took.contains(&event.id)).collect();
    assert!(lost.is_empty(), "{} are lost: {lost:?}", lost.len());
    again
}

#[test]
fn every_event_is_delivered_in_order_while_receivers_fail_and_nizamd_is_killed() {
    let deliveries: usize =
        std::env::var("NIZAM_DELIVERIES").map_or(1500, |text| text.parse().expect("NIZAM_DELIVERIES"));
    // So often that chance alone makes no dead letter of a hundred thousand.
    let schedule = ["1s"; 40].join(",");
    let environment = [("NIZAM_WEBHOOK_NETWORKS", "127.0.0.0/8"), ("NIZAM_WEBHOOK_SCHEDULE", &schedule)];
    let site = Site::new(|path| Database::chosen().fresh(path), &environment, "correct horse");
    let mut daemon = site.serve();
    let tenant = site.make("/tenants", &json!({"name": "chaos", "domain": "chaos.example"}));
    let flaky = Flaky::start();
    let webhook = |url: String| -> Uuid {
        let body = json!({"url": url, "events": ["call.answered"]});
        site.make(&format!("/tenants/{tenant}/webhooks"), &body).parse().unwrap()
    };
    let live: Vec<Uuid> =
        (0..WEBHOOKS).map(|n| webhook(format!("http://127.0.0.1:{}/{n}", flaky.port))).collect();
    let mut all = live.clone();
    all.push(webhook(format!("http://127.0.0.1:{}/", dead())));
    let outbox = Outbox::of(&site.database, tenant.parse().unwrap());

    // In peace, but for the one that never answers.
    let mut at = HashMap::new();
    let mut fed = Vec::new();
    for chunk in chunks("calm", 240, 10) {
        let now = Instant::now();
        at.extend(chunk.iter().map(|event| (event.id, now)));
        outbox.feed(&chunk);
        fed.extend(chunk);
        std::thread::sleep(PAUSE / 3);
    }
    settle(&outbox, &live, Duration::from_mins(1));
    let calm = flaky.received.lock().unwrap().clone();
    let delays = delays(&calm, &at);
    assert_eq!(delays.len(), fed.len() * WEBHOOKS, "without a reason nothing is told twice");
    let (middle, late) = (delays[delays.len() / 2], delays[delays.len() * 99 / 100]);
    assert!(outbox.waiting(all[WEBHOOKS]) > 0, "nobody answered there");
    assert!(late < Duration::from_secs(1), "p99 is {late:?}");

    flaky.failing.store(true, Ordering::Relaxed);
    let began = Instant::now();
    let events = deliveries.div_ceil(WEBHOOKS);
    let chunks = chunks("chaos", events, (events / 50).clamp(10, 50));
    let mut kills = 0;
    std::thread::scope(|scope| {
        let feeding = scope.spawn(|| {
            for chunk in &chunks {
                outbox.feed(chunk);
                std::thread::sleep(PAUSE);
            }
        });
        while !feeding.is_finished() {
            std::thread::sleep(Duration::from_millis(1500 + 150 * (kills % 7)));
            daemon.child.kill().unwrap();
            daemon.child.wait().unwrap();
            daemon = site.serve();
            kills += 1;
        }
        let longest = Duration::from_mins(2).max(began.elapsed() * 4);
        let settled =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| settle(&outbox, &live, longest)));
        assert!(settled.is_ok(), "{}", daemon.log.lock().unwrap());
    });
    fed.extend(chunks.into_iter().flatten());
    let received = flaky.received.lock().unwrap().clone();
    let again: usize = (0..WEBHOOKS)
        .map(|n| {
            let path = format!("/{n}");
            let of_webhook: Vec<&Received> =
                received.iter().filter(|received| received.path == path).collect();
            judge(&of_webhook, &fed)
        })
        .sum();
    println!(
        "webhooks: {} deliveries, {} attempts, {} failed, nizamd killed {kills} times in {:.0?}: 0 lost, 0 out of order, {again} again with the \
         same id; beside a dead endpoint others waited {middle:.0?}, p99 {late:.0?}",
        fed.len() * WEBHOOKS,
        received.len(),
        received.iter().filter(|received| !received.success).count(),
        began.elapsed(),
    );
}
