//! A gateway in an image. An inactive one has no record.

use super::Pairs;
use serde::{Deserialize, Serialize};

/// A SIP trunk that `mod_sofia` registers or calls through.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway<'a> {
    /// The UUID of the tenant that owns it.
    pub tenant: [u8; 16],
    /// Whether every tenant may call through it, and calls from it are any tenant's.
    pub shared: bool,
    /// Name on the switch, unique over all tenants, and another one with every change: so that the new one is there before the
    /// old one is taken away.
    #[serde(borrow)]
    pub name: &'a str,
    /// Its `<param>`s as `sofia.c:parse_gateways` reads them.
    pub params: Pairs<'a>,
    /// Its `<variable>`s, set on the channels of calls that come from it.
    pub variables: Pairs<'a>,
}

record!(Gateway<'a>);
