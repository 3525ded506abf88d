//! nizamd is away while calls go on, and the disk of the spool is full: what is kept, what is dropped, and that no call notices.
//!
//! `NIZAM_OUTAGE_SECONDS` says for how long nizamd is away. `make outage` takes it away for ten minutes.

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
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use chaos::{
    cdr_csv, database::Database, figures::Figures, ledger, now, setting, stage::Stage, tables, verdict,
};
use nizam_test_postgres::there_is_postgres;
use serde_json::Value;
use support::{Change, Plan, require, skip};
use tempfile::TempDir;

const RATE: u32 = 20;

/// Seconds of calls before and after what happens.
const AROUND: u64 = 3;

/// No test kills it.
const NEVER: Duration = Duration::from_hours(24);

fn home() -> TempDir {
    TempDir::with_prefix("nizam-chaos-").unwrap()
}

/// How the spool stands: `nizam spool`, and what it says in `nizam status json`.
fn spool(stage: &mut Stage, when: &str) -> Value {
    println!("{when}:\n{}", stage.site.switch.api("nizam spool").trim());
    stage.status()["spool"].take()
}

fn seconds(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64())
}

#[test]
fn all_events_arrive_after_an_outage() {
    if !require(&["freeswitch", "sipp"]) || !there_is_postgres() {
        return;
    }
    let away: u64 = setting("NIZAM_OUTAGE_SECONDS", 12);
    let database = Database::start(NEVER);
    let url = database.url();
    let mut stage = Stage::start(&url, Plan { home: Some(home()), ..Plan::default() });
    let calls = usize::try_from((away + 2 * AROUND) * u64::from(RATE)).unwrap();
    let mut load = stage.dial(calls, RATE);
    assert!(!load.wait(Duration::from_secs(AROUND)), "calls go on");
    stage.site.nizamd.kill();
    spool(&mut stage, "nizamd is stopped");
    let stopped = Instant::now();
    while stopped.elapsed() < Duration::from_secs(away) {
        assert!(!load.wait(Duration::from_secs(1)), "calls go on");
        // Phones come again now and then, with nizamd or without.
        if stopped.elapsed().as_secs() % 120 == 119 {
            stage.register();
        }
    }
    let before = spool(&mut stage, "nizamd starts again");
    stage.site.nizamd.serve();
    assert!(load.wait(Duration::from_mins(2)), "the calls come to an end");
    let settled = stage.settle();
    let after = spool(&mut stage, "all is stored");
    let ledger = ledger::read(&load.ledger());
    let (csv, csv_twice) = cdr_csv::read(stage.site.home());
    let mut figures = verdict::compare(&ledger, &csv, csv_twice, &tables::read(&url), &[]);
    figures.equal("calls dialled", ledger.len(), calls);
    let unanswered: Vec<&String> = ledger
        .iter()
        .filter(|(_, call)| call.ended.is_none() && call.refused.is_none())
        .map(|(id, _)| id)
        .collect();
    figures.none("calls that were not answered or refused to their end", &unanswered);
    figures.note("seconds without nizamd", seconds(stopped.elapsed()).as_str());
    for (when, spool) in [("before nizamd was back", &before), ("when all was stored", &after)] {
        figures.note(&format!("spool {when}: events that wait"), &spool["lag"]);
        figures.note(&format!("spool {when}: milliseconds of the oldest"), &spool["details"]["lag_ms"]);
        figures.note(&format!("spool {when}: bytes on disk"), &spool["details"]["disk_used"]);
        figures.note(&format!("spool {when}: segments"), &spool["details"]["segments"]);
    }
    figures.note("seconds until all was stored, after the last call", seconds(settled));
    figures.conclude("outage of nizamd");
}

/// A small file system in memory, mounted there until it goes.
struct Small(PathBuf);

impl Small {
    /// None where this process may not mount.
    fn mount(path: &Path, megabytes: u32) -> Option<Self> {
        fs::create_dir(path).unwrap();
        let size = format!("size={megabytes}m,mode=0700");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &size, "nizam-test"]).arg(path).output();
        mounted.is_ok_and(|mounted| mounted.status.success()).then(|| Self(path.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: what is being killed may still have files in it.
        let _gone = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Megabytes of the disk and of the ring: both are full after some half a minute of calls, and the ends of all have room.
const DISK: u32 = 16;
const RING: u32 = 1;

/// Channels whose traces have room in what the disk keeps for them, whatever else it holds.
const NEWEST: usize = 100;

#[test]
fn on_a_full_disk_calls_go_on_and_their_ends_are_kept() {
    if !require(&["freeswitch", "sipp"]) || !there_is_postgres() {
        return;
    }
    let home = home();
    let disk = home.path().join("small");
    let Some(_small) = Small::mount(&disk, DISK) else {
        skip("mount", "a file system cannot be mounted here (it needs root)");
        return;
    };
    let database = Database::start(NEVER);
    let url = database.url();
    let own = format!(
        "<param name=\"spool\" value=\"{}\"/><param name=\"ring-size\" value=\"{RING}\"/>",
        disk.join("spool").display()
    );
    let configuration = vec![("nizam.conf.xml", Change::Before("<!-- error, warning", own))];
    let mut stage = Stage::start(&url, Plan { home: Some(home), configuration, ..Plan::default() });
    let calls = 45 * RATE as usize;
    let mut load = stage.dial(calls, RATE);
    assert!(!load.wait(Duration::from_secs(AROUND)), "calls go on");
    stage.site.nizamd.kill();
    // When nothing had been dropped yet.
    let mut whole_until = now();
    let mut told = false;
    while !load.wait(Duration::from_millis(200)) {
        let at = now();
        let status = stage.status();
        if status["spool"]["dropped"] == 0 {
            whole_until = at;
        }
        let trouble = status["spool"]["details"]["trouble"].as_str().unwrap_or_default().to_owned();
        told |= trouble.contains("No space left");
        let found = stage.site.switch.api("nizam lookup directory 1002@chaos.test");
        assert!(found.starts_with("+OK found"), "{found}");
    }
    let full = spool(&mut stage, "nizamd is away and the disk is full");
    assert!(told, "nizam status says that the disk is full");
    assert!(stage.site.switch.api("nizam status").contains("dropped"));
    stage.site.nizamd.serve();
    let settled = stage.settle();
    let after = spool(&mut stage, "all that was kept is stored");

    let ledger = ledger::read(&load.ledger());
    let (csv, _) = cdr_csv::read(stage.site.home());
    let tables = tables::read(&url);
    let mut figures = Figures::default();
    figures.equal("calls dialled", ledger.len(), calls);
    let unanswered: Vec<&String> = ledger
        .iter()
        .filter(|(_, call)| call.ended.is_none() && call.refused.is_none())
        .map(|(id, _)| id)
        .collect();
    figures.none("calls that were not answered or refused to their end", &unanswered);
    let dropped = |place: &str, class: &str| full["details"][place][class].as_u64().unwrap();
    let traces = ["ring_dropped", "disk_dropped"].map(|place| dropped(place, "traces"));
    let finals = ["ring_dropped", "disk_dropped"].map(|place| dropped(place, "finals"));
    figures.note("traces dropped in memory", traces[0]);
    figures.note("traces dropped on disk", traces[1]);
    assert!(traces[0] + traces[1] > 0, "the disk was not full for long enough: {full}");
    figures.equal("ends of channels dropped", usize::try_from(finals[0] + finals[1]).unwrap(), 0);
    let counted = tables.dropped as u64;
    figures.note("events dropped, as nizamd counts them", counted);
    assert!(
        counted >= traces[0] + traces[1] && counted == after["dropped"].as_u64().unwrap(),
        "{counted}, {after}"
    );
    let own_word = |uuid: &String| tables.cdrs.get(uuid).is_some_and(tables::Cdr::own_word);
    let lost: Vec<&String> = csv.keys().filter(|uuid| !own_word(uuid)).collect();
    figures.note("CDRs", tables.cdrs.len());
    figures.equal("channels in mod_cdr_csv", csv.len(), tables.cdrs.len());
    figures.none("CDRs lost", &lost);
    figures.none("CDRs doubled", &tables.doubled);
    let broken =
        |uuid: &String| tables.events.get(uuid).is_none_or(|events| verdict::disorder(events).is_some());
    let mut ends: Vec<(i64, &String)> = csv.iter().map(|(uuid, row)| (row.ended, uuid)).collect();
    ends.sort_unstable();
    let early = ends.iter().filter(|(ended, _)| *ended < whole_until).count();
    figures.note("channels that ended before anything was dropped", early);
    figures.note("channels with all of their events", ends.iter().filter(|(_, uuid)| !broken(uuid)).count());
    // The oldest traces go first.
    let newest: Vec<&String> = ends.iter().rev().take(NEWEST).map(|(_, uuid)| *uuid).collect();
    let newest: Vec<&String> = newest.into_iter().filter(|uuid| broken(uuid)).collect();
    figures.none("the newest channels without all of their events", &newest);
    figures.note("seconds until all that was kept was stored", seconds(settled));
    figures.conclude("full disk");
}
