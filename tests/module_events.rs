//! The real module inside the stand-in host: events on their way to a daemon, and commands on their way to FreeSWITCH.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[path = "standin/client.rs"]
mod client;
#[path = "standin/fixtures/daemon.rs"]
mod daemon;
#[path = "standin/fixtures/loaded.rs"]
mod loaded;
#[path = "standin/fixtures/tenants.rs"]
mod tenants;

use client::Standin;
use daemon::Daemon;
use loaded::{configured, start};
use nizam_wire::event::Event;
use nizam_wire::link::Api;
use std::fs;
use std::process::Command;

const CALLS: [&str; 15] = [
    "CHANNEL_CREATE",
    "CHANNEL_PROGRESS",
    "CHANNEL_PROGRESS_MEDIA",
    "CHANNEL_ANSWER",
    "CHANNEL_BRIDGE",
    "CHANNEL_UNBRIDGE",
    "CHANNEL_HOLD",
    "CHANNEL_UNHOLD",
    "CHANNEL_HANGUP_COMPLETE",
    "CALL_UPDATE",
    "CHANNEL_UUID",
    "RECORD_START",
    "RECORD_STOP",
    "HEARTBEAT",
    "SHUTDOWN",
];

const CUSTOM: [&str; 11] = [
    "sofia::register",
    "sofia::unregister",
    "sofia::expire",
    "sofia::register_failure",
    "sofia::gateway_state",
    "sofia::gateway_add",
    "vm::maintenance",
    "conference::maintenance",
    "callcenter::info",
    "nizam::flow",
    "nizam::emergency",
];

/// The number of an event, as the tests write it.
fn number(record: &[u8]) -> usize {
    let event = Event::read(record).unwrap();
    let header = event.get("Event-Sequence").or_else(|| event.get("Unique-ID")).unwrap();
    std::str::from_utf8(header).unwrap().parse().unwrap()
}

#[test]
fn every_kind_of_event_arrives_with_its_name_and_time() {
    for release in ["1.10.0", "1.10.12", "1.11.2"] {
        let dir = configured("authoritative");
        let mut daemon = Daemon::listen(&dir.path().join("nizam.sock"));
        let mut host = Standin::start(&["--conf", dir.path().to_str().unwrap(), "--release", release]);
        host.ask(&format!("load {}", client::module().display()));
        daemon.welcome();
        for name in CALLS {
            host.ask(&format!("event {name} Unique-ID=u-1"));
        }
        for other in ["CHANNEL_STATE", "API", "DTMF", "CHANNEL_HANGUP", "CUSTOM sofia::sip_user_state"] {
            host.ask(&format!("event {other} Unique-ID=u-1"));
        }
        for subclass in CUSTOM {
            host.ask(&format!("event CUSTOM {subclass} Unique-ID=u-1"));
        }
        let records = daemon.events(CALLS.len() + CUSTOM.len());
        let events: Vec<_> = records.iter().map(|record| Event::read(record).unwrap()).collect();
        let names: Vec<_> = events
            .iter()
            .map(|event| if event.name == "CUSTOM" { event.subclass } else { event.name })
            .collect();
        assert_eq!(names, [CALLS.as_slice(), &CUSTOM].concat(), "{release}");
        for event in events {
            assert!(event.time > 1_600_000_000_000_000, "{event:?}");
            assert!(event.get("Core-UUID").is_some() && event.get("Event-Sequence").is_some(), "{event:?}");
            let of_a_call =
                !matches!(event.name, "HEARTBEAT" | "SHUTDOWN") && !event.subclass.starts_with("sofia");
            assert_eq!(event.get("Unique-ID").is_some(), of_a_call, "{event:?}");
        }
        host.ask("unload");
        assert!(host.ask("leftovers").split(' ').all(|left| left.ends_with("=0")));
        assert!(host.quit());
    }
}

#[test]
fn headers_of_the_list_are_kept_and_no_others() {
    let dir = configured("authoritative");
    let mut daemon = Daemon::listen(&dir.path().join("nizam.sock"));
    let mut host = start(&dir);
    daemon.welcome();
    let kept = [
        ("Unique-ID", "u-1"),
        ("Caller-Destination-Number", "1002"),
        ("Other-Leg-Unique-ID", "u-2"),
        ("variable_hangup_cause_q850", "16"),
        ("variable_sip_hangup_disposition", "send_bye"),
        ("variable_rtp_audio_in_mos", "4.50"),
        ("variable_bridge_uuid", "u-2"),
        ("variable_nizam_tenant", "acme"),
        ("variable_end_uepoch", "1785153600000001"),
        ("variable_billmsec", "1200"),
        ("Hangup-Cause", "NORMAL_CLEARING"),
    ];
    let words: Vec<String> = kept.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let secret = "password=s3cret variable_sip_auth_password=s3cret variable_vm-password=s3cret a1-hash=s3cret \
                  variable_digits_dialed=s3cret variable_sip_authorization=s3cret variable_switch_r_sdp=s3cret \
                  variable_default_password=s3cret sip_auth_response=s3cret";
    let list = "variable_transfer_history[]=a variable_transfer_history[]=b variable_originate_disposition[]";
    host.ask(&format!("event CHANNEL_HANGUP_COMPLETE {} {secret} {list}", words.join(" ")));
    host.ask(&format!(
        "event CUSTOM sofia::register from-user=1001 username=1001 {secret} user-agent=%FFodd%01"
    ));
    host.ask("event CHANNEL_CREATE");
    let records = daemon.events(3);
    let event = Event::read(&records[0]).unwrap();
    for (name, value) in kept {
        assert_eq!(event.get(name), Some(value.as_bytes()), "{name}");
    }
    assert_eq!(event.get("variable_transfer_history"), Some(b"ARRAY::a|:b".as_slice()));
    let register = Event::read(&records[1]).unwrap();
    assert_eq!(register.get("from-user"), Some(b"1001".as_slice()));
    assert_eq!(register.get("user-agent"), Some(b"\xffodd\x01".as_slice()));
    for record in &records {
        assert!(!record.windows(6).any(|window| window == b"s3cret"));
    }
    assert_eq!(Event::read(&records[2]).unwrap().get("Unique-ID"), None, "stored as far as it makes sense");
}

#[test]
fn an_event_of_any_size_is_bounded() {
    let dir = configured("authoritative");
    let mut daemon = Daemon::listen(&dir.path().join("nizam.sock"));
    let mut host = start(&dir);
    daemon.welcome();
    let many = (0..10_000).map(|n| format!(" variable_x_{n}=v")).collect::<Vec<_>>().concat();
    host.ask(&format!("event CHANNEL_ANSWER Unique-ID=u-1{many} variable_sip_call_id=behind"));
    let long = "x".repeat(100_000);
    host.ask(&format!(
        "event CHANNEL_ANSWER Unique-ID=u-1 variable_sip_call_id={long} variable_direction=inbound"
    ));
    let same = format!(" variable_last_arg={}", "y".repeat(200)).repeat(1000);
    host.ask(&format!("event CHANNEL_ANSWER Unique-ID=u-1{same}"));
    let records = daemon.events(3);
    let events: Vec<_> = records.iter().map(|record| Event::read(record).unwrap()).collect();
    assert_eq!(events[0].get("variable_sip_call_id"), None);
    assert_eq!(events[1].get("variable_sip_call_id").map(<[u8]>::len), Some(4096));
    assert_eq!(events[1].get("variable_direction"), Some(b"inbound".as_slice()));
    assert!(records.iter().all(|record| record.len() <= 60 << 10));
    let measured = host.ask("hangups 200 300");
    println!("{measured}");
    println!("{}", host.ask("hangups 200 10000"));
    assert!(measured.contains("p50="));
}

#[test]
fn the_last_events_before_an_unload_are_not_lost() {
    for threads in ["1", "4"] {
        let dir = configured("authoritative");
        let options = ["--conf", dir.path().to_str().unwrap(), "--event-threads", threads];
        let mut host = Standin::start(&options);
        host.ask(&format!("load {}", client::module().display()));
        for number in 0..500 {
            host.ask(&format!("event CHANNEL_HANGUP_COMPLETE Unique-ID={number}"));
        }
        host.ask("unload");
        let log = host.ask("log");
        assert!(!log.contains("may be missing"), "{log}");
        host.ask(&format!("load {}", client::module().display()));
        let mut daemon = Daemon::listen(&dir.path().join("nizam.sock"));
        daemon.welcome();
        let mut found: Vec<usize> = daemon.events(500).iter().map(|record| unique(record)).collect();
        found.sort_unstable();
        assert_eq!(found, (0..500).collect::<Vec<_>>(), "{threads} threads");
    }
}

/// The number in the Unique-ID.
fn unique(record: &[u8]) -> usize {
    let event = Event::read(record).unwrap();
    std::str::from_utf8(event.get("Unique-ID").unwrap()).unwrap().parse().unwrap()
}

#[test]
fn what_happened_before_a_kill_is_sent_after_it_and_first() {
    let dir = configured("authoritative");
    let mut host = start(&dir);
    for number in 0..300 {
        host.ask(&format!("event CHANNEL_CREATE Unique-ID={number}"));
    }
    host.ask("drain");
    assert!(Command::new("kill").args(["-9", &host.pid().to_string()]).status().unwrap().success());
    drop(host);
    let mut host = start(&dir);
    for number in 300..310 {
        host.ask(&format!("event CHANNEL_CREATE Unique-ID={number}"));
    }
    let mut daemon = Daemon::listen(&dir.path().join("nizam.sock"));
    daemon.welcome();
    let records = daemon.events(310);
    let found: Vec<usize> = records.iter().map(|record| unique(record)).collect();
    assert_eq!(found, (0..310).collect::<Vec<_>>());
    let numbers: Vec<usize> = records.iter().map(|record| number(record)).collect();
    assert!(numbers[..300].is_sorted() && numbers[300..].is_sorted());
    let start = std::time::Instant::now();
    while !host.ask("api nizam spool").contains("lag         0 events") {
        assert!(start.elapsed().as_secs() < 60, "{}", host.ask("api nizam spool"));
    }
    assert!(host.ask("api nizam status json").contains("\"lag\":0"));
}

#[test]
fn without_a_place_for_events_calls_go_on() {
    let dir = configured("authoritative");
    let file = dir.path().join("nizam.conf.xml");
    let text = fs::read_to_string(&file).unwrap();
    let ring = dir.path().join("ring").display().to_string();
    let text = text.replace(&ring, "/proc/nowhere/ring");
    fs::write(&file, text.replace("<settings>", "<settings><param name=\"ring-size\" value=\"0\"/>"))
        .unwrap();
    let mut host = start(&dir);
    assert!(host.ask("user id 1001 acme.example action=sip_auth").contains("acme-1001"));
    host.ask("event CHANNEL_CREATE Unique-ID=1");
    host.ask("drain");
    assert!(host.ask("api nizam status").contains("no event is kept"));
    let log = host.ask("log");
    assert!(log.contains("events are not kept") && log.contains("/proc/nowhere/ring"), "{log}");
    assert!(log.contains("param ring-size = \"0\" ignored: it must be MiB"), "{log}");
}

#[test]
fn commands_are_run_answered_and_delay_nothing() {
    let dir = configured("authoritative");
    let mut daemon = Daemon::listen(&dir.path().join("nizam.sock"));
    let mut host = start(&dir);
    daemon.welcome();
    daemon.command(1, Api::Originate, "user/1001@acme.example &park()");
    daemon.command(2, Api::Exists, "5c6aa7b1-0a5c-4cf3-9e0d-000000000001");
    assert_eq!(daemon.reply(), (2, Ok("false".to_owned())));
    assert!(host.ask("user id 1001 acme.example action=sip_auth").contains("acme-1001"));
    for hostile in ["x ${system(touch /tmp/x)}", "x\nreload mod_nizam", "x\u{0}"] {
        daemon.command(3, Api::Kill, hostile);
        let (id, result) = daemon.reply();
        assert!(id == 3 && result.is_err_and(|reason| reason.starts_with("refused: ")), "{hostile:?}");
    }
    daemon.command(4, Api::Show, "channels");
    assert_eq!(daemon.reply(), (4, Err("INVALID COMMAND!\n".to_owned())));
    assert_eq!(daemon.reply(), (1, Ok("-ERR NO_ANSWER\n".to_owned())));
    daemon.command(5, Api::Originate, "user/1001@acme.example &park()");
    host.ask("unload");
    assert!(host.ask("leftovers").split(' ').all(|left| left.ends_with("=0")));
}
