//! What came of it all.

use std::collections::BTreeSet;

/// Counts, and everything that is neither taken as it is nor refused.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) fields: BTreeSet<String>,
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
    pub(crate) lookups: usize,
    pub(crate) others: Vec<String>,
}

/// So many faults are shown.
const SHOWN: usize = 40;

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.fields.extend(other.fields);
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.lookups += other.lookups;
        self.others.extend(other.others);
    }

    /// Says what came of it, and fails if there are others.
    pub(crate) fn finish(&self, strings: usize) {
        let resources: BTreeSet<&str> =
            self.fields.iter().filter_map(|field| field.split(' ').next()).collect();
        println!(
            "injection: {strings} strings, {} fields of {} resources, {} accepted, {} refused, {} lookups, {} others",
            self.fields.len(),
            resources.len(),
            self.accepted,
            self.refused,
            self.lookups,
            self.others.len()
        );
        let shown: Vec<&str> = self.others.iter().take(SHOWN).map(String::as_str).collect();
        assert!(self.others.is_empty(), "{} others:\n{}", self.others.len(), shown.join("\n"));
    }
}
