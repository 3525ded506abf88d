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
