//! What routing knows of a tenant, and of its DIDs.

use super::{Class, Destination, List};
use crate::number::Home;
use serde::{Deserialize, Serialize};

/// What only calls need of a tenant; lookups of users read [`super::Tenant`] alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing<'a> {
    /// The name of its time zone; empty for UTC.
    #[serde(borrow)]
    pub zone: &'a str,
    /// How numbers are dialled where it is at home.
    pub home: Option<Home<'a>>,
    /// Most calls at once; 0 = unlimited.
    pub max_calls: u32,
    /// Most calls in a minute; 0 = unlimited.
    pub calls_per_minute: u32,
    /// The number that is shown outside.
    pub caller_id_number: &'a str,
    /// The name that is shown outside.
    pub caller_id_name: &'a str,
    /// Emergency numbers, as dialled.
    pub emergency: List<'a, &'a str>,
    /// Most calls at once to numbers of a class.
    pub class_limits: List<'a, (Class, u32)>,
    /// The ids of the policies that come before routing, in order.
    pub policies: List<'a, [u8; 16]>,
    /// The ids of its active gateways, by name.
    pub gateways: List<'a, [u8; 16]>,
    /// The speech engine; empty where there is none.
    pub tts_engine: &'a str,
    /// Its voice.
    pub tts_voice: &'a str,
}

/// A DID in an image. An inactive one has no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Did {
    /// Its UUID.
    pub id: [u8; 16],
    /// Where calls go.
    pub destination: Destination,
    /// Whether an administrator has confirmed that the number is the tenant's.
    pub confirmed: bool,
}

/// A list of ids: the tenants that claim a DID, the gateways behind an address, the shared gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids<'a>(#[serde(borrow)] pub List<'a, [u8; 16]>);

record!(Routing<'a>, Ids<'a>);
record!(Did, Destination);
