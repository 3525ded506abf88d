//! Queues.

use super::*;
use crate::model::Membership;

const RINGING: &str = "tone_stream://%(400,200,400,450);%(400,2200,400,450);loops=-1";
const QUEUE: u128 = 2;

/// A DID that leads to a queue with agents of 100 and 101 and others that cannot answer.
fn model_with(strategy: &str) -> Model {
    let mut model = model();
    let id = json!(Uuid::from_u128(QUEUE));
    model.dids.push(row(
        ACME,
        1,
        json!({"number": "+15550001111", "destination_type": "queue", "destination_id": id}),
    ));
    model.queues.push(row(
        ACME,
        QUEUE,
        json!({
            "strategy": strategy, "max_wait_time": 90, "overflow_action": "hangup", "overflow_destination": "101",
            "music_on_hold": "local_stream://moh",
        }),
    ));
    extension(&mut model, ACME, "102").is_active = false;
    let agents = [(100, "available", 30), (101, "available", 20), (103, "available", 10), (101, "busy", 10)];
    for (at, (extension, state, since)) in agents.into_iter().enumerate() {
        let id = 0x30 + u128::try_from(at).unwrap();
        model.agents.push(row(
            ACME,
            id,
            json!({"extension_id": id_of(extension), "name": "x", "state": state, "state_changed_at": since * 1_000_000}),
        ));
        let (queue_id, agent_id) = (Uuid::from_u128(QUEUE), Uuid::from_u128(id));
        model.memberships.push(Membership { queue_id, agent_id, priority: 0 });
    }
    model
}

fn waiting(until: i64) -> Call {
    call(&format!("nizam:queue:{}:{until}", Uuid::from_u128(QUEUE)))
}

/// The legs in the order in which they ring.
fn legs(model: &Model, call: &Call) -> Vec<String> {
    steps(model, call).iter().filter_map(|step| step.strip_prefix("bridge ")).map(str::to_owned).collect()
}

#[test]
fn a_caller_waits() {
    let mut model = model_with("ring_all");
    let wait = |until| {
        [
            "answer".to_owned(),
            "set ringback=local_stream://moh".to_owned(),
            "set call_timeout=20".to_owned(),
            "set hangup_after_bridge=true".to_owned(),
            "set continue_on_fail=true".to_owned(),
            "bridge {ignore_early_media=true}user/100@a.test,user/101@a.test".to_owned(),
            format!("transfer nizam:queue:00000000-0000-0000-0000-000000000002:{until} XML a.test"),
        ]
    };
    assert_eq!(steps(&model, &call("+15550001111")), wait(NOON + 90));
    assert_eq!(steps(&model, &waiting(NOON + 60)), wait(NOON + 60));
    assert_eq!(steps(&model, &waiting(NOON + 6000)), wait(NOON + 90), "no longer than the queue says");
    assert_eq!(steps(&model, &waiting(NOON + 3))[2], "set call_timeout=3");
    model.memberships.clear();
    model.queues[0].values["music_on_hold"] = json!("/etc/passwd");
    assert_eq!(
        steps(&model, &waiting(NOON + 60)),
        ["answer", "set playback_timeout_sec=10", &format!("playback {RINGING}"), &wait(NOON + 60)[6]]
    );
}

#[test]
fn agents_ring_in_order() {
    let (a, b) = ("user/100@a.test", "user/101@a.test");
    let mut model = model_with("round_robin");
    assert_eq!(NOON / 20 % 2, 0);
    assert_eq!(legs(&model, &waiting(NOON + 60)), [a, b]);
    assert_eq!(legs(&model, &Call { now: NOON + 20, ..waiting(NOON + 60) }), [b, a]);
    model.queues[0].values["strategy"] = json!("least_recent");
    assert_eq!(legs(&model, &waiting(NOON + 60)), [b, a]);
    model.memberships[1].priority = 1;
    assert_eq!(legs(&model, &waiting(NOON + 60)), [a, b]);
}

#[test]
fn a_caller_who_waited_too_long() {
    let mut model = model_with("ring_all");
    let overflows = |model: &Model, call: &Call| steps(model, call)[1..].to_vec();
    assert_eq!(overflows(&model, &waiting(NOON)), ["hangup NORMAL_CLEARING"]);
    model.queues[0].values["overflow_action"] = json!("extension");
    assert_eq!(overflows(&model, &waiting(NOON - 5)), rings_101(&["hangup ${originate_disposition}"]));
    model.queues[0].values["overflow_action"] = json!("voicemail");
    assert_eq!(overflows(&model, &waiting(NOON - 5)), ["hangup UNALLOCATED_NUMBER"], "it has no mailbox");
    model.queues[0].values["overflow_destination"] = id_of(100);
    assert_eq!(overflows(&model, &waiting(NOON - 5))[2], "voicemail default a.test 100");
    model.queues[0].values["overflow_destination"] = json!(null);
    assert_eq!(overflows(&model, &waiting(NOON - 5)), ["hangup UNALLOCATED_NUMBER"]);
}
