//! mod_nizam taken out of a busy FreeSWITCH and put back.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod support;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use support::{Site, require, until};

/// An answer may be on its way while the module comes or goes.
const IN_FLIGHT: f64 = 0.2;

#[test]
fn twenty_reloads_under_load_refuse_nobody_but_between_unload_and_load() {
    if !require(&["freeswitch", "sipp"]) {
        return;
    }
    let mut site = Site::start();
    let tenant = site.tenant("reload.test");
    let account = site.extension(&tenant, "reload.test", "1001", false);
    site.register(&account, 200);

    let mut load = site.register_load(&account, 40);
    load.await_accepted(10);
    let mut gaps = Vec::new();
    for round in 0..20 {
        let from = now();
        let unloaded = site.switch.api("unload mod_nizam");
        assert!(unloaded.contains("+OK"), "round {round}: {unloaded}");
        // Long enough that some registrations fall into the gap, or the test would prove nothing.
        until("a registration was refused in the gap", Duration::from_secs(20), || {
            load.read().refused.iter().any(|when| *when >= from).then_some(())
        });
        let loaded = site.switch.api("load mod_nizam");
        assert!(loaded.contains("+OK"), "round {round}: {loaded}");
        // From here it has to answer: from its snapshot, until the daemon's images arrive.
        gaps.push((from, now()));
        site.await_link();
        load.await_accepted(10);
    }
    let outcome = load.stop();
    println!("{} accepted, {} refused in {} gaps", outcome.accepted, outcome.refused.len(), gaps.len());
    let astray: Vec<_> = outcome
        .refused
        .iter()
        .filter(|when| !gaps.iter().any(|(from, to)| (*from..=*to + IN_FLIGHT).contains(when)))
        .collect();
    assert!(astray.is_empty(), "refused while the module was loaded: {astray:?} outside of {gaps:?}");
    assert_eq!(outcome.failed, 0, "calls that ended in neither 200 nor 403");
    assert!(outcome.accepted >= 200);
    site.switch.stop();
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
