//! Calls that leave by a gateway, and that come from outside.

use serde_json::json;

use super::{
    between_phones::{A, B},
    leg::Leg,
    office::{Office, SOON},
};
use crate::support::{Account, Caller, Manner, Plan, until};

pub(crate) fn run() {
    let mut office = Office::open("trunks.test", Plan::default());
    let (account, mut desk) = office.phone("1001", Manner::AnswerAfter(1000), &json!({}));
    let did =
        json!({"number": "+49301234567", "destination_type": "extension", "destination_id": account.id});
    office.make("dids", &did);
    outside(&office, &account);

    let caller = Caller::outside("127.0.0.9", "+4940999");
    let call = office.site.call(&caller.clone().holding(2000), "+49301234567");
    let got = desk.next_call();
    let (a, b) = Leg::both(&office, &call, &desk, &got);
    let [a, b] = [a, b].map(|leg| leg.hung_up("caller").ended("NORMAL_CLEARING", 16));
    let [a, b] = [a, b].map(|leg| leg.with(&json!({"context": "public", "caller_id_name": "+4940999"})));
    office.check("from outside", &[a.told(&A), b.with(&json!({"destination_number": "1001"})).told(&B)]);

    // FreeSWITCH stops, and its last hangups are in.
    let call = office.site.call(&caller.holding(50_000), "+49301234567");
    let uuid = office.channel(&call);
    office.await_event(&uuid, "call.bridged");
    office.site.switch.stop();
    let legs = until("the call has its CDRs", SOON, || {
        let listed = office.get("cdrs?legs=1&hangup_cause=SYSTEM_SHUTDOWN");
        listed["data"].as_array().filter(|legs| legs.len() == 2).cloned()
    });
    office.trace("ended by the end of the switch", &uuid);
    for leg in legs {
        let fields = (&leg["call_id"], &leg["hangup_by"], &leg["closed_by"]);
        assert_eq!(fields, (&json!(uuid), &json!("switch"), &json!(null)), "{leg:#}");
    }
}

/// A call that the first gateway refuses, and the second takes.
fn outside(office: &Office, account: &Account) {
    let mut carrier = office.site.callee(Manner::Leave(2000));
    let mut full = office.site.callee(Manner::Refuse(503));
    let [second, first] = [("live", carrier.port()), ("full", full.port())].map(|(name, port)| {
        let body = json!({"name": name, "host": "127.0.0.1", "port": port, "register": false});
        let id = office.make("gateways", &body);
        office.await_gateway(&id);
        id
    });
    office.make("outbound-routes", &json!({"name": "out", "patterns": ["X."], "gateways": [first, second]}));
    let call = office.site.call(&Caller::phone(account).holding(20_000), "040123456");
    let refused = full.next_call();
    let got = carrier.next_call();
    let (a, c) = Leg::both(office, &call, &carrier, &got);
    let mut a = a.hung_up("callee").ended("NORMAL_CLEARING", 16);
    let b = Leg::of_callee(office, &full, &refused).made_by(&mut a).hung_up("callee");
    let b = b.ended("NORMAL_TEMPORARY_FAILURE", 41).with(&json!({"gateway": first}));
    let c = c.hung_up("callee").ended("NORMAL_CLEARING", 16).with(&json!({"gateway": second}));
    // Outside the number is the public one, and the caller has no name.
    let shown = json!({"caller_id_name": "1001", "destination_number": "+4940123456"});
    let [b, c] = [b, c].map(|leg| leg.with(&shown));
    office
        .check("by the second gateway", &[a.told(&A), b.told(&["call.created", "call.hangup"]), c.told(&B)]);
}
