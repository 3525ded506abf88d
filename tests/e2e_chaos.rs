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
    now, setting,
    stage::Stage,
    tables, verdict,
    verdict::Death,
};
use nizam_test_postgres::there_is_postgres;
use support::{Plan, Switch, require, until};
use tempfile::TempDir;

const LONG: Duration = Duration::from_mins(2);

/// Milliseconds after which nizamd is killed.
const EVERY: usize = 5000;

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
        // Its profiles run before it takes calls.
        until("FreeSWITCH is ready", Duration::from_mins(1), || {
            let status = switch.api("status");
            (status.contains("is ready") && !status.contains("not ready")).then_some(())
        });
        self.done.push(Death { at, back: now() });
        true
    }
}

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
    let mut stage =
        Stage::start(&url, Plan { socket: Some("cut.sock"), home: Some(home), ..Plan::default() });
    link.cut(true);
    let mut load = stage.dial(calls, rate);
    let over = AtomicBool::new(false);
    let mut deaths = Deaths::planned(u32::try_from(calls / 1000).unwrap().clamp(1, 5), length, seed);
    let planned = deaths.due.len();
    let (kills, vain) = thread::scope(|scope| {
        let (nizamd, over) = (&stage.site.nizamd, &over);
        let killing = scope.spawn(move || keep_killing(nizamd, over, EVERY, &mut Dice::new(seed + 1)));
        let ended = Over(over);
        let mut registered = Instant::now();
        while !load.wait(Duration::from_millis(100)) {
            assert!(deaths.began.elapsed() < length * 2 + LONG, "the calls do not come to an end");
            database.kill_if_due();
            if deaths.kill_if_due(&mut stage.site.switch) || registered.elapsed() > Duration::from_mins(2) {
                stage.register();
                registered = Instant::now();
            }
        }
        drop(ended);
        killing.join().unwrap()
    });
    link.cut(false);
    let took = deaths.began.elapsed();
    println!("when the calls are over:\n{}", stage.site.switch.api("nizam spool"));
    let settled = stage.settle();

    let ledger = ledger::read(&load.ledger());
    let (csv, csv_twice) = cdr_csv::read(stage.site.home());
    let mut figures = verdict::compare(&ledger, &csv, csv_twice, &tables::read(&url), &deaths.done);
    figures.equal("calls dialled", ledger.len(), calls);
    figures.note("seconds of calls", format!("{:.1}", took.as_secs_f64()));
    figures.note("seconds until all was stored then", format!("{:.1}", settled.as_secs_f64()));
    figures.some("nizamd killed", kills.into());
    figures.note("nizamd not started again at once, for want of a database", vain);
    figures.some("PostgreSQL killed", database.kills.into());
    figures.equal("FreeSWITCH killed", deaths.done.len(), planned);
    let [connections, cuts, bytes] = link.counts();
    figures.note("connections of the link", connections);
    figures.some("of them cut at a random byte", cuts);
    figures.note("bytes over the link", bytes);
    figures.conclude("chaos on FreeSWITCH");
}
