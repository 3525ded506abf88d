//! "Destinations", but for queues and flows.

use super::*;

const DIALLED: &str = "+15550001111";

/// A model in which a DID leads to this.
fn leading_to(kind: &str, id: &Value) -> Model {
    let mut model = model();
    model.dids.push(row(ACME, 1, json!({"number": DIALLED, "destination_type": kind, "destination_id": id})));
    model
}

fn group(strategy: &str, members: &Value, fallback: Option<(&str, Value)>) -> Record {
    let (kind, id) = fallback.map_or((Value::Null, Value::Null), |(kind, id)| (json!(kind), id));
    row(
        ACME,
        2,
        json!({
            "strategy": strategy, "ring_timeout": 15, "members": members,
            "fallback_destination_type": kind, "fallback_destination_id": id,
        }),
    )
}

#[test]
fn an_extension_rings_then_its_mailbox() {
    let mut model = leading_to("extension", &id_of(100));
    model.tenants[0].settings.insert("ring_timeout".into(), json!("25"));
    let ring = [
        "set dialed_extension=100",
        "set call_timeout=25",
        "set hangup_after_bridge=true",
        "set continue_on_fail=true",
        "bridge user/100@a.test",
    ];
    let mailbox = ["answer", "sleep 500", "voicemail default a.test 100"];
    assert_eq!(steps(&model, &call(DIALLED)), [&ring[..], &mailbox].concat());
    model.extensions[0].ring_timeout = Some(7);
    assert_eq!(steps(&model, &call(DIALLED))[1], "set call_timeout=7");
    model.extensions[0].is_active = false;
    assert_eq!(steps(&model, &from_outside(DIALLED)), ["respond 404"]);
}

#[test]
fn a_mailbox_is_there_or_nowhere() {
    let model = leading_to("voicemail", &id_of(100));
    assert_eq!(steps(&model, &call(DIALLED)), ["answer", "sleep 500", "voicemail default a.test 100"]);
    assert_eq!(steps(&leading_to("voicemail", &id_of(101)), &call(DIALLED)), ["respond 404"]);
}

#[test]
fn ring_groups() {
    let group_id = json!(Uuid::from_u128(2));
    let mut model = leading_to("ring_group", &group_id);
    let all = json!([id_of(101), Uuid::from_u128(0x102), id_of(100)]);
    let sets = ["set call_timeout=15", "set hangup_after_bridge=true", "set continue_on_fail=true"];
    model.ring_groups = vec![group("simultaneous", &all, None)];
    assert_eq!(
        steps(&model, &call(DIALLED)),
        [
            &sets[..],
            &[
                "bridge {ignore_early_media=true}user/101@a.test,user/100@a.test",
                "hangup ${originate_disposition}"
            ]
        ]
        .concat()
    );
    model.ring_groups = vec![group("sequential", &all, Some(("voicemail", id_of(100))))];
    assert_eq!(
        steps(&model, &call(DIALLED)),
        [
            &sets[..],
            &[
                "bridge user/101@a.test",
                "bridge user/100@a.test",
                "answer",
                "sleep 500",
                "voicemail default a.test 100"
            ]
        ]
        .concat()
    );
    let nobody = json!([Uuid::from_u128(0x102)]);
    model.ring_groups = vec![group("sequential", &nobody, Some(("extension", id_of(101))))];
    assert_eq!(steps(&model, &call(DIALLED)), rings_101(&["hangup ${originate_disposition}"]));
    model.ring_groups = vec![group("sequential", &nobody, None)];
    assert_eq!(steps(&model, &call(DIALLED)), ["respond 404"]);
}

#[test]
fn loops_end() {
    let id = json!(Uuid::from_u128(2));
    let mut model = leading_to("ring_group", &id);
    model.ring_groups = vec![group("sequential", &json!([id_of(101)]), Some(("ring_group", id)))];
    let steps = steps(&model, &call(DIALLED));
    assert_eq!(steps.len(), 64 * 4 + 2);
    assert_eq!(steps[64 * 4..], ["set nizam_refused=loop", "hangup EXCHANGE_ROUTING_ERROR"]);
}

#[test]
fn policies_and_times_as_destinations() {
    let id = json!(Uuid::from_u128(2));
    let mut model = leading_to("call_routing_policy", &id);
    let mut policy = json!({"conditions": [], "priority": 0, "match_destination_type": null, "match_destination_id": null});
    model.policies = vec![row(ACME, 2, policy.clone())];
    assert_eq!(steps(&model, &call(DIALLED)), ["respond 404"], "it allows, so it leads nowhere");
    policy["match_destination_type"] = json!("extension");
    policy["match_destination_id"] = id_of(101);
    model.policies = vec![row(ACME, 2, policy.clone())];
    assert_eq!(steps(&model, &call(DIALLED)), rings_101(&["hangup ${originate_disposition}"]));
    policy["conditions"] = json!([{"type": "blacklist", "params": {"numbers": ["100"]}}]);
    model.policies = vec![row(ACME, 2, policy)];
    assert_eq!(steps(&model, &call(DIALLED)), ["set nizam_refused=policy", "respond 403"]);
}

#[test]
fn menus() {
    let id = json!(Uuid::from_u128(2));
    let mut model = leading_to("ivr", &id);
    model.ivrs = vec![row(
        ACME,
        2,
        json!({"timeout_destination_type": "voicemail", "timeout_destination_id": id_of(100)}),
    )];
    let menu = format!("ivr {}.{}", ACME.simple(), Uuid::from_u128(2).simple());
    let transfer = format!("transfer nizam:voicemail:{} XML a.test", Uuid::from_u128(0x100));
    assert_eq!(steps(&model, &call(DIALLED)), ["answer", "sleep 500", &menu, &transfer]);
    model.ivrs[0].values["is_active"] = json!(false);
    assert_eq!(steps(&model, &call(DIALLED)), ["respond 404"]);
}
