//! The stand-in host itself, with a small module in C that uses all of it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

#[path = "standin/client.rs"]
mod client;

use client::Standin;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The module, built with these definitions against the headers of the bindings.
fn probe(definitions: &[&str]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let module = dir.path().join("mod_probe.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/fixtures/mod_probe.c");
    let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.args(["-shared", "-fPIC", "-O1", source, "-o"]).arg(&module).args(definitions);
    for include in freeswitch_sys::INCLUDE_DIRS {
        compiler.arg("-isystem").arg(include);
    }
    assert!(compiler.status().expect("a C compiler is needed: apt-get install build-essential").success());
    (dir, module)
}

fn loaded(options: &[&str]) -> (TempDir, Standin) {
    let (dir, module) = probe(&[]);
    let mut host = Standin::start(options);
    assert_eq!(host.ask(&format!("load {}", module.display())), OFFERED);
    (dir, host)
}

const OFFERED: &str = "mod_probe commands: probe dialplans: probe";
const NOTHING: &str = "searches=0 events=0 subclasses=0 completions=0 completion-functions=0";

#[test]
fn a_module_comes_and_goes() {
    let (dir, mut host) = loaded(&[]);
    let path = dir.path().join("mod_probe.so");
    assert_eq!(
        host.ask("leftovers"),
        "searches=2 events=5 subclasses=1 completions=3 completion-functions=2"
    );
    assert!(host.error(&format!("load {}", path.display())).contains("a module is loaded"));
    assert_eq!(host.ask("unload"), "mod_probe unloaded");
    assert_eq!(host.ask("leftovers"), NOTHING);
    assert!(host.error("api probe seen").contains("INVALID COMMAND"));
    assert_eq!(host.error("unload"), "no module");
    assert_eq!(host.ask(&format!("load {}", path.display())), OFFERED);
    assert!(host.ask("log").contains("probe is loaded, 100%"));
    assert!(host.quit());
}

#[test]
fn a_module_may_stay_mapped() {
    let (_dir, module) = probe(&["-DPROBE_STAYS"]);
    let mut host = Standin::start::<&str>(&[]);
    for _ in 0..3 {
        host.ask(&format!("load {}", module.display()));
        assert_eq!(host.ask("unload"), "mod_probe shut down, still mapped");
        assert_eq!(host.ask("leftovers"), NOTHING);
    }
    assert!(host.quit());
}

#[test]
fn what_a_module_forgets_to_unbind_is_seen() {
    let (_dir, module) = probe(&["-DPROBE_KEEPS_BINDING"]);
    let mut host = Standin::start::<&str>(&[]);
    host.ask(&format!("load {}", module.display()));
    host.ask("unload");
    assert!(host.ask("leftovers").starts_with("searches=1 "));
}

#[test]
fn what_is_no_module_is_refused() {
    let (dir, module) = probe(&[]);
    let other = dir.path().join("mod_other.so");
    fs::copy(&module, &other).unwrap();
    let mut host = Standin::start::<&str>(&[]);
    assert!(host.error(&format!("load {}", other.display())).contains("no such symbol"));
    assert!(host.error("load /nonexistent/mod_probe.so").contains("cannot open shared object"));
    assert_eq!(host.ask("leftovers"), NOTHING);
}

#[test]
fn commands_get_a_stream_that_grows() {
    let (_dir, mut host) = loaded(&["--name", "here", "--release", "1.11.2", "--var", "probe_variable=x y"]);
    let (_, written) = host.try_ask("api probe write 5000").unwrap();
    assert_eq!(written, ["0123456789".repeat(5000).as_bytes(), b"a\0b"].concat());
    let core = host.ask("api probe core");
    let parts: Vec<&str> = core.split('|').collect();
    assert_eq!((parts[0], parts[2], parts[3]), ("here", "1.11.2-release~64bit", "x y"));
    assert_eq!(parts[1].len(), 36);
    assert!(host.error("api probe nonsense").contains("COMMAND RETURNED ERROR"));
}

#[test]
fn a_dialplan_hunts_for_a_call_with_its_own_profile_or_another() {
    let (_dir, mut host) = loaded(&["--var", "probe_variable=global"]);
    assert_eq!(
        host.ask("hunt PROBE here 1001 variable_Own=%ff%20x Hunt-Network-Addr=192.0.2.1"),
        "context here\nown \u{fffd} x\nDESTINATION_NUMBER 1001\nprobe_variable global\nnothing \n"
    );
    // The profile of `execute_extension` counts, also where the channel's is asked for.
    let executed = host.ask("execute probe there 1002 Hunt-Context=here Hunt-Destination-Number=1001");
    assert!(
        executed.starts_with("context there\n") && executed.contains("DESTINATION_NUMBER 1002"),
        "{executed}"
    );
    assert!(host.ask("log").contains("[WARNING] standin App not added"));
    assert_eq!(host.error("hunt probe here nobody"), "no route");
    assert!(host.error("hunt other here 1001").contains("not found"));
    host.ask("unload");
    assert!(host.error("hunt probe here 1001").contains("not found"));
}

#[test]
fn modules_run_commands_of_others() {
    let (_dir, mut host) = loaded(&[]);
    assert_eq!(host.ask("api probe run probe order"), "0 ");
    assert_eq!(host.ask("api probe run nonsense a b"), "1 INVALID COMMAND!\n");
    assert_eq!(host.ask("api probe run probe nonsense"), "1 COMMAND RETURNED ERROR!\n");
    assert!(host.ask("api probe run sofia status").contains("INVALID COMMAND"));
    assert_eq!(host.ask("sofia start external"), "external started successfully");
    assert_eq!(host.ask("sofia gateways"), "1001 1002 1003");
    assert!(host.ask("api probe run sofia profile external killgw 1002").contains("+OK"));
    assert!(host.ask("api probe run sofia profile external killgw 1002").contains("-ERR no such gateway"));
    assert!(host.ask("api probe run sofia profile other rescan").contains("Invalid Profile"));
    assert_eq!(host.ask("sofia gateways"), "1001 1003");
    assert!(host.ask("api probe run sofia profile external rescan").contains("+OK scan complete"));
    assert_eq!(host.ask("sofia gateways"), "1001 1002 1003");
    assert!(host.ask("sofia asked").ends_with("; profile other rescan; profile external rescan"));
}

#[test]
fn stacks_are_as_small_as_in_freeswitch() {
    let (_dir, mut host) = loaded(&[]);
    assert_eq!(host.ask("api probe stack 200"), "1");
    assert!(host.error("api probe stack 260").contains("the host is gone"), "the guard page must stop it");
}

#[test]
fn users_are_found_merged_and_copied() {
    let (_dir, mut host) = loaded(&[]);
    for question in
        ["user id 1001 PROBE.test", "user id 7 probe.test", "user number-alias:id 7 probe.test a=b"]
    {
        let user = host.try_ask(&question.replace("PROBE", "probe")).unwrap().1;
        let user = String::from_utf8(user).unwrap();
        assert!(
            user.starts_with("<user id=\"1001\" number-alias=\"7\" domain-name=\"probe.test\">"),
            "{user}"
        );
        assert!(user.contains("<param name=\"password\" value=\"a&amp;b\">"), "{user}");
        assert!(user.contains("<param name=\"dial-string\" value=\"domain\">"), "{user}");
    }
    assert_eq!(host.error("user id 1003 probe.test"), "no such user");
    let (group, user) = host.try_ask("plain-user id 1001 probe.test").unwrap();
    assert_eq!(group, "group=all");
    assert!(!String::from_utf8(user).unwrap().contains("dial-string"));
    assert!(host.ask("dialplan ctx 1001").contains("<context name=\"ctx\">"));
}

#[test]
fn what_no_binding_answers_comes_from_the_static_document() {
    let conf = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(conf.path().join(name), text).unwrap();
    write(
        "probe.conf.xml",
        "<?xml version=\"1.0\"?>\n<include>\n<configuration name=\"probe.conf\"><settings>\n<param name=\"a\" value=\"$${switchname}/1\"/>\n<param name=\"b\" value=\"2\"/></settings></configuration>\n</include>\n",
    );
    write(
        "directory.xml",
        "<domain name=\"broken.test\"><user id=\"1\"/></domain><domain name=\"notfound.test\"><user id=\"2\"/></domain><domain name=\"static.test\"><users><user id=\"3\"/></users></domain>",
    );
    let (_dir, mut host) = loaded(&["--conf", conf.path().to_str().unwrap()]);
    assert_eq!(host.ask("api probe config"), "a=standin/1;b=2;");
    assert!(host.ask("user id 1 broken.test").starts_with("<user id=\"1\" domain-name=\"broken.test\">"));
    assert!(host.ask("log").contains("[ERR] standin Error[[error near line 1]: missing >]"));
    assert!(host.ask("user id 2 notfound.test").starts_with("<user id=\"2\""));
    assert!(host.ask("user id 3 STATIC.test -").starts_with("<user id=\"3\""));
    assert_eq!(host.error("user id 3 nobody.test"), "no such user");
    assert!(host.ask("locate configuration configuration name probe.conf -").contains("name=\"b\""));
    write("probe.conf.xml", "<configuration name=\"probe.conf\"><settings/></configuration>");
    host.ask("reloadxml");
    assert_eq!(host.ask("api probe config"), "");
    assert!(host.quit());
}

#[test]
fn lists_are_walked_as_those_who_ask_walk_them() {
    let (_dir, mut host) = loaded(&[]);
    let all = "probe.test 1001 1001\nprobe.test 1002 1002\nprobe.test 1003 1003\n";
    assert_eq!(host.ask("walk gateways probe.test"), all);
    assert_eq!(host.ask("walk gateways all"), all);
    assert_eq!(
        host.ask("walk network-list probe.test"),
        "1001 192.0.2.1/32\n1002 192.0.2.1/32\n1003 192.0.2.1/32\n"
    );
    assert_eq!(host.ask("walk group all probe.test"), "1001 -\n1002 -\n1003 -\n");
    assert_eq!(host.error("walk group none probe.test"), "no such group");
    assert_eq!(host.ask("walk users"), "1001 probe.test\n1002 probe.test\n1003 probe.test\n");
    assert_eq!(host.ask("walk directory probe.test"), "1001 \n1002 \n1003 \n");
    assert_eq!(host.error("walk directory nobody.test"), "no such domain");
}

#[test]
fn events_reach_those_who_bound_them_in_every_release() {
    for release in ["1.10.0", "1.10.12", "1.11.2"] {
        let (_dir, mut host) = loaded(&["--release", release]);
        let before = host.ask("drain");
        host.ask("event CHANNEL_CREATE probe-value=%ff%20x list[]=a list[] list[]=b");
        host.ask("event CUSTOM probe::other");
        host.ask("event CUSTOM probe::fired");
        host.ask("event RECORD_STOP");
        assert_eq!(host.ask("api probe fire v"), "given away");
        assert_ne!(host.ask("drain"), before);
        // ALL: MODULE_LOAD, the five above, and the event that tells of the command.
        let seen = host.try_ask("api probe seen").unwrap().1;
        assert_eq!(String::from_utf8_lossy(&seen), "all=7 create=1 custom=2 nulls=2 value=v", "{release}");
        assert!(host.error("event NONSENSE").contains("no event NONSENSE"));
        assert!(host.quit());
    }
}

#[test]
fn searches_are_asked_in_order_and_listeners_in_reverse() {
    let (_dir, mut host) = loaded(&[]);
    assert!(
        !host.ask("locate directory domain name probe.test").contains("second"),
        "the first answer counts"
    );
    assert!(host.ask("locate phrases - - - -").contains("<macros>"), "no sections means all");
    assert!(host.error("locate languages - - - -").contains("not found"));
    host.ask("event CHANNEL_CREATE");
    host.ask("drain");
    assert_eq!(host.ask("api probe order"), "21");
}

#[test]
fn who_fires_into_a_full_queue_waits() {
    let (_dir, mut host) = loaded(&["--event-queue", "1"]);
    let start = Instant::now();
    for _ in 0..3 {
        host.ask("event CUSTOM probe::slow sleep-ms=150");
    }
    assert!(
        start.elapsed() >= Duration::from_millis(150),
        "the third must wait for the first to be delivered"
    );
    host.ask("drain");
    assert!(start.elapsed() >= Duration::from_millis(450));
    assert!(host.quit());
}

#[test]
fn completion_knows_words_functions_and_their_faults() {
    let (_dir, mut host) = loaded(&[]);
    assert_eq!(host.ask("complete pr"), "probe\n");
    assert_eq!(host.ask("complete probe "), "alpha\nbeta\nseen\nwrongly\n");
    assert_eq!(host.ask("complete probe a"), "alpha\n");
    assert_eq!(host.ask("complete probe wrongly "), "");
    assert!(host.ask("log").contains("FreeSWITCH crashes"));
}

#[test]
fn lookups_are_answered_from_many_threads_while_the_module_comes_and_goes() {
    let (_dir, mut host) = loaded(&[]);
    let lookups = host.ask("lookups 1000 1001 probe.test");
    assert!(lookups.starts_with("lookups=1000 found=1000 missed=0 wrong=0 errors=0 "), "{lookups}");
    let hammered = host.ask("hammer 8 0.2 1001 probe.test");
    assert!(hammered.contains(" missed=0 wrong=0 errors=0 "), "{hammered}");
    let cycled = host.ask("cycle 50 4 1001 probe.test");
    assert!(cycled.starts_with("cycles=50 ") && cycled.contains(" lost=0 "), "{cycled}");
    assert!(cycled.contains(" wrong=0 errors=0 "), "{cycled}");
    assert!(!cycled.contains(" hunted=0 "), "{cycled}");
    assert_eq!(host.ask("leftovers"), NOTHING);
    assert!(host.quit());
}
