//! The real module in the stand-in host and the real nizamd, while both are killed, the database is, and the link is cut after any byte: what
//! the host told is stored once and in order, and calls that died with it are closed and marked.
//!
//! `NIZAM_CHAOS_CALLS` says how many calls. On a real FreeSWITCH: `tests/e2e_chaos.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod chaos;
#[path = "standin/client.rs"]
mod client;
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::atomic::AtomicBool,
    thread,
    time::Duration,
};

use chaos::{
    cutter::Cutter,
    database::Database,
    dice::Dice,
    figures::Figures,
    nizamd::{Over, keep_killing},
    setting,
    verdict::disorder,
};
use client::Standin;
use nizam_test_postgres::there_is_postgres;
use reqwest::Method;
use serde_json::{Value, json};
use support::{Nizamd, Ports, until};
use tempfile::TempDir;

/// Calls that happen together.
const TOGETHER: usize = 20;

/// How often the host is killed.
const DEATHS: usize = 4;

/// Milliseconds after which nizamd is killed.
const EVERY: usize = 2500;

const LONG: Duration = Duration::from_mins(2);

/// What is known of calls: all but how those ended that ended when the host was killed.
#[derive(Default)]
struct Truth {
    ended: BTreeSet<String>,
    died: BTreeSet<String>,
    either: BTreeSet<String>,
    /// How often the host was killed.
    deaths: u64,
}

/// A host that tells of calls.
struct Switch<'h> {
    home: &'h Path,
    host: Option<Standin>,
    truth: Truth,
}

impl Switch<'_> {
    /// Starts the host and loads the module.
    fn start(&mut self) {
        let mut host = Standin::start(&["--conf".as_ref(), self.home.as_os_str()]);
        host.ask(&format!("load {}", client::module().display()));
        self.host = Some(host);
    }

    fn host(&mut self) -> &mut Standin {
        self.host.as_mut().expect("the host runs")
    }

    fn tell(&mut self, name: &str, calls: &[String]) {
        let more = if name == "CHANNEL_HANGUP_COMPLETE" {
            "variable_billsec=6 variable_duration=7 variable_hangup_cause=NORMAL_CLEARING"
        } else {
            "Call-Direction=inbound"
        };
        for call in calls {
            self.host().ask(&format!("event {name} Unique-ID={call} Caller-Context=chaos.test {more}"));
        }
    }

    /// Calls from their beginning to their end.
    fn calls(&mut self, calls: &[String]) {
        for name in ["CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE"] {
            self.tell(name, calls);
        }
        self.host().ask("drain");
        self.truth.ended.extend(calls.iter().cloned());
    }

    /// Calls in which the host is killed.
    fn die_in(&mut self, calls: &[String]) {
        let (some, rest) = calls.split_at(TOGETHER / 2);
        let (ended, ending) = some.split_at(TOGETHER / 4);
        self.tell("CHANNEL_CREATE", calls);
        self.tell("CHANNEL_ANSWER", some);
        self.tell("CHANNEL_HANGUP_COMPLETE", ended);
        self.host().ask("drain");
        // On their way in the host when it dies.
        self.tell("CHANNEL_HANGUP_COMPLETE", ending);
        self.host.take().expect("the host runs").kill();
        let Truth { ended: known, died, either, deaths } = &mut self.truth;
        *deaths += 1;
        known.extend(ended.iter().cloned());
        either.extend(ending.iter().cloned());
        died.extend(rest.iter().cloned());
    }

    /// How many events wait, and how many earlier lives of the module are not done with.
    fn waiting(&mut self) -> (u64, u64) {
        let status: Value = serde_json::from_str(&self.host().ask("api nizam status json")).unwrap();
        let number = |value: &Value| value.as_u64().unwrap();
        (number(&status["spool"]["lag"]), number(&status["spool"]["details"]["earlier"]))
    }
}

/// The module's configuration: its link goes through the one that is cut.
fn configure(home: &Path) {
    let path = |name: &str| home.join(name).display().to_string();
    let settings =
        [("socket", "cut.sock"), ("snapshot", "state/snapshot"), ("spool", "spool"), ("ring", "ring")];
    let params =
        settings.map(|(name, file)| format!("<param name=\"{name}\" value=\"{}\"/>", path(file))).concat();
    let text = format!("<configuration name=\"nizam.conf\"><settings>{params}</settings></configuration>");
    fs::write(home.join("nizam.conf.xml"), text).unwrap();
}

/// Every row of a list of the tenant.
fn all(nizamd: &Nizamd, tenant: &str, list: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    for page in 1.. {
        let path = format!("/tenants/{tenant}/{list}per_page=100&page={page}");
        let (status, mut body) = nizamd.rest().attempt(&Method::GET, &path, &json!({}));
        assert_eq!(status, 200, "{path}: {body}");
        let Value::Array(some) = body["data"].take() else { panic!("{path}: no list") };
        if some.is_empty() {
            break;
        }
        rows.extend(some);
    }
    rows
}

/// What is stored must be the truth.
fn compare(figures: &mut Figures, truth: &Truth, nizamd: &Nizamd, tenant: &str) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (mut own, mut lost, mut doubled) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for cdr in all(nizamd, tenant, "cdrs?legs=1&") {
        let uuid = text(&cdr["uuid"]);
        let kept = match text(&cdr["closed_by"]).as_str() {
            "" if cdr["billsec"] == 6 => own.insert(uuid.clone()),
            "reconciler" if cdr["billsec"] == 0 => lost.insert(uuid.clone()),
            _ => panic!("an odd CDR: {cdr}"),
        };
        if !kept {
            doubled.push(uuid);
        }
    }
    doubled.extend(own.intersection(&lost).cloned());
    let less = |of: &BTreeSet<String>, by: &BTreeSet<String>| of.difference(by).cloned().collect::<Vec<_>>();
    figures.note("CDRs of calls that ended", own.len());
    figures.note("CDRs of calls that died with the host, closed and marked", lost.len());
    figures.none("CDRs lost of calls that ended", &less(&truth.ended, &own));
    figures.none("CDRs lost of calls that died", &less(&truth.died, &lost));
    figures.none(
        "CDRs lost of calls that did either",
        &less(&less(&truth.either, &own).into_iter().collect(), &lost),
    );
    figures.none("CDRs doubled", &doubled);
    figures.none("CDRs that are wrong", &less(&own, &truth.ended.union(&truth.either).cloned().collect()));
    figures.none(
        "CDRs closed that are wrong",
        &less(&lost, &truth.died.union(&truth.either).cloned().collect()),
    );
    let mut events: BTreeMap<String, Vec<(String, i64)>> = BTreeMap::new();
    for event in all(nizamd, tenant, "call-events?") {
        let of_call = events.entry(text(&event["call_uuid"])).or_default();
        of_call.push((text(&event["event_type"]), event["sequence"].as_i64().unwrap()));
    }
    figures.note("events", events.values().map(Vec::len).sum::<usize>());
    let wrong: Vec<String> = events
        .iter_mut()
        .filter_map(|(call, events)| {
            events.sort_unstable_by_key(|(_, sequence)| *sequence);
            let answered = events.iter().filter(|(kind, _)| kind == "call.answered").count();
            let want = usize::from(!truth.died.contains(call));
            let wrong = disorder(events).or((answered != want).then_some("not answered once"));
            wrong.map(|why| format!("{call}: {why}: {events:?}"))
        })
        .collect();
    figures.none("calls whose events are doubled, missing or out of order", &wrong);
    let with: BTreeSet<String> = events.into_keys().collect();
    let without: Vec<String> = own.union(&lost).filter(|call| !with.contains(*call)).cloned().collect();
    figures.none("calls without events", &without);
    figures.equal("calls", with.len(), truth.ended.len() + truth.died.len() + truth.either.len());
}

fn run(title: &str, mut database: Option<Database>) {
    let calls: usize = setting("NIZAM_CHAOS_CALLS", 2000);
    let seed: u64 = setting("NIZAM_CHAOS_SEED", u64::from(std::process::id()));
    println!("{title}: {calls} calls, NIZAM_CHAOS_SEED={seed}");
    let home = TempDir::with_prefix("nizam-chaos-").unwrap();
    let home = home.path();
    let ports = Ports::claim();
    let url = database.as_ref().map(Database::url);
    let nizamd = Nizamd::start(home, &ports, url.as_deref());
    let link = Cutter::start(&home.join("cut.sock"), home.join("nizam.sock"), seed);
    configure(home);
    let mut switch = Switch { home, host: None, truth: Truth::default() };
    switch.start();
    until("the module is connected", LONG, || {
        switch.host().ask("api nizam status").contains("daemon").then_some(())
    });
    let tenant = nizamd.rest().create_tenant("chaos.test");
    link.cut(true);
    let over = AtomicBool::new(false);
    let groups = calls / TOGETHER;
    let (kills, vain) = thread::scope(|scope| {
        let (nizamd, over) = (&nizamd, &over);
        let killing = scope.spawn(move || keep_killing(nizamd, over, EVERY, &mut Dice::new(seed + 1)));
        let ended = Over(over);
        for group in 1..=groups {
            let calls: Vec<String> = (0..TOGETHER).map(|n| format!("call-{group:05}-{n:02}")).collect();
            if group % (groups / (DEATHS + 1)).max(1) == 0 && group < groups {
                switch.die_in(&calls);
                switch.start();
            } else {
                switch.calls(&calls);
            }
            if let Some(database) = &mut database {
                database.kill_if_due();
            }
            // So long that something dies in between.
            thread::sleep(Duration::from_millis(100));
        }
        drop(ended);
        killing.join().unwrap()
    });
    link.cut(false);
    until("all is stored", LONG, || (switch.waiting() == (0, 0)).then_some(()));
    let mut figures = Figures::default();
    compare(&mut figures, &switch.truth, &nizamd, &tenant);
    let open = nizamd.rest().attempt(&Method::GET, &format!("/tenants/{tenant}/calls/status"), &json!({})).1;
    figures.equal("calls left open", usize::try_from(open["count"].as_u64().unwrap()).unwrap(), 0);
    figures.some("nizamd killed", kills.into());
    figures.note("nizamd not started again at once, for want of a database", vain);
    if let Some(database) = database {
        figures.some("PostgreSQL killed", database.kills.into());
    }
    figures.some("host killed", switch.truth.deaths);
    let [connections, cuts, bytes] = link.counts();
    figures.note("connections of the link", connections);
    figures.some("of them cut at a random byte", cuts);
    figures.note("bytes over the link", bytes);
    figures.conclude(title);
}

#[test]
fn no_call_is_lost_or_doubled_on_sqlite() {
    run("chaos in the stand-in, on SQLite", None);
}

#[test]
fn no_call_is_lost_or_doubled_on_postgresql() {
    if there_is_postgres() {
        run("chaos in the stand-in, on PostgreSQL", Some(Database::start(Duration::from_secs(4))));
    }
}
