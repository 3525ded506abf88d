//! Calls that the switch itself takes: a mailbox, a menu; and calls that it refuses.

use serde_json::{Value, json};

use super::{
    between_phones::{A, B, CLEAR, LITTLE, answer},
    leg::Leg,
    office::Office,
};
use crate::support::{Callee, Caller, Manner, Plan, Voice};

pub(crate) fn run() {
    let plan = Plan { variables: vec![("codec_prefs", "PCMU,PCMA")], ..Plan::default() };
    let office = Office::open("applications.test", plan);
    let one = Caller::phone(&office.extension("1001", &json!({})));
    let single = Caller::phone(&office.extension("1002", &json!({"max_channels": 1})));
    let (account, mut desk) = office.phone("1003", Manner::AnswerAfter(1000), &json!({}));
    office.extension("1004", &json!({"voicemail_enabled": true, "voicemail_pin": "4711"}));
    let option = json!({"digit": "1", "destination_type": "extension", "destination_id": account.id});
    let ivr =
        office.make("ivrs", &json!({"name": "menu", "number": "700", "options": [option], "timeout": 5}));
    mailbox(&office, &one);
    menu(&office, &one, &mut desk, [&ivr, &account.id]);
    closed(&office, &one);
    limit(&office, &single, &mut desk);
    office.check_minutes(0);
}

/// A message is left, by a phone with another codec.
fn mailbox(office: &Office, one: &Caller) {
    let mut call = office.site.call(&one.clone().speaking(8, "PCMA").holding(9000), "1004");
    assert_eq!(call.status(), 200);
    let voice = Voice::start(&answer(&call), 8, None);
    let a = Leg::of_caller(office, &call).hung_up("caller").ended("NORMAL_CLEARING", 16);
    println!("the caller sent {:?}", voice.stop());
    let events = ["call.created", "call.answered", "recording.started", "recording.stopped", "call.hangup"];
    office.check("to voicemail", &[a.heard(CLEAR, LITTLE).told(&events)]);
    // The message is in the trace of the call that left it.
    let trace = office.get(&format!("call-events/{}/trace", office.channel(&call)));
    let timeline = trace["timeline"].as_array().unwrap();
    let mut received = timeline.iter().filter(|event| event["event_type"] == "voicemail.received");
    assert_eq!(received.next().unwrap()["call_uuid"], "1004", "{timeline:#?}");
}

/// A menu, in which 1 is pressed.
fn menu(office: &Office, one: &Caller, desk: &mut Callee, [ivr, extension]: [&str; 2]) {
    let mut call = office.site.call(&one.clone().holding(8000), "700");
    assert_eq!(call.status(), 200);
    let voice = Voice::start(&answer(&call), 0, None);
    office.events.wait_for_step(&office.channel(&call), "ivr", "");
    voice.press(1);
    let got = desk.next_call();
    // What it passed is told while it lives, when it has no CDR yet.
    let caller = office.channel(&call);
    office.await_event(&caller, "call.bridged");
    let way =
        [("ivr", ivr, json!("1")), ("extension", extension, json!(null))].map(|row| passed(office, row));
    assert_eq!(office.passed(&caller), way);
    assert_eq!(office.get(&format!("cdrs?legs=1&uuid={caller}"))["data"], json!([]));
    let (a, b) = Leg::both(office, &call, desk, &got);
    println!("the caller sent {:?}", voice.stop());
    let [a, b] = [a, b].map(|leg| leg.hung_up("caller").ended("NORMAL_CLEARING", 16));
    // The caller is taken before the phone rings.
    let events = ["call.created", "call.answered", "call.bridged", "call.unbridged", "call.hangup"];
    let a = a.heard(CLEAR, LITTLE).with_part("transfer_history", ":bl_xfer:").told(&events);
    office.check("through a menu", &[a, b.with(&json!({"destination_number": "1003"})).told(&B)]);
    assert_eq!(office.passed(&caller), way);
}

/// After hours: over a time condition to a ring group, which nobody answers, and from there to a mailbox. What sent it there is in its trace.
fn closed(office: &Office, one: &Caller) {
    let mail = json!({"voicemail_enabled": true, "voicemail_pin": "4711"});
    let (member, mut desk) = office.phone("1005", Manner::Refuse(486), &mail);
    let group = json!({"name": "night", "members": [member.id], "fallback_destination_type": "voicemail",
        "fallback_destination_id": member.id});
    let group = office.make("ring-groups", &group);
    let hours = json!({"name": "never", "conditions": [{"mon": "feb", "mday": "30"}],
        "no_match_destination_type": "ring_group", "no_match_destination_id": group});
    let hours = office.make("time-conditions", &hours);
    let did =
        json!({"number": "+49301234567", "destination_type": "time_condition", "destination_id": hours});
    let did = office.make("dids", &did);
    let mut call = office.site.call(&one.clone().holding(3000), "+49301234567");
    assert_eq!(call.status(), 200);
    let (caller, rung) = (office.channel(&call), desk.next_call());
    office.await_event(&caller, "call.hangup");
    office.trace("after hours", &caller);
    let way = [
        ("did", &*did, json!(null)),
        ("time_condition", &*hours, json!("no_match")),
        ("ring_group", &*group, json!("unanswered")),
        ("voicemail", &*member.id, json!(null)),
    ];
    assert_eq!(office.passed(&caller), way.map(|row| passed(office, row)));
    // The leg that the bridge made has passed nothing itself.
    assert_eq!(office.passed(&office.channel_to(&rung)), [Value::Null; 0]);
}

/// What a trace says of a row that a call passed.
fn passed(office: &Office, (object, id, branch): (&str, &str, Value)) -> Value {
    json!({"object": object, "id": id, "branch": branch, "generation": office.generation()})
}

/// An extension with one call at once.
fn limit(office: &Office, single: &Caller, desk: &mut Callee) {
    let first = office.site.call(&single.clone().holding(3000), "1003");
    let got = desk.next_call();
    let mut second = office.site.call(single, "1003");
    assert_eq!(second.status(), 503);
    let refused = Leg::of_caller(office, &second).hung_up("switch").ended("NORMAL_TEMPORARY_FAILURE", 41);
    let refused = refused.with(&json!({"refused": "extension_channels"}));
    office.check("refused by a limit", &[refused.told(&["call.created", "limit.reached", "call.hangup"])]);
    let (a, b) = Leg::both(office, &first, desk, &got);
    let [a, b] = [a, b].map(|leg| leg.hung_up("caller").ended("NORMAL_CLEARING", 16));
    office.check("the call at the limit", &[a.told(&A), b.told(&B)]);
}
