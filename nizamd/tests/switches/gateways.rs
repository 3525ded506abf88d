//! How gateways are: asked for when a switch connects, and told by its events.

use crate::ACTOR;
use crate::site::{LONG, Module, Site, call, numbered, record_of};
use nizam_core::resource::{GATEWAY, Purpose};
use nizam_core::validate::{Fields, Input};
use nizam_wire::link::{Api, Command, Incarnation, ModuleEvent};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use uuid::Uuid;

const LIFE: Incarnation = Incarnation([1; 16]);
const AT: i64 = 1_785_153_600_000_000;

/// Makes a gateway, and gives the name that a switch has of it.
async fn gateway(site: &Site, name: &str, active: bool) -> String {
    let body = json!({"name": name, "host": "carrier.example", "is_active": active});
    let serde_json::Value::Object(map) = body else { panic!("no map") };
    let values = GATEWAY.read(Purpose::Create, &mut Fields::new(&Input::of(map))).unwrap();
    let made = site.store.create_record(&ACTOR, &GATEWAY, site.tenant, values).await.unwrap().value.record;
    format!("{}-{}", made.id, made.version)
}

fn shows(name: &str, state: &str, status: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n  <gateway>\n    <name>{name}</name>\n    \
         <username>x</username>\n    <state>REGED</state>\n    <status>UP</status>\n    <username></username>\n    \
         <state>{state}</state>\n    <status>{status}</status>\n  </gateway>\n"
    )
}

fn told(name: &str, state: &str, at: i64) -> Vec<u8> {
    let headers =
        [("Gateway", name), ("State", state), ("Ping-Status", "UP"), ("Phrase", "OK"), ("Status", "200")];
    record_of("sofia::gateway_state", at, &headers)
}

fn connect(site: &Site) -> Module {
    Module::connect(&site.dir.path().join("nizam.sock"), "fs1", "c1")
}

#[track_caller]
fn command(module: &mut Module) -> Command {
    match module.next() {
        ModuleEvent::Command(command) => command,
        other => panic!("{other:?}"),
    }
}

/// Answers the questions of a connection's beginning, some of which have been heard: each of these gateways is asked for once, in
/// the order of their names, and no other.
#[track_caller]
fn answers(module: &mut Module, heard: Vec<Command>, gateways: &BTreeMap<&str, Option<(&str, &str)>>) {
    let mut asked = Vec::new();
    let mut phones = 0;
    let mut heard = heard.into_iter();
    while asked.len() < gateways.len() || phones == 0 {
        let command = heard.next().unwrap_or_else(|| command(module));
        if command.api == Api::Show {
            phones += 1;
            module.session.reply(command.id, Ok("{\"row_count\":0}".to_owned()));
        } else {
            assert_eq!(command.api, Api::Gateway);
            let gateway = gateways.get(&*command.argument).unwrap_or_else(|| panic!("{command:?}"));
            let answer = gateway.map_or_else(
                || "Invalid Gateway!\n".to_owned(),
                |(state, status)| shows(&command.argument, state, status),
            );
            module.session.reply(command.id, Ok(answer));
            asked.push(command.argument);
        }
        module.flush();
    }
    assert!(asked.iter().eq(gateways.keys()), "{asked:?}");
}

/// Switch, name, state, what pings say and the phrase of a gateway.
type State = (String, String, String, Option<String>, Option<String>);

async fn states(site: &Site) -> Vec<State> {
    let all = site.store.gateway_states(site.tenant).await.unwrap();
    all.into_iter()
        .map(|one| (one.switch_name, one.name.unwrap(), one.state, one.ping_status, one.phrase))
        .collect()
}

async fn until_states(site: &Site, wanted: &[State]) {
    let deadline = Instant::now() + LONG;
    while states(site).await != wanted {
        assert!(Instant::now() < deadline, "{:?}", states(site).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn state(switch: &str, name: &str, state: &str, ping: &str, told: bool) -> State {
    (switch.into(), name.into(), state.into(), Some(ping.into()), told.then(|| "OK".into()))
}

async fn since(site: &Site, name: &str) -> i64 {
    let all = site.store.gateway_states(site.tenant).await.unwrap();
    all.iter().find(|one| one.name.as_deref() == Some(name) && one.switch_name == "fs1").unwrap().changed_at
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_that_are_otherwise_than_events_told_are_asked_for_when_a_switch_connects() {
    let site = Site::start().await;
    let a = gateway(&site, "a", true).await;
    let b = gateway(&site, "b", true).await;
    let c = gateway(&site, "c", true).await;
    let d = gateway(&site, "d", false).await;
    // Of one that does not register no event tells.
    let mut module = connect(&site);
    answers(&mut module, Vec::new(), &[(&*a, Some(("NOREG", "UP"))), (&b, None), (&c, None)].into());
    until_states(&site, &[state("fs1", "a", "NOREG", "UP", false)]).await;
    let first = since(&site, "a").await;
    let strange = format!("{}-1 x", Uuid::now_v7());
    let events = [&b, &c, &d, &strange].map(|name| told(name, "REGED", AT));
    module.send(LIFE, &numbered(1, events));
    module.acknowledged(LIFE, 4);
    drop(module);
    let mut other = Module::connect(&site.dir.path().join("nizam.sock"), "fs2", "c2");
    answers(&mut other, Vec::new(), &[(&*a, None), (&b, None), (&c, None)].into());
    other.send(LIFE, &numbered(1, [told(&b, "REGED", AT)]));
    other.acknowledged(LIFE, 1);

    // What is as events told it, is so since then; and one that the switch does not have, is nowhere.
    let mut module = connect(&site);
    let shown = [
        (&*a, Some(("NOREG", "UP"))),
        (&b, Some(("FAIL_WAIT", "DOWN"))),
        (&c, Some(("REGED", "UP"))),
        (&d, None),
    ];
    answers(&mut module, Vec::new(), &shown.into());
    let wanted = [
        state("fs1", "a", "NOREG", "UP", false),
        state("fs1", "b", "FAIL_WAIT", "DOWN", false),
        state("fs2", "b", "REGED", "UP", true),
        state("fs1", "c", "REGED", "UP", true),
    ];
    until_states(&site, &wanted).await;
    assert_eq!((since(&site, "a").await, since(&site, "c").await), (first, AT));
    assert!(since(&site, "b").await > AT);
    drop(module);

    // What happens while it is asked is newer than its answers.
    let mut module = connect(&site);
    module.send(LIFE, &numbered(5, [told(&b, "REGED", AT + 1)]));
    let mut heard = Vec::new();
    loop {
        match module.next() {
            ModuleEvent::Command(command) => heard.push(command),
            ModuleEvent::Ack { sequence: 5, .. } => break,
            other => panic!("{other:?}"),
        }
    }
    let shown = [(&*a, Some(("NOREG", "DOWN"))), (&b, Some(("FAIL_WAIT", "DOWN"))), (&c, None)];
    answers(&mut module, heard, &shown.into());
    let wanted = [
        state("fs1", "a", "NOREG", "DOWN", false),
        state("fs1", "b", "REGED", "UP", true),
        state("fs2", "b", "REGED", "UP", true),
    ];
    until_states(&site, &wanted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_without_mod_sofia_has_its_events_stored_and_what_it_told_stays() {
    let site = Site::start().await;
    let name = gateway(&site, "a", true).await;
    for printed in [Err("INVALID COMMAND!\n".to_owned()), Ok("-ERR no such command\n".to_owned())] {
        let mut module = connect(&site);
        for _ in 0..2 {
            let command = command(&mut module);
            module.session.reply(command.id, printed.clone());
            module.flush();
        }
        module.send(LIFE, &numbered(1, call("u1").into_iter().chain([told(&name, "REGED", AT)])));
        module.acknowledged(LIFE, 4);
        assert_eq!(states(&site).await, [state("fs1", "a", "REGED", "UP", true)]);
    }
    assert_eq!(site.cdrs().await.len(), 1);
}
