//! A leg of a call: one channel, from its first event to its CDR.

use super::reading::{MEDIA, SIP, destination, facts, loss, originator, row_of_gateway};
use super::said::Said;
use crate::model::Cdr;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Who closed a CDR whose channel never said goodbye.
pub const RECONCILER: &str = "reconciler";

/// The reasons for a refusal that are limits of the tenant or the extension (`route/admission.rs` of the module's engine).
const LIMITS: [&str; 4] = ["concurrent_calls", "calls_per_minute", "extension_channels", "class_limit"];

/// Where the facts of a CDR have what was known of a channel that was closed without its own word.
const LOST: &str = "leg";

/// What is known of a channel so far. It is kept as JSON while the channel lives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Leg {
    /// `Unique-ID`.
    pub uuid: String,
    /// Whose call it is, once that is known.
    pub tenant: Option<Uuid>,
    /// What all legs of one call have in common: the uuid of the first of them.
    pub call_id: String,
    /// The channel that made this one.
    pub originator: Option<String>,
    /// The channel that it talks to, or talked to last.
    pub other: Option<String>,
    direction: Option<String>,
    caller_name: Option<String>,
    caller_number: Option<String>,
    destination: Option<String>,
    context: Option<String>,
    /// Times are microseconds since 1970.
    created: Option<i64>,
    progress: Option<i64>,
    answered: Option<i64>,
    bridged: Option<i64>,
    ended: Option<i64>,
    /// When its last event was.
    last: i64,
    /// As the events tell it, and as the channel itself counted in the end.
    hold_us: i64,
    hold_accum_us: Option<i64>,
    held_since: Option<i64>,
    duration: Option<i64>,
    billed: Option<i64>,
    cause: Option<String>,
    q850: Option<i64>,
    disposition: Option<String>,
    /// Whether what it called refused the call.
    refused_there: bool,
    /// Whether whoever it talked to hung up by SIP.
    left_there: bool,
    refused: Option<String>,
    generation: Option<i64>,
    pub(super) path: Option<String>,
    gateway: Option<String>,
    recording: Option<String>,
    read_codec: Option<String>,
    write_codec: Option<String>,
    codec: Option<String>,
    mos: Option<f64>,
    loss: Option<f64>,
    transfers: Option<String>,
    sip: Map<String, Value>,
    media: Map<String, Value>,
}

/// A later event knows better.
fn keep<T>(field: &mut Option<T>, new: Option<T>) {
    if new.is_some() {
        *field = new;
    }
}

impl Leg {
    pub(super) fn new(uuid: String) -> Self {
        Self { uuid, ..Self::default() }
    }

    /// What one event says of its channel. `name` is the event's, `at` its time.
    pub(super) fn of(said: Said<'_>, uuid: String, name: &str, at: i64) -> Self {
        let times = |names: [&str; 2]| names.iter().filter_map(|name| said.time(name)).min();
        let mut leg = Self {
            uuid,
            originator: originator(said, name),
            other: said.text("Other-Leg-Unique-ID"),
            direction: said.text("Call-Direction"),
            caller_name: said.text("Caller-Caller-ID-Name"),
            caller_number: said.text("Caller-Caller-ID-Number"),
            destination: destination(said),
            context: said.text("Caller-Context"),
            created: said.time("Caller-Channel-Created-Time"),
            progress: times(["Caller-Channel-Progress-Time", "Caller-Channel-Progress-Media-Time"]),
            answered: said.time("Caller-Channel-Answered-Time"),
            bridged: said.time("Caller-Channel-Bridged-Time"),
            last: at,
            generation: said.number("variable_nizam_generation"),
            path: said.text("variable_nizam_path"),
            gateway: said.first(&["variable_sip_gateway_name", "variable_nizam_gateway"]).map(row_of_gateway),
            ..Self::default()
        };
        match name {
            "CHANNEL_HOLD" => leg.held_since = Some(at),
            // A message in a mailbox is its owner's, and no recording of the call.
            "RECORD_START" | "RECORD_STOP"
                if said.text("variable_current_application").as_deref() != Some("voicemail") =>
            {
                leg.recording = said.text("Record-File-Path");
            }
            "CHANNEL_HANGUP_COMPLETE" => leg.learn_end(said, at),
            _ => {}
        }
        leg
    }

    fn learn_end(&mut self, said: Said<'_>, at: i64) {
        self.ended =
            said.time("variable_end_uepoch").or(said.time("Caller-Channel-Hangup-Time")).or(Some(at));
        self.created = said.time("variable_start_uepoch").or(self.created);
        self.answered = said.time("variable_answer_uepoch").or(self.answered);
        self.bridged = said.time("variable_bridge_uepoch").or(self.bridged);
        self.hold_accum_us = said.number("variable_hold_accum_usec");
        self.duration = said.number("variable_duration");
        self.billed = said.number("variable_billsec");
        self.cause = said.first(&["variable_hangup_cause", "Hangup-Cause"]);
        self.q850 = said.number("variable_hangup_cause_q850");
        self.disposition = said.text("variable_sip_hangup_disposition");
        // Of the leg that it made (`sofia_handle_sip_r_invite`); 487 answers a CANCEL of ours, 401 and 407 ask for a
        // login, and 408 is mod_sofia's own word for somebody who does not answer at all.
        self.refused_there = said
            .number("variable_sip_invite_failure_status")
            .is_some_and(|status| ![401, 407, 408, 487].contains(&status));
        // The other leg tells this one what it got: of a BYE this, of a refusal its phrase (`sofia_handle_sip_i_bye`).
        self.left_there = said.text("variable_sip_hangup_phrase").as_deref() == Some("OK");
        self.refused = said.text("variable_nizam_refused");
        keep(&mut self.other, said.first(&["variable_bridge_uuid", "variable_last_bridge_to"]));
        self.read_codec = said.first(&["variable_read_codec", "Channel-Read-Codec-Name"]);
        self.write_codec = said.first(&["variable_write_codec", "Channel-Write-Codec-Name"]);
        self.codec = said.text("variable_rtp_use_codec_name").or_else(|| self.read_codec.clone());
        self.transfers = said.text("variable_transfer_history");
        // Of a stream without a packet FreeSWITCH says that it is perfect.
        if said.number("variable_rtp_audio_in_packet_count").is_some_and(|packets| packets > 0) {
            self.mos = said.real("variable_rtp_audio_in_mos");
            self.loss = loss(said);
        }
        self.sip = facts(said, &SIP);
        self.media = facts(said, &MEDIA);
    }

    /// Adds what an event said of it to what was known before. Events may come in another order than they happened.
    pub(super) fn absorb(&mut self, said: Self, name: &str) {
        if name == "CHANNEL_UNHOLD" {
            let since = self.held_since.take().unwrap_or(said.last);
            self.hold_us = self.hold_us.saturating_add(said.last.saturating_sub(since).max(0));
        }
        self.held_since = self.held_since.or(said.held_since);
        self.last = self.last.max(said.last);
        self.originator = self.originator.take().or(said.originator);
        let earlier =
            |known: &mut Option<i64>, new: Option<i64>| *known = known.iter().copied().chain(new).min();
        earlier(&mut self.created, said.created);
        earlier(&mut self.progress, said.progress);
        earlier(&mut self.answered, said.answered);
        earlier(&mut self.bridged, said.bridged);
        keep(&mut self.other, said.other);
        keep(&mut self.direction, said.direction);
        // When the caller hands on whom it called, or the phone answers that a command called, FreeSWITCH takes that one for a caller
        // (`switch_channel_flip_cid`).
        if self.caller_number.is_none() || self.is_inbound() {
            keep(&mut self.caller_name, said.caller_name);
            keep(&mut self.caller_number, said.caller_number);
        }
        // Where a call is transferred to, by a menu for instance, is not what was dialled. Of one that we made ourselves nothing was
        // dialled until the phone that it began with took it.
        if self.destination.is_none() || (self.originator.is_none() && !self.is_inbound()) {
            keep(&mut self.destination, said.destination);
        }
        keep(&mut self.context, said.context);
        keep(&mut self.generation, said.generation);
        keep(&mut self.path, said.path);
        keep(&mut self.gateway, said.gateway);
        keep(&mut self.recording, said.recording);
        if name == "CHANNEL_HANGUP_COMPLETE" {
            self.ended = said.ended;
            self.hold_accum_us = said.hold_accum_us;
            self.duration = said.duration;
            self.billed = said.billed;
            self.cause = said.cause;
            self.q850 = said.q850;
            self.disposition = said.disposition;
            self.refused_there = said.refused_there;
            self.left_there = said.left_there;
            self.refused = said.refused;
            self.read_codec = said.read_codec;
            self.write_codec = said.write_codec;
            self.codec = said.codec;
            self.transfers = said.transfers;
            self.mos = said.mos;
            self.loss = said.loss;
            self.sip = said.sip;
            self.media = said.media;
        }
    }

    /// Milliseconds on hold. The channel's own sum has in it what events that were dropped would have told, and a hangup ends the hold that
    /// is open (`switch_channel_perform_hangup`); but it begins anew when the call is transferred (`switch_channel_set_caller_profile`).
    fn hold_ms(&self) -> i64 {
        let open = self.held_since.map_or(0, |since| self.last.saturating_sub(since).max(0));
        let own = self.hold_accum_us.filter(|sum| *sum > 0);
        own.map_or_else(|| self.hold_us.saturating_add(open), |sum| sum.max(self.hold_us)) / 1000
    }

    pub(super) fn is_inbound(&self) -> bool {
        self.direction.as_deref() == Some("inbound")
    }

    /// What every event of the contract says of a channel.
    pub(super) fn base(&self) -> Map<String, Value> {
        let fields = [
            ("uuid", json!(self.uuid)),
            ("caller_id_name", json!(self.caller_name)),
            ("caller_id_number", json!(self.caller_number)),
            ("destination_number", json!(self.destination)),
            ("direction", json!(self.direction.as_deref().unwrap_or("unknown"))),
            ("call_id", json!(self.call_id)),
            ("generation", json!(self.generation)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// What its end adds to that.
    pub(super) fn ending(&self) -> Map<String, Value> {
        let fields = [
            ("hangup_cause", json!(self.cause.as_deref().unwrap_or("NORMAL_CLEARING"))),
            ("duration", json!(self.duration())),
            ("billsec", json!(self.billsec())),
            ("hangup_by", json!(self.hangup_by())),
            ("other_leg_uuid", json!(self.other)),
            ("refused", json!(self.refused)),
            ("gateway", json!(self.gateway)),
            ("sip", json!(self.sip)),
            ("media", json!(self.media)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The limit that it was refused for.
    pub(super) fn limit(&self) -> Option<&str> {
        self.refused.as_deref().filter(|reason| LIMITS.contains(reason))
    }

    pub(super) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The configuration that routed it.
    pub fn generation(&self) -> Option<i64> {
        self.generation
    }

    /// The number that was dialled.
    pub fn destination(&self) -> Option<&str> {
        self.destination.as_deref()
    }

    /// The gateway that it came from or goes to.
    pub fn gateway(&self) -> Option<&str> {
        self.gateway.as_deref()
    }

    /// Which rows of its tenant it has passed (`nizam_wire::path`).
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// When it was last heard of.
    pub(super) fn last(&self) -> i64 {
        self.last
    }

    /// When it was made, or what comes closest.
    pub fn started(&self) -> i64 {
        self.created.unwrap_or(self.last)
    }

    fn duration(&self) -> i64 {
        let seconds = |(from, to): (i64, i64)| (to.saturating_sub(from) / 1_000_000).max(0);
        self.duration.or_else(|| Some(seconds((self.created?, self.ended?)))).unwrap_or(0)
    }

    fn billsec(&self) -> i64 {
        let seconds = |(from, to): (i64, i64)| (to.saturating_sub(from) / 1_000_000).max(0);
        self.billed.or_else(|| Some(seconds((self.answered?, self.ended?)))).unwrap_or(0)
    }

    /// `caller`, `callee` or `switch`: who ended it. The disposition is of this leg's SIP dialog (`sofia.c`, `mod_sofia.c`).
    fn hangup_by(&self) -> Option<&'static str> {
        let far = if self.originator.is_some() { "callee" } else { "caller" };
        let near = if self.originator.is_some() { "caller" } else { "callee" };
        Some(match self.disposition.as_deref()? {
            // mod_sofia gave it up itself: nobody answered at all.
            _ if self.cause() == Some("RECOVERY_ON_TIMER_EXPIRE") => "switch",
            "recv_bye" | "recv_cancel" | "recv_refuse" => far,
            // It was told by the other leg, if there was one, and else by the switch itself.
            "send_bye"
                if self.left_there && self.cause() == Some("NORMAL_CLEARING") && self.bridged.is_some() =>
            {
                near
            }
            // Else nobody answered in time, or another phone took the call.
            "send_cancel" if self.originator.is_some() && self.cause() == Some("ORIGINATOR_CANCEL") => near,
            // Of several phones one may have refused, and the others rang too long.
            "send_refuse"
                if self.refused.is_none() && self.refused_there && self.cause() != Some("NO_ANSWER") =>
            {
                near
            }
            _ => "switch",
        })
    }

    /// The CDR, but for the id and the times of its row. `lost` is when the channel was last heard of, where it did not say how it
    /// ended: nobody knows how long it talked, and nothing is billed.
    pub(super) fn cdr(&self, tenant_id: Uuid, switch: &str, lost: bool) -> Cdr {
        let ms = |from: Option<i64>, to: Option<i64>| Some((to?.saturating_sub(from?) / 1000).max(0));
        let ended = if lost { Some(self.last) } else { self.ended };
        let hold_ms = self.hold_ms();
        // What rings behind the answer, for instance because a menu leads there, is no delay of it.
        let progress = self.progress.filter(|at| self.answered.is_none_or(|answered| *at <= answered));
        let direction =
            self.direction.as_deref().filter(|known| ["inbound", "outbound", "local"].contains(known));
        Cdr {
            id: Uuid::nil(),
            tenant_id,
            uuid: self.uuid.clone(),
            caller_id_name: self.caller_name.clone(),
            caller_id_number: self.caller_number.clone().unwrap_or_default(),
            destination_number: self.destination.clone().unwrap_or_default(),
            context: self.context.clone(),
            start_stamp: self.started(),
            answer_stamp: self.answered,
            end_stamp: ended,
            duration: if lost { ms(self.created, ended).unwrap_or(0) / 1000 } else { self.duration() },
            billsec: if lost { 0 } else { self.billsec() },
            hangup_cause: if lost {
                None
            } else {
                Some(self.cause.clone().unwrap_or_else(|| "NORMAL_CLEARING".to_owned()))
            },
            direction: direction.unwrap_or("local").to_owned(),
            recording_path: self.recording.clone(),
            created_at: 0,
            updated_at: 0,
            call_id: Some(self.call_id.clone()),
            leg: if self.originator.is_some() { "b" } else { "a" }.to_owned(),
            other_leg_uuid: self.other.clone(),
            originator: self.originator.clone(),
            transfer_history: self.transfers.clone(),
            hangup_cause_q850: self.q850,
            hangup_by: self.hangup_by().map(str::to_owned),
            hangup_disposition: self.disposition.clone(),
            post_dial_delay_ms: ms(self.created, progress.or(self.answered)),
            ring_ms: ms(progress, self.answered.or(ended)),
            talk_ms: ms(self.answered, ended).map(|ms| (ms - hold_ms).max(0)),
            hold_ms: Some(hold_ms),
            read_codec: self.read_codec.clone(),
            write_codec: self.write_codec.clone(),
            negotiated_codec: self.codec.clone(),
            mos: self.mos,
            packet_loss: self.loss,
            gateway: self.gateway.clone(),
            refused: self.refused.clone(),
            generation: self.generation,
            switch_name: Some(switch.to_owned()),
            closed_by: lost.then(|| RECONCILER.to_owned()),
            facts: Some(if lost {
                json!({ LOST: self })
            } else {
                json!({"sip": self.sip, "media": self.media, "path": self.path})
            }),
        }
    }

    /// Which rows of its tenant a channel has passed, from the facts of its CDR.
    pub fn path_in(facts: &Value) -> Option<&str> {
        facts.get("path").or_else(|| facts.get(LOST)?.get("path"))?.as_str()
    }

    /// What was known of a channel that was closed without its own word, from the facts of its CDR.
    pub fn lost(facts: &Value) -> Option<Self> {
        Self::deserialize(facts.get(LOST)?).ok()
    }
}
