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

/// The moment, seconds since 1970 UTC, of `2026-12-25T09:30:00Z`, of the same with an offset such as `+01:00`, or of a number of
/// seconds. RFC 3339, without fractions; seconds may be left out.
pub fn parse_moment(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let (time, offset) = if let Some(time) = rest.strip_suffix(['Z', 'z']) {
        (time, 0)
    } else {
        let (time, offset) = rest.split_at_checked(rest.rfind(['+', '-'])?)?;
        let sign = if offset.starts_with('-') { -1 } else { 1 };
        let (hours, minutes) = offset.get(1..)?.split_once(':')?;
        (time, sign * (number(hours, 2, 23)? * 3600 + number(minutes, 2, 59)? * 60))
    };
    let mut date = date.split('-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    let day = day_number(number(year, 4, 9999)?, number(month, 2, 12)?, number(day, 2, 31)?)?;
    let mut time = time.split(':');
    let (hours, minutes) = (number(time.next()?, 2, 23)?, number(time.next()?, 2, 59)?);
    let seconds = time.next().map_or(Some(0), |seconds| number(seconds, 2, 60))?;
    Some(day * DAY + hours * 3600 + minutes * 60 + seconds - offset)
}

/// A number of so many digits, at most `most`.
fn number(text: &str, digits: usize, most: i64) -> Option<i64> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && *number <= most)
}

/// The number of a day since 1970-01-01; `None` where there is no such day.
fn day_number(year: i64, month: i64, day: i64) -> Option<i64> {
    let (of, march) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let number =
        365 * of + of.div_euclid(4) - of.div_euclid(100) + of.div_euclid(400) + (153 * march + 2) / 5 + day
            - 1
            - 719_468;
    let date = Date::of(number);
    (i64::from(date.month) == month && i64::from(date.day) == day).then_some(number)
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

    #[test]
    fn moments_as_people_write_them() {
        for (text, want) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("2026-11-24T12:30Z", Some(20_781 * DAY + 45_000)),
            ("2026-11-24T12:30:00+01:00", Some(20_781 * DAY + 41_400)),
            ("2026-11-24 12:30:00-05:30", Some(20_781 * DAY + 64_800)),
            ("2028-02-29T00:00Z", Some(21_243 * DAY)),
            ("1700000000", Some(1_700_000_000)),
            ("2026-02-29T00:00Z", None),
            ("2026-13-01T00:00Z", None),
            ("2026-00-01T00:00Z", None),
            ("2026-11-24T24:00Z", None),
            ("2026-11-24T12:30", None),
            ("2026-11-24", None),
            ("noon", None),
            ("", None),
        ] {
            assert_eq!(parse_moment(text), want, "{text}");
        }
    }
}
