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
/// Instead of a state: the answer is no gateway, but that text.
const STRANGE: &str = "strange";
/// Instead of a state: no answer comes.
const SILENT: &str = "silent";

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

fn added(name: &str) -> Vec<u8> {
    record_of("sofia::gateway_add", AT, &[("Gateway", name), ("profile-name", "external")])
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

/// The questions that come before an event is acknowledged.
#[track_caller]
fn heard_before(module: &mut Module, acknowledged: u64) -> Vec<Command> {
    let mut heard = Vec::new();
    loop {
        match module.next() {
            ModuleEvent::Command(command) => heard.push(command),
            ModuleEvent::Ack { sequence, .. } if sequence == acknowledged => return heard,
            other => panic!("{other:?}"),
        }
    }
}

/// What a switch says of a gateway: its state and what pings say; `None`: it has none of that name.
type Says<'a> = Option<(&'a str, &'a str)>;

/// Answers the questions of a connection's beginning, some of which have been heard: each of these gateways is asked for once, in
/// the order of their names, and no other.
#[track_caller]
fn answers(module: &mut Module, heard: Vec<Command>, gateways: &BTreeMap<&str, Says<'_>>) {
    answers_all(module, heard, 1, gateways);
}

/// Answers when they are asked for later.
#[track_caller]
fn answers_again(module: &mut Module, gateways: &BTreeMap<&str, Says<'_>>) {
    answers_all(module, Vec::new(), 0, gateways);
}

/// Phones are asked for so many times.
#[track_caller]
fn answers_all(module: &mut Module, heard: Vec<Command>, phones: usize, gateways: &BTreeMap<&str, Says<'_>>) {
    let mut asked = Vec::new();
    let mut shown = 0;
    let mut heard = heard.into_iter();
    while asked.len() < gateways.len() || shown < phones {
        let command = heard.next().unwrap_or_else(|| command(module));
        if command.api == Api::Show {
            shown += 1;
            module.session.reply(command.id, Ok("{\"row_count\":0}".to_owned()));
        } else {
            assert_eq!(command.api, Api::Gateway);
            let gateway = gateways.get(&*command.argument).unwrap_or_else(|| panic!("{command:?}"));
            let answer = match gateway {
                Some((SILENT, _)) => {
                    asked.push(command.argument);
                    continue;
                }
                Some((STRANGE, text)) => (*text).to_owned(),
                Some((state, status)) => shows(&command.argument, state, status),
                None => "Invalid Gateway!\n".to_owned(),
            };
            module.session.reply(command.id, Ok(answer));
            asked.push(command.argument);
        }
        module.flush();
    }
    assert_eq!(shown, phones);
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
    let heard = heard_before(&mut module, 5);
    let shown = [(&*a, Some(("NOREG", "DOWN"))), (&b, Some(("FAIL_WAIT", "DOWN"))), (&c, None)];
    answers(&mut module, heard, &shown.into());
    let mut wanted = vec![
        state("fs1", "a", "NOREG", "DOWN", false),
        state("fs1", "b", "REGED", "UP", true),
        state("fs2", "b", "REGED", "UP", true),
        state("fs1", "c", "REGED", "UP", true),
    ];
    until_states(&site, &wanted).await;
    // One that it should have is gone when it is asked again.
    answers_again(
        &mut module,
        &[(&*a, Some(("NOREG", "DOWN"))), (&b, Some(("REGED", "UP"))), (&c, None)].into(),
    );
    wanted.pop();
    until_states(&site, &wanted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_that_a_profile_has_not_read_yet_keep_what_is_known_of_them() {
    let site = Site::start().await;
    let a = gateway(&site, "a", true).await;
    let b = gateway(&site, "b", true).await;
    let there = [(&*a, Some(("NOREG", "UP"))), (&*b, Some(("NOREG", "UP")))].into();
    let mut module = connect(&site);
    answers(&mut module, Vec::new(), &there);
    let wanted = [state("fs1", "a", "NOREG", "UP", false), state("fs1", "b", "NOREG", "UP", false)];
    until_states(&site, &wanted).await;
    let first = since(&site, "b").await;
    drop(module);

    // It has started again, and mod_sofia has its command but no gateway yet.
    let mut module = Module::connect(&site.dir.path().join("nizam.sock"), "fs1", "c2");
    // It reads them one after the other, the first while it is asked.
    module.send(LIFE, &numbered(1, [added(&a)]));
    let heard = heard_before(&mut module, 1);
    answers(&mut module, heard, &[(&*a, None), (&*b, None)].into());
    answers_again(&mut module, &[(&*a, Some(("NOREG", "DOWN"))), (&*b, None)].into());
    let wanted = [state("fs1", "a", "NOREG", "DOWN", false), state("fs1", "b", "NOREG", "UP", false)];
    until_states(&site, &wanted).await;
    answers_again(&mut module, &[(&*a, Some(("NOREG", "UP"))), (&*b, Some(("NOREG", "UP")))].into());
    let wanted = [state("fs1", "a", "NOREG", "UP", false), state("fs1", "b", "NOREG", "UP", false)];
    until_states(&site, &wanted).await;
    assert_eq!(since(&site, "b").await, first, "it was never taken away");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_that_are_added_while_a_switch_is_connected_are_asked_for() {
    let site = Site::start().await;
    let a = gateway(&site, "a", true).await;
    let mut module = connect(&site);
    answers(&mut module, Vec::new(), &[(&*a, Some(("NOREG", "UP")))].into());
    until_states(&site, &[state("fs1", "a", "NOREG", "UP", false)]).await;
    let b = gateway(&site, "b", true).await;
    let c = gateway(&site, "c", true).await;
    for (number, name) in [(1, &b), (2, &c)] {
        module.send(LIFE, &numbered(number, [added(name)]));
        module.acknowledged(LIFE, number);
    }
    // Once for both: a second question for any of them fails.
    let shown = [(&*a, Some(("NOREG", "UP"))), (&*b, Some(("NOREG", "UP"))), (&*c, Some(("NOREG", "UP")))];
    answers_again(&mut module, &shown.into());
    let wanted = ["a", "b", "c"].map(|name| state("fs1", name, "NOREG", "UP", false));
    until_states(&site, &wanted).await;
    // Another one is another question.
    module.send(LIFE, &numbered(3, [added(&c)]));
    module.acknowledged(LIFE, 3);
    let shown = [(&*a, Some(("NOREG", "UP"))), (&*b, Some(("NOREG", "UP"))), (&*c, Some(("NOREG", "DOWN")))];
    answers_again(&mut module, &shown.into());
    let wanted = [("a", "UP"), ("b", "UP"), ("c", "DOWN")]
        .map(|(name, ping)| state("fs1", name, "NOREG", ping, false));
    until_states(&site, &wanted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_that_are_not_shown_are_left_out_and_asked_for_again() {
    let site = Site::start().await;
    let a = gateway(&site, "a", true).await;
    let b = gateway(&site, "b", true).await;
    let c = gateway(&site, "c", true).await;
    let d = gateway(&site, "d", true).await;
    let mut module = connect(&site);
    let up = Some(("NOREG", "UP"));
    // One answer is strange, and one never comes.
    let shown = [(&*a, up), (&b, Some((STRANGE, "<gateway>"))), (&c, Some((SILENT, ""))), (&d, up)];
    answers(&mut module, Vec::new(), &shown.into());
    let [a_up, b_up, c_up, d_up] = ["a", "b", "c", "d"].map(|name| state("fs1", name, "NOREG", "UP", false));
    until_states(&site, &[a_up.clone(), d_up.clone()]).await;
    answers_again(&mut module, &[(&*a, up), (&b, up), (&c, up), (&d, up)].into());
    until_states(&site, &[a_up, b_up, c_up, d_up]).await;
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
