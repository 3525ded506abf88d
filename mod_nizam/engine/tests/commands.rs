//! The commands of fs_cli.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod common;

use common::{base, engine};
use nizam_engine::Engine;
use nizam_engine::command::{COMPLETIONS, Facts, TENANTS, USAGE, run};
use nizam_engine::spool::{Class, Settings, Spool};
use std::sync::Arc;
use std::time::Duration;

fn facts() -> Facts {
    Facts {
        module_version: "0.1.0".into(),
        freeswitch_version: "1.10.12".into(),
        mode: "authoritative",
        socket: "/run/nizam/nizam.sock".into(),
        uptime: Duration::from_secs(3),
        ..Facts::default()
    }
}

fn say(engine: &Engine, line: &str) -> String {
    run(engine, &facts(), line).text
}

#[test]
fn lookups_show_answers_without_secrets() {
    let engine = engine(vec![base()]);
    let text = say(&engine, "lookup directory 1002@acme.example");
    assert!(text.starts_with("+OK found (generation 40)\n<document"), "{text}");
    assert!(!text.contains("s3cret-pass") && !text.contains("4321") && text.contains("value=\"***\""));
    assert!(say(&engine, "lookup directory 9@acme.example").starts_with("+OK no such user"));
    assert!(say(&engine, "lookup directory 9@nobody.example").starts_with("+OK not one of ours"));
    assert!(say(&engine, "lookup directory acme.example").starts_with("-ERR"));
    assert!(say(&engine, "lookup directory @").starts_with("-ERR"));
    let text = say(&engine, "lookup dialplan acme.example 1002 1001");
    assert!(
        text.starts_with("+OK extension\n") && text.contains("\nbridge user/1002@acme.example\n"),
        "{text}"
    );
    assert!(say(&engine, "lookup dialplan acme.example 77").contains("respond 404"));
    assert!(say(&engine, "lookup dialplan public 77").starts_with("+OK not one of ours"));
}

#[test]
fn status_generation_debug_and_usage() {
    let engine = engine(vec![base()]);
    assert_eq!(say(&engine, "generation"), "+OK 40\n");
    let text = say(&engine, "status");
    assert!(text.starts_with("+OK mod_nizam 0.1.0") && text.contains("generation 40 from daemon"), "{text}");
    let status: serde_json::Value = serde_json::from_str(&say(&engine, "status json")).unwrap();
    assert_eq!(status["generation"], 40);
    assert_eq!(status["images"][0]["overlay"], false);
    assert_eq!(status["link"]["state"], "idle");
    assert_eq!(run(&engine, &facts(), " debug  on ").debug, Some(true));
    assert_eq!(run(&engine, &facts(), "debug off").debug, Some(false));
    for line in
        ["", "debug", "debug maybe", "lookup", "lookup directory", "status xml", "statusjson", "\u{0}"]
    {
        assert_eq!(say(&engine, line), USAGE, "{line:?}");
    }
    for line in COMPLETIONS {
        let line = match line {
            "explain" => "explain 1001@acme.example 1002 at 2026-11-24T12:00Z".to_owned(),
            line => line.replace(TENANTS, "acme.example 1001").replace("lookup directory", "generation"),
        };
        assert_ne!(say(&engine, &line), USAGE);
    }
}

#[test]
fn bench_measures_what_is_there() {
    let text = say(&engine(vec![base()]), "bench 500");
    assert!(
        text.starts_with("+OK 500 lookups")
            && text.contains("directory p50=")
            && text.contains("\ndialplan p50="),
        "{text}"
    );
    assert!(say(&Engine::default(), "bench").starts_with("-ERR"));
    for count in ["0", "-1", "x", "99999999999"] {
        assert!(say(&Engine::default(), &format!("bench {count}")).starts_with("-ERR COUNT"));
    }
}

#[test]
fn the_spool_tells_where_events_are() {
    let engine = Engine::default();
    assert!(say(&engine, "spool").starts_with("-ERR no event is kept"));
    assert!(say(&engine, "status").contains("events      no event is kept"));
    let status: serde_json::Value = serde_json::from_str(&say(&engine, "status json")).unwrap();
    assert!(status["spool"].is_null());
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        ring: dir.path().join("ring"),
        ring_size: 256 << 10,
        directory: dir.path().join("spool"),
        limit: 1 << 20,
        core: String::new(),
    };
    let spool = Arc::new(Spool::new(settings).unwrap());
    assert!(spool.push(b"one", Class::Trace));
    assert!(!spool.push(&vec![0; 70_000], Class::Final));
    engine.spool.store(Some(spool));
    let text = say(&engine, "spool");
    for part in [
        "+OK incarnation ",
        "2 pushed, 0 written, 0 stored",
        "0 traces and 1 finals in memory",
        "of 261632 bytes",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(say(&engine, "status").contains("2 pushed, 2 not stored by nizamd, 1 dropped"));
    let status: serde_json::Value = serde_json::from_str(&say(&engine, "status json")).unwrap();
    assert_eq!(
        (&status["spool"]["lag"], &status["spool"]["details"]["ring_dropped"]["finals"]),
        (&2.into(), &1.into())
    );
}
