//! When a receiver that did not take an event is told again.

use std::time::Duration;

/// From the end of an attempt to the next, without what chance adds: for nearly four days, as Standard Webhooks has it.
const DELAYS: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_mins(5),
    Duration::from_mins(30),
    Duration::from_hours(2),
    Duration::from_hours(5),
    Duration::from_hours(10),
    Duration::from_hours(14),
    Duration::from_hours(20),
    Duration::from_hours(24),
];

/// How long to wait after that attempt, the first being 1; `None`: it was the last. Chance (any number) adds up to a tenth, so that
/// receivers which failed together are not told together.
pub(super) fn delay(attempt: i64, chance: u32) -> Option<Duration> {
    let delay = usize::try_from(attempt).ok()?.checked_sub(1).and_then(|index| DELAYS.get(index))?;
    Some(*delay + *delay / 10 * (chance % 1000) / 999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_in_nearly_four_days() {
        assert_eq!(delay(1, 0), Some(Duration::from_secs(5)));
        assert_eq!(delay(1, 999), Some(Duration::from_millis(5500)));
        assert_eq!(delay(9, 999), Some(Duration::from_mins(24 * 66)));
        assert_eq!((delay(10, 0), delay(0, 0), delay(-1, 0), delay(i64::MAX, 7)), (None, None, None, None));
        let all: Duration = (1..10).filter_map(|attempt| delay(attempt, 0)).sum();
        assert_eq!(all, Duration::from_secs(5) + Duration::from_mins(35) + Duration::from_hours(75));
    }
}
