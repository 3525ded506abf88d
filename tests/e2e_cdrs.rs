//! CDRs and traces of calls through a real FreeSWITCH: every field and every type of event, against what sipp wrote down of the same calls.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]
#![allow(clippy::too_many_lines, reason = "a list of cases is as long as there are cases")]

mod cdrs;
mod support;

use support::require;

const NEEDS: [&str; 2] = ["freeswitch", "sipp"];

#[test]
fn calls_between_phones() {
    if require(&NEEDS) {
        cdrs::between_phones();
    }
}

#[test]
fn transferred_calls() {
    if require(&NEEDS) {
        cdrs::transfers();
    }
}

#[test]
fn calls_to_applications() {
    if require(&NEEDS) {
        cdrs::applications();
    }
}

#[test]
fn calls_over_trunks() {
    if require(&NEEDS) {
        cdrs::trunks();
    }
}

#[test]
fn every_type_of_event() {
    if require(&NEEDS) {
        cdrs::hooks();
    }
}
