//! A menu in an image. An inactive one has no record.

use super::{Destination, List, Prompt};
use serde::{Deserialize, Serialize};

/// A menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ivr<'a> {
    /// What a caller hears first.
    #[serde(borrow)]
    pub greet_long: Prompt<'a>,
    /// What a caller hears when the menu repeats.
    pub greet_short: Prompt<'a>,
    /// How long it waits for a digit, in seconds.
    pub timeout: u16,
    /// After so many wrong or missing digits it gives up.
    pub max_failures: u16,
    /// Whether callers may dial extensions.
    pub direct_dial: bool,
    /// Digits and where they lead.
    pub options: List<'a, (&'a str, Destination)>,
    /// Where the call goes when the menu gives up.
    pub on_timeout: Option<Destination>,
}

record!(Ivr<'a>);
