//! An outbound route in an image. An inactive one has no record.

use super::{Class, List};
use serde::{Deserialize, Serialize};

/// Whose number is shown outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallerIdRule {
    /// The extension's.
    Extension,
    /// The tenant's.
    Tenant,
    /// The route's own.
    Trunk,
}

/// An outbound route. Which numbers it takes is in [`super::Patterns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundRoute<'a> {
    /// What an extension must be allowed to dial.
    pub class: Class,
    /// Characters that are taken off the front.
    pub strip: u8,
    /// What is then put in front.
    #[serde(borrow)]
    pub prepend: &'a str,
    /// The ids of the gateways, in the order in which they are tried.
    pub gateways: List<'a, [u8; 16]>,
    /// Whose number is shown.
    pub caller_id: CallerIdRule,
    /// The route's own number.
    pub caller_id_number: &'a str,
}

record!(OutboundRoute<'a>);
