//! Today in the zone of the tenants of the cases, which is as far from UTC as there is one.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::date;

/// Fourteen hours before UTC, all year.
pub(super) const ZONE: &str = "Pacific/Kiritimati";
const OFFSET: i64 = 14 * 3600;

/// What people there see on their clocks and calendars now.
pub(super) struct Today {
    /// Days since 1970.
    days: i64,
    minute: i64,
}

impl Today {
    pub(super) fn now() -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let local = i64::try_from(seconds).unwrap() + OFFSET;
        Self { days: local.div_euclid(86_400), minute: local.rem_euclid(86_400) / 60 }
    }

    /// The time in so many minutes, as rules have it.
    pub(super) fn time(&self, minutes: i64) -> String {
        let minute = (self.minute + minutes).rem_euclid(1440);
        format!("{:02}:{:02}", minute / 60, minute % 60)
    }

    /// The day of the week in so many days.
    pub(super) fn weekday(&self, days: i64) -> &'static str {
        let names = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];
        names[usize::try_from((self.days + days).rem_euclid(7)).unwrap()]
    }

    /// The date in so many days, as `2026-12-25`.
    pub(super) fn date(&self, days: i64) -> String {
        date(self.days + days)
    }
}
