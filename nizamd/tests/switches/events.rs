//! Events over a real socket: a module of our own that sends what it likes, and the tables behind it.

use crate::site::{LONG, Module, Site, call, numbered, record, record_at, record_of};
use crate::until;
use nizam_store::{Origin, Page};
use nizam_wire::link::{Api, Batch, Incarnation, ModuleEvent};
use nizamd::link::CommandError;
use std::sync::Arc;
use std::time::{Duration, Instant};

const FIRST: Incarnation = Incarnation([1; 16]);
const SECOND: Incarnation = Incarnation([2; 16]);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_switches_tell_is_stored_once_and_in_order() {
    let site = Site::start().await;
    let mut newest = site.ingest.newest();
    let (mut one, mut two) = (site.module("fs1", "c1"), site.module("fs2", "c2"));
    let first = numbered(1, call("u1"));
    one.send(FIRST, &first[..2]);
    one.acknowledged(FIRST, 2);
    // The same numbers of another switch are others, even in a life of the same name.
    two.send(FIRST, &numbered(1, call("u2")));
    two.acknowledged(FIRST, 3);
    // The acknowledgement was lost, and with it the connection: all of it is sent again.
    drop(one);
    let mut one = site.module("fs1", "c1");
    one.send(FIRST, &first);
    one.acknowledged(FIRST, 3);
    // A gap: the policy of the spool dropped what was between.
    one.send(FIRST, &numbered(10, call("u3")));
    one.acknowledged(FIRST, 12);
    for uuid in ["u1", "u2", "u3"] {
        assert_eq!(site.types(uuid).await, ["call.created", "call.answered", "call.hangup"], "{uuid}");
    }
    let cdrs = site.cdrs().await;
    assert_eq!(cdrs.len(), 3);
    assert_eq!(cdrs[0].caller_id_name.as_deref(), Some("\u{fffd}\u{fffd}odd"));
    let usage = site.store.usage(site.tenant, "2000-01-01", "2100-01-01").await.unwrap();
    assert_eq!((usage[0].count, usage[0].total), (3, 3.0));
    assert_eq!(*newest.borrow_and_update(), 9, "followers are woken");
    let told: Vec<_> = site.switches.standing().into_iter().filter(|switch| switch.connected).collect();
    assert!(told.iter().all(|switch| switch.told.received == switch.told.stored), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poisonous_event_stops_nothing() {
    let site = Site::start().await;
    let mut module = site.module("fs1", "c1");
    let mut records = call("u1").to_vec();
    records.insert(1, b"\x09no event".to_vec());
    records.insert(2, Vec::new());
    records.insert(3, record("CHANNEL_ANSWER", &"x".repeat(4000), &[]));
    let mut headers = Vec::new();
    let names: Vec<String> = (0..10_000).map(|n| format!("h{n}")).collect();
    headers.extend(names.iter().map(|name| (&**name, "v")));
    records.insert(4, record("CHANNEL_PROGRESS", "u1", &headers));
    module.send(FIRST, &numbered(1, records));
    module.acknowledged(FIRST, 7);
    assert_eq!(site.types("u1").await.len(), 4);
    assert_eq!(site.cdrs().await.len(), 1);
    assert_eq!(site.store.quarantined().await.unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_that_vanished_are_closed_and_those_that_live_are_not() {
    let site = Site::start().await;
    let mut module = site.module("fs1", "c1");
    let events: Vec<Vec<u8>> = ["u1", "u2"].iter().map(|uuid| record("CHANNEL_CREATE", uuid, &[])).collect();
    module.send(FIRST, &numbered(1, events));
    module.acknowledged(FIRST, 2);
    // The module was loaded again. FreeSWITCH is asked about each.
    module.session.ended(FIRST);
    for uuid in ["u1", "u2"] {
        let ModuleEvent::Command(command) = module.next() else { panic!("no question") };
        assert_eq!((command.api, &*command.argument), (Api::Exists, uuid));
        let lives = if uuid == "u2" { "true" } else { "false" };
        module.session.reply(command.id, Ok(lives.to_owned()));
    }
    module.acknowledged(FIRST, u64::MAX);
    let cdrs = site.cdrs().await;
    assert_eq!(cdrs.iter().map(|cdr| &*cdr.uuid).collect::<Vec<_>>(), ["u1"]);
    assert_eq!((cdrs[0].closed_by.as_deref(), &cdrs[0].hangup_cause), (Some("reconciler"), &None));
    module.send(SECOND, &numbered(1, call("u2").into_iter().skip(1)));
    module.acknowledged(SECOND, 2);
    drop(module);
    // FreeSWITCH was killed, and its last events are drained by the next one, which has another core.
    let mut module = site.module("fs1", "c2");
    module.send(SECOND, &numbered(3, [record("CHANNEL_CREATE", "u3", &[("Core-UUID", "c1")])]));
    module.acknowledged(SECOND, 3);
    module.session.ended(SECOND);
    module.acknowledged(SECOND, u64::MAX);
    // Said once more, as after an acknowledgement that was lost.
    module.session.ended(SECOND);
    module.acknowledged(SECOND, u64::MAX);
    let mut closed: Vec<(String, Option<String>)> =
        site.cdrs().await.into_iter().map(|cdr| (cdr.uuid, cdr.closed_by)).collect();
    closed.sort();
    let by = |uuid: &str, closed: bool| (uuid.to_owned(), closed.then(|| "reconciler".to_owned()));
    assert_eq!(closed, [by("u1", true), by("u2", false), by("u3", true)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registrations_that_no_event_told_of_are_asked_for_when_a_switch_connects() {
    let site = Site::start().await;
    let registered = |user: &str, call_id: &str| {
        let headers = [
            ("from-user", user),
            ("from-host", "acme.example"),
            ("call-id", call_id),
            ("contact", &*format!("\"{user}\" <sip:{user}@h>")),
            ("expires", "3600"),
            ("user-agent", "Phone/1"),
        ];
        record_of("sofia::register", 4_000_000_000_000_000, &headers)
    };
    let mut module = site.module("fs1", "c1");
    let phones = [registered("1001", "one"), registered("1002", "two"), registered("1003", "three")];
    module.send(FIRST, &numbered(1, phones));
    module.acknowledged(FIRST, 3);
    drop(module);
    // Meanwhile 1004 came, and 1003 was restarted; one is of a domain that is nobody's, and one of another switch.
    let mut other = site.module("fs2", "c2");
    other.send(FIRST, &numbered(1, [registered("1009", "nine")]));
    other.acknowledged(FIRST, 1);
    let row = |user: &str, domain: &str, token: &str| {
        format!(
            "{{\"reg_user\":\"{user}\",\"realm\":\"{domain}\",\"token\":\"{token}\",\"url\":\"sofia/internal/sip:{user}@h\",\
             \"expires\":\"4000000000\",\"network_ip\":\"127.0.0.1\",\"network_port\":\"5070\"}}"
        )
    };
    let rows = [
        row("1001", "acme.example", "one"),
        row("1003", "acme.example", "another"),
        row("1004", "ACME.example", "four"),
        row("1005", "nobody.example", "five"),
    ];
    let shown = format!("{{\"row_count\":4,\"rows\":[{}]}}", rows.join(","));
    let mut module = site.module_showing(&shown, "fs1", "c1");
    let phones = async || {
        let all = site.store.registrations(site.tenant, Page { number: 1, size: 100 }).await.unwrap().rows;
        let of = |phone: nizam_store::Registered| (phone.user, phone.switch_name, phone.user_agent.is_some());
        all.into_iter().map(of).collect::<Vec<_>>()
    };
    let wanted = [
        ("1001", "fs1", true),
        ("1002", "fs1", true),
        ("1003", "fs1", false),
        ("1004", "fs1", false),
        ("1009", "fs2", true),
    ]
    .map(|(user, switch, told)| (user.to_owned(), switch.to_owned(), told));
    let deadline = Instant::now() + LONG;
    while phones().await != wanted {
        assert!(Instant::now() < deadline, "{:?}", phones().await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    module.send(FIRST, &numbered(4, call("u1")));
    module.acknowledged(FIRST, 6);
    assert_eq!(phones().await, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_while_a_switch_shows_its_registrations_is_newer_than_what_it_shows() {
    let site = Site::start().await;
    let mut module = Module::connect(&site.dir.path().join("nizam.sock"), "fs1", "c1");
    let ModuleEvent::Command(asked) = module.next() else { panic!("no question") };
    let said = |action: &str, user: &str| {
        let headers =
            [("from-user", user), ("from-host", "acme.example"), ("call-id", user), ("expires", "3600")];
        record_of(&format!("sofia::{action}"), 4_000_000_000_000_000, &headers)
    };
    // It has made its list already: 1001 goes, and 1002 comes.
    module.send(FIRST, &numbered(1, [said("unregister", "1001"), said("register", "1002")]));
    module.acknowledged(FIRST, 2);
    let list =
        "{\"row_count\":1,\"rows\":[{\"reg_user\":\"1001\",\"realm\":\"acme.example\",\"token\":\"1001\"}]}";
    module.session.reply(asked.id, Ok(list.to_owned()));
    module.send(FIRST, &numbered(3, call("u1")));
    module.acknowledged(FIRST, 5);
    let all = site.store.registrations(site.tenant, Page { number: 1, size: 100 }).await.unwrap().rows;
    assert_eq!(all.iter().map(|phone| &*phone.user).collect::<Vec<_>>(), ["1002"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_that_shows_no_registrations_has_its_events_stored_all_the_same() {
    let site = Site::start().await;
    let mut module = site.module_showing("-ERR show Command not found!\n", "fs1", "c1");
    module.send(FIRST, &numbered(1, call("u1")));
    module.acknowledged(FIRST, 3);
    assert_eq!(site.cdrs().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_whose_end_was_dropped_are_closed_while_the_switch_goes_on() {
    let site = Site::start().await;
    let mut module = site.module("fs1", "c1");
    let events = ["u1", "u2", "a.b"].map(|uuid| record("CHANNEL_CREATE", uuid, &[]));
    module.send(FIRST, &numbered(1, events));
    module.acknowledged(FIRST, 3);
    let tell = |module: &mut Module, number, event| {
        module.session.events(Batch { incarnation: FIRST, events: vec![(number, event)], dropped: 3 });
    };
    tell(&mut module, 7, record("CHANNEL_CREATE", "u3", &[]));
    module.acknowledged(FIRST, 7);
    // What it told before is on its way: nobody is asked until it is there. One look is enough, and an odd id cannot be asked for.
    tokio::time::sleep(Duration::from_millis(200)).await;
    tell(&mut module, 8, record_at(4_000_000_000_000_000, "CHANNEL_CREATE", "u4", &[]));
    module.acknowledged(FIRST, 8);
    for uuid in ["u3", "u1", "u2"] {
        let ModuleEvent::Command(command) = module.next() else { panic!("no question") };
        assert_eq!((command.api, &*command.argument), (Api::Exists, uuid));
        let lives = if uuid == "u1" { "false" } else { "true" };
        module.session.reply(command.id, Ok(lives.to_owned()));
    }
    let ModuleEvent::Command(again) = module.next() else { panic!("no question") };
    assert_eq!((again.api, &*again.argument), (Api::Show, "registrations as json"));
    module.session.reply(again.id, Ok("{\"row_count\":0}".to_owned()));
    let [_, _, end] = call("u1");
    tell(&mut module, 9, record("CHANNEL_ANSWER", "u2", &[]));
    module.acknowledged(FIRST, 9);
    let cdrs: Vec<(String, bool)> =
        site.cdrs().await.into_iter().map(|cdr| (cdr.uuid, cdr.closed_by.is_some())).collect();
    assert_eq!(cdrs, [("u1".to_owned(), true)]);
    // Its own word comes after all.
    tell(&mut module, 10, end);
    module.acknowledged(FIRST, 10);
    assert!(site.cdrs().await.iter().all(|cdr| cdr.closed_by.is_none()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_is_said_again_closes_no_channel_of_a_later_life() {
    let site = Site::start().await;
    let mut module = site.module("fs1", "c1");
    module.send(FIRST, &numbered(1, [record("CHANNEL_CREATE", "u1", &[("Core-UUID", "c1")])]));
    module.acknowledged(FIRST, 1);
    drop(module);
    // FreeSWITCH was killed. Of a call of the next one only the beginning is stored when the link breaks, and with it goes the answer to
    // the end of the first life.
    let mut module = site.module("fs1", "c2");
    module.session.ended(FIRST);
    module.acknowledged(FIRST, u64::MAX);
    let [created, answered, hangup] = call("u2");
    module.send(SECOND, &numbered(1, [created]));
    module.acknowledged(SECOND, 1);
    drop(module);
    // The call is over, but the events that say so are behind the end that is said again: no question about it would be answered.
    let mut module = site.module("fs1", "c2");
    module.session.ended(FIRST);
    module.acknowledged(FIRST, u64::MAX);
    module.send(SECOND, &numbered(2, [answered, hangup]));
    module.acknowledged(SECOND, 3);
    assert_eq!(site.types("u2").await, ["call.created", "call.answered", "call.hangup"]);
    assert_eq!(site.types("u1").await, ["call.created", "call.hangup"]);
    let closed: Vec<(String, bool)> =
        site.cdrs().await.into_iter().map(|cdr| (cdr.uuid, cdr.closed_by.is_some())).collect();
    assert_eq!(closed.len(), 2);
    assert!(
        closed.contains(&("u1".to_owned(), true)) && closed.contains(&("u2".to_owned(), false)),
        "{closed:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_of_a_life_whose_spool_is_gone_are_closed_when_the_next_one_tells_something() {
    let site = Site::start().await;
    let mut module = site.module("fs1", "c1");
    module.send(FIRST, &numbered(1, [record("CHANNEL_CREATE", "u1", &[("Core-UUID", "c1")])]));
    module.acknowledged(FIRST, 1);
    let mut other = site.module("fs2", "c9");
    other.send(FIRST, &numbered(1, [record("CHANNEL_CREATE", "u9", &[("Core-UUID", "c9")])]));
    other.acknowledged(FIRST, 1);
    drop(module);
    // It died, but its spool is there: what it told last comes first, and counts.
    let mut module = site.module("fs1", "c2");
    assert!(site.cdrs().await.is_empty());
    let [_, answered, hangup] = call("u1");
    module.send(FIRST, &numbered(2, [answered, hangup]));
    module.send(FIRST, &numbered(4, [record("CHANNEL_CREATE", "u2", &[("Core-UUID", "c1")])]));
    module.acknowledged(FIRST, 4);
    drop(module);
    // Now the disk is another one: nobody says that the first life has ended.
    let mut module = site.module("fs1", "c3");
    for (number, uuid) in [(1, "u3"), (2, "u4")] {
        module.send(SECOND, &numbered(number, [record("CHANNEL_CREATE", uuid, &[("Core-UUID", "c3")])]));
        module.acknowledged(SECOND, number);
    }
    let closed = async || {
        let mut cdrs: Vec<_> = site.cdrs().await.into_iter().map(|cdr| (cdr.uuid, cdr.closed_by)).collect();
        cdrs.sort();
        cdrs
    };
    let reconciler = Some("reconciler".to_owned());
    let wanted = [("u1".to_owned(), None), ("u2".to_owned(), reconciler)];
    // The channels of the life that goes on, and those of another switch, live.
    let start = Instant::now();
    while closed().await.len() < 2 && start.elapsed() < LONG {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(closed().await, wanted);
    let [_, _, hangup] = call("u3");
    module.send(SECOND, &numbered(3, [hangup]));
    module.acknowledged(SECOND, 3);
    assert_eq!(closed().await.len(), 3);
    assert!(site.store.lives_before(second("c3")).await.unwrap().is_empty(), "and the first has ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_switches_of_one_name_do_not_end_each_other() {
    let site = Site::looking_after(Duration::from_secs(1)).await;
    let mut active = site.module("fs1", "c1");
    active.send(FIRST, &numbered(1, [record("CHANNEL_CREATE", "u1", &[("Core-UUID", "c1")])]));
    active.acknowledged(FIRST, 1);
    let mut standby = site.module("fs1", "c2");
    for number in 1..80 {
        standby.send(SECOND, &numbered(number, [record("HEARTBEAT", "", &[("Core-UUID", "c2")])]));
        standby.acknowledged(SECOND, number);
        active.send(FIRST, &numbered(number + 1, [record("HEARTBEAT", "", &[("Core-UUID", "c1")])]));
        active.acknowledged(FIRST, number + 1);
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert!(site.cdrs().await.is_empty(), "the call of the active one goes on");
}

fn second(core_uuid: &str) -> Origin<'_> {
    Origin { switch: "fs1", core_uuid, incarnation: SECOND.0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_answered_in_any_order_and_refused_where_nobody_is() {
    let site = Site::start().await;
    let command = |argument: &'static str, deadline| {
        let switches = Arc::clone(&site.switches);
        tokio::spawn(async move { switches.command(Api::Show, argument, deadline).await })
    };
    assert_eq!(command("calls", LONG).await.unwrap(), Err(CommandError::NoSwitch));
    let mut module = site.module("fs1", "c1");
    until("the switch", || site.switches.standing().iter().any(|switch| switch.connected)).await;
    let asked = ["one", "two", "three"].map(|argument| command(argument, LONG));
    let mut got = Vec::new();
    for _ in &asked {
        let ModuleEvent::Command(command) = module.next() else { panic!("no command") };
        got.push(command);
    }
    got.reverse();
    for command in got {
        let result = if command.argument == "two" { Err("no".to_owned()) } else { Ok(command.argument) };
        module.session.reply(command.id, result);
    }
    module.flush();
    let [one, two, three] = asked;
    assert_eq!(one.await.unwrap(), Ok("one".to_owned()));
    assert_eq!(two.await.unwrap(), Err(CommandError::Refused("no".to_owned())));
    assert_eq!(three.await.unwrap(), Ok("three".to_owned()));
    // A slow one delays no other.
    let slow = command("slow", Duration::from_millis(200));
    let ModuleEvent::Command(late) = module.next() else { panic!("no command") };
    assert_eq!((late.deadline, slow.await.unwrap()), (200, Err(CommandError::Late)));
    module.session.reply(late.id, Ok("too late".to_owned()));
    let open = command("open", LONG);
    let ModuleEvent::Command(_) = module.next() else { panic!("no command") };
    drop(module);
    assert_eq!(open.await.unwrap(), Err(CommandError::Gone));
}
