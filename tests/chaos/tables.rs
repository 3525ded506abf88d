//! What is in our tables, straight from the database.

use std::collections::BTreeMap;

use nizam_test_postgres::Server;

/// A CDR.
#[derive(Clone, Debug)]
pub(crate) struct Cdr {
    pub(crate) caller_name: String,
    pub(crate) leg_a: bool,
    pub(crate) cause: String,
    pub(crate) billsec: i64,
    pub(crate) closed_by: String,
    /// Microseconds since 1970.
    pub(crate) started: i64,
    pub(crate) answered: Option<i64>,
    pub(crate) ended: i64,
}

impl Cdr {
    /// Whether its channel said itself how it ended.
    pub(crate) fn own_word(&self) -> bool {
        self.closed_by.is_empty()
    }
}

/// An event: its type and its time.
pub(crate) type Event = (String, i64);

/// All that a switch told.
#[derive(Default)]
pub(crate) struct Tables {
    /// By channel; rows of one that has more than one are `doubled`.
    pub(crate) cdrs: BTreeMap<String, Cdr>,
    pub(crate) doubled: Vec<String>,
    /// By channel, in the order of their numbers.
    pub(crate) events: BTreeMap<String, Vec<Event>>,
    /// Channels that live.
    pub(crate) channels: Vec<String>,
    /// Events of no tenant, and their times.
    pub(crate) strays: Vec<(String, i64)>,
    pub(crate) quarantined: Vec<String>,
    /// Lives of modules, those that are over, and events that were dropped.
    pub(crate) incarnations: usize,
    pub(crate) over: usize,
    pub(crate) dropped: usize,
    /// Calls whose minutes are counted.
    pub(crate) metered: usize,
}

/// Reads them.
pub(crate) fn read(url: &str) -> Tables {
    let ask = |query: &str| Server::rows(url, query);
    let first = |query: &str| ask(query).into_iter().map(|mut row| row.swap_remove(0)).collect();
    let count = |query: &str| ask(query)[0][0].parse::<usize>().unwrap();
    let mut tables = Tables {
        channels: first("SELECT uuid FROM channels"),
        strays: ask("SELECT event_type || ' of ' || call_uuid || ': ' || payload, (extract(epoch FROM occurred_at) * 1e6)::bigint FROM stray_events")
            .into_iter()
            .map(|mut row| (row.swap_remove(0), row.swap_remove(0).parse().unwrap()))
            .collect(),
        quarantined: first("SELECT reason FROM quarantined_events"),
        incarnations: count("SELECT count(*) FROM switch_incarnations"),
        over: count("SELECT count(*) FROM switch_incarnations WHERE ended_at IS NOT NULL"),
        dropped: count("SELECT coalesce(sum(dropped), 0) FROM switch_incarnations"),
        metered: count("SELECT count(*) FROM usage_records WHERE metric = 'call_minutes'"),
        ..Tables::default()
    };
    let cdrs = ask(
        "SELECT uuid, caller_id_name, leg, hangup_cause, billsec, closed_by, (extract(epoch FROM start_stamp) * 1e6)::bigint, \
         (extract(epoch FROM answer_stamp) * 1e6)::bigint, (extract(epoch FROM end_stamp) * 1e6)::bigint FROM call_detail_records",
    );
    for row in cdrs {
        let [uuid, name, leg, cause, billsec, closed_by, started, answered, ended] = &row[..] else {
            panic!("odd row: {row:?}")
        };
        let cdr = Cdr {
            caller_name: name.clone(),
            leg_a: leg == "a",
            cause: cause.clone(),
            billsec: billsec.parse().unwrap(),
            closed_by: closed_by.clone(),
            started: started.parse().unwrap(),
            answered: answered.parse().ok(),
            ended: ended.parse().unwrap(),
        };
        if tables.cdrs.insert(uuid.clone(), cdr).is_some() {
            tables.doubled.push(uuid.clone());
        }
    }
    let events = ask(
        "SELECT call_uuid, event_type, (extract(epoch FROM occurred_at) * 1e6)::bigint FROM call_events \
         WHERE event_type NOT LIKE 'device.%' ORDER BY sequence",
    );
    for row in events {
        let [uuid, kind, at] = &row[..] else { panic!("odd row: {row:?}") };
        tables.events.entry(uuid.clone()).or_default().push((kind.clone(), at.parse().unwrap()));
    }
    tables
}
