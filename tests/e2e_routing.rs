//! Calls through a real FreeSWITCH: at least one for every line of docs/routing.md.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]
#![allow(clippy::too_many_lines, reason = "a list of cases is as long as there are cases")]

mod routing;
mod support;

use support::require;

const SIP: [&str; 2] = ["freeswitch", "sipp"];
const ALL: [&str; 3] = ["freeswitch", "sipp", "baresip"];

#[test]
fn calls_from_outside() {
    if require(&SIP) {
        routing::outside();
    }
}

#[test]
fn calls_inside_a_tenant() {
    if require(&ALL) {
        routing::inside();
    }
}

#[test]
fn ring_groups() {
    if require(&SIP) {
        routing::groups();
    }
}

#[test]
fn menus() {
    if require(&ALL) {
        routing::menus();
    }
}

#[test]
fn decisions_by_time_and_caller() {
    if require(&SIP) {
        routing::decisions();
    }
}

#[test]
fn call_flows() {
    if require(&ALL) {
        routing::flows();
    }
}

#[test]
fn queues() {
    if require(&SIP) {
        routing::queues();
    }
}

#[test]
fn mailboxes() {
    if require(&ALL) {
        routing::mailboxes();
    }
}

#[test]
fn calls_that_leave() {
    if require(&SIP) {
        routing::outbound();
    }
}

#[test]
fn limits_and_emergency_calls() {
    if require(&SIP) {
        routing::limits();
    }
}

#[test]
fn hostile_texts() {
    if require(&SIP) {
        routing::hostile();
    }
}

#[test]
fn every_line_of_the_document_has_a_case() {
    routing::every_line_has_a_case();
}
