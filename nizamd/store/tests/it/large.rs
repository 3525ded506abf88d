//! What keeps tables of millions of rows fast: counts that are always what counting would give, and months.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nizam_core::model::Cdr;
use nizam_store::{CallEventFilter, CdrFilter, Delivered, Expected, Keyring, Origin, Page, Place, Store};
use nizam_test_postgres::{Database, there_is_postgres};
use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use crate::ingest::{ORIGIN, delivered, numbered};
use crate::random::Random;
use crate::support::{Fixture, actor};

const DAY: i64 = 86_400_000_000;
const NOON: i64 = 1_785_153_600_000_000;
const CAUSES: [&str; 4] = ["NORMAL_CLEARING", "USER_BUSY", "NO_ANSWER", "CALL_REJECTED"];

/// The beginning and the end of a channel, and some facts of it.
fn channel(domain: &str, n: usize, random: &mut Random) -> [Delivered; 2] {
    let start = NOON + i64::try_from(random.below(20)).unwrap() * DAY / 3;
    channel_at(&format!("{domain}-{n}"), domain, n, start, random)
}

fn channel_at(uuid: &str, domain: &str, n: usize, start: i64, random: &mut Random) -> [Delivered; 2] {
    let (created, cause) = (start.to_string(), random.one(&CAUSES));
    let (read, write) = (random.one(&["PCMU", "opus"]), random.one(&["PCMU", "opus"]));
    let caller = format!("10{}", random.below(3));
    let of = |name: &'static str| {
        let mut headers = vec![
            ("Event-Name", name),
            ("Unique-ID", uuid),
            ("Caller-Context", domain),
            ("Caller-Channel-Created-Time", &created),
            ("Caller-Caller-ID-Number", &caller),
            ("Caller-Destination-Number", "1002"),
            ("Call-Direction", if n.is_multiple_of(3) { "outbound" } else { "inbound" }),
            ("variable_read_codec", read),
            ("variable_write_codec", write),
        ];
        if n.is_multiple_of(4) {
            headers.push(("variable_originator", "another"));
        }
        if name == "CHANNEL_HANGUP_COMPLETE" {
            headers.push(("variable_hangup_cause", cause));
        }
        delivered(&headers, start)
    };
    [of("CHANNEL_CREATE"), of("CHANNEL_HANGUP_COMPLETE")]
}

/// All CDRs that a filter finds, read one page after the other without counting.
async fn walked(store: &Store, tenant: Uuid, filter: &CdrFilter) -> Vec<Cdr> {
    let (mut all, mut place) = (Vec::new(), Place::NEWEST);
    loop {
        let rows = store.cdrs_after(tenant, filter, place, 50).await.unwrap();
        let Some(last) = rows.last() else { return all };
        place = Place { time: last.start_stamp, id: last.id };
        all.extend(rows);
    }
}

fn filters(random: &mut Random) -> Vec<CdrFilter> {
    let text = |text: &str| Some(text.to_owned());
    let mut filters = vec![CdrFilter::default(), CdrFilter { legs: true, ..CdrFilter::default() }];
    for _ in 0..40 {
        let mut filter = CdrFilter { legs: random.below(2) == 0, ..CdrFilter::default() };
        if random.below(3) == 0 {
            filter.direction = text(random.one(&["inbound", "outbound", "local"]));
        }
        if random.below(3) == 0 {
            filter.hangup_cause = text(random.one(&CAUSES));
        }
        if random.below(6) == 0 {
            filter.caller_id_number = text("101");
        }
        let mut moment = || NOON + i64::try_from(random.below(9000)).unwrap() * DAY / 1000 - DAY;
        let (one, two) = (moment(), moment());
        filter.from = (random.below(2) == 0).then_some(one.min(two));
        filter.to = (random.below(2) == 0).then_some(one.max(two));
        if random.below(4) == 0 {
            // A whole day, as people ask for it.
            let first = filter.from.unwrap_or(NOON).div_euclid(DAY) * DAY;
            (filter.from, filter.to) = (Some(first), Some(first + 2 * DAY - 1));
        }
        filters.push(filter);
    }
    filters
}

/// Lists say how long they are, and have on each page what a walk has there.
async fn compare(store: &Store, tenant: Uuid, random: &mut Random) -> usize {
    let mut compared = 0;
    for filter in filters(random) {
        let all = walked(store, tenant, &filter).await;
        let size = 1 + random.below(30);
        for number in 1..=all.len() / size + 2 {
            let page = Page { number: number as u64, size: size as u64 };
            let listed = store.cdrs(tenant, &filter, page).await.unwrap();
            assert_eq!(listed.total, all.len() as u64, "{filter:?}");
            let want: Vec<Uuid> = all.iter().skip((number - 1) * size).take(size).map(|cdr| cdr.id).collect();
            let got: Vec<Uuid> = listed.rows.iter().map(|cdr| cdr.id).collect();
            assert_eq!(got, want, "page {number} of {size}: {filter:?}");
            compared += got.len();
        }
    }
    let all = walked(store, tenant, &CdrFilter { legs: true, ..CdrFilter::default() }).await;
    assert_eq!(store.tenant_stats(tenant, NOON / DAY * DAY).await.unwrap().cdrs, all.len() as u64);
    let codecs = store.codec_metrics(tenant).await.unwrap();
    let differ = all.iter().filter(|cdr| cdr.read_codec != cdr.write_codec).count();
    assert_eq!((codecs.cdrs, codecs.mismatches), (all.len() as u64, differ as u64));
    compared + events(store, tenant, random).await
}

async fn events(store: &Store, tenant: Uuid, random: &mut Random) -> usize {
    let mut compared = 0;
    for event_type in [None, Some("call.hangup"), Some("call.created"), Some("call.missed")] {
        for _ in 0..5 {
            let mut moment = || NOON + i64::try_from(random.below(9000)).unwrap() * DAY / 1000 - DAY;
            let (from, to) = (moment(), moment());
            let filter = CallEventFilter {
                event_type: event_type.map(str::to_owned),
                from: (random.below(2) == 0).then_some(from.min(to)),
                to: (random.below(2) == 0).then_some(from.max(to)),
                ..CallEventFilter::default()
            };
            let all = store.call_events_after(tenant, &filter, Place::OLDEST, 10_000).await.unwrap();
            let size = 1 + random.below(30);
            for number in 1..=all.len() / size + 2 {
                let page = Page { number: number as u64, size: size as u64 };
                let listed = store.call_events(tenant, &filter, page).await.unwrap();
                assert_eq!(listed.total, all.len() as u64, "{filter:?}");
                let want: Vec<Uuid> =
                    all.iter().skip((number - 1) * size).take(size).map(|event| event.id).collect();
                assert_eq!(listed.rows.iter().map(|event| event.id).collect::<Vec<_>>(), want, "{filter:?}");
                compared += want.len();
            }
        }
    }
    compared
}

#[tokio::test]
async fn counts_are_what_counting_gives() {
    let seed = std::env::var("NIZAM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(2_463_534_242);
    println!("NIZAM_SEED={seed}");
    let mut random = Random(seed);
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let mut compared = 0;
    let tenants = [fixture.tenant("acme.example").await.id, fixture.tenant("beta.example").await.id];
    let mut all: Vec<[Delivered; 2]> = Vec::new();
    for domain in ["acme.example", "beta.example"] {
        all.extend((0..150).map(|n| channel(domain, n, &mut random)));
    }
    let begun = numbered(all.iter().map(|[begun, _]| begun.clone()));
    store.ingest(ORIGIN, &begun, 0).await.unwrap();
    // Some end, then FreeSWITCH does; some of those that are closed then have told their end after all.
    let ends: Vec<(u64, Delivered)> = (1000..).zip(all.iter().map(|[_, end]| end.clone())).collect();
    for batch in ends[..120].chunks(17).chain(ends[150..250].chunks(17)) {
        store.ingest(ORIGIN, batch, 0).await.unwrap();
    }
    compared += compare(store, tenants[0], &mut random).await;
    assert_eq!(
        store.close_lost(Origin { core_uuid: "other", ..ORIGIN }, &HashSet::new()).await.unwrap().cdrs,
        80
    );
    compared += compare(store, tenants[1], &mut random).await;
    let late: Vec<(u64, Delivered)> =
        (5000..).zip(ends[100..180].iter().map(|(_, end)| end.clone())).collect();
    store.ingest(ORIGIN, &late, 0).await.unwrap();
    compared += compare(store, tenants[0], &mut random).await;
    // What is older than the tenant keeps it goes.
    let settings = nizam_core::validate::Settings::Map(
        [("call_retention_days".to_owned(), serde_json::json!(1))].into_iter().collect(),
    );
    store.put_settings(&actor(), tenants[1], settings, &Expected::Anything).await.unwrap();
    let gone = store.forget_calls().await.unwrap();
    println!("{gone} rows of an earlier day deleted");
    for tenant in tenants {
        compared += compare(store, tenant, &mut random).await;
    }
    store.recount_calls().await.unwrap();
    for tenant in tenants {
        compared += compare(store, tenant, &mut random).await;
    }
    assert!(compared > 10_000, "{compared}");
    println!("counts: {compared} rows of pages compared, 0 differences");
}

/// The parts of a table, and how many rows each has.
async fn parts(pool: &PgPool, table: &str) -> Vec<(String, i64)> {
    let names: Vec<(String,)> = sqlx::query_as(
        "SELECT CAST(inhrelid AS regclass)::text FROM pg_inherits WHERE inhparent = CAST($1 AS regclass) ORDER BY 1",
    )
    .bind(table)
    .fetch_all(pool)
    .await
    .unwrap();
    let mut parts = Vec::new();
    for (name,) in names {
        let text = AssertSqlSafe(format!("SELECT count(*) FROM {name}"));
        let (rows,): (i64,) = sqlx::query_as(text).fetch_one(pool).await.unwrap();
        parts.push((name.trim_start_matches(table).trim_start_matches('_').to_owned(), rows));
    }
    parts
}

#[tokio::test]
async fn a_month_has_a_table_of_its_own() {
    if !there_is_postgres() {
        return;
    }
    let fixture = Fixture::on(Database::Postgres).await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let pool = PgPool::connect(&fixture.url).await.unwrap();
    let end = |uuid: &str, at: i64| {
        let created = at.to_string();
        let headers = [
            ("Event-Name", "CHANNEL_HANGUP_COMPLETE"),
            ("Unique-ID", uuid),
            ("Caller-Context", "acme.example"),
            ("Caller-Channel-Created-Time", &created),
        ];
        delivered(&headers, at)
    };
    // Two in July 2026, one in August 2026, one by a clock that began in 1970, one by a clock that is far ahead.
    let at = [NOON, NOON + DAY, NOON + 10 * DAY, DAY, 4_102_444_800_000_000];
    let told: Vec<Delivered> = at.iter().enumerate().map(|(n, at)| end(&format!("call-{n}"), *at)).collect();
    store.ingest(ORIGIN, &numbered(told.clone()), 0).await.unwrap();
    let first = parts(&pool, "call_detail_records").await;
    assert_eq!(
        (first.len(), &first[0]),
        (4, &("rest".to_owned(), 5)),
        "this month and the next two are there: {first:?}"
    );
    let before = walked(store, tenant, &CdrFilter::default()).await;
    assert_eq!(before.len(), 5, "nothing is refused for want of a month");
    for _ in 0..2 {
        store.keep_months().await.unwrap();
        for table in ["call_detail_records", "call_events"] {
            let parts = parts(&pool, table).await;
            let rows: Vec<(&str, i64)> =
                parts.iter().filter(|(_, rows)| *rows > 0).map(|(name, rows)| (&**name, *rows)).collect();
            assert_eq!(rows, [("rest", 2), ("y2026m07", 2), ("y2026m08", 1)], "{table}");
            assert!(parts.len() >= 5, "this month and the next ones: {parts:?}");
        }
    }
    assert_eq!(walked(store, tenant, &CdrFilter::default()).await, before);
    // What is sent again is not there twice, wherever it lies.
    store.ingest(Origin { incarnation: [9; 16], ..ORIGIN }, &numbered(told), 0).await.unwrap();
    assert_eq!(walked(store, tenant, &CdrFilter::default()).await, before);
    sqlx::query(
        "DELETE FROM call_detail_records WHERE start_stamp < '2026-08-01' AND start_stamp > '2000-01-01'",
    )
    .execute(&pool)
    .await
    .unwrap();
    store.keep_months().await.unwrap();
    let names: Vec<String> =
        parts(&pool, "call_detail_records").await.into_iter().map(|(name, _)| name).collect();
    assert!(!names.contains(&"y2026m07".to_owned()) && names.contains(&"y2026m08".to_owned()), "{names:?}");
    store.recount_calls().await.unwrap();
    assert_eq!(store.cdrs(tenant, &CdrFilter::default(), Page::default()).await.unwrap().total, 3);
}

/// Says it again until it is done, as those who deliver do.
async fn delivered_at_last(store: &Store, origin: Origin<'_>, batch: &[(u64, Delivered)]) {
    while let Err(error) = store.ingest(origin, batch, 0).await {
        assert!(error.passes() && !error.is_of_the_data(), "nothing is wrong with the events: {error:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Several switches, two daemons, somebody who counts anew, months that are made, rows that are forgotten: all at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counts_and_months_hold_whoever_writes_beside() {
    let fixture = Arc::new(Fixture::new().await);
    let second = Store::open(&fixture.url, Keyring::new(&fixture.key)).await.unwrap();
    let second = Arc::new(second);
    let domains = ["acme.example", "beta.example", "gamma.example"];
    let mut tenants = Vec::new();
    for domain in domains {
        tenants.push(fixture.tenant(domain).await.id);
    }
    let settings = nizam_core::validate::Settings::Map(
        [("call_retention_days".to_owned(), serde_json::json!(20))].into_iter().collect(),
    );
    fixture.store.put_settings(&actor(), tenants[2], settings, &Expected::Anything).await.unwrap();
    // Of this month, which nobody has made yet, and of two before.
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap();
    let mut random = Random(11);
    let mut switches = Vec::new();
    for (n, switch) in ["fs1", "fs2", "fs3"].into_iter().enumerate() {
        let mut events = Vec::new();
        for call in 0..300 {
            let domain = domains[(call + n) % 3];
            let at = now - i64::try_from(random.below(70)).unwrap() * DAY - i64::try_from(call).unwrap();
            events.extend(channel_at(&format!("{switch}-{call}"), domain, call, at, &mut random));
        }
        let (fixture, second) = (Arc::clone(&fixture), Arc::clone(&second));
        switches.push(tokio::spawn(async move {
            let origin = Origin { switch, core_uuid: "c", incarnation: [3; 16] };
            for (number, batch) in numbered(events).chunks(13).enumerate() {
                let store = if number % 2 == 0 { &fixture.store } else { &*second };
                delivered_at_last(store, origin, batch).await;
            }
        }));
    }
    let done = Arc::new(AtomicBool::new(false));
    let beside: Vec<_> = (0..3)
        .map(|who| {
            let (fixture, second, done) = (Arc::clone(&fixture), Arc::clone(&second), Arc::clone(&done));
            tokio::spawn(async move {
                let (mut failed, mut worked) = (0, 0);
                while !done.load(Ordering::Relaxed) {
                    let ended = match who {
                        0 => fixture.store.recount_calls().await.map(drop),
                        1 => second.keep_months().await,
                        _ => second.forget_calls().await.map(drop),
                    };
                    failed += u32::from(ended.is_err());
                    worked += u32::from(ended.is_ok());
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                (worked, failed)
            })
        })
        .collect();
    for switch in switches {
        switch.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    for (who, task) in ["recount", "months", "retention"].into_iter().zip(beside) {
        let (worked, failed) = task.await.unwrap();
        println!("{who}: {worked} times, given up {failed} times");
        assert!(worked > 0, "{who}");
    }
    fixture.store.keep_months().await.unwrap();
    fixture.store.forget_calls().await.unwrap();
    let legs = CdrFilter { legs: true, ..CdrFilter::default() };
    for (n, tenant) in tenants.iter().enumerate() {
        let walked = walked(&fixture.store, *tenant, &legs).await;
        assert_eq!(
            fixture.store.cdrs(*tenant, &legs, Page::default()).await.unwrap().total,
            walked.len() as u64
        );
        let all = fixture
            .store
            .call_events_after(*tenant, &CallEventFilter::default(), Place::OLDEST, 10_000)
            .await
            .unwrap();
        let listed =
            fixture.store.call_events(*tenant, &CallEventFilter::default(), Page::default()).await.unwrap();
        assert_eq!(listed.total, all.len() as u64);
        assert!(if n == 2 { walked.len() < 150 } else { walked.len() == 300 }, "{}", walked.len());
    }
    if Database::chosen() == Database::Postgres {
        let pool = PgPool::connect(&fixture.url).await.unwrap();
        for table in ["call_detail_records", "call_events"] {
            let parts = parts(&pool, table).await;
            assert_eq!(parts.first().map(|(name, rows)| (&**name, *rows)), Some(("rest", 0)), "{parts:?}");
        }
    }
}

/// What a list reads is settled when nothing moves: rows that do would be gone from the rest, and too new in their month.
#[tokio::test]
async fn a_list_that_is_read_while_rows_move_into_their_month_lacks_none() {
    if !there_is_postgres() {
        return;
    }
    let fixture = Fixture::on(Database::Postgres).await;
    let (store, tenant) = (&fixture.store, fixture.tenant("acme.example").await.id);
    let pool = PgPool::connect(&fixture.url).await.unwrap();
    let mut random = Random(1);
    let told: Vec<Delivered> = (0..3)
        .flat_map(|n| channel_at(&format!("call-{n}"), "acme.example", n, NOON + DAY, &mut random))
        .collect();
    store.ingest(ORIGIN, &numbered(told), 0).await.unwrap();
    let mut mover = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE call_detail_records_rest, call_events_rest IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *mover)
        .await
        .unwrap();
    let moving = async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation IN (CAST('call_detail_records_rest' AS regclass), \
             CAST('call_events_rest' AS regclass))";
        loop {
            let (lists,): (i64,) = sqlx::query_as(waiting).fetch_one(&pool).await.unwrap();
            if lists >= 3 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for (table, column) in [("call_detail_records", "start_stamp"), ("call_events", "occurred_at")] {
            for text in [
                format!("CREATE TABLE {table}_y2026m07 (LIKE {table} INCLUDING ALL)"),
                format!(
                    "WITH moved AS (DELETE FROM {table}_rest WHERE {column} < '2026-08-01' RETURNING *) \
                     INSERT INTO {table}_y2026m07 SELECT * FROM moved"
                ),
                format!(
                    "ALTER TABLE {table} ATTACH PARTITION {table}_y2026m07 \
                     FOR VALUES FROM ('2026-07-01 00:00+00') TO ('2026-08-01 00:00+00')"
                ),
            ] {
                sqlx::query(AssertSqlSafe(text)).execute(&mut *mover).await.unwrap();
            }
        }
        mover.commit().await.unwrap();
    };
    let (cdr_filter, event_filter) =
        (CdrFilter { legs: true, ..CdrFilter::default() }, CallEventFilter::default());
    let (cdrs, events, since, ()) = tokio::join!(
        store.cdrs(tenant, &cdr_filter, Page::default()),
        store.call_events(tenant, &event_filter, Page::default()),
        store.stored_since(tenant, NOON),
        moving
    );
    let (cdrs, events) = (cdrs.unwrap(), events.unwrap());
    assert_eq!((cdrs.total, cdrs.rows.len()), (3, 3));
    assert_eq!((events.total, events.rows.len()), (6, 6));
    assert_eq!(since.unwrap(), events.rows.iter().map(|event| event.sequence).min().unwrap() - 1);
}
