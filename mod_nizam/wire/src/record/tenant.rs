//! A tenant in an image.

use super::Pairs;
use serde::{Deserialize, Serialize};

/// Stands for the user's number in [`Tenant::dial_string`].
pub const USER_MARK: char = '\u{1}';

/// What the switch does for a tenant's phones and calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Everything works.
    Open,
    /// Phones register, calls are refused with 403.
    Suspended,
    /// Nobody is known in the domain, calls are refused with 403.
    Closed,
}

/// A tenant, and the template of what its users have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant<'a> {
    /// The tenant's UUID, the scope of its records.
    pub id: [u8; 16],
    /// SIP domain, lower case.
    #[serde(borrow)]
    pub domain: &'a str,
    /// What works.
    pub state: State,
    /// How long an extension rings, in seconds.
    pub ring_timeout: u16,
    /// How a user is dialled; [`USER_MARK`] stands for the number.
    pub dial_string: &'a str,
    /// Directory variables of every user.
    pub variables: Pairs<'a>,
    /// The same as `<variable …/>` elements, so that a lookup copies them in one piece.
    pub variables_xml: &'a str,
}

record!(Tenant<'a>);
