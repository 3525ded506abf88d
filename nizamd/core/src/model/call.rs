//! What is kept of calls.

use serde_json::Value;
use uuid::Uuid;

/// A call detail record: one leg of a call, after its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cdr {
    /// Key of the row, version 7.
    pub id: Uuid,
    /// Whose call it was.
    pub tenant_id: Uuid,
    /// The channel's own id on the switch (`Unique-ID`).
    pub uuid: String,
    /// What the caller called himself.
    pub caller_id_name: Option<String>,
    /// The caller's number.
    pub caller_id_number: String,
    /// The number that was dialled.
    pub destination_number: String,
    /// The dialplan context.
    pub context: Option<String>,
    /// When the channel was made; microseconds since 1970, UTC, as every time here.
    pub start_stamp: i64,
    /// When it was answered.
    pub answer_stamp: Option<i64>,
    /// When it ended.
    pub end_stamp: Option<i64>,
    /// Seconds from start to end.
    pub duration: i64,
    /// Seconds from answer to end.
    pub billsec: i64,
    /// Why it ended (`switch_cause2str` in `switch_channel.c`).
    pub hangup_cause: Option<String>,
    /// `inbound`, `outbound` or `local`.
    pub direction: String,
    /// The file of its recording.
    pub recording_path: Option<String>,
    /// When the row was made.
    pub created_at: i64,
    /// When the row was changed.
    pub updated_at: i64,
    /// What all legs of one call have in common.
    pub call_id: Option<String>,
    /// `a` for the leg that began a call, `b` for one that another leg made.
    pub leg: String,
    /// The channel that it talked to last.
    pub other_leg_uuid: Option<String>,
    /// The channel that made it.
    pub originator: Option<String>,
    /// Its transfers, as FreeSWITCH writes them.
    pub transfer_history: Option<String>,
    /// The cause by its number in Q.850.
    pub hangup_cause_q850: Option<i64>,
    /// `caller`, `callee` or `switch`.
    pub hangup_by: Option<String>,
    /// How its SIP dialog ended: `recv_bye`.
    pub hangup_disposition: Option<String>,
    /// From its start to the first ringing or media.
    pub post_dial_delay_ms: Option<i64>,
    /// From there to the answer, or to the end.
    pub ring_ms: Option<i64>,
    /// From the answer to the end, without holding.
    pub talk_ms: Option<i64>,
    /// On hold.
    pub hold_ms: Option<i64>,
    /// The codec of what it received.
    pub read_codec: Option<String>,
    /// The codec of what it sent.
    pub write_codec: Option<String>,
    /// The codec that was agreed on.
    pub negotiated_codec: Option<String>,
    /// The quality of what it received, from 1 to 4.5.
    pub mos: Option<f64>,
    /// Packets of that that were lost, in percent.
    pub packet_loss: Option<f64>,
    /// The gateway that it went to or came from.
    pub gateway: Option<String>,
    /// What refused it: `policy`.
    pub refused: Option<String>,
    /// The configuration that routed it.
    pub generation: Option<i64>,
    /// The switch that it was on.
    pub switch_name: Option<String>,
    /// `reconciler`, where the channel vanished with its switch.
    pub closed_by: Option<String>,
    /// What SIP and media were like; of a channel that vanished, what was known of it (`Leg::lost`).
    pub facts: Option<Value>,
}

/// Something that happened to a call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallEvent {
    /// Key of the row, version 7.
    pub id: Uuid,
    /// Whose call it is.
    pub tenant_id: Uuid,
    /// The channel, or the SIP user of a registration or mailbox.
    pub call_uuid: String,
    /// What happened: `call.answered`.
    pub event_type: String,
    /// The event as webhooks get it.
    pub payload: Value,
    /// The version of that.
    pub schema_version: String,
    /// When it happened; microseconds since 1970, UTC, as every time here.
    pub occurred_at: i64,
    /// When the row was made.
    pub created_at: i64,
    /// When the row was changed.
    pub updated_at: i64,
    /// What all legs of its call have in common.
    pub call_id: Option<String>,
    /// The configuration that routed it.
    pub generation: Option<i64>,
    /// Its place among all events, in the order in which they were stored.
    pub sequence: i64,
}
