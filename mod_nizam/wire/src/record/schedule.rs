//! When something is: rules of weekdays, dates and times of day, calendars of holidays, and the offsets of a time zone.

use super::List;
use serde::{Deserialize, Serialize};

/// Every weekday, every day of the month, every month.
pub const ANY_WEEKDAY: u8 = 0x7f;
/// Every day of the month.
pub const ANY_DAY: u32 = 0x7fff_ffff;
/// Every month.
pub const ANY_MONTH: u16 = 0x0fff;
/// Minutes of a day.
pub const DAY_MINUTES: u16 = 24 * 60;

/// One rule; it holds if everything that it names does. All is in the tenant's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRule {
    /// Bit 0 is Monday.
    pub weekdays: u8,
    /// Bit 0 is the first.
    pub days: u32,
    /// Bit 0 is January.
    pub months: u16,
    /// The first minute of the day.
    pub from: u16,
    /// The minute behind the last one. Not after `from`: the rule goes over midnight, and the hours after midnight belong to
    /// the day on which it began.
    pub to: u16,
    /// A calendar that must have the day.
    pub holiday: Option<[u8; 16]>,
}

/// A calendar of holidays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday<'a> {
    /// Days of one year, counted from 1970-01-01, sorted.
    #[serde(borrow)]
    pub days: List<'a, i32>,
    /// Days of every year: month and day, from 1.
    pub yearly: List<'a, (u8, u8)>,
}

record!(Holiday<'a>);

/// A time zone, for some years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone<'a> {
    /// Seconds east of UTC before the first change.
    pub first: i32,
    /// Changes in order: the moment, seconds since 1970 UTC, and seconds east of UTC from then on.
    #[serde(borrow)]
    pub changes: List<'a, (i64, i32)>,
}

record!(Zone<'a>);

impl Zone<'_> {
    /// Seconds east of UTC at that moment, seconds since 1970 UTC. After the last change that is known it stays as it is.
    pub fn offset(&self, moment: i64) -> i32 {
        let changed = self.changes.iter().take_while(|(at, _)| *at <= moment).last();
        changed.map_or(self.first, |(_, offset)| offset)
    }
}
