//! What is kept of calls.

use serde_json::Value;
use uuid::Uuid;

/// A call detail record: one leg of a call, after its end.
#[derive(Clone, Debug, PartialEq, Eq)]
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
}
