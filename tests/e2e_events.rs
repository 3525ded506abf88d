//! What FreeSWITCH does is in the database: calls of sipp on a real FreeSWITCH, their CDRs, traces and channels by REST.

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
use support::{Account, Caller, Manner, Site, require, until};

const SIP: [&str; 2] = ["freeswitch", "sipp"];
const SOON: Duration = Duration::from_secs(20);

/// A tenant whose calls are looked at.
struct Watched<'s> {
    site: &'s Site,
    tenant: String,
    domain: &'static str,
}

impl Watched<'_> {
    fn get(&self, path: &str) -> Value {
        let (status, body) = self.site.nizamd.rest().attempt(
            &Method::GET,
            &format!("/tenants/{}/{path}", self.tenant),
            &json!({}),
        );
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn command(&self, name: &str, body: &Value) -> (u16, Value) {
        let path = format!("/tenants/{}/calls/{name}", self.tenant);
        self.site.nizamd.rest().attempt(&Method::POST, &path, body)
    }

    fn account(&self, number: &str, more: &Value) -> Account {
        self.site.extension_with(&self.tenant, self.domain, number, more)
    }

    /// Both legs of the call to that number, once the leg that began it has its CDR.
    fn legs(&self, number: &str, count: usize) -> Vec<Value> {
        until("the call has its CDRs", SOON, || {
            let listed = self.get(&format!("cdrs?destination_number={number}"));
            let row = listed["data"].as_array()?.first()?.clone();
            let call = row["call_id"].as_str()?.to_owned();
            let all = self.get("cdrs?legs=1&per_page=100");
            let legs: Vec<Value> =
                all["data"].as_array()?.iter().filter(|leg| leg["call_id"] == json!(call)).cloned().collect();
            (legs.len() >= count).then_some(legs)
        })
    }

    /// The CDR of the leg that began the call to that number.
    fn call(&self, number: &str, legs: usize) -> Value {
        let all = self.legs(number, legs);
        assert_eq!(all.len(), legs, "{all:#?}");
        let first: Vec<&Value> = all.iter().filter(|leg| leg["leg"] == "a").collect();
        assert_eq!(first.len(), 1, "{all:#?}");
        first[0].clone()
    }

    fn trace(&self, cdr: &Value) -> Vec<String> {
        let trace = self.get(&format!("call-events/{}/trace", cdr["uuid"].as_str().unwrap()));
        println!("{}: {}", cdr["destination_number"], trace["timeline"]);
        let events = trace["events"].as_array().unwrap();
        events.iter().map(|event| event["event_type"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn every_call_has_its_record() {
    if !require(&SIP) {
        return;
    }
    let mut site = Site::start();
    let tenant = site.tenant("records.test");
    let other = site.tenant("other.test");
    let [one, two, busy, rings] =
        ["1001", "1002", "1003", "1004"].map(|n| site.extension(&tenant, "records.test", n, false));
    site.nizamd.kill();
    site.nizamd.back_up();
    site.nizamd.serve();
    site.await_link();
    let watched = Watched { site: &site, tenant, domain: "records.test" };
    let mut phone = site.phone_that(&two, Manner::AnswerAfter(500));
    let busy_phone = site.phone_that(&busy, Manner::Refuse(486));
    let ringing = site.phone_that(&rings, Manner::Ring);
    let caller = Caller::phone(&one).holding(2000);

    // Answered: for two seconds, after half a second of ringing.
    assert_eq!(site.call(&caller, "1002").over(), 200);
    phone.next_call();
    let cdr = watched.call("1002", 2);
    assert_eq!((&cdr["hangup_cause"], &cdr["caller_id_number"]), (&json!("NORMAL_CLEARING"), &json!("1001")));
    let (billed, whole) = (cdr["billsec"].as_i64().unwrap(), cdr["duration"].as_i64().unwrap());
    assert!((1..=3).contains(&billed) && (billed..=billed + 3).contains(&whole), "{cdr:#}");
    assert!(cdr["answer_stamp"].is_string() && cdr["end_stamp"].is_string(), "{cdr:#}");
    assert_eq!((&cdr["hangup_by"], &cdr["switch"]), (&json!("caller"), &json!("e2e")), "{cdr:#}");
    assert!(cdr["generation"].as_i64().unwrap() > 0, "{cdr:#}");
    let events = watched.trace(&cdr);
    for wanted in ["call.created", "call.answered", "call.bridged", "call.hangup"] {
        assert_eq!(events.iter().filter(|event| *event == wanted).count(), 1, "{wanted} in {events:?}");
    }

    // Busy, not registered, nobody: each with FreeSWITCH's own cause.
    assert_eq!(site.call(&caller, "1003").over(), 486);
    assert_eq!(watched.call("1003", 2)["hangup_cause"], "USER_BUSY");
    watched.account("1005", &json!({}));
    assert_eq!(site.call(&caller, "1005").over(), 480);
    assert_eq!(watched.call("1005", 1)["hangup_cause"], "USER_NOT_REGISTERED");
    assert_eq!(site.call(&caller, "1777").over(), 404);
    let nobody = watched.call("1777", 1);
    assert_eq!((&nobody["billsec"], &nobody["answer_stamp"]), (&json!(0), &Value::Null), "{nobody:#}");
    drop((busy_phone, ringing));

    // A live call: seen and ended by REST, by the own tenant alone.
    let mut talking = site.call(&caller.clone().holding(30_000), "1002");
    assert_eq!(talking.status(), 200);
    let channel = until("the call is there", SOON, || {
        let shown = watched.get("calls/status");
        let channels = shown["channels"].as_array()?;
        let of_caller =
            channels.iter().find(|channel| channel["dest"] == "1002" && channel["direction"] == "inbound");
        Some(of_caller?["uuid"].as_str()?.to_owned())
    });
    let stranger = Watched { site: &site, tenant: other, domain: "other.test" };
    assert_eq!(stranger.get("calls/status")["count"], 0);
    for name in ["hangup", "park", "hold", "recording"] {
        assert_eq!(stranger.command(name, &json!({"uuid": channel})).0, 404, "{name}");
    }
    let (status, body) = watched.command("transfer", &json!({"uuid": channel, "destination": "1 XML x"}));
    assert_eq!(status, 422, "{body}");
    let begun = Instant::now();
    let (status, ended) = watched.command("hangup", &json!({"uuid": channel, "cause": "CALL_REJECTED"}));
    assert_eq!((status, &ended["message"]), (200, &json!("Hangup command sent.")), "{ended}");
    until("its CDR says why", SOON, || {
        let listed = watched.get("cdrs?hangup_cause=CALL_REJECTED");
        (listed["data"].as_array()?.len() == 1).then_some(())
    });
    println!("hung up by REST, and in the list of CDRs after {:?}", begun.elapsed());
    drop(talking);
    assert!(stranger.get("cdrs?legs=1")["data"].as_array().unwrap().is_empty());

    // Phones that are registered.
    let registered = watched.get("registrations");
    assert_eq!(registered["total"], 3, "{registered:#}");

    // The daemon is killed, calls go on, and their records are there when it is back.
    site.nizamd.kill();
    let silent = Caller::phone(&one).holding(500);
    assert_eq!(site.call(&silent, "1002").over(), 200);
    assert_eq!(site.call(&silent, "1778").over(), 404);
    site.nizamd.serve();
    let watched = Watched { site: &site, tenant: one.tenant.clone(), domain: "records.test" };
    assert_eq!(watched.call("1778", 1)["billsec"], 0);

    // The database is one of an earlier day, when no phone was registered: the switch is asked.
    site.nizamd.kill();
    site.nizamd.restore();
    site.nizamd.serve();
    until("the phones are there again", SOON, || {
        let again = watched.get("registrations");
        (again["total"] == registered["total"]).then(|| println!("registrations again: {again}"))
    });
    let spool = site.switch.api("nizam spool");
    println!("{spool}");
    assert!(spool.starts_with("+OK"), "{spool}");
}

/// Whoever scans the internet sends them all day.
#[test]
fn an_invite_that_does_not_come_again_with_a_password_is_no_call() {
    if !require(&SIP) {
        return;
    }
    let mut site = Site::start_without_phones();
    let tenant = site.tenant("scanned.test");
    let account = site.extension(&tenant, "scanned.test", "1001", false);
    site.await_link();
    let events = site.switch.events();
    site.give_up(&account, "1002");
    // FreeSWITCH waits ten seconds for it (`switch_core_state_machine.c:switch_core_session_run`).
    let abandoned = events.wait("the end of a channel that waited for a password", |event| {
        event.is("CHANNEL_HANGUP_COMPLETE") && event.get("Hangup-Cause") == "WRONG_CALL_STATE"
    });
    println!("abandoned: {} {}", abandoned.get("Unique-ID"), abandoned.get("Channel-HIT-Dialplan"));
    // What comes behind it is stored behind it.
    assert_eq!(site.call(&Caller::phone(&account), "1777").over(), 404);
    let watched = Watched { site: &site, tenant, domain: "scanned.test" };
    watched.call("1777", 1);
    let strays = site.nizamd.rest().attempt(&Method::GET, "/admin/stray-events", &json!({})).1;
    let of_it = |event: &&Value| event["call_uuid"] == json!(abandoned.get("Unique-ID"));
    let kept: Vec<&Value> = strays["data"].as_array().unwrap().iter().filter(of_it).collect();
    assert!(kept.is_empty(), "{kept:#?}");
}

#[test]
fn gateways_are_as_the_switch_has_them_once_it_was_asked() {
    if !require(&SIP) {
        return;
    }
    let mut site = Site::start();
    let tenant = site.tenant("carriers.test");
    let registrar = site.callee(Manner::Registrar);
    for (name, port, register) in [("quiet", site.dead_port(), false), ("registers", registrar.port(), true)]
    {
        let body = json!({"name": name, "host": "127.0.0.1", "port": port, "register": register,
            "username": "<state>TRYING</state>", "password": "a-long-password"});
        site.nizamd.rest().create(&tenant, "gateways", &body);
    }
    // Of one that never changes no event tells.
    let states = |site: &Site| {
        let watched = Watched { site, tenant: tenant.clone(), domain: "carriers.test" };
        watched.get("gateways/status")["data"].as_array().unwrap().clone()
    };
    let registered = until("the gateway is registered", SOON, || {
        states(&site).into_iter().find(|one| one["name"] == "registers" && one["state"] == "REGED")
    });
    assert_eq!(
        (&registered["ping_status"], &registered["phrase"]),
        (&json!("UP"), &Value::Null),
        "{registered:#}"
    );
    until("mod_sofia has both", SOON, || {
        site.switch.api("sofia status gateway").contains("NOREG").then_some(())
    });
    site.nizamd.kill();
    site.nizamd.serve();
    site.await_link();
    let shown = until("both are shown", SOON, || Some(states(&site)).filter(|shown| shown.len() == 2));
    let quiet = &shown[0];
    assert_eq!(
        (&quiet["name"], &quiet["state"], &quiet["ping_status"]),
        (&json!("quiet"), &json!("NOREG"), &json!("UP")),
        "{shown:#?}"
    );
    assert_eq!(shown[1], registered, "it is so since then");
}
