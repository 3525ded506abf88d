//! Calls of sipp on a real FreeSWITCH while everything around them dies: nizamd, PostgreSQL and FreeSWITCH itself by kill -9, and the link
//! after any byte. Then sipp's ledger, FreeSWITCH's own CDRs and our tables must tell the same.
//!
//! `NIZAM_CHAOS_CALLS` says how many calls, `NIZAM_CHAOS_RATE` how many a second. `make chaos` makes 20,000.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod chaos;
mod support;

use std::{
    sync::atomic::AtomicBool,
    thread,
    time::{Duration, Instant},
};

use chaos::{
    cdr_csv,
    cutter::Cutter,
    database::Database,
    dice::Dice,
    ledger,
    nizamd::{Over, keep_killing},
    now, setting, tables, verdict,
    verdict::Death,
};
use nizam_test_postgres::{Server, there_is_postgres};
use serde_json::{Value, json};
use support::{Change, Manner, Media, Plan, Site, Switch, require, until};
use tempfile::TempDir;

const LONG: Duration = Duration::from_mins(2);

/// Milliseconds after which nizamd is killed.
const EVERY: usize = 5000;

/// Outside of the blocks of the suites.
const MEDIA: Media = Media::Range(12_000, 17_998);

/// When FreeSWITCH is killed.
struct Deaths {
    began: Instant,
    due: Vec<Duration>,
    done: Vec<Death>,
}

impl Deaths {
    /// So often, evenly but for a second.
    fn planned(count: u32, length: Duration, seed: u64) -> Self {
        let mut dice = Dice::new(seed + 2);
        let mut due = |n| length * n / (count + 1) + Duration::from_millis(dice.below(1000) as u64);
        Self { began: Instant::now(), due: (1..=count).map(&mut due).rev().collect(), done: Vec::new() }
    }

    /// Kills it and starts it again, if it is time to.
    fn kill_if_due(&mut self, switch: &mut Switch) -> bool {
        if self.due.pop_if(|due| *due <= self.began.elapsed()).is_none() {
            return false;
        }
        let at = now();
        switch.kill();
        switch.start();
        self.done.push(Death { at, back: now() });
        true
    }
}

/// All that FreeSWITCH told is stored, and it has no calls any more.
fn settle(site: &mut Site, url: &str) -> Duration {
    let began = Instant::now();
    until("the switch has no calls", LONG, || {
        site.switch.api("show channels count").trim().starts_with("0 total").then_some(())
    });
    until("all events are stored", LONG, || {
        let status: Value = serde_json::from_str(site.switch.api("nizam status json").trim()).ok()?;
        let spool = &status["spool"];
        let rest = Server::rows(url, "SELECT count(*) FROM channels").swap_remove(0).swap_remove(0);
        (spool["lag"] == 0 && spool["details"]["earlier"] == 0 && rest == "0").then_some(())
    });
    began.elapsed()
}

/// A site whose link breaks, with `mod_cdr_csv`, in that directory.
fn start(home: TempDir, url: &str) -> Site {
    let own = home.path().to_owned();
    Site::start_as(Plan {
        database: Some(url.to_owned()),
        socket: Some("cut.sock"),
        media: MEDIA,
        configuration: vec![
            ("cdr_csv.conf.xml", Change::New(cdr_csv::configuration(&own))),
            ("modules.conf.xml", Change::Before("<load module=\"mod_sofia\"/>", cdr_csv::LOAD.to_owned())),
        ],
        home: Some(home),
    })
}

/// Who is called, and how often in ten times: most answer, one is busy, one is not there, one number is nobody's.
const DIALLED: [&str; 10] = ["1002", "1002", "1003", "1002", "1002", "1004", "1002", "1002", "1777", "1002"];

#[test]
fn no_call_is_lost_or_doubled_whatever_dies() {
    if !require(&["freeswitch", "sipp"]) || !there_is_postgres() {
        return;
    }
    let calls: usize = setting("NIZAM_CHAOS_CALLS", 300);
    let rate: u32 = setting("NIZAM_CHAOS_RATE", 20);
    let seed: u64 = setting("NIZAM_CHAOS_SEED", u64::from(std::process::id()));
    println!("{calls} calls, {rate} a second, NIZAM_CHAOS_SEED={seed}");
    let length = Duration::from_secs(calls as u64 / u64::from(rate));

    let mut database = Database::start((length / 2).clamp(Duration::from_secs(5), Duration::from_mins(1)));
    let url = database.url();
    let home = TempDir::with_prefix("nizam-chaos-").unwrap();
    let link = Cutter::start(&home.path().join("cut.sock"), home.path().join("nizam.sock"), seed);
    let mut site = start(home, &url);
    let tenant = site.tenant("chaos.test");
    let account = |number: &str| site.extension_with(&tenant, "chaos.test", number, &json!({}));
    let [caller, answers, busy, _away] = ["1001", "1002", "1003", "1004"].map(account);
    let phones = [(&answers, Manner::AnswerAfter(100)), (&busy, Manner::Refuse(486))]
        .map(|(account, manner)| (account, site.callee(manner)));
    let register =
        |site: &Site| phones.iter().for_each(|(account, phone)| site.register_at(account, phone.port()));
    register(&site);

    link.cut(true);
    let mut load = site.call_load(&DIALLED.map(|number| (&caller, number)), calls, rate);
    let over = AtomicBool::new(false);
    let mut deaths = Deaths::planned(u32::try_from(calls / 1000).unwrap().clamp(1, 5), length, seed);
    let (kills, vain) = thread::scope(|scope| {
        let (nizamd, over) = (&site.nizamd, &over);
        let killing = scope.spawn(move || keep_killing(nizamd, over, EVERY, &mut Dice::new(seed + 1)));
        let ended = Over(over);
        let mut registered = Instant::now();
        while !load.wait(Duration::from_millis(100)) {
            assert!(deaths.began.elapsed() < length * 2 + LONG, "the calls do not come to an end");
            database.kill_if_due();
            if deaths.kill_if_due(&mut site.switch) || registered.elapsed() > Duration::from_mins(2) {
                register(&site);
                registered = Instant::now();
            }
        }
        drop(ended);
        killing.join().unwrap()
    });
    link.cut(false);
    let took = deaths.began.elapsed();
    println!("when the calls are over:\n{}", site.switch.api("nizam spool"));
    let settled = settle(&mut site, &url);

    let ledger = ledger::read(&load.ledger());
    let (csv, csv_twice) = cdr_csv::read(site.home());
    let mut figures = verdict::compare(&ledger, &csv, csv_twice, &tables::read(&url), &deaths.done);
    figures.equal("calls dialled", ledger.len(), calls);
    figures.note("seconds of calls", format!("{:.1}", took.as_secs_f64()));
    figures.note("seconds until all was stored then", format!("{:.1}", settled.as_secs_f64()));
    figures.note("nizamd killed", kills);
    figures.note("nizamd not started again at once, for want of a database", vain);
    figures.note("PostgreSQL killed", database.kills);
    figures.note("FreeSWITCH killed", deaths.done.len());
    let [connections, cuts, bytes] = link.counts();
    figures.note("connections of the link", connections);
    figures.note("of them cut at a random byte", cuts);
    figures.note("bytes over the link", bytes);
    figures.conclude("chaos on FreeSWITCH");
}
