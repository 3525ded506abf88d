//! Queues.

use std::collections::BTreeSet;

use serde_json::json;

use super::world::World;
use crate::support::{Caller, Cases, Manner};

pub(crate) fn run() {
    let world = World::start("queues.test", &json!({}));
    let mut cases = Cases::default();
    let phone = Caller::phone(&world.extension("1001", &json!({})));
    let (agent, mut agent_phone) = world.phone("1002", Manner::Answer, &json!({}));
    let (busy, mut busy_phone) = world.phone("1003", Manner::Refuse(486), &json!({}));
    let (later, mut later_phone) = world.phone("1004", Manner::Answer, &json!({}));
    let absent = world.extension("1005", &json!({}));
    let mailbox = world.extension("1006", &json!({"voicemail_enabled": true, "voicemail_pin": "4711"}));
    let queue =
        |name: &str, more: &serde_json::Value, agents: &[(&crate::support::Account, &str)], did: &str| {
            let queue = world.queue(name, more, agents);
            world.did(did, "queue", &queue.id);
            queue
        };

    cases.case("Destinations queue", "all agents that are available ring at once", || {
        let more = json!({"strategy": "ring_all"});
        queue(
            "all",
            &more,
            &[(&busy, "available"), (&agent, "available"), (&absent, "paused")],
            "+4930100001",
        );
        let told = world.call(&phone, "+4930100001");
        told.expect(
            200,
            &[
                "answer",
                "set ringback=tone_stream://",
                "set call_timeout=20",
                "bridge {ignore_early_media=true}user/1003@queues.test,user/1002@queues.test",
            ],
        );
        agent_phone.next_call();
        busy_phone.next_call();
    });
    cases.case("Destinations queue", "agents ring one after another, those who rested longest first", || {
        let more =
            json!({"strategy": "least_recent", "music_on_hold": "tone_stream://%(100,100,300);loops=-1"});
        // An extension has one agent: these are those of the first queue.
        let queue = world.queue("one", &more, &[]);
        world.did("+4930100002", "queue", &queue.id);
        let agents = world.site.nizamd.rest().call(
            &reqwest::Method::GET,
            &format!("/tenants/{}/agents", world.tenant),
            &json!({}),
        );
        for agent in agents.as_array().unwrap() {
            world.post(&format!("queues/{}/members", queue.id), &json!({"agent_id": agent["id"]}));
        }
        let told = world.call(&phone, "+4930100002");
        told.expect(
            200,
            &[
                "set ringback=tone_stream://%(100,100,300);loops=-1",
                "bridge user/1003@queues.test",
                "bridge user/1002@queues.test",
            ],
        );
        busy_phone.next_call();
        agent_phone.next_call();
    });
    cases.case(
        "Destinations queue, Continuations nizam:queue:QUEUE:UNTIL",
        "without an agent a call waits, until one is available",
        || {
            let waiting =
                queue("waiting", &json!({"max_wait_time": 60}), &[(&later, "offline")], "+4930100003");
            let (call, uuid) = world.talk(&phone, "+4930100003");
            world.events.wait_for_step(&uuid, "playback", "tone_stream://");
            world.post(&format!("agents/{}/state", waiting.agents[0]), &json!({"state": "available"}));
            later_phone.next_call();
            let steps = [
                "set playback_timeout_sec=10",
                "playback ",
                "transfer nizam:queue:",
                "bridge user/1004@queues.test",
            ];
            let told = world.end(call);
            told.expect(200, &steps);
            let rounds = told.steps.iter().filter(|step| step.data.starts_with("nizam:queue:"));
            let until: BTreeSet<_> = rounds.map(|step| step.data.as_str()).collect();
            assert_eq!(until.len(), 1, "the wait ends when it would have ended: {told:#?}");
        },
    );
    cases.case("Destinations queue", "who waited too long goes where the queue says", || {
        let kinds = [
            ("extension", agent.number.as_str(), "bridge user/1002@queues.test"),
            ("voicemail", mailbox.id.as_str(), "voicemail default queues.test 1006"),
            ("hangup", "", "hangup NORMAL_CLEARING"),
            ("extension", "1999", "hangup UNALLOCATED_NUMBER"),
        ];
        let calls: Vec<_> = kinds
            .into_iter()
            .zip(0..)
            .map(|((action, to, step), n)| {
                let to = if to.is_empty() { json!(null) } else { json!(to) };
                let more =
                    json!({"max_wait_time": 10, "overflow_action": action, "overflow_destination": to});
                let number = format!("+493020000{n}");
                queue(&format!("overflow {n}"), &more, &[], &number);
                (world.talk(&phone, &number), step)
            })
            .collect();
        for ((call, uuid), step) in calls {
            let (application, data) = step.split_once(' ').unwrap();
            world.events.wait_for_step(&uuid, application, data);
            let told = if application == "hangup" { call.told(&world.events) } else { world.end(call) };
            told.expect(200, &["playback ", "transfer nizam:queue:", step]);
        }
        agent_phone.next_call();
    });
    cases.finish();
    assert!(world.api("status").contains("is ready"));
}
