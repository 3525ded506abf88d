//! An extension in an image. An inactive one has no record.

use super::{Classes, RecordError, decode, encode};
use serde::{Deserialize, Serialize};

/// A SIP user. An empty text means that it is not set; the password is never empty.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension<'a> {
    /// Its UUID.
    pub id: [u8; 16],
    /// Number and SIP user name, as the operator wrote it.
    #[serde(borrow)]
    pub number: &'a str,
    /// SIP password.
    pub password: &'a str,
    /// First and last name for the directory by name.
    pub full_name: &'a str,
    /// Caller id name inside the tenant.
    pub effective_caller_id_name: &'a str,
    /// Caller id number inside the tenant.
    pub effective_caller_id_number: &'a str,
    /// Caller id name outside.
    pub outbound_caller_id_name: &'a str,
    /// Caller id number outside.
    pub outbound_caller_id_number: &'a str,
    /// Whether it has a mailbox.
    pub voicemail: bool,
    /// PIN of the mailbox ([`is_pin`]).
    pub voicemail_pin: &'a str,
    /// What kinds of numbers it may dial.
    pub toll_allow: Classes,
    /// Most calls that it makes at once; 0 = unlimited.
    pub max_channels: u16,
    /// How long it rings, in seconds; 0 = as long as the tenant says.
    pub ring_timeout: u16,
}

/// Whether that may be the PIN of a mailbox: 4 to 8 digits.
pub fn is_pin(text: &[u8]) -> bool {
    (4..=8).contains(&text.len()) && text.iter().all(u8::is_ascii_digit)
}

impl<'a> Extension<'a> {
    /// The record's bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// The record in `value`. One without a password is no record: FreeSWITCH lets a user without a password in
    /// (`sofia_reg.c:sofia_reg_parse_auth`).
    pub fn decode(value: &'a [u8]) -> Result<Self, RecordError> {
        let record: Self = decode(value)?;
        if record.password.is_empty() || record.number.is_empty() { Err(RecordError) } else { Ok(record) }
    }
}
