//! What FreeSWITCH 1.10.12 said of three calls, and what is made of it: `real_events.txt` holds most of its headers.
//! The first call rings, is answered, bridged and recorded; the second goes to a gateway that refuses it; the third is refused by us.

use super::*;
use nizam_wire::event::EventWriter;
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

pub(super) const TENANT: Uuid = uuid::uuid!("0198f0de-1111-7000-8000-000000000001");
pub(super) const GATEWAY: Uuid = uuid::uuid!("0198f0de-0000-7000-8000-000000000001");
const FIRST: [&str; 2] = ["ed82b9e9-9af4-4823-b0ed-1790654bb8be", "fcf5d0cc-ba86-44a2-b221-55cfe129795d"];
const SECOND: [&str; 2] = ["86d19407-44a5-41ab-a0d5-a602d255d26f", "30b47ea5-271c-4a13-9e8c-582f8eb9e706"];

fn record(headers: &[(&str, &[u8])]) -> Vec<u8> {
    let get =
        |name: &str| headers.iter().find(|(known, _)| *known == name).map_or(&b""[..], |(_, value)| value);
    let time = String::from_utf8_lossy(get("Event-Date-Timestamp")).parse().unwrap_or(0);
    let mut out = Vec::new();
    let mut writer = EventWriter::new(&mut out, time, get("Event-Name"), get("Event-Subclass"));
    for (name, value) in headers {
        writer.header(name, value);
    }
    out
}

fn real() -> Vec<Vec<u8>> {
    let events = include_str!("real_events.txt").split("\n\n");
    let headers = |event: &'static str| -> Vec<(&str, &[u8])> {
        event
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name, value.as_bytes()))
            .collect()
    };
    events.map(|event| record(&headers(event))).collect()
}

pub(super) fn ledger() -> Ledger {
    Ledger {
        switch: "fs-one".to_owned(),
        tenants: [TENANT].into(),
        domains: [("alpha.test".to_owned(), TENANT)].into(),
        gateways: [(GATEWAY, TENANT)].into(),
        ..Ledger::default()
    }
}

pub(super) fn fact(headers: &[(&str, &str)]) -> Result<Option<Fact>, Unusable> {
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    Fact::read(&record(&headers), 7)
}

fn apply(ledger: &mut Ledger, records: &[Vec<u8>]) {
    for record in records {
        ledger.apply(Fact::read(record, 7).unwrap().unwrap());
    }
    ledger.settle();
}

#[test]
fn real_calls_become_cdrs() {
    let mut ledger = ledger();
    apply(&mut ledger, &real());
    assert!(ledger.legs.is_empty(), "all have ended");
    let cdrs: BTreeMap<&str, _> = ledger.cdrs.iter().map(|cdr| (&*cdr.uuid, cdr)).collect();
    let [a, b] = FIRST.map(|uuid| cdrs[uuid]);
    assert_eq!((&*a.leg, &*b.leg), ("a", "b"));
    assert_eq!((a.call_id.as_deref(), b.call_id.as_deref()), (Some(FIRST[0]), Some(FIRST[0])));
    assert_eq!((a.other_leg_uuid.as_deref(), b.other_leg_uuid.as_deref()), (Some(FIRST[1]), Some(FIRST[0])));
    assert_eq!((a.originator.as_deref(), b.originator.as_deref()), (None, Some(FIRST[0])));
    assert_eq!((a.start_stamp, a.answer_stamp), (1_795_670_161_588_156, Some(1_795_670_161_608_147)));
    assert_eq!((a.end_stamp, a.duration, a.billsec), (Some(1_795_670_164_648_146), 3, 3));
    assert_eq!((a.hangup_cause.as_deref(), a.hangup_cause_q850), (Some("NORMAL_CLEARING"), Some(16)));
    assert_eq!((a.hangup_by.as_deref(), b.hangup_by.as_deref()), (Some("caller"), Some("caller")));
    assert_eq!(
        (a.post_dial_delay_ms, a.ring_ms, a.talk_ms, a.hold_ms),
        (Some(0), Some(19), Some(3039), Some(0))
    );
    assert_eq!(
        (a.caller_id_number.as_str(), a.destination_number.as_str(), a.direction.as_str()),
        ("sipp", "1002", "inbound")
    );
    assert_eq!(a.negotiated_codec.as_deref(), Some("PCMU"));
    assert_eq!((a.mos, a.packet_loss), (None, None), "no packet came in");
    assert_eq!(a.recording_path.as_deref(), Some("/var/recordings/ed82b9e9-9af4-4823-b0ed-1790654bb8be.wav"));
    assert_eq!((a.generation, a.switch_name.as_deref()), (Some(42), Some("fs-one")));
    assert_eq!(a.facts.as_ref().unwrap()["sip"]["call_id"], "1-2238@127.0.0.1");
    let [a, b] = SECOND.map(|uuid| cdrs[uuid]);
    assert_eq!(b.gateway.as_deref(), Some("0198f0de-0000-7000-8000-000000000001"));
    assert_eq!((b.hangup_by.as_deref(), a.hangup_by.as_deref()), (Some("callee"), Some("callee")));
    assert_eq!(b.hangup_disposition.as_deref(), Some("recv_refuse"));
    assert_eq!((a.call_id.as_deref(), b.call_id.as_deref()), (Some(SECOND[0]), Some(SECOND[0])));
    assert_eq!(a.billsec, 0);
    // The third call's caller is nobody's: it came from a stranger into the context `default`.
    assert_eq!(cdrs.len(), 4);
    let strays: Vec<&str> =
        ledger.events.iter().filter(|e| e.tenant.is_none()).map(|e| &*e.event_type).collect();
    assert_eq!(strays, ["call.created", "call.hangup"]);
    let types: Vec<&str> =
        ledger.events.iter().filter(|e| e.call_uuid == FIRST[0]).map(|e| &*e.event_type).collect();
    assert_eq!(types.first(), Some(&"call.created"));
    assert_eq!(types.last(), Some(&"call.hangup"));
    for kind in ["call.answered", "call.bridged", "call.unbridged", "recording.started", "recording.stopped"]
    {
        assert!(types.contains(&kind), "{kind} in {types:?}");
    }
}

#[test]
fn a_tenant_that_becomes_known_later_gets_what_was_before() {
    let mut ledger = ledger();
    apply(&mut ledger, &real()[..1]);
    // The first event comes before the dialplan has run, and this caller has no account.
    assert_eq!(ledger.events[0].tenant, None);
    apply(&mut ledger, &real()[1..]);
    assert_eq!(ledger.events[0].tenant, Some(TENANT));
    assert!(ledger.adopted.contains(&(FIRST[0].to_owned(), TENANT)));
}

#[test]
fn payloads_are_as_the_contract_has_them() {
    let mut ledger = ledger();
    apply(&mut ledger, &real());
    let hangup =
        ledger.events.iter().find(|e| e.call_uuid == FIRST[0] && e.event_type == "call.hangup").unwrap();
    let payload = hangup.payload();
    assert_eq!(payload["tenant_id"], TENANT.to_string());
    assert_eq!((&payload["call_uuid"], &payload["event_type"]), (&FIRST[0].into(), &"call.hangup".into()));
    assert_eq!(
        (&payload["timestamp"], &payload["schema_version"]),
        (&"2026-11-26T05:16:04+00:00".into(), &"1.0".into())
    );
    let metadata = &payload["metadata"];
    for (name, value) in [
        ("uuid", FIRST[0]),
        ("caller_id_number", "sipp"),
        ("destination_number", "1002"),
        ("direction", "inbound"),
    ] {
        assert_eq!(metadata[name], value, "{name}");
    }
    assert_eq!((&metadata["duration"], &metadata["billsec"]), (&3.into(), &3.into()));
}

#[test]
fn any_order_of_the_events_makes_the_same_cdrs_of_a_call() {
    let all = real();
    let (last, before) = all.split_last().unwrap();
    assert!(!last.is_empty());
    let of = |records: &[Vec<u8>]| {
        let mut ledger = ledger();
        apply(&mut ledger, records);
        let mut cdrs = ledger.cdrs;
        cdrs.sort_by(|a, b| a.uuid.cmp(&b.uuid));
        cdrs
    };
    let want = of(before);
    // Neighbours change places, as they do where several threads of FreeSWITCH hand out events.
    for first in [0, 1] {
        let mut swapped = before.to_vec();
        swapped.get_mut(first..).unwrap().chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
        let got = of(&swapped);
        let ids = |cdrs: &[crate::model::Cdr]| {
            cdrs.iter().map(|cdr| (cdr.uuid.clone(), cdr.billsec)).collect::<Vec<_>>()
        };
        assert_eq!(ids(&got), ids(&want));
    }
}

#[test]
fn a_channel_without_an_end_is_lost_and_its_own_word_still_counts() {
    let mut ledger = ledger();
    let all = real();
    let end = all
        .iter()
        .position(|record| Fact::read(record, 7).unwrap().unwrap().kind.as_deref() == Some("call.hangup"))
        .unwrap();
    apply(&mut ledger, &all[..end]);
    ledger.lose(FIRST[0]);
    let lost = ledger.cdrs.pop().unwrap();
    assert_eq!((lost.closed_by.as_deref(), lost.hangup_cause, lost.billsec), (Some(RECONCILER), None, 0));
    assert_eq!(lost.answer_stamp, Some(1_795_670_161_608_147));
    let told = ledger.events.last().unwrap();
    assert_eq!(
        (&*told.event_type, &told.payload()["metadata"]["closed_by"]),
        ("call.hangup", &RECONCILER.into())
    );
    ledger.lose(FIRST[0]);
    assert!(ledger.cdrs.is_empty(), "once");
    apply(&mut ledger, &all[end..]);
    let first: Vec<_> = ledger.cdrs.iter().filter(|cdr| cdr.uuid == FIRST[0]).collect();
    assert_eq!(first.len(), 1);
    assert_eq!(
        (first[0].closed_by.as_deref(), first[0].billsec, first[0].call_id.as_deref()),
        (None, 3, Some(FIRST[0]))
    );
    let mut whole = self::ledger();
    apply(&mut whole, &all);
    assert_eq!(
        whole.cdrs.iter().find(|cdr| cdr.uuid == FIRST[0]),
        Some(first[0]),
        "as if it had never been lost"
    );
}

#[test]
fn a_registration_is_its_domains() {
    let register = [
        ("Event-Name", "CUSTOM"),
        ("Event-Subclass", "sofia::register"),
        ("Event-Date-Timestamp", "1795670161588156"),
        ("profile-name", "internal"),
        ("from-user", "1001"),
        ("from-host", "Alpha.test"),
        ("contact", "<sip:1001@192.0.2.7>"),
        ("call-id", "x"),
        ("expires", "60"),
        ("network-ip", "192.0.2.7"),
        ("user-agent", "\u{0}odd"),
        ("update-reg", "false"),
    ];
    let fact = fact(&register).unwrap().unwrap();
    assert_eq!((fact.kind.as_deref(), &*fact.subject), (Some("device.registered"), "1001"));
    assert_eq!(fact.metadata["user_agent"], "\u{fffd}odd");
    let mut ledger = ledger();
    ledger.apply(fact);
    let (registration, tenant) = &ledger.registrations[0];
    assert_eq!((tenant, &*registration.domain), (&Some(TENANT), "alpha.test"));
    assert_eq!(registration.expires_at, Some(1_795_670_221_588_156));
    assert_eq!(ledger.events[0].tenant, Some(TENANT));
}

#[test]
fn what_makes_no_sense_has_a_reason() {
    assert_eq!(fact(&[("Event-Name", "CHANNEL_ANSWER")]), Err(Unusable::Missing("Unique-ID")));
    let long = "x".repeat(300);
    assert_eq!(
        fact(&[("Event-Name", "CHANNEL_ANSWER"), ("Unique-ID", &long)]),
        Err(Unusable::Long("Unique-ID"))
    );
    assert_eq!(fact(&[("Event-Name", "SOMETHING_NEW")]), Ok(None));
    let register = [("Event-Name", "CUSTOM"), ("Event-Subclass", "sofia::register")];
    assert_eq!(fact(&register), Err(Unusable::Missing("user or domain")));
    assert!(matches!(Fact::read(b"\x09", 7), Err(Unusable::Record(_))));
    // A time that no row can hold is that of its arrival.
    let odd = [
        ("Event-Name", "CHANNEL_CREATE"),
        ("Unique-ID", "u"),
        ("Event-Date-Timestamp", "9223372036854775807"),
    ];
    assert_eq!(fact(&odd).unwrap().unwrap().at, 7);
    // Who challenges and hears no more has no call.
    let mut ledger = ledger();
    let gone = [
        ("Event-Name", "CHANNEL_HANGUP_COMPLETE"),
        ("Unique-ID", "u"),
        ("Call-Direction", "inbound"),
        ("Channel-HIT-Dialplan", "true"),
        ("Hangup-Cause", "WRONG_CALL_STATE"),
        ("variable_sip_call_id", "load-5277"),
    ];
    ledger.apply(fact(&gone).unwrap().unwrap());
    assert!(ledger.events.is_empty() && ledger.cdrs.is_empty());
    // One that had a caller has a call, also where this is all that is heard of it.
    let called: Vec<_> = gone.into_iter().chain([("Caller-Direction", "inbound")]).collect();
    ledger.apply(fact(&called).unwrap().unwrap());
    assert_eq!(ledger.events[0].event_type, "call.hangup");
}

#[test]
fn a_call_that_a_limit_refuses_is_told_as_such_before_its_end() {
    let end = |refused| {
        let mut ledger = ledger();
        let event = [
            ("Event-Name", "CHANNEL_HANGUP_COMPLETE"),
            ("Unique-ID", "u"),
            ("Caller-Direction", "inbound"),
            ("variable_domain_name", "alpha.test"),
            ("variable_nizam_refused", refused),
        ];
        ledger.apply(fact(&event).unwrap().unwrap());
        ledger.events
    };
    for limit in ["concurrent_calls", "calls_per_minute", "extension_channels", "class_limit"] {
        let events = end(limit);
        let told: Vec<_> = events.iter().map(|event| (event.tenant, &*event.event_type)).collect();
        assert_eq!(told, [(Some(TENANT), "limit.reached"), (Some(TENANT), "call.hangup")]);
        let payload = events[0].payload();
        assert_eq!(
            (&payload["event_type"], &payload["metadata"]["limit"]),
            (&Value::from("limit.reached"), &Value::from(limit))
        );
    }
    for other in ["class", "suspended", ""] {
        let events = end(other);
        assert_eq!(
            events.iter().map(|event| &*event.event_type).collect::<Vec<_>>(),
            ["call.hangup"],
            "{other}"
        );
    }
}

#[test]
fn a_number_of_two_tenants_is_nobodys() {
    let ambiguous = [
        ("Event-Name", "CUSTOM"),
        ("Event-Subclass", "nizam::ambiguous"),
        ("Unique-ID", FIRST[0]),
        ("nizam_number", "+15550100"),
        ("variable_domain_name", "alpha.test"),
    ];
    let mut ledger = ledger();
    ledger.apply(fact(&ambiguous).unwrap().unwrap());
    ledger.settle();
    assert_eq!((ledger.events[0].tenant, &*ledger.events[0].event_type), (None, "routing.ambiguous"));
    let emergency = [
        ("Event-Name", "CUSTOM"),
        ("Event-Subclass", "nizam::emergency"),
        ("Unique-ID", FIRST[0]),
        ("nizam_tenant", "0198f0de-1111-7000-8000-000000000001"),
        ("nizam_extension", "1001"),
        ("nizam_number", "112"),
    ];
    ledger.apply(fact(&emergency).unwrap().unwrap());
    assert_eq!((ledger.events[1].tenant, &*ledger.events[1].event_type), (Some(TENANT), "call.emergency"));
    assert_eq!(ledger.events[1].payload()["metadata"]["number"], "112");
}

/// `tests/cdrs/hooks.rs` has what is stored of the others.
#[test]
fn what_a_switch_says_of_itself_is_no_event_of_a_tenant() {
    let mut ledger = ledger();
    let heart = [("Event-Name", "HEARTBEAT"), ("Session-Count", "7"), ("Core-UUID", "core")];
    let heart = fact(&heart).unwrap().unwrap();
    assert_eq!(heart.core.as_deref(), Some("core"));
    ledger.apply(heart);
    assert_eq!((ledger.sessions, ledger.events.len()), (Some(7), 0));
    assert_eq!(fact(&[("Event-Name", "SHUTDOWN")]), Ok(None));
    let added = [("Event-Name", "CUSTOM"), ("Event-Subclass", "sofia::gateway_add"), ("Gateway", "g-1")];
    let added = fact(&added).unwrap().unwrap();
    assert_eq!(added.about, About::GatewayAdded);
    ledger.apply(added);
    assert_eq!((ledger.gateway_states.len(), ledger.events.len()), (0, 0));
}
