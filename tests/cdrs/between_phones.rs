//! Calls between phones of a tenant.

use std::path::Path;

use serde_json::json;

use super::{leg::Leg, office::Office};
use crate::support::{Call, Callee, Caller, Manner, Message, Plan, Voice};

/// What a stream without loss is like. A busy machine has FreeSWITCH miss a packet now and then.
pub(super) const CLEAR: (f64, f64) = (4.0, 4.5);
pub(super) const LITTLE: Option<(f64, f64)> = Some((0.0, 3.0));

/// What happens to the legs of a call that rings, is taken, and ends.
pub(super) const A: [&str; 6] =
    ["call.created", "call.progress", "call.answered", "call.bridged", "call.unbridged", "call.hangup"];
pub(super) const B: [&str; 4] = ["call.created", "call.progress", "call.answered", "call.hangup"];

/// A call, and what the callee got of it.
type Dialled = (Call, Message);

pub(crate) fn run() {
    let office = Office::open("phones.test", Plan::default());
    let caller = Caller::phone(&office.extension("1001", &json!({})));
    let (_, mut desk) = office.phone("1002", Manner::AnswerAfter(1000), &json!({}));
    let (_, mut busy) = office.phone("1003", Manner::Refuse(486), &json!({}));
    let (_, mut rude) = office.phone("1004", Manner::Refuse(603), &json!({}));
    let (_, mut rings) = office.phone("1005", Manner::Ring, &json!({"ring_timeout": 5}));
    let (_, mut leaves) = office.phone("1006", Manner::Leave(2500), &json!({}));
    office.extension("1007", &json!({}));
    let dial = |caller: &Caller, number: &str, callee: &mut Callee| {
        let call = office.site.call(caller, number);
        (call, callee.next_call())
    };

    // All at once: what is short is over while the long ones last.
    let mut talk = dial(&caller.clone().holding(7000), "1002", &mut desk);
    let pause = dial(&caller.clone().pausing(3000), "1002", &mut desk);
    let long = dial(&caller.clone().holding(20_000), "1002", &mut desk);
    let ring = dial(&caller, "1005", &mut rings);
    let short = dial(&caller.clone().cancelling(1500), "1005", &mut rings);
    talk.0.status();
    let voices = [Voice::start(&answer(&talk.0), 0, Some(10)), Voice::start(&talk.1, 0, None)];
    for (number, callee, cause, q850, name) in
        [("1003", &mut busy, "USER_BUSY", 17, "busy"), ("1004", &mut rude, "CALL_REJECTED", 21, "rejected")]
    {
        let (call, got) = dial(&caller, number, callee);
        let (a, b) = Leg::both(&office, &call, callee, &got);
        let ended = |leg: Leg| leg.ended(cause, q850).told(&["call.created", "call.hangup"]);
        office.check(name, &[ended(a.hung_up("callee")), ended(b)]);
    }
    recorded(&office, &long, &desk);
    let (call, got) = dial(&caller.clone().holding(20_000), "1006", &mut leaves);
    let (a, b) = Leg::both(&office, &call, &leaves, &got);
    let [a, b] = [a, b].map(|leg| leg.hung_up("callee").ended("NORMAL_CLEARING", 16));
    office.check("answered, and the callee hangs up", &[a.told(&A), b.told(&B)]);
    let (a, b) = Leg::both(&office, &short.0, &rings, &short.1);
    let events = ["call.created", "call.progress", "call.hangup"];
    let legs = [a, b].map(|leg| leg.hung_up("caller").ended("ORIGINATOR_CANCEL", 16).told(&events));
    office.check("cancelled", &legs);
    let (a, b) = Leg::both(&office, &ring.0, &rings, &ring.1);
    let legs = [a, b].map(|leg| leg.hung_up("switch").ended("NO_ANSWER", 19).told(&events));
    office.check("missed", &legs.map(|leg| leg.told(&["call.missed"])));
    let (a, b) = Leg::both(&office, &pause.0, &desk, &pause.1);
    let [a, b] = [a, b].map(|leg| leg.hung_up("caller").ended("NORMAL_CLEARING", 16));
    office.check("held", &[a.told(&A).told(&["call.held", "call.resumed"]), b.told(&B)]);
    spoken(&office, &talk, voices, &desk);
    nobody(&office, &caller);
    office.check_minutes(0);
}

/// Call control records a part of the call, and then ends it.
fn recorded(office: &Office, (call, got): &Dialled, desk: &Callee) {
    let uuid = office.channel(call);
    office.await_event(&uuid, "call.bridged");
    office.control("recording", &json!({"uuid": uuid, "action": "start"}));
    let begun = office.await_event(&uuid, "recording.started");
    let file = begun["path"].as_str().unwrap().to_owned();
    office.control("recording", &json!({"uuid": uuid, "action": "stop"}));
    assert_eq!(office.await_event(&uuid, "recording.stopped")["path"], file);
    office.control("hangup", &json!({"uuid": uuid, "cause": "NORMAL_CLEARING"}));
    let (a, b) = Leg::both(office, call, desk, got);
    let [a, b] = [a, b].map(|leg| leg.hung_up("switch").ended("NORMAL_CLEARING", 16));
    let a = a.with(&json!({"recording_path": file})).told(&A);
    office.check("recorded", &[a.told(&["recording.started", "recording.stopped"]), b.told(&B)]);
    // Longer than its head.
    assert!(Path::new(&file).metadata().unwrap().len() > 44, "{file}");
}

/// Answered, and the caller hangs up. The callee misses every tenth packet.
fn spoken(office: &Office, (call, got): &Dialled, voices: [Voice; 2], desk: &Callee) {
    let (a, b) = Leg::both(office, call, desk, got);
    let [said, heard] = voices.map(Voice::stop);
    println!("the caller sent {said:?}, the callee {heard:?}");
    let loss = 100.0 * f64::from(said.lost) / f64::from(said.lost + said.packets);
    let [a, b] = [a, b].map(|leg| leg.hung_up("caller").ended("NORMAL_CLEARING", 16));
    // A lost packet counts thrice (`do_mos` in `switch_rtp.c`): 3.4 where a tenth is lost.
    let a = a.heard((3.0, 3.6), Some((loss - 1.5, loss + 3.0)));
    office.check("answered, and the caller hangs up", &[a.told(&A), b.heard(CLEAR, LITTLE).told(&B)]);
}

/// A number without a phone, and one that nobody has.
fn nobody(office: &Office, caller: &Caller) {
    for (number, status, cause, q850) in
        [("1007", 480, "USER_NOT_REGISTERED", 16), ("1777", 404, "UNALLOCATED_NUMBER", 1)]
    {
        let mut call = office.site.call(caller, number);
        assert_eq!(call.status(), status);
        let a = Leg::of_caller(office, &call).hung_up("switch").ended(cause, q850);
        office.check(&format!("nobody at {number}"), &[a.told(&["call.created", "call.hangup"])]);
    }
}

/// The answer to a call that is taken.
pub(super) fn answer(call: &Call) -> Message {
    let messages = call.messages();
    let taken = messages.iter().find(|message| message.answers("INVITE") && message.status() == Some(200));
    taken.unwrap_or_else(|| panic!("the call is not taken: {messages:#?}")).clone()
}
