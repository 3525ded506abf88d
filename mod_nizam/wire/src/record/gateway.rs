//! A gateway in an image.

use super::{Pairs, RecordError, decode, encode};
use serde::{Deserialize, Serialize};

/// A SIP trunk that `mod_sofia` registers or calls through.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway<'a> {
    /// Its UUID.
    pub id: [u8; 16],
    /// Name on the switch, unique over all tenants.
    #[serde(borrow)]
    pub name: &'a str,
    /// Its `<param>`s as `sofia_glue.c:parse_gateways` reads them.
    pub params: Pairs<'a>,
}

impl<'a> Gateway<'a> {
    /// The record's bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// The record in `value`.
    pub fn decode(value: &'a [u8]) -> Result<Self, RecordError> {
        decode(value)
    }
}
