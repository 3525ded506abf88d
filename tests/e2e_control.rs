//! Call control on a real FreeSWITCH: a call is changed by its own tenant alone, and a request has FreeSWITCH run the one command that
//! it stands for. Whoever is no more than a member of another tenant, or has no permission, changes nothing; and of arguments that
//! are more than arguments FreeSWITCH's own events tell that they had nothing else done.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod control;
mod support;

use std::io::Write as _;
use std::time::Duration;

use control::{CANARY, EVENTS, House, Ledger, Operation, strangers, trial};
use support::{Events, Site, require, until};

/// The number of an extension without a phone, that the other tenant does not have.
const OWN: &str = "2749";

#[test]
fn a_call_is_its_tenants_and_a_request_is_one_command() {
    if !require(&["freeswitch", "sipp"]) {
        return;
    }
    let site = Site::start_without_phones();
    let own = House::build(&site, "own.control.test", OWN);
    let other = House::build(&site, "other.control.test", "2748");
    let operations = Operation::all(site.nizamd.rest());

    let events = site.switch.events_of(EVENTS);
    let refused = strangers(&site, [&own, &other], &operations, &events, OWN);
    drop(events);

    let events = site.switch.events_of(EVENTS);
    a_second_command_is_seen(&site, &events);
    drop(events);

    let events = site.switch.events_of(EVENTS);
    let mut ledger = Ledger::default();
    trial(&site, &own, OWN, &operations, &mut ledger);
    // What is to happen at the end of a call happens.
    ledger.ask(&site, "hupall", "");
    until("no call is left", Duration::from_secs(20), || {
        ledger.ask(&site, "show", "channels count").contains("\n0 total").then_some(())
    });
    let ran = ledger.compare(&events, own.domain);
    let canaries = site.files().into_iter().filter(|file| file.contains(CANARY));
    ledger.others.extend(canaries.map(|file| format!("somebody made {file}")));
    assert!(site.switch.try_api("status").unwrap().contains("is ready"));
    let said = format!(
        "call control: {} operations, {refused} of another tenant refused, {} hostile arguments ({} refused, {} accepted), API commands {}, \
         second commands {}",
        operations.len(),
        ledger.refused + ledger.accepted,
        ledger.refused,
        ledger.accepted,
        ran.due,
        ran.second.len()
    );
    drop(writeln!(std::io::stdout(), "{said}"));
    let found: Vec<&str> = ran.second.iter().chain(&ledger.others).take(40).map(String::as_str).collect();
    assert!(found.is_empty(), "{said}\n{}", found.join("\n"));
}

/// The events do tell of a command that hides in the argument of another.
fn a_second_command_is_seen(site: &Site, events: &Events) {
    let mut ledger = Ledger::default();
    ledger.ask(site, "expand", "echo ${create_uuid()}");
    events.wait("the second command", |event| event.is("API") && event.get("API-Command") == "create_uuid");
    let seconds = ledger.compare(events, "").second;
    assert!(seconds.iter().any(|command| command.contains("create_uuid")), "{seconds:?}");
}
