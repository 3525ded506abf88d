//! What the CDR of a leg must say.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    dialog::{Dialog, End},
    office::Office,
};
use crate::support::{Call, Callee, Message};

/// How far a time may be from sipp's. Both write down the moment at which a thread of theirs got to run, on a machine that compiles
/// meanwhile. The parts of a call are at least twice as long, and no two of one call are as long as each other, so that none can be
/// taken for another.
const NEAR: i64 = 450_000;

/// A leg.
pub(super) struct Leg {
    dialog: Dialog,
    /// Fields whose value is known exactly.
    exact: Map<String, Value>,
    /// Fields of which a part is known.
    parts: Vec<(&'static str, &'static str)>,
    /// The quality and the loss of what it received; none where nothing was.
    mos: Option<(f64, f64)>,
    loss: Option<(f64, f64)>,
    /// What happened to it, each as often as it did.
    events: Vec<&'static str>,
}

impl Leg {
    /// Both legs of a call, when it is over. Who hung up is who did so in the logs of the sipps at both ends.
    pub(super) fn both(office: &Office, call: &Call, callee: &Callee, got: &Message) -> (Self, Self) {
        let mut a = Self::of_caller(office, call);
        let b = Self::of_callee(office, callee, got).made_by(&mut a);
        let by = a.hung_up_by(&b);
        (a.hung_up(by), b.hung_up(by))
    }

    /// The leg of a caller, when its dialog is over.
    pub(super) fn of_caller(office: &Office, call: &Call) -> Self {
        let leg = Self::new(office, Dialog::of_caller(call), &office.channel(call), "a");
        let Dialog { from, to, .. } = leg.dialog.clone();
        leg.with(&json!({"caller_id_number": from, "caller_id_name": from, "destination_number": to}))
    }

    /// The leg to a callee, when its dialog is over.
    pub(super) fn of_callee(office: &Office, callee: &Callee, call: &Message) -> Self {
        let leg = Self::new(office, Dialog::of_callee(callee, call), &office.channel_to(call), "b");
        // Without an answer no codec was agreed on.
        if leg.dialog.taken.is_some() { leg } else { leg.with(&json!({"codec": null})) }
    }

    fn new(office: &Office, dialog: Dialog, uuid: &str, side: &str) -> Self {
        let disposition = match (dialog.end, dialog.ended_here) {
            (End::Bye, true) => "recv_bye",
            (End::Bye, false) => "send_bye",
            (End::Cancel, true) => "recv_cancel",
            (End::Cancel, false) => "send_cancel",
            (End::Refuse, true) => "recv_refuse",
            (End::Refuse, false) => "send_refuse",
        };
        let exact = json!({
            "uuid": uuid, "call_id": uuid, "leg": side, "tenant_id": office.tenant, "switch": "e2e",
            "context": office.domain, "direction": if side == "a" { "inbound" } else { "outbound" },
            "codec": dialog.codec, "hangup_disposition": disposition,
            "recording_path": null, "other_leg_uuid": null, "originator": null, "transfer_history": null,
            "gateway": null, "refused": null, "closed_by": null,
            // The leg that another one made was not routed itself.
            "generation": if side == "a" { Some(office.generation()) } else { None },
        });
        let Value::Object(exact) = exact else { unreachable!() };
        Self { dialog, exact, parts: Vec::new(), mos: None, loss: None, events: Vec::new() }
    }

    /// These fields are other ones.
    pub(super) fn with(mut self, fields: &Value) -> Self {
        self.exact.extend(fields.as_object().unwrap().clone());
        self
    }

    /// It ended for that cause of Q.850.
    pub(super) fn ended(self, cause: &str, q850: i64) -> Self {
        self.with(&json!({"hangup_cause": cause, "hangup_cause_q850": q850}))
    }

    /// That one ended it.
    pub(super) fn hung_up(self, by: &str) -> Self {
        self.with(&json!({"hangup_by": by}))
    }

    /// That field has this in it.
    pub(super) fn with_part(mut self, field: &'static str, part: &'static str) -> Self {
        self.exact.remove(field);
        self.parts.push((field, part));
        self
    }

    /// It received something, of that quality and with that loss in percent.
    pub(super) fn heard(mut self, mos: (f64, f64), loss: Option<(f64, f64)>) -> Self {
        (self.mos, self.loss) = (Some(mos), loss);
        self
    }

    /// These events of it are stored, and no others.
    pub(super) fn told(mut self, events: &[&'static str]) -> Self {
        self.events.extend(events);
        self
    }

    /// It was made by that leg, which talked to it if it was taken.
    pub(super) fn made_by(self, other: &mut Self) -> Self {
        let (mine, its) = (self.uuid().to_owned(), other.uuid().to_owned());
        if self.dialog.taken.is_some() {
            other.exact.insert("other_leg_uuid".to_owned(), json!(mine));
        }
        let (number, destination) = (&other.exact["caller_id_number"], &other.exact["destination_number"]);
        // What the callee is told of the caller: the names of its row.
        let name = format!("Phone {}", number.as_str().unwrap());
        self.with(&json!({
            "call_id": other.exact["call_id"], "other_leg_uuid": its, "originator": its,
            "caller_id_number": number, "caller_id_name": name, "destination_number": destination,
        }))
    }

    /// Who ended it, as the sipps at both ends wrote down: `self` is the caller's leg.
    pub(super) fn hung_up_by(&self, callee: &Self) -> &'static str {
        match (self.dialog.ended_here, callee.dialog.ended_here) {
            (true, false) => "caller",
            (false, true) => "callee",
            (false, false) => "switch",
            (true, true) => panic!("both hung up at once"),
        }
    }

    pub(super) fn uuid(&self) -> &str {
        self.exact["uuid"].as_str().unwrap()
    }

    /// Whether it is shown where only those that began calls are.
    /// When its dialog ended.
    pub(super) fn ended_at(&self) -> i64 {
        self.dialog.ended
    }

    pub(super) fn begins(&self) -> bool {
        self.exact["leg"] == "a"
    }

    /// Asserts every field of its CDR.
    #[track_caller]
    pub(super) fn check(&self, name: &str, cdr: &Value) {
        let mut asserted: BTreeSet<&str> = BTreeSet::new();
        let mut wrong = Vec::new();
        for (field, value) in &self.exact {
            asserted.insert(field);
            if cdr[field] != *value {
                wrong.push(format!("{field}: {} instead of {value}", cdr[field]));
            }
        }
        for (field, part) in &self.parts {
            asserted.insert(field);
            if !cdr[field].as_str().is_some_and(|text| text.contains(part)) {
                wrong.push(format!("{field}: {} without {part}", cdr[field]));
            }
        }
        let Dialog { begun, rang, taken, ended, held, .. } = self.dialog;
        let times = [("start_stamp", Some(begun)), ("answer_stamp", taken), ("end_stamp", Some(ended))];
        for (field, time) in times {
            asserted.insert(field);
            let stamp = cdr[field].as_str().map(micros);
            let near = match (stamp, time) {
                (Some(stamp), Some(time)) => (stamp - time).abs() <= NEAR,
                (stamp, time) => stamp == time,
            };
            if !near {
                wrong.push(format!("{field}: {stamp:?} instead of {time:?}"));
            }
        }
        let talked = taken.map(|taken| ended - taken - held);
        let rung = rang.map(|rang| taken.unwrap_or(ended) - rang);
        let lengths = [
            ("post_dial_delay_ms", rang.or(taken).map(|first| first - begun), 1000),
            ("ring_ms", rung, 1000),
            ("talk_ms", talked, 1000),
            ("hold_ms", Some(held), 1000),
            // FreeSWITCH takes whole seconds of the clock from each other (`switch_channel_set_timestamps`).
            ("duration", Some(ended - begun), 1_000_000),
            ("billsec", Some(taken.map_or(0, |taken| ended - taken)), 1_000_000),
        ];
        for (field, length, unit) in lengths {
            asserted.insert(field);
            let near = match (cdr[field].as_i64(), length) {
                (Some(said), Some(length)) => (said * unit - length).abs() <= NEAR.max(unit),
                (said, length) => said.is_none() && length.is_none(),
            };
            if !near {
                wrong.push(format!("{field}: {} instead of {length:?} µs", cdr[field]));
            }
        }
        for (field, range) in [("mos", self.mos), ("packet_loss", self.loss)] {
            asserted.insert(field);
            let within = match (cdr[field].as_f64(), range) {
                (Some(said), Some((low, high))) => (low..=high).contains(&said),
                (said, range) => said.is_none() && range.is_none(),
            };
            if !within {
                wrong.push(format!("{field}: {} instead of {range:?}", cdr[field]));
            }
        }
        asserted.extend(["id", "created_at", "updated_at"]);
        let id = cdr["id"].as_str().unwrap_or_default();
        if id.len() != 36 || id == self.uuid() {
            wrong.push(format!("id: {id}"));
        }
        for field in ["created_at", "updated_at"] {
            let made = cdr[field].as_str().map_or(0, micros);
            if !(ended - NEAR..=ended + 60_000_000).contains(&made) {
                wrong.push(format!("{field}: {made} of a leg that ended at {ended}"));
            }
        }
        let fields: BTreeSet<&str> = cdr.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, asserted, "{name}: the fields of a CDR, and those that are asserted");
        assert!(wrong.is_empty(), "{name}, leg {}: {wrong:#?}\n{cdr:#}\n{:#?}", cdr["leg"], self.dialog);
    }

    /// Asserts what the trace says of it: its events, and what SIP and media were like.
    #[track_caller]
    pub(super) fn check_trace(&self, name: &str, trace: &Value) {
        let timeline = trace["timeline"].as_array().unwrap().iter();
        let own = timeline.filter(|event| event["call_uuid"] == self.uuid());
        // How often FreeSWITCH tells a leg who is at the other end depends on who was quicker.
        let own = own.filter(|event| event["event_type"] != "call.updated");
        let mut events: Vec<&str> = own.map(|event| event["event_type"].as_str().unwrap()).collect();
        assert_eq!(events.first(), Some(&"call.created"), "{name}");
        let mut wanted = self.events.clone();
        // What happens in the same moment has no order.
        events.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(events, wanted, "{name}, events of leg {}", self.exact["leg"]);
        let leg = trace["legs"].as_array().unwrap().iter().find(|leg| leg["uuid"] == self.uuid()).unwrap();
        let mut cdr = leg.clone();
        let fields = cdr.as_object_mut().unwrap();
        let (sip, media) = (fields.remove("sip").unwrap(), fields.remove("media").unwrap());
        self.check(name, &cdr);
        let Dialog { id, from, taken, .. } = &self.dialog;
        assert_eq!(sip["call_id"], *id, "{name}");
        let said = |facts: &Value, field: &str| facts[field].as_str().unwrap_or_default().to_owned();
        assert!(said(&sip, "request_uri").contains('@'), "{name}: {sip}");
        assert!(said(&sip, "network_ip").starts_with("127.0.0."), "{name}: {sip}");
        assert_ne!(said(&sip, "network_port").parse::<u16>().unwrap_or(0), 0, "{name}: {sip}");
        // Of a leg that it made mod_sofia writes the addresses down when its dialog begins, which a refusal does not.
        if self.begins() || taken.is_some() {
            for field in ["from", "to"] {
                assert!(said(&sip, field).contains('@'), "{name}, {field}: {sip}");
            }
        }
        if self.begins() {
            assert_eq!(said(&sip, "from").split('@').next(), Some(&**from), "{name}: {sip}");
        }
        if taken.is_some() {
            for field in ["local", "remote"] {
                assert!(said(&media, &format!("{field}_ip")).starts_with("127.0.0."), "{name}: {media}");
                let port = said(&media, &format!("{field}_port")).parse::<u16>().unwrap_or(0);
                assert_ne!(port, 0, "{name}, {field}: {media}");
            }
            assert!(["rfc2833", "info", "none"].contains(&&*said(&media, "dtmf")), "{name}: {media}");
        }
    }
}

fn micros(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}
