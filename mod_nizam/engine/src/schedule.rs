//! Whether a rule holds at a moment.

use crate::civil::{Civil, Date};
use nizam_wire::record::{Holiday, TimeRule};

/// Whether a rule holds. `holiday` finds a calendar; one that is not there has no days.
pub fn holds<'h>(rule: &TimeRule, now: Civil, holiday: impl Fn(&[u8; 16]) -> Option<Holiday<'h>>) -> bool {
    let day_fits = |number: i64| {
        let date = Date::of(number);
        rule.weekdays >> date.weekday & 1 == 1
            && rule.days >> date.day.saturating_sub(1) & 1 == 1
            && rule.months >> date.month.saturating_sub(1) & 1 == 1
            && rule
                .holiday
                .as_ref()
                .is_none_or(|id| holiday(id).is_some_and(|calendar| has(&calendar, number, date)))
    };
    if rule.from < rule.to {
        return (rule.from..rule.to).contains(&now.minute) && day_fits(now.day);
    }
    // Over midnight: what comes after it belongs to the day before.
    (now.minute >= rule.from && day_fits(now.day))
        || (now.minute < rule.to && day_fits(now.day.saturating_sub(1)))
}

fn has(calendar: &Holiday<'_>, number: i64, date: Date) -> bool {
    calendar.yearly.iter().any(|(month, day)| (month, day) == (date.month, date.day))
        || calendar.days.iter().any(|day| i64::from(day) == number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nizam_wire::record::{ANY_DAY, ANY_MONTH, ANY_WEEKDAY, DAY_MINUTES, ListBuf};

    const ALWAYS: TimeRule = TimeRule {
        weekdays: ANY_WEEKDAY,
        days: ANY_DAY,
        months: ANY_MONTH,
        from: 0,
        to: DAY_MINUTES,
        holiday: None,
    };

    fn plain(rule: TimeRule, day: i64, minute: u16) -> bool {
        holds(&rule, Civil { day, minute }, |_| None)
    }

    #[test]
    fn a_rule_begins_with_its_first_minute_and_ends_before_its_last() {
        let rule = TimeRule { from: 540, to: 1020, ..ALWAYS };
        let want = [(539, false), (540, true), (1019, true), (1020, false)];
        assert_eq!(want.map(|(minute, _)| (minute, plain(rule, 0, minute))), want);
        assert!(plain(ALWAYS, -1, 0) && plain(ALWAYS, 20_781, 1439));
    }

    #[test]
    fn the_hours_after_midnight_belong_to_the_day_before() {
        // Fridays from 22:00 to 06:00. 1970-01-02 was a Friday.
        let rule = TimeRule { weekdays: 1 << 4, from: 1320, to: 360, ..ALWAYS };
        for (day, minute, want) in [
            (1, 1319, false),
            (1, 1320, true),
            (2, 359, true),
            (2, 360, false),
            (1, 0, false),
            (2, 1320, false),
        ] {
            assert_eq!(plain(rule, day, minute), want, "{day} {minute}");
        }
        let until_midnight = TimeRule { weekdays: 1 << 4, from: 1320, to: 0, ..ALWAYS };
        assert!(plain(until_midnight, 1, 1439) && !plain(until_midnight, 2, 0));
    }

    #[test]
    fn days_of_the_month_months_and_holidays() {
        let christmas = TimeRule { days: 1 << 24, months: 1 << 11, ..ALWAYS };
        assert!(plain(christmas, 358, 0) && !plain(christmas, 357, 0) && !plain(christmas, 24, 0));
        let (days, yearly) = (ListBuf::of([10_i32, 20]), ListBuf::of([(12_u8, 25_u8)]));
        let calendar = Holiday { days: days.as_list(), yearly: yearly.as_list() };
        let rule = TimeRule { holiday: Some([7; 16]), ..ALWAYS };
        let found =
            |day: i64| holds(&rule, Civil { day, minute: 0 }, |id| (*id == [7; 16]).then_some(calendar));
        assert_eq!([10, 11, 20, 358, 723].map(found), [true, false, true, true, true]);
        assert!(!plain(rule, 10, 0), "a calendar that is gone has no days");
    }
}
