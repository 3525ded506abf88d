//! When a receiver that did not take an event is told again.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;
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

/// Most attempts that follow the first.
const MOST: usize = 50;
/// The longest time between two of them.
const LONGEST: Duration = Duration::from_hours(7 * 24);
/// The longest time from the first attempt to the last, without what chance adds: what has waited for ten days is given up.
const ALL: Duration = Duration::from_hours(8 * 24);

/// The times between the attempts. The first is made at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

impl Default for Schedule {
    fn default() -> Self {
        Self(DELAYS.to_vec())
    }
}

impl Schedule {
    /// How long to wait after that attempt, the first being 1; `None`: it was the last. Chance (any number) adds up to a tenth, so that
    /// receivers which failed together are not told together.
    pub(super) fn delay(&self, attempt: i64, chance: u32) -> Option<Duration> {
        let delay = usize::try_from(attempt).ok()?.checked_sub(1).and_then(|index| self.0.get(index))?;
        Some(*delay + *delay / 10 * (chance % 1000) / 999)
    }
}

/// `5s, 5m, 2h`: numbers of seconds, minutes or hours, with commas between them.
impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        let all = items
            .map(|item| {
                duration(item)
                    .ok_or_else(|| format!("{item} is no time such as 5s, 30m or 2h, of a week at most"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if all.len() > MOST {
            return Err(format!("there must not be more than {MOST} times"));
        }
        if all.iter().sum::<Duration>() > ALL {
            return Err(
                "all times together must not be longer than 8 days: what has waited for 10 is given up"
                    .to_owned(),
            );
        }
        Ok(Self(all))
    }
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    let duration = Duration::from_secs(number.parse::<u64>().ok()?.checked_mul(seconds)?);
    (duration <= LONGEST).then_some(duration)
}

impl Display for Schedule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = |duration: &Duration| match duration.as_secs() {
            seconds if seconds > 0 && seconds % 3600 == 0 => format!("{}h", seconds / 3600),
            seconds if seconds > 0 && seconds % 60 == 0 => format!("{}m", seconds / 60),
            seconds => format!("{seconds}s"),
        };
        f.write_str(&self.0.iter().map(text).collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_in_nearly_four_days() {
        let delay = |attempt, chance| Schedule::default().delay(attempt, chance);
        assert_eq!(delay(1, 0), Some(Duration::from_secs(5)));
        assert_eq!(delay(1, 999), Some(Duration::from_millis(5500)));
        assert_eq!(delay(9, 999), Some(Duration::from_mins(24 * 66)));
        assert_eq!((delay(10, 0), delay(0, 0), delay(-1, 0), delay(i64::MAX, 7)), (None, None, None, None));
        let all: Duration = (1..10).filter_map(|attempt| delay(attempt, 0)).sum();
        assert_eq!(all, Duration::from_secs(5) + Duration::from_mins(35) + Duration::from_hours(75));
    }

    #[test]
    fn a_schedule_is_written_as_it_is_read() {
        let default = Schedule::default().to_string();
        assert_eq!(default, "5s, 5m, 30m, 2h, 5h, 10h, 14h, 20h, 24h");
        assert_eq!(default.parse(), Ok(Schedule::default()));
        let other: Schedule = " 0s,90s , 60m,168h".parse().unwrap();
        assert_eq!(other.to_string(), "0s, 90s, 1h, 168h");
        assert_eq!(other.delay(2, 0), Some(Duration::from_secs(90)));
        assert_eq!("".parse::<Schedule>().unwrap().delay(1, 0), None, "told once, and no more");
        for wrong in ["5", "s", "5d", "-5s", "+5s", "5 s", "169h", "99999999999999999999h", "1.5h", "5é"] {
            assert!(wrong.parse::<Schedule>().is_err(), "{wrong}");
        }
        assert!(vec!["1s"; 51].join(",").parse::<Schedule>().is_err());
    }
}
