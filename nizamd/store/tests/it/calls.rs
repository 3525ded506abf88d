//! What is kept of calls, read back.

use std::collections::BTreeSet;

use nizam_store::{CallEventFilter, CdrFilter, Page, Place};
use nizam_test_postgres::Database;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use uuid::Uuid;

use crate::support::Fixture;

/// Writes into the tables by hand, in the words of either database.
pub(crate) enum Raw {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Raw {
    pub(crate) async fn of(fixture: &Fixture) -> Self {
        match Database::chosen() {
            Database::Sqlite => Self::Sqlite(SqlitePool::connect(&fixture.url).await.unwrap()),
            Database::Postgres => Self::Postgres(PgPool::connect(&fixture.url).await.unwrap()),
        }
    }

    pub(crate) fn id(&self, id: Uuid) -> String {
        match self {
            Self::Sqlite(_) => format!("x'{}'", id.simple()),
            Self::Postgres(_) => format!("'{id}'"),
        }
    }

    pub(crate) fn time(&self, micros: i64) -> String {
        match self {
            Self::Sqlite(_) => micros.to_string(),
            Self::Postgres(_) => {
                format!("(timestamptz 'epoch' + {micros} * interval '1 microsecond')")
            }
        }
    }

    pub(crate) async fn run(&self, sql: String) {
        match self {
            Self::Sqlite(pool) => drop(sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap()),
            Self::Postgres(pool) => drop(sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap()),
        }
    }

    async fn cdr(&self, tenant: Uuid, (start, n): (i64, usize), direction: &str, codecs: (&str, &str)) {
        let (id, at) = (Uuid::now_v7(), self.time(start));
        self.run(format!(
            "INSERT INTO call_detail_records (id, tenant_id, uuid, caller_id_number, destination_number, start_stamp, \
             duration, billsec, hangup_cause, direction, read_codec, write_codec, created_at, updated_at) \
             VALUES ({}, {}, 'leg-{id}', '+1555{n}', '{}', {at}, 30, 20, {}, '{direction}', '{}', '{}', {at}, {at})",
            self.id(id),
            self.id(tenant),
            1000 + n % 3,
            if n.is_multiple_of(2) { "'NORMAL_CLEARING'" } else { "NULL" },
            codecs.0,
            codecs.1,
        ))
        .await;
    }

    async fn event(&self, tenant: Uuid, at: i64, call: &str, kind: &str) {
        let (id, at) = (Uuid::now_v7(), self.time(at));
        self.run(format!(
            "INSERT INTO call_events (id, tenant_id, call_uuid, event_type, payload, occurred_at, created_at, updated_at) \
             VALUES ({}, {}, '{call}', '{kind}', '{{\"metadata\": {{}}}}', {at}, {at}, {at})",
            self.id(id),
            self.id(tenant),
        ))
        .await;
    }
}

const NOON: i64 = 1_767_268_800_000_000;

#[tokio::test]
async fn cdrs_are_found_by_what_they_hold() {
    let fixture = Fixture::new().await;
    let (ours, theirs) = (fixture.tenant("ours.example").await.id, fixture.tenant("theirs.example").await.id);
    let raw = Raw::of(&fixture).await;
    for n in 0..12 {
        let at = NOON + i64::try_from(n).unwrap() * 1_000_000;
        raw.cdr(ours, (at, n), ["inbound", "local"][n % 2], ("PCMU", if n < 9 { "PCMU" } else { "OPUS" }))
            .await;
    }
    raw.cdr(theirs, (NOON, 0), "inbound", ("PCMA", "PCMA")).await;
    let store = &fixture.store;
    store.recount_calls().await.unwrap();
    let count = async |filter: CdrFilter| store.cdrs(ours, &filter, Page::default()).await.unwrap().total;
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(count(CdrFilter::default()).await, 12);
    assert_eq!(count(CdrFilter { direction: text("local"), ..CdrFilter::default() }).await, 6);
    assert_eq!(count(CdrFilter { hangup_cause: text("NORMAL_CLEARING"), ..CdrFilter::default() }).await, 6);
    assert_eq!(count(CdrFilter { caller_id_number: text("+15553"), ..CdrFilter::default() }).await, 1);
    assert_eq!(count(CdrFilter { destination_number: text("1001"), ..CdrFilter::default() }).await, 4);
    assert_eq!(count(CdrFilter { uuid: text("nothing"), ..CdrFilter::default() }).await, 0);
    let between =
        CdrFilter { from: Some(NOON + 2_000_000), to: Some(NOON + 4_000_000), ..CdrFilter::default() };
    assert_eq!(count(between).await, 3, "both ends count");

    let page = store.cdrs(ours, &CdrFilter::default(), Page { number: 1, size: 5 }).await.unwrap();
    let starts: Vec<i64> = page.rows.iter().map(|cdr| (cdr.start_stamp - NOON) / 1_000_000).collect();
    assert_eq!(starts, [11, 10, 9, 8, 7], "the newest first");
    let first = &page.rows[0];
    assert_eq!(store.cdr(ours, first.id).await.unwrap().as_ref(), Some(first));
    assert_eq!(store.cdr(theirs, first.id).await.unwrap(), None, "another tenant has no such row");

    let metrics = store.codec_metrics(ours).await.unwrap();
    assert_eq!(metrics.codecs, [("PCMU".to_owned(), 12)]);
    assert_eq!((metrics.mismatches, metrics.cdrs), (3, 12));
    assert_eq!(store.codec_metrics(theirs).await.unwrap().codecs, [("PCMA".to_owned(), 1)]);
}

#[tokio::test]
async fn a_walk_sees_every_row_once_while_new_ones_come() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("ours.example").await.id;
    let raw = Raw::of(&fixture).await;
    for n in 0..40 {
        // Several at the same microsecond: then the id says what comes first.
        let at = NOON + i64::try_from(n / 4).unwrap();
        raw.cdr(tenant, (at, n), "local", ("PCMU", "PCMU")).await;
        raw.event(tenant, at, "call", "call.answered").await;
    }
    let store = &fixture.store;
    store.recount_calls().await.unwrap();
    let before = store.cdrs(tenant, &CdrFilter::default(), Page { number: 1, size: 100 }).await.unwrap().rows;
    let (mut seen, mut place) = (Vec::new(), Place::NEWEST);
    loop {
        let rows = store.cdrs_after(tenant, &CdrFilter::default(), place, 7).await.unwrap();
        let Some(last) = rows.last() else { break };
        place = Place { time: last.start_stamp, id: last.id };
        seen.extend(rows.into_iter().map(|cdr| cdr.id));
        raw.cdr(tenant, (NOON + 1000, 1), "local", ("PCMU", "PCMU")).await;
    }
    assert_eq!(seen, before.iter().map(|cdr| cdr.id).collect::<Vec<_>>());

    let (mut seen, mut place) = (Vec::new(), Place::OLDEST);
    for round in 0.. {
        let rows = store.call_events_after(tenant, &CallEventFilter::default(), place, 7).await.unwrap();
        let Some(last) = rows.last() else { break };
        place = Place { time: last.occurred_at, id: last.id };
        seen.extend(rows.into_iter().map(|event| event.id));
        if round < 3 {
            raw.event(tenant, NOON + 1000 + round, "late", "call.hangup").await;
        }
    }
    assert_eq!(seen.len(), 43, "who reads from the oldest on sees the new ones, too");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 43);
    store.recount_calls().await.unwrap();
    let late = CallEventFilter { call_uuid: Some("late".into()), ..CallEventFilter::default() };
    let listed = store.call_events(tenant, &late, Page::default()).await.unwrap();
    assert_eq!((listed.total, listed.rows[0].event_type.as_str()), (3, "call.hangup"));
    assert_eq!(listed.rows[0].payload, serde_json::json!({"metadata": {}}));
    let other = CallEventFilter { event_type: Some("call.missed".into()), ..CallEventFilter::default() };
    assert_eq!(store.call_events(tenant, &other, Page::default()).await.unwrap().total, 0);
}
