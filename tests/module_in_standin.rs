//! The real module inside the stand-in host: lookups as FreeSWITCH makes them, commands, load and unload, panics.

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
use std::thread;
use std::time::Duration;

#[test]
fn lookups_reach_the_module_and_its_answers_reach_freeswitch() {
    let (_dir, mut host) = loaded("authoritative");
    let user = host.ask("user id 1001 acme.example action=sip_auth sip_profile=internal");
    assert!(user.contains("value=\"acme-1001\""), "{user}");
    assert!(user.contains("domain-name=\"acme.example\""), "{user}");
    let other = host.ask("user id 1001 OTHER.example action=sip_auth");
    assert!(other.contains("other-1001") && !other.contains("acme-1001"), "{other}");
    // Headers of a SIP message cannot change which user or domain is meant.
    let spoofed =
        host.ask("user id 1001 acme.example action=sip_auth purpose=gateways user=1002 domain=other.example");
    assert!(spoofed.contains("acme-1001"), "{spoofed}");
    let call = host.ask("user id 1001 acme.example sip_=x actions=x ACTION=user_call userx=y");
    assert!(call.contains("dial-string") && !call.contains("acme-1001"), "names in any case: {call}");
    assert!(host.try_ask("user id 9999 acme.example").is_err());
    assert!(host.try_ask("user id 1001 nobody.example").is_err());
    assert!(host.ask("user id:number-alias 1001 acme.example").contains("id=\"1001\""));
    for hostile in ["%3C!", "%22%3E%3Cx", "%FF%FE", "%24%7Bx%7D", "%25s%25n", "a%0Ab"] {
        assert!(
            host.try_ask(&format!("user id {hostile} acme.example x-evil={hostile}")).is_err(),
            "{hostile}"
        );
    }
    let route =
        host.ask("dialplan acme.example 1002 variable_user_name=1001 variable_domain_name=acme.example");
    assert!(route.contains("bridge") && route.contains("user/1002@acme.example"), "{route}");
    let nobody = host.ask("dialplan acme.example 4711");
    assert!(nobody.contains("respond") && nobody.contains("404"), "{nobody}");
    // Configuration lookups of all other modules go on to FreeSWITCH's own files.
    assert!(host.ask("locate configuration configuration name nizam.conf").contains("snapshot"));
}

#[test]
fn lists_are_walked_as_those_do_who_ask_for_them() {
    let (_dir, mut host) = loaded("authoritative");
    for (walk, expected) in [
        ("walk group default acme.example", "1002"),
        ("walk users acme.example", "1002"),
        ("walk users", "other.example"),
        ("walk voicemail _all_ acme.example", "1002"),
        ("walk voicemail 1001 acme.example", "1001"),
        ("walk directory acme.example", "1001"),
        ("walk network-list acme.example", "192.0.2.0/24"),
        ("walk gateways acme.example", "acme-carrier"),
        ("walk gateways all", "acme-carrier"),
    ] {
        let found = host.ask(walk);
        assert!(found.contains(expected), "{walk}: {found}");
    }
    assert!(!host.ask("walk group default acme.example").contains("other-"));
}

#[test]
fn a_long_list_is_built_in_order_and_quickly() {
    let dir = configured("authoritative");
    tenants::snapshot(&dir.path().join("snapshot"), 20_000);
    let mut host = Standin::start(&["--conf".as_ref(), dir.path().as_os_str()]);
    host.ask(&format!("load {}", client::module().display()));
    let found = host.ask("walk group default acme.example");
    assert!(found.lines().count() >= 20_000, "{found:.200}");
}

#[test]
fn commands_and_completion() {
    let (_dir, mut host) = loaded("authoritative");
    let status = host.ask("api nizam status");
    assert!(status.contains("generation 7 from snapshot") && status.contains("link"), "{status}");
    assert!(host.ask("api nizam status json").contains("\"generation\":7"));
    assert_eq!(host.ask("api nizam generation").trim(), "+OK 7");
    assert!(host.ask("api nizam lookup directory 1001@acme.example").contains("value=\"***\""));
    assert!(host.ask("api nizam").starts_with("-USAGE"));
    assert!(host.ask("api nizam bench 200").contains("p99="));
    assert!(host.ask("complete nizam lookup dialplan ").contains("acme.example"));
    assert!(host.ask("complete nizam st").contains("status"));
    assert!(host.ask("api nizam debug on").starts_with("+OK"));
    host.ask("log clear");
    host.ask("user id 1001 acme.example action=sip_auth");
    let log = host.ask("log");
    assert!(
        log.contains("directory 1001@acme.example action sip_auth") && log.contains("answered found"),
        "{log}"
    );
    assert!(!log.contains("acme-1001"), "a password in the log");
}

#[test]
fn the_log_warns_of_old_releases_and_of_wrong_settings() {
    let dir = configured("authoritative");
    let file = dir.path().join("nizam.conf.xml");
    let text =
        fs::read_to_string(&file).unwrap().replace("log-level", "loglevel").replace("authoritative", "bossy");
    fs::write(&file, text).unwrap();
    let mut host = Standin::start(&["--conf".as_ref(), dir.path().as_os_str()]);
    host.ask(&format!("load {}", client::module().display()));
    let log = host.ask("log");
    for part in [
        "CVE-2026-116779",
        "param loglevel",
        "param mode = \"bossy\" ignored: it must be authoritative or shadow",
    ] {
        assert!(log.contains(part), "{part} in {log}");
    }
    assert!(host.ask("api nizam status").contains("mode        authoritative"));
}

#[test]
fn shadow_answers_nothing_and_says_what_it_would() {
    let (dir, mut host) = loaded("shadow");
    assert!(host.try_ask("user id 1001 acme.example action=sip_auth").is_err());
    let log = host.ask("log");
    assert!(log.contains("directory 1001@acme.example") && log.contains("would answer found"), "{log}");
    assert!(!log.contains("acme-1001"), "a password in the log");
    // reloadxml makes a change of mode count.
    let file = dir.path().join("nizam.conf.xml");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("shadow", "authoritative")).unwrap();
    host.ask("reloadxml");
    host.ask("drain");
    let answered = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(50));
        host.try_ask("user id 1001 acme.example action=sip_auth").is_ok()
    });
    assert!(answered, "the new mode never counted");
}

#[test]
fn a_damaged_snapshot_is_refused_and_freeswitch_goes_on() {
    let dir = configured("authoritative");
    for entry in fs::read_dir(dir.path().join("snapshot")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "image") {
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
            fs::write(&path, bytes).unwrap();
        }
    }
    let mut host = Standin::start(&["--conf".as_ref(), dir.path().as_os_str()]);
    host.ask(&format!("load {}", client::module().display()));
    assert!(host.try_ask("user id 1001 acme.example").is_err());
    let status = host.ask("api nizam status");
    assert!(status.contains("generation 0 from nothing") && status.contains("image is damaged"), "{status}");
    assert!(host.ask("log").contains("image is damaged"));
}

#[test]
fn a_thousand_loads_and_unloads_under_lookups_and_events() {
    let (_dir, mut host) = loaded("authoritative");
    let report = host.ask("cycle 1000 3 1001 acme.example");
    println!("{report}");
    for nothing in ["lost=0", "wrong=0", "errors=0"] {
        assert!(report.contains(nothing), "{report}");
    }
    host.ask(&format!("load {}", client::module().display()));
    let user = host.ask("user id 1001 acme.example action=sip_auth");
    assert!(user.contains("acme-1001"), "still there after it all: {user}");
    host.ask("unload");
    assert!(host.ask("leftovers").split(' ').all(|left| left.ends_with("=0")));
    assert!(host.quit());
}

#[test]
fn one_binary_serves_all_releases() {
    for release in ["1.10.0", "1.10.12", "1.11.2"] {
        let dir = configured("authoritative");
        let options = ["--conf", dir.path().to_str().unwrap(), "--release", release];
        let mut host = Standin::start(&options);
        host.ask(&format!("load {}", client::module().display()));
        assert!(host.ask("user id 1001 acme.example action=sip_auth").contains("acme-1001"), "{release}");
        host.ask("reloadxml");
        host.ask("drain");
        host.ask("unload");
        assert!(host.quit(), "{release}");
    }
}

#[test]
fn a_panic_in_any_callback_leaves_the_host_alive_and_the_log_says_which() {
    let module = faulty_module();
    for callback in ["load", "lookup", "command", "completion", "event", "shutdown"] {
        let dir = configured("authoritative");
        let mut program = Command::new(client::program());
        program.arg("--conf").arg(dir.path()).env("NIZAM_PANIC_IN", callback).stderr(Stdio::null());
        let mut host = Standin::run(&mut program);
        let load = host.try_ask(&format!("load {}", module.display()));
        assert_eq!(load.is_err(), callback == "load");
        if callback != "load" {
            let user = host.try_ask("user id 1001 acme.example action=sip_auth");
            assert_eq!(user.is_ok(), callback != "lookup", "{callback}: {user:?}");
            let _ = host.try_ask("api nizam generation");
            let _ = host.try_ask("complete nizam lookup dialplan ");
            host.ask("reloadxml");
            host.ask("drain");
            if callback != "command" && callback != "shutdown" {
                assert!(!host.ask("api nizam status").contains("panics      0"), "{callback}");
            }
            host.ask("unload");
        }
        let log = host.ask("log");
        assert!(log.contains(&format!("panic caught in {callback}")), "{callback}: {log}");
        assert!(log.contains(&format!("injected into {callback}")), "{callback}: {log}");
        assert!(host.quit(), "the host ended badly after a panic in {callback}");
    }
}

/// Lookups under valgrind: `NIZAM_VALGRIND_LOOKUPS` of them, else few enough for every run.
#[test]
fn valgrind_finds_no_leak_and_no_invalid_access() {
    let lookups = std::env::var("NIZAM_VALGRIND_LOOKUPS").unwrap_or_else(|_| "2000".to_owned());
    if Command::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_err() {
        client::skip(
            "valgrind",
            "valgrind_finds_no_leak_and_no_invalid_access: no valgrind (apt-get install valgrind)",
        );
        return;
    }
    let dir = configured("authoritative");
    let report = dir.path().join("valgrind");
    let mut program = Command::new("valgrind");
    program.args(["--leak-check=full", "--show-leak-kinds=definite,indirect,possible"]);
    program.args([
        "--errors-for-leak-kinds=definite,indirect,possible",
        "--error-exitcode=9",
        "--num-callers=30",
    ]);
    program.arg(format!("--log-file={}", report.display()));
    program.arg(client::program()).arg("--conf").arg(dir.path()).stderr(Stdio::null());
    let mut host = Standin::run(&mut program);
    host.ask(&format!("load {}", client::module().display()));
    let report_of_lookups = host.ask(&format!("lookups {lookups} 1001 acme.example"));
    println!("{report_of_lookups}");
    assert!(report_of_lookups.contains(&format!("found={lookups} missed=0")), "{report_of_lookups}");
    for walk in [
        "walk users",
        "walk group default acme.example",
        "walk gateways all",
        "walk network-list acme.example",
    ] {
        host.ask(walk);
    }
    let _ = host.try_ask("user id 9999 acme.example action=sip_auth");
    host.ask("dialplan acme.example 1002 variable_user_name=1001 variable_domain_name=acme.example");
    host.ask("hunt nizam acme.example 1002 variable_user_name=1001 variable_domain_name=acme.example");
    host.ask("execute nizam acme.example 1002");
    assert!(host.try_ask("hunt nizam nobody.example 1002").is_err());
    let _ = host.try_ask("locate configuration configuration name ivr.conf Menu-Name=welcome");
    host.ask("sofia start external");
    while !host.ask("sofia asked").contains("rescan") {
        thread::sleep(Duration::from_millis(50));
    }
    host.ask("api nizam status json");
    host.ask("complete nizam lookup dialplan ");
    println!("{}", host.ask("cycle 5 2 1001 acme.example"));
    let ended_well = host.quit();
    let report = fs::read_to_string(report).unwrap();
    println!("{report}");
    assert!(ended_well && report.contains("ERROR SUMMARY: 0 errors"), "{report}");
}
