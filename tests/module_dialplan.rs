//! The real module in the stand-in host: calls that it routes through its dialplan interface and through the XML registry,
//! and the menus of an IVR.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[path = "standin/client.rs"]
mod client;
#[path = "standin/fixtures/loaded.rs"]
mod loaded;
#[path = "standin/fixtures/tenants.rs"]
mod tenants;

use client::Standin;
use loaded::{configured, faulty_module, loaded};
use std::fs;
use std::process::{Command, Stdio};

/// The steps in the context that mod_dialplan_xml would run, as those of the interface are printed.
fn steps_of(context: &str) -> String {
    let mut steps = String::new();
    for action in context.split("<action ").skip(1) {
        let value = |name: &str| {
            let start = format!("{name}=\"");
            let text = action.split_once(&start).and_then(|(_, rest)| rest.split_once('"')).unwrap().0;
            ["&lt;<", "&gt;>", "&quot;\"", "&amp;&"].iter().fold(text.to_owned(), |text, pair| {
                let (escape, byte) = pair.split_at(pair.len() - 1);
                text.replace(escape, byte)
            })
        };
        steps.push_str(&[&value("application"), " ", &value("data"), "\n"].concat());
    }
    steps
}

#[test]
fn the_interface_and_the_registry_route_a_call_alike() {
    let (_dir, mut host) = loaded("authoritative");
    let ann = "variable_user_name=1001 variable_domain_name=acme.example";
    for (call, expected) in [
        (format!("acme.example 1002 {ann}"), Some("bridge user/1002@acme.example\n")),
        (format!("ACME.example 1002 {ann}"), Some("bridge user/1002@acme.example\n")),
        (format!("acme.example 1001 {ann} Hunt-Caller-ID-Number=1001"), Some("user/1001@acme.example")),
        ("acme.example 1003 variable_user_name=1001".to_owned(), Some("user/1003@acme.example")),
        ("acme.example 4711".to_owned(), Some("respond 404")),
        ("acme.example %22%27%3C!$%7Bx%7D".to_owned(), Some("respond 404")),
        ("acme.example %ff%fe".to_owned(), Some("respond 404")),
        (format!("public +49301234567 Hunt-Network-Addr=192.0.2.9 {ann}"), None),
        ("nobody.example 1001".to_owned(), None),
    ] {
        let xml = host.try_ask(&format!("dialplan {call}"));
        for hunt in ["hunt", "execute"] {
            let found = host.try_ask(&format!("{hunt} nizam {call}"));
            match expected {
                None => assert!(xml.is_err() && found.is_err(), "{call}: {xml:?} {found:?}"),
                Some(part) => {
                    let text = |found: &Result<(String, Vec<u8>), String>| {
                        String::from_utf8(found.clone().unwrap_or_else(|error| panic!("{call}: {error}")).1)
                            .unwrap()
                    };
                    let found = text(&found);
                    assert!(found.contains(part), "{hunt} {call}: {found}");
                    assert_eq!(found, steps_of(&text(&xml)), "{hunt} {call}");
                }
            }
        }
    }
    assert!(host.ask("hunt nizam acme.example 1002").contains("set nizam_generation=7\n"));
    // Where neither context nor number is known, it is somebody else's call.
    assert_eq!(host.error("hunt nizam - -"), "no route");
}

#[test]
fn what_is_asked_of_the_interface_is_logged_and_shadow_answers_nothing() {
    let (_dir, mut host) = loaded("shadow");
    assert_eq!(host.error("hunt nizam acme.example 1002"), "no route");
    let log = host.ask("log");
    assert!(log.contains("hunt 1002 in acme.example: would answer a route, "), "{log}");
    let (_dir, mut host) = loaded("authoritative");
    host.ask("hunt nizam acme.example 1002");
    assert!(!host.ask("log").contains("hunt 1002"));
    host.ask("api nizam debug on");
    host.ask("hunt nizam acme.example 1002");
    assert!(host.try_ask("hunt nizam elsewhere 1002").is_err());
    let log = host.ask("log");
    assert!(log.contains("hunt 1002 in acme.example: answered a route, "), "{log}");
    assert!(log.contains("hunt 1002 in elsewhere: answered not ours, 0 steps"), "{log}");
}

#[test]
fn a_panic_in_the_hunt_leaves_the_call_to_other_dialplans() {
    let module = faulty_module();
    let dir = configured("authoritative");
    let mut program = Command::new(client::program());
    program.arg("--conf").arg(dir.path()).env("NIZAM_PANIC_IN", "hunt").stderr(Stdio::null());
    let mut host = Standin::run(&mut program);
    host.ask(&format!("load {}", module.display()));
    assert_eq!(host.error("hunt nizam acme.example 1002"), "no route");
    assert!(host.ask("dialplan acme.example 1002").contains("user/1002@acme.example"));
    let log = host.ask("log");
    assert!(log.contains("panic caught in hunt") && log.contains("injected into hunt"), "{log}");
    assert!(host.ask("api nizam status").contains("panics      1"));
    host.ask("unload");
    assert!(host.quit());
}

#[test]
fn menus_that_are_not_ours_come_from_the_static_file() {
    let dir = configured("authoritative");
    let menu = "<configuration name=\"ivr.conf\"><menus><menu name=\"welcome\"/></menus></configuration>";
    fs::write(dir.path().join("ivr.conf.xml"), menu).unwrap();
    let mut host = loaded::start(&dir);
    host.ask("api nizam debug on");
    let lookup = "locate configuration configuration name ivr.conf";
    for params in ["Menu-Name=welcome", "Menu-Name=%ff", "other=1", "-"] {
        assert!(host.ask(&format!("{lookup} {params}")).contains("<menu name=\"welcome\""), "{params}");
    }
    let log = host.ask("log");
    assert!(log.contains("menu welcome: answered not ours"), "{log}");
    // Other files are not looked at, ours neither.
    host.ask("log clear");
    host.ask("locate configuration configuration name nizam.conf Menu-Name=welcome");
    assert!(!host.ask("log").contains("menu"));
}
