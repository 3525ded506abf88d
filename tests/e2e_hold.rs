//! Hold on a real FreeSWITCH with real phones; alone, since it is about milliseconds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod support;

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use support::{Site, require, until};

/// FreeSWITCH begins music on hold a moment after it says so. Whoever took a call back and ended it before that left the other end with music for
/// ever, and the call without an end.
#[test]
fn a_call_that_was_held_for_a_moment_ends_with_whoever_hangs_up() {
    const DOMAIN: &str = "moment.control.test";
    if !require(&["freeswitch", "baresip"]) {
        return;
    }
    let site = Site::start_without_phones();
    let tenant = site.tenant(DOMAIN);
    let accounts = ["1001", "1002"].map(|number| site.extension(&tenant, DOMAIN, number, false));
    let _phones = (site.phone(0, &accounts[0], 440), site.phone(1, &accounts[1], 1000));
    let rest = site.nizamd.rest();
    let say = |operation: &str, body: Value| {
        let path = format!("/tenants/{tenant}/calls/{operation}");
        let (status, answer) = rest.attempt(&Method::POST, &path, &body);
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    };
    for gap in [0, 2, 5, 10, 20, 40, 80, 150] {
        let channel = talk(&site, &|| say("originate", json!({"extension": "1001", "destination": "1002"})));
        for (operation, action) in [("hold", "hold"), ("hold", "unhold"), ("hangup", "")] {
            let answer = say(operation, json!({"uuid": channel, "action": action}));
            std::thread::sleep(Duration::from_millis(gap));
            assert!(
                answer["response"].as_str().unwrap().starts_with("+OK"),
                "{operation} {action}: {answer}"
            );
        }
        until("both ends are free", Duration::from_secs(10), || {
            site.switch.try_api("show channels count").unwrap().contains("\n0 total").then_some(())
        });
    }
    // Who called is who it was called for.
    let cdrs = until("the CDRs are there", Duration::from_secs(10), || {
        let listed = rest.attempt(&Method::GET, &format!("/tenants/{tenant}/cdrs"), &Value::Null).1;
        let cdrs = listed["data"].as_array().unwrap().clone();
        (cdrs.len() >= 8).then_some(cdrs)
    });
    let talked =
        cdrs.iter().filter(|cdr| cdr["billsec"].as_i64() > Some(0) || cdr["other_leg_uuid"].is_string());
    for cdr in talked {
        assert_eq!(
            (&cdr["caller_id_number"], &cdr["destination_number"]),
            (&json!("1001"), &json!("1002")),
            "{cdr}"
        );
    }
}

/// Makes a call that both ends talk in; its channel. A phone that has just been in a call, or has registered a moment ago, may not take another.
fn talk(site: &Site, originate: &dyn Fn() -> Value) -> Value {
    let shown = |what: &str| site.switch.try_api(&format!("show {what} count")).unwrap();
    let mut said = Vec::new();
    for _ in 0..5 {
        let made = originate();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            if shown("calls").contains("\n1 total") && shown("channels").contains("\n2 total") {
                return made["call_uuid"].clone();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        said.push(format!("{made} {}", site.switch.try_api("show channels").unwrap()));
        site.switch.try_api("hupall").unwrap();
        std::thread::sleep(Duration::from_secs(1));
    }
    panic!("nobody talks: {said:#?}\n{}", site.switch.log_tail());
}
