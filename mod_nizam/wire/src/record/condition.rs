//! Decisions by time and caller: time conditions and call routing policies. Inactive ones have no record.

use super::{Destination, List, TimeRule};
use serde::{Deserialize, Serialize};

/// A time condition in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeCondition<'a> {
    /// The time matches if one of them holds.
    #[serde(borrow)]
    pub rules: List<'a, TimeRule>,
    /// Where calls go when the time matches.
    pub matched: Option<Destination>,
    /// Where calls go otherwise.
    pub otherwise: Option<Destination>,
}

/// One condition of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition<'a> {
    /// Minutes since midnight, both included; over midnight if the second is before the first.
    TimeOfDay(u16, u16),
    /// Bit 0 is Monday.
    Weekdays(u8),
    /// The caller's number is as the pattern says; `*` stands for anything.
    Caller(#[serde(borrow)] &'a str),
    /// The caller is none of these; one of them is rejected whatever else holds.
    Blacklist(List<'a, &'a str>),
    /// The caller's number begins with one of these.
    Prefixes(List<'a, &'a str>),
    /// Never holds: a condition that cannot be understood.
    Never,
}

/// A call routing policy in an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy<'a> {
    /// All of them must hold.
    #[serde(borrow)]
    pub conditions: List<'a, Condition<'a>>,
    /// Where calls go that match; nothing where they are allowed.
    pub matched: Option<Destination>,
    /// Where calls go that do not.
    pub otherwise: Option<Destination>,
}

record!(TimeCondition<'a>, Policy<'a>);
