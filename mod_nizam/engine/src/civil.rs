//! The calendar: what day and time a moment is somewhere.

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A moment as a clock on the wall and a calendar show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Days since 1970-01-01.
    pub day: i64,
    /// Minutes since midnight.
    pub minute: u16,
}

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// From 1.
    pub month: u8,
    /// Of the month, from 1.
    pub day: u8,
    /// 0 for Monday.
    pub weekday: u8,
}

impl Civil {
    /// The moment, seconds since 1970 UTC, so many seconds east of UTC.
    pub fn at(moment: i64, offset: i32) -> Self {
        let local = moment.saturating_add(i64::from(offset));
        let minute = local.rem_euclid(DAY) / 60;
        Self { day: local.div_euclid(DAY), minute: u16::try_from(minute).unwrap_or(0) }
    }
}

impl Date {
    /// The day with that number since 1970-01-01. The year is counted from March, so that the day that only some years have is
    /// its last, and in cycles of 400 years, all of which are alike.
    pub fn of(number: i64) -> Self {
        // 0000-03-01 is 719,468 days before 1970-01-01; a cycle of 400 years has 146,097 days.
        let cycle_day = number.saturating_add(719_468).rem_euclid(146_097);
        // The last day of 4, of 100 and of 400 years is the one that the shorter period has not.
        let year = (cycle_day - cycle_day / 1_460 + cycle_day / 36_524 - cycle_day / 146_096) / 365;
        let year_day = cycle_day - (365 * year + year / 4 - year / 100);
        // From March on months have 31, 30, 31, 30, 31 days, over and over: 153 in five.
        let month = (5 * year_day + 2) / 153;
        let day = year_day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        // 1970-01-01 was a Thursday.
        let weekday = number.saturating_add(3).rem_euclid(7);
        let small = |number: i64| u8::try_from(number).unwrap_or(0);
        Self { month: small(month), day: small(day), weekday: small(weekday) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        for (number, month, day, weekday) in [
            (0, 1, 1, 3),
            (-1, 12, 31, 2),
            (59, 3, 1, 6),
            // 2000-02-29, a Tuesday; 1900 and 2100 had and have no such day.
            (11_016, 2, 29, 1),
            (-25_508, 3, 1, 3),
            (47_540, 2, 28, 6),
            (47_541, 3, 1, 0),
            // 2026-11-24, a Tuesday.
            (20_781, 11, 24, 1),
        ] {
            assert_eq!(Date::of(number), Date { month, day, weekday }, "{number}");
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut year = 1600;
        let first = -135_140;
        let mut last = Date::of(first);
        assert_eq!((last.month, last.day), (1, 1));
        for number in first + 1..first + 4 * 146_097 {
            let now = Date::of(number);
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match last.month {
                2 if leap => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            let (month, day) = match (last.month, last.day == length) {
                (12, true) => {
                    year += 1;
                    (1, 1)
                }
                (month, true) => (month + 1, 1),
                (month, false) => (month, last.day + 1),
            };
            assert_eq!(now, Date { month, day, weekday: (last.weekday + 1) % 7 }, "{number} in {year}");
            last = now;
        }
    }

    #[test]
    fn minutes_before_1970_and_east_and_west() {
        assert_eq!(Civil::at(-1, 0), Civil { day: -1, minute: 1439 });
        assert_eq!(Civil::at(0, 19_800), Civil { day: 0, minute: 330 });
        assert_eq!(Civil::at(0, -3600), Civil { day: -1, minute: 1380 });
        for moment in [i64::MIN, i64::MAX] {
            let civil = Civil::at(moment, 1);
            assert!(civil.minute < 1440);
            let _no_panic = Date::of(civil.day);
        }
    }
}
