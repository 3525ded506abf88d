//! How many lookups came and what became of them.

use std::sync::atomic::{AtomicU64, Ordering};

/// Which section of the XML registry was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Users and domains.
    Directory,
    /// Routes.
    Dialplan,
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

impl Counters {
    /// One section's counts.
    pub fn of(&self, section: Section) -> &Tally {
        match section {
            Section::Directory => &self.directory,
            Section::Dialplan => &self.dialplan,
        }
    }
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
