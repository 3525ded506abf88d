//! nizamd is killed again and again while a switch tells it of calls: each call has its CDRs, none has them twice, and the events of
//! each are in their order.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nizam_engine::link::Connection;
use nizam_test_postgres::Database;
use nizam_wire::event::EventWriter;
use nizam_wire::link::{Batch, Hello, Incarnation, ModuleEvent, ModuleSession};
use serde_json::json;

use crate::site::Site;

const LIFE: Incarnation = Incarnation([7; 16]);
const CALLS: usize = 600;
/// Events of a batch, and batches that are on their way at a time.
const BATCH: usize = 40;
const WINDOW: usize = 6;

fn record(name: &str, call: usize, more: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    let at = 1_785_153_600_000_000 + i64::try_from(call).unwrap() * 1000;
    let mut writer = EventWriter::new(&mut out, at, name.as_bytes(), b"");
    writer.header("Unique-ID", format!("call-{call:05}").as_bytes());
    writer.header("Caller-Context", b"events.example");
    writer.header("Caller-Destination-Number", b"1002");
    for (name, value) in more {
        writer.header(name, value.as_bytes());
    }
    out
}

/// Ten calls at a time.
pub(crate) fn spool() -> Vec<(u64, Vec<u8>)> {
    let end =
        [("variable_billsec", "6"), ("variable_duration", "7"), ("variable_hangup_cause", "NORMAL_CLEARING")];
    let mut records = Vec::new();
    for first in (0..CALLS).step_by(10) {
        records.extend((first..first + 10).map(|call| record("CHANNEL_CREATE", call, &[])));
        records.extend((first..first + 10).map(|call| record("CHANNEL_ANSWER", call, &[])));
        records.extend((first..first + 10).map(|call| record("CHANNEL_HANGUP_COMPLETE", call, &end)));
    }
    (1..).zip(records).collect()
}

/// One connection: sends what is not acknowledged, until it breaks or all is. `hasty`: it goes away without reading what it is told.
pub(crate) fn tell(
    socket: &Path,
    spool: &[(u64, Vec<u8>)],
    acknowledged: &AtomicUsize,
    hasty: bool,
) -> Option<()> {
    let connection = Connection::connect(socket).ok()?;
    connection.set_timeouts(Duration::from_secs(5), Duration::from_secs(5)).ok()?;
    let hello = Hello { switch_name: "fs1".into(), core_uuid: "c1".into(), ..Hello::default() };
    let mut session: ModuleSession<OwnedFd> = ModuleSession::new(hello);
    let mut sent = acknowledged.load(Ordering::Relaxed);
    let mut buffer = vec![0; 64 << 10];
    while acknowledged.load(Ordering::Relaxed) < spool.len() {
        while session.is_up()
            && sent < spool.len()
            && sent < acknowledged.load(Ordering::Relaxed) + BATCH * WINDOW
        {
            let end = (sent + BATCH).min(spool.len());
            session.events(Batch { incarnation: LIFE, events: spool[sent..end].to_vec(), dropped: 0 });
            sent = end;
        }
        while let Some(chunk) = session.outbox().take() {
            connection.send(&chunk).ok()?;
        }
        if hasty && session.is_up() {
            return None;
        }
        let mut descriptors = Vec::new();
        let length = connection.receive(&mut buffer, &mut descriptors).ok()??;
        session.input(&buffer[..length], descriptors);
        while let Some(event) = session.poll().ok()? {
            match event {
                ModuleEvent::Ack { incarnation: LIFE, sequence } => {
                    acknowledged.fetch_max(usize::try_from(sequence).unwrap(), Ordering::Relaxed);
                }
                ModuleEvent::Stack { generation, .. } => session.applied(generation),
                _ => {}
            }
        }
    }
    Some(())
}

#[test]
fn no_call_is_lost_or_doubled_while_nizamd_is_killed() {
    let site = Site::new(|path| Database::chosen().fresh(path), &[], "correct horse");
    let mut daemon = site.serve();
    let tenant = site.make("/tenants", &json!({"name": "events", "domain": "events.example"}));
    let spool = Arc::new(spool());
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let module = {
        let (socket, spool, acknowledged, over) =
            (site.socket(), spool.clone(), acknowledged.clone(), over.clone());
        std::thread::spawn(move || {
            let mut connections = 0_u32;
            while tell(&socket, &spool, &acknowledged, connections % 4 == 1).is_none() {
                assert!(!over.load(Ordering::Relaxed), "it does not come to an end");
                connections += 1;
                std::thread::sleep(Duration::from_millis(20));
            }
            connections
        })
    };
    let mut kills = 0;
    let began = Instant::now();
    while !module.is_finished() && began.elapsed() < Duration::from_mins(2) {
        // As soon as something more is stored: where exactly it is hit is chance.
        let before = acknowledged.load(Ordering::Relaxed);
        let start = Instant::now();
        while acknowledged.load(Ordering::Relaxed) == before
            && !module.is_finished()
            && start.elapsed() < Duration::from_secs(20)
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(7 * (kills % 5)));
        if kills < 8 && !module.is_finished() {
            daemon.child.kill().unwrap();
            daemon.child.wait().unwrap();
            daemon = site.serve();
            kills += 1;
        }
    }
    over.store(true, Ordering::Relaxed);
    let connections = module.join().unwrap();
    let cdrs = site.all(&format!("/tenants/{tenant}/cdrs?legs=1"));
    let mut uuids: Vec<&str> = cdrs.iter().map(|cdr| cdr["uuid"].as_str().unwrap()).collect();
    uuids.sort_unstable();
    let want: Vec<String> = (0..CALLS).map(|call| format!("call-{call:05}")).collect();
    assert_eq!(uuids, want);
    let events = site.all(&format!("/tenants/{tenant}/call-events"));
    let mut of_call: BTreeMap<&str, Vec<(i64, &str)>> = BTreeMap::new();
    for event in &events {
        let entry = of_call.entry(event["call_uuid"].as_str().unwrap()).or_default();
        entry.push((event["sequence"].as_i64().unwrap(), event["event_type"].as_str().unwrap()));
    }
    assert_eq!(of_call.len(), CALLS);
    for (call, mut events) in of_call {
        events.sort_unstable();
        let types: Vec<&str> = events.into_iter().map(|(_, name)| name).collect();
        assert_eq!(types, ["call.created", "call.answered", "call.hangup"], "{call}");
    }
    let usage =
        site.get(&format!("/tenants/{tenant}/usage/summary?from=2026-07-01&to=2026-07-31")).is(200).json();
    assert_eq!(usage["data"]["usage"]["call_minutes"]["count"], CALLS);
    println!(
        "events: {CALLS} calls, {} events, nizamd killed {kills} times, {connections} connections broken: 0 lost, 0 doubled, in order",
        spool.len()
    );
}
