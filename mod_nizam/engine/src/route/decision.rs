//! What a call routing policy decides.

use super::caller::Caller;
use crate::civil::{Civil, Date};
pub use nizam_wire::record::Condition;
use nizam_wire::record::{Destination, Policy};

/// What a policy decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The call goes on as if there were no policy.
    Allow,
    /// The call goes elsewhere.
    Redirect(Destination),
    /// The call is refused: the caller is on a blacklist.
    Reject,
}

/// Decides on a call. A policy without a match destination only filters.
pub fn decide(policy: &Policy<'_>, caller: &Caller<'_>, now: Civil) -> Verdict {
    let mut matched = true;
    for condition in policy.conditions.iter() {
        if let Condition::Blacklist(numbers) = condition {
            if numbers.iter().any(|number| caller.is_like(number)) {
                return Verdict::Reject;
            }
        } else if matched {
            matched = holds(&condition, caller, now);
        }
    }
    let side = if matched { policy.matched } else { policy.otherwise };
    side.map_or(Verdict::Allow, Verdict::Redirect)
}

fn holds(condition: &Condition<'_>, caller: &Caller<'_>, now: Civil) -> bool {
    match *condition {
        Condition::TimeOfDay(start, end) if start <= end => (start..=end).contains(&now.minute),
        // Over midnight.
        Condition::TimeOfDay(start, end) => now.minute >= start || now.minute <= end,
        Condition::Weekdays(days) => days >> Date::of(now.day).weekday & 1 == 1,
        Condition::Caller(pattern) => caller.is_like(pattern),
        // Whoever is on it was rejected before.
        Condition::Blacklist(_) => true,
        Condition::Prefixes(prefixes) => prefixes.iter().any(|prefix| caller.begins(prefix)),
        Condition::Never => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nizam_wire::record::{DestinationKind, List, ListBuf};

    const TO: Destination = Destination { kind: DestinationKind::Extension, id: [1; 16] };
    const OTHER: Destination = Destination { kind: DestinationKind::Ivr, id: [2; 16] };
    /// 1970-01-05, a Monday.
    const NOON: Civil = Civil { day: 4, minute: 720 };

    fn verdict(conditions: &[Condition<'_>], caller: &str, now: Civil) -> Verdict {
        let list = ListBuf::of(conditions);
        let policy = Policy { conditions: list.as_list(), matched: Some(TO), otherwise: Some(OTHER) };
        decide(&policy, &Caller::new(Some(caller.as_bytes()), None), now)
    }

    #[test]
    fn times_go_over_midnight_and_days_are_days() {
        let night = [Condition::TimeOfDay(1320, 360)];
        for (minute, want) in [(1319, OTHER), (1320, TO), (0, TO), (360, TO), (361, OTHER)] {
            assert_eq!(verdict(&night, "", Civil { day: 4, minute }), Verdict::Redirect(want), "{minute}");
        }
        assert_eq!(verdict(&[Condition::TimeOfDay(720, 720)], "", NOON), Verdict::Redirect(TO));
        for (day, want) in [(4, TO), (5, OTHER), (11, TO)] {
            let now = Civil { day, ..NOON };
            assert_eq!(verdict(&[Condition::Weekdays(1)], "", now), Verdict::Redirect(want), "{day}");
        }
    }

    #[test]
    fn a_blacklist_counts_whatever_else_holds() {
        let (numbers, prefixes) = (ListBuf::of(["+1555*"]), ListBuf::of(["+44"]));
        let listed = Condition::Blacklist(numbers.as_list());
        assert_eq!(verdict(&[Condition::Never, listed], "+15551", NOON), Verdict::Reject);
        assert_eq!(verdict(&[Condition::Never, listed], "+49301", NOON), Verdict::Redirect(OTHER));
        assert_eq!(verdict(&[listed], "", NOON), Verdict::Redirect(TO), "nobody is on no list");
        let geo = Condition::Prefixes(prefixes.as_list());
        assert_eq!(verdict(&[listed, geo], "+441", NOON), Verdict::Redirect(TO));
        assert_eq!(verdict(&[listed, geo], "+331", NOON), Verdict::Redirect(OTHER));
    }

    #[test]
    fn without_a_destination_a_policy_only_filters() {
        let policy = Policy { conditions: List::default(), matched: None, otherwise: Some(OTHER) };
        assert_eq!(decide(&policy, &Caller::new(None, None), NOON), Verdict::Allow);
    }
}
