//! Those who may not: a live call of one tenant, and everybody who has nothing to do with it.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::{House, Operation};
use crate::support::{Events, Rest, Site, until};

const SOON: Duration = Duration::from_secs(20);

/// What a text is wrapped in that still reads as the same UUID, or almost. `@` is its place.
const CLOTHES: [&str; 8] = ["@", "{@}", "urn:uuid:@", " @\n", "@ @", "@\n@", "'@'", "@\u{0}"];
/// What changes in a channel about which nobody does anything: the time, and the event that tells of it.
const OF_THE_MOMENT: [&str; 1] = ["Event-"];

/// Tries every operation on a call of `victim`; the refusals. The call goes on, and nothing of it is other than before.
pub(crate) fn strangers(
    site: &Site,
    [victim, stranger]: [&House; 2],
    operations: &[Operation],
    events: &Events,
    own_number: &str,
) -> usize {
    let (call, foreign) = (victim.talk(site), stranger.talk(site));
    let of = |call: &str| legs(site, events, call);
    let (legs, own) = (of(&call.uuid(events)), of(&foreign.uuid(events)));
    for (house, legs) in [(victim, &legs), (stranger, &own)] {
        until("the daemon knows both legs", SOON, || {
            let shown = shown(&house.user, house);
            legs.iter().all(|leg| shown.contains(leg)).then_some(())
        });
    }
    let before = legs.each_ref().map(|leg| dump(site, leg));
    let told = |mark: &str| {
        // Events come in order, so all are there that were before this one.
        site.switch.try_api(&format!("echo {mark}")).unwrap();
        events.wait(mark, |event| event.is("API") && event.get("API-Command-Argument") == mark);
        let of_legs = events.count_of(|event| legs.iter().any(|leg| event.get("Unique-ID") == leg));
        // Looking at channels is the suite's own doing.
        let of_suite = ["echo", "uuid_dump"];
        let commands =
            events.count_of(|event| event.is("API") && !of_suite.contains(&event.get("API-Command")));
        (of_legs, commands)
    };
    let so_far = told("before");

    let gardener = victim.gardener(site);
    let admin = site.nizamd.rest();
    let mut refused = 0;
    let mut try_one = |rest: &Rest, operation: &Operation, tenant: &str, body: &Value, want: u16| {
        let (status, answer) = rest.attempt(&operation.method, &operation.path(tenant), body);
        assert_eq!(status, want, "{} {body}: {answer}", operation.name);
        refused += 1;
    };
    for operation in operations {
        for leg in &legs {
            let channels = [own[0].as_str(), own[1].as_str()];
            for argument in operation.channels() {
                for clothes in CLOTHES {
                    let body = operation.body(&[(argument, &clothes.replace('@', leg))], channels);
                    // Whoever may do everything in every tenant, too, says whose call it is.
                    for rest in [&stranger.user, admin] {
                        try_one(rest, operation, &stranger.tenant, &body, 404);
                    }
                }
                let body = operation.body(&[(argument, leg)], [&legs[0], &legs[1]]);
                for rest in [&stranger.user, &gardener] {
                    try_one(rest, operation, &victim.tenant, &body, 403);
                }
            }
        }
        if operation.channels().next().is_none() {
            let body = operation.body(&[], [&legs[0], &legs[1]]);
            for rest in [&stranger.user, &gardener] {
                try_one(rest, operation, &victim.tenant, &body, 403);
            }
        }
        if operation.rings() {
            let body = operation.body(&[("extension", own_number)], [&own[0], &own[1]]);
            try_one(&stranger.user, operation, &stranger.tenant, &body, 404);
        }
    }
    let after = legs.each_ref().map(|leg| dump(site, leg));
    assert_eq!(before, after);
    assert_eq!(so_far, told("after"), "events of the call, and commands");
    let listed = shown(&stranger.user, stranger);
    assert!(legs.iter().all(|leg| !listed.contains(leg)), "{listed}");

    // It goes on until its own tenant ends it.
    for (house, call, legs) in [(victim, call, &legs), (stranger, foreign, &own)] {
        let operation = operations.iter().find(|operation| operation.name == "hangup").unwrap();
        let body = operation.body(&[("uuid", &legs[0]), ("cause", "NORMAL_CLEARING")], [&legs[0], &legs[1]]);
        let (status, answer) = house.user.attempt(&operation.method, &operation.path(&house.tenant), &body);
        assert_eq!((status, answer["response"].as_str()), (200, Some("+OK")), "{answer}");
        assert_eq!(call.over(), 200);
        for leg in legs {
            let end = events.wait("the end of a leg", |event| {
                event.is("CHANNEL_HANGUP_COMPLETE") && event.get("Unique-ID") == leg
            });
            assert_eq!(end.get("Hangup-Cause"), "NORMAL_CLEARING");
        }
    }
    refused
}

/// Both channels of a call, by the one that began it.
fn legs(site: &Site, events: &Events, first: &str) -> [String; 2] {
    let second = events.wait("the other leg", |event| {
        event.is("CHANNEL_CREATE") && event.get("Other-Leg-Unique-ID") == first
    });
    let second = second.get("Unique-ID").to_owned();
    until("both talk", SOON, || {
        let dump = dump(site, first);
        (dump.get("Channel-Call-State").map(String::as_str) == Some("ACTIVE")).then_some(())
    });
    [first.to_owned(), second]
}

/// What the daemon says are the tenant's channels.
fn shown(rest: &Rest, house: &House) -> String {
    let path = format!("/tenants/{}/calls/status", house.tenant);
    let (status, answer) = rest.attempt(&Method::GET, &path, &Value::Null);
    assert_eq!(status, 200, "{answer}");
    answer.to_string()
}

/// All that FreeSWITCH says of a channel, but what is of the moment.
fn dump(site: &Site, channel: &str) -> BTreeMap<String, String> {
    let text = site.switch.try_api(&format!("uuid_dump {channel}")).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    let lasting = lines.filter(|(name, _)| !OF_THE_MOMENT.iter().any(|moment| name.starts_with(moment)));
    lasting.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
