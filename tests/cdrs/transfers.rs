//! Calls that a phone hands on.

use serde_json::json;

use super::{
    between_phones::{A, B, answer},
    leg::Leg,
    office::Office,
};
use crate::support::{Account, Call, Callee, Caller, Manner, Plan};

/// What happens again when another phone takes a call.
const AGAIN: [&str; 2] = ["call.bridged", "call.unbridged"];

pub(crate) fn run() {
    let office = Office::open("transfers.test", Plan::default());
    let one = Caller::phone(&office.extension("1001", &json!({})));
    let (two, mut secretary) = office.phone("1002", Manner::Refer(1000), &json!({}));
    let (_, mut boss) = office.phone("1003", Manner::AnswerAfter(2000), &json!({}));
    blind(&office, &one, &mut secretary, &mut boss);
    attended(&office, &one, &two, &mut secretary, &mut boss);
    let rest = by_the_caller(&office, &one, &mut boss);
    assert!(rest > 1_500_000, "the check would not see that nothing is counted: {rest}");
    office.check_minutes(rest);
}

fn blind(office: &Office, one: &Caller, secretary: &mut Callee, boss: &mut Callee) {
    let call = office.site.call(&one.clone().holding(7000), "1002");
    let first = secretary.next_call();
    office.await_event(&office.channel(&call), "call.bridged");
    secretary.hand_on(&first, "<sip:1003@transfers.test>");
    let second = boss.next_call();
    let mut a = Leg::of_caller(office, &call);
    let b = Leg::of_callee(office, secretary, &first).made_by(&mut a).hung_up("switch");
    let c = Leg::of_callee(office, boss, &second).made_by(&mut a);
    let by = a.hung_up_by(&c);
    let [a, b, c] = [a.hung_up(by), b, c.hung_up(by)].map(|leg| leg.ended("NORMAL_CLEARING", 16));
    let a = a.with_part("transfer_history", ":bl_xfer:1003/transfers.test/").told(&A).told(&AGAIN);
    let c = c.with(&json!({"destination_number": "1003"})).told(&B);
    office.check("transferred blind", &[a, b.told(&B), c]);
}

/// The caller hands whom it called on. How long that one stayed then, in microseconds.
fn by_the_caller(office: &Office, one: &Caller, boss: &mut Callee) -> i64 {
    let (_, mut leaves) = office.phone("1004", Manner::AnswerAfter(1000), &json!({}));
    let call = office.site.call(&one.clone().referring(), "1004");
    let first = leaves.next_call();
    office.await_event(&office.channel(&call), "call.bridged");
    call.hand_on("<sip:1003@transfers.test>");
    let second = boss.next_call();
    office.await_event(&office.channel_to(&first), "call.bridged");
    office.control("hangup", &json!({"uuid": office.channel_to(&second)}));
    let mut a = Leg::of_caller(office, &call).hung_up("switch");
    let mut b = Leg::of_callee(office, &leaves, &first).made_by(&mut a).hung_up("switch");
    let c = Leg::of_callee(office, boss, &second).made_by(&mut b).hung_up("switch");
    let [a, b, c] = [a, b, c].map(|leg| leg.ended("NORMAL_CLEARING", 16));
    // Whoever is handed on is routed as a caller.
    let b =
        b.with(&json!({"generation": office.generation()})).with_part("transfer_history", ":bl_xfer:1003/");
    let c = c.with(
        &json!({"caller_id_number": "1004", "caller_id_name": "Phone 1004", "destination_number": "1003"}),
    );
    let rest = b.ended_at() - a.ended_at();
    office.check("transferred blind by the caller", &[a.told(&A), b.told(&B).told(&AGAIN), c.told(&B)]);
    rest
}

fn attended(office: &Office, one: &Caller, two: &Account, secretary: &mut Callee, boss: &mut Callee) {
    let call = office.site.call(&one.clone().holding(8000), "1002");
    let first = secretary.next_call();
    office.await_event(&office.channel(&call), "call.bridged");
    let consultation = office.site.call(&Caller::phone(two).holding(20_000), "1003");
    let second = boss.next_call();
    office.await_event(&office.channel(&consultation), "call.bridged");
    secretary.hand_on(&first, &replaces(&consultation));
    let mut a = Leg::of_caller(office, &call);
    let b = Leg::of_callee(office, secretary, &first).made_by(&mut a).hung_up("switch");
    let mut c = Leg::of_caller(office, &consultation).hung_up("switch");
    let d = Leg::of_callee(office, boss, &second).made_by(&mut c);
    let by = a.hung_up_by(&d);
    let [a, b, c, d] = [a.hung_up(by), b, c, d.hung_up(by)].map(|leg| leg.ended("NORMAL_CLEARING", 16));
    let (talks_to_d, talks_to_a) = (json!({"other_leg_uuid": d.uuid()}), json!({"other_leg_uuid": a.uuid()}));
    let [a, d] =
        [a.with(&talks_to_d), d.with(&talks_to_a)].map(|leg| leg.with_part("transfer_history", ":att_xfer:"));
    office.check("transferred attended", &[a.told(&A).told(&AGAIN), b.told(&B)]);
    office.check("the consultation before it", &[c.told(&A), d.told(&B)]);
}

/// A Refer-To for the other side of that call (RFC 3891).
fn replaces(call: &Call) -> String {
    let (id, taken) = (call.id(), answer(call));
    let [to, from] = ["To", "From"].map(|header| taken.header(header).split_once(";tag=").unwrap().1);
    format!("<sip:1003@transfers.test?Replaces={id}%3Bto-tag%3D{to}%3Bfrom-tag%3D{from}>")
}
