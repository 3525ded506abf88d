//! What a CDR says, one field after the other: each is what sipp wrote down of such a call (`tests/e2e_cdrs.rs`).

use super::leg::Leg;
use super::tests::{GATEWAY, TENANT, fact, ledger};
use crate::model::Cdr;

/// The CDR of a channel whose events say this, the last of them its end.
fn cdr(events: &[&[(&str, &str)]]) -> Cdr {
    let (mut ledger, tenant) = (ledger(), TENANT.to_string());
    for (index, headers) in events.iter().enumerate() {
        let name = if index + 1 == events.len() { "CHANNEL_HANGUP_COMPLETE" } else { "CHANNEL_CREATE" };
        let mut all = vec![("Event-Name", name), ("Unique-ID", "u"), ("variable_nizam_tenant", &*tenant)];
        // The first of a name counts.
        all.splice(..0, headers.iter().copied());
        ledger.apply(fact(&all).unwrap().unwrap());
    }
    ledger.cdrs.pop().unwrap()
}

#[test]
fn who_hung_up_is_told_by_the_other_leg_or_it_was_the_switch() {
    let disposition = |text| ("variable_sip_hangup_disposition", text);
    let bridged = ("Caller-Channel-Bridged-Time", "5");
    let made = ("variable_originator", "a");
    let by = |headers: &[(&str, &str)]| cdr(&[headers]).hangup_by;
    for (headers, caller, callee) in [
        // BYE from the other side of this leg, to it after one from the other leg, and to it after a command.
        (vec![disposition("recv_bye"), bridged], "caller", "callee"),
        (
            vec![
                disposition("send_bye"),
                bridged,
                ("variable_sip_hangup_phrase", "OK"),
                ("variable_hangup_cause", "NORMAL_CLEARING"),
            ],
            "callee",
            "caller",
        ),
        (vec![disposition("send_bye"), bridged], "switch", "switch"),
        // A gateway refused it before another took it.
        (
            vec![disposition("send_bye"), bridged, ("variable_sip_hangup_phrase", "Service Unavailable")],
            "switch",
            "switch",
        ),
        // The media broke off behind a BYE of somebody who had handed the call on.
        (
            vec![
                disposition("send_bye"),
                bridged,
                ("variable_sip_hangup_phrase", "OK"),
                ("variable_hangup_cause", "MEDIA_TIMEOUT"),
            ],
            "switch",
            "switch",
        ),
        // Nobody answers at all (timer B).
        (
            vec![disposition("recv_refuse"), ("variable_hangup_cause", "RECOVERY_ON_TIMER_EXPIRE")],
            "switch",
            "switch",
        ),
        // A mailbox or menu ended.
        (vec![disposition("send_bye"), ("variable_sip_hangup_phrase", "OK")], "switch", "switch"),
    ] {
        assert_eq!(by(&headers).as_deref(), Some(caller), "{headers:?}");
        let made = [headers.clone(), vec![made]].concat();
        assert_eq!(by(&made).as_deref(), Some(callee), "{made:?}");
    }
    // The leg to a phone that is cancelled: by the caller, or since it rang too long or another phone was quicker.
    for (cause, who) in [("ORIGINATOR_CANCEL", "caller"), ("NO_ANSWER", "switch"), ("LOSE_RACE", "switch")] {
        let headers = [disposition("send_cancel"), made, ("variable_hangup_cause", cause)];
        assert_eq!(by(&headers).as_deref(), Some(who), "{cause}");
    }
    // The leg of a caller that is refused: by who was called, or because nobody was there or answered, or by a limit.
    let status = |text| ("variable_sip_invite_failure_status", text);
    let failed = ("variable_originate_failed_cause", "NO_ANSWER");
    for (headers, who) in [
        (vec![status("486")], "callee"),
        (vec![status("487"), failed], "switch"),
        (vec![status("408")], "switch"),
        // One of several phones declined, and the others rang too long.
        (vec![status("486"), ("variable_hangup_cause", "NO_ANSWER")], "switch"),
        (vec![failed], "switch"),
        (vec![status("486"), ("variable_nizam_refused", "class_limit")], "switch"),
    ] {
        let headers = [vec![disposition("send_refuse")], headers].concat();
        assert_eq!(by(&headers).as_deref(), Some(who), "{headers:?}");
    }
}

#[test]
fn lost_packets_are_a_percentage_where_they_are_known() {
    let loss = |rate, packets, flaws| {
        let headers = [
            ("variable_rtp_audio_in_jitter_loss_rate", rate),
            ("variable_rtp_audio_in_packet_count", packets),
            ("variable_rtp_audio_in_mean_interval", "20.00"),
            ("variable_rtp_audio_in_flaw_total", flaws),
        ];
        cdr(&[&headers]).packet_loss
    };
    // 35 lost of 350.
    assert_eq!(loss("0.11", "315", "105"), Some(9.91));
    assert_eq!(loss("0.00", "315", "0"), Some(0.0));
    assert_eq!(loss("0.00", "315", "3"), Some(0.0), "less than a half of a percent");
    assert_eq!(loss("0.00", "100", "0"), Some(0.0));
    assert_eq!(loss("0.00", "100", "30"), None, "reckoned too early");
    assert_eq!(loss("0.00", "0", "0"), None, "no packet came");
    assert_eq!(loss("-0.11", "315", "105"), None);
    assert_eq!(loss("nan", "315", "105"), None);
}

#[test]
fn the_number_is_the_one_that_was_dialled() {
    let (inbound, outbound) = (("Call-Direction", "inbound"), ("Call-Direction", "outbound"));
    let to = |number| ("Caller-Destination-Number", number);
    let number = |events: &[&[(&str, &str)]]| cdr(events).destination_number;
    assert_eq!(
        number(&[&[inbound, to("700")], &[inbound, to("nizam:extension:1")]]),
        "700",
        "through a menu"
    );
    assert_eq!(number(&[&[inbound, to("50%off")]]), "50%off");
    let made = ("variable_originator", "a");
    assert_eq!(number(&[&[outbound, made, to("1002%alpha.test")], &[outbound, to("1003")]]), "1002");
    assert_eq!(
        number(&[&[outbound, to("1001%alpha.test")], &[outbound, to("1002")]]),
        "1002",
        "click to dial"
    );
}

#[test]
fn a_call_that_a_command_made_keeps_its_caller_when_the_phone_answers() {
    let from = |number| ("Caller-Caller-ID-Number", number);
    let caller = |direction, events: [&'static str; 2]| {
        let direction = ("Call-Direction", direction);
        cdr(&[&[direction, from(events[0])], &[direction, from(events[1])]]).caller_id_number
    };
    // FreeSWITCH turns the two round (`switch_channel_flip_cid`).
    assert_eq!(caller("outbound", ["1001", "1001%alpha.test"]), "1001");
    // Of a call that came, the account is known when it has said its password.
    assert_eq!(caller("inbound", ["sipp", "1001"]), "1001");
}

#[test]
fn what_rings_behind_the_answer_is_no_delay_of_it() {
    let created = ("Caller-Channel-Created-Time", "1000000");
    let times = |progress, answered| {
        let headers = [
            created,
            ("Caller-Channel-Progress-Time", progress),
            ("Caller-Channel-Answered-Time", answered),
            ("Caller-Channel-Hangup-Time", "9000000"),
        ];
        let cdr = cdr(&[&headers]);
        (cdr.post_dial_delay_ms, cdr.ring_ms)
    };
    assert_eq!(times("1500000", "3000000"), (Some(500), Some(1500)));
    assert_eq!(times("4000000", "3000000"), (Some(2000), None));
    assert_eq!(times("1500000", "0"), (Some(500), Some(7500)));
}

#[test]
fn a_gateway_is_its_row_and_a_message_in_a_mailbox_no_recording() {
    let version = format!("{GATEWAY}-7");
    let gateway = |name: &str| cdr(&[&[("variable_sip_gateway_name", name)]]).gateway;
    assert_eq!(gateway(&version), Some(GATEWAY.to_string()));
    assert_eq!(gateway("operators-own"), Some("operators-own".to_owned()));
    let recorded = |application| {
        let start = [
            ("Event-Name", "RECORD_START"),
            ("Record-File-Path", "/r.wav"),
            ("variable_current_application", application),
        ];
        cdr(&[&start, &[]]).recording_path
    };
    assert_eq!(recorded("record").as_deref(), Some("/r.wav"));
    assert_eq!(recorded("voicemail"), None);
}

#[test]
fn a_message_is_of_the_call_that_left_it() {
    let mut ledger = ledger();
    let created = [("Event-Name", "CHANNEL_CREATE"), ("Unique-ID", "u"), ("Caller-Context", "alpha.test")];
    let message = [
        ("Event-Name", "CUSTOM"),
        ("Event-Subclass", "vm::maintenance"),
        ("VM-Action", "leave-message"),
        ("VM-User", "1004"),
        ("VM-Domain", "alpha.test"),
        ("VM-UUID", "u"),
    ];
    for event in [&created[..], &message[..]] {
        ledger.apply(fact(event).unwrap().unwrap());
    }
    let told = ledger.events.last().unwrap();
    assert_eq!((&*told.event_type, &*told.call_uuid), ("voicemail.received", "1004"));
    assert_eq!((told.tenant, told.call_id.as_deref()), (Some(TENANT), Some("u")));
}

#[test]
fn the_path_of_a_call_is_the_last_that_it_told_and_is_kept_if_it_is_lost() {
    let path = |text: &'static str| ("variable_nizam_path", text);
    let of = |cdr: &Cdr| Leg::path_in(cdr.facts.as_ref().unwrap()).map(str::to_owned);
    let longer = "g1 did:0198f0de111170008000000000000001 ivr:0198f0de111170008000000000000002/1";
    let events: [&[_]; 3] = [&[path("g1 did:0198f0de111170008000000000000001")], &[path(longer)], &[]];
    assert_eq!(of(&cdr(&events)).as_deref(), Some(longer));
    assert_eq!(of(&cdr(&events[2..])), None);
    let mut leg = Leg::new("u".to_owned());
    leg.path = Some(longer.to_owned());
    assert_eq!(of(&leg.cdr(TENANT, "fs", true)).as_deref(), Some(longer));
}

#[test]
fn the_hold_time_is_the_channels_own_sum_where_that_knows_more() {
    let held = |at| [("Event-Name", "CHANNEL_HOLD"), ("Event-Date-Timestamp", at)];
    let resumed = |at| [("Event-Name", "CHANNEL_UNHOLD"), ("Event-Date-Timestamp", at)];
    let ended = |sum| [("Event-Date-Timestamp", "9000000"), ("variable_hold_accum_usec", sum)];
    let hold_ms = |events: &[&[(&str, &str)]]| cdr(events).hold_ms;
    // All events of it were dropped, one of them, and none.
    assert_eq!(hold_ms(&[&ended("2500000")]), Some(2500));
    assert_eq!(hold_ms(&[&held("1000000"), &ended("2500000")]), Some(2500));
    assert_eq!(hold_ms(&[&held("1000000"), &resumed("3000000"), &ended("2000001")]), Some(2000));
    // A transfer has the channel begin its sum anew.
    assert_eq!(hold_ms(&[&held("1000000"), &resumed("3000000"), &ended("0")]), Some(2000));
    assert_eq!(hold_ms(&[&held("1000000"), &ended("0")]), Some(8000));
}
