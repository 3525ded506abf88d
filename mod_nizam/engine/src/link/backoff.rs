//! How long to wait before the next attempt to connect.

use std::time::Duration;

/// Doubles from one second to thirty, each time with a random part taken off, so that many switches do not come
/// back in step.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    random: u64,
}

const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_secs(30);

impl Backoff {
    /// Starts at one second. `seed` should differ between switches.
    pub fn new(seed: u64) -> Self {
        Self { next: FIRST, random: seed | 1 }
    }

    /// How long to wait now: between half of and the whole current step.
    pub fn wait(&mut self) -> Duration {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let step = self.next;
        self.next = (step * 2).min(LAST);
        let share = 1000 - u32::try_from(self.random % 500).unwrap_or(0);
        step * share / 1000
    }

    /// The last attempt worked: start over.
    pub fn reset(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_thirty_seconds_and_start_over() {
        let mut backoff = Backoff::new(7);
        let waits: Vec<f64> = (0..8).map(|_| backoff.wait().as_secs_f64()).collect();
        for (wait, step) in waits.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]) {
            assert!(*wait > step / 2.0 - 0.001 && *wait <= step, "{wait} of {step}");
        }
        backoff.reset();
        assert!(backoff.wait() <= FIRST);
        let other: Vec<f64> = (0..8).map(|_| Backoff::new(99).wait().as_secs_f64()).collect();
        assert_ne!(waits, other);
    }
}
