//! How many lookups came and what became of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the classes in which times are counted, in nanoseconds; what takes longer is in one more class.
pub(crate) const BOUNDS: [u64; 11] =
    [500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// How long lookups took, from FreeSWITCH's question to the answer.
#[derive(Debug, Default)]
pub struct Latency {
    classes: [AtomicU64; BOUNDS.len() + 1],
    sum: AtomicU64,
}

impl Latency {
    /// Counts one.
    pub fn note(&self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let class = BOUNDS.partition_point(|bound| *bound < nanoseconds);
        if let Some(class) = self.classes.get(class) {
            count(class);
        }
        self.sum.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// How many were in each class, and how long all of them took together in nanoseconds.
    pub fn read(&self) -> ([u64; BOUNDS.len() + 1], u64) {
        (self.classes.each_ref().map(|class| class.load(Ordering::Relaxed)), self.sum.load(Ordering::Relaxed))
    }
}

/// One section's counts.
#[derive(Debug, Default)]
pub struct Tally {
    /// Answered with what was asked for.
    pub found: AtomicU64,
    /// Answered that it does not exist.
    pub unknown: AtomicU64,
    /// Not ours: left to FreeSWITCH's other sources.
    pub passed: AtomicU64,
    /// A record could not be given out as it is and was answered as unknown, or a call was refused.
    pub refused: AtomicU64,
    /// How long they took.
    pub latency: Latency,
}

impl Tally {
    /// The four counts with their names.
    pub fn read(&self) -> [(&'static str, u64); 4] {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            ("found", read(&self.found)),
            ("unknown", read(&self.unknown)),
            ("passed", read(&self.passed)),
            ("refused", read(&self.refused)),
        ]
    }
}

/// All counts since load.
#[derive(Debug, Default)]
pub struct Counters {
    /// Directory lookups.
    pub directory: Tally,
    /// Dialplan lookups.
    pub dialplan: Tally,
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_in_the_first_class_that_it_fits_in() {
        let latency = Latency::default();
        for nanoseconds in [0, 500, 501, 1_000, 100_000_000, 100_000_001, u64::MAX / 4] {
            latency.note(Duration::from_nanos(nanoseconds));
        }
        let (classes, sum) = latency.read();
        assert_eq!(classes, [2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(sum, 500 + 501 + 1_000 + 100_000_000 + 100_000_001 + u64::MAX / 4);
    }
}
