//! Where everything goes in an image, and the image while it is written.

use super::builder::{Placed, Record};
use super::header::u64_at;
use super::table::TABLE_HEAD;
use super::{Kind, PLATFORM, Scope, slot};

/// A scope's table as it will be.
pub(super) struct Planned<'a> {
    pub(super) scope: Scope,
    /// Its records, in order.
    placed: &'a [Placed],
    bits: u32,
    /// The number of each kind, and the offset of the first record of it.
    kinds: Vec<(u8, usize)>,
    /// The offset of the table.
    pub(super) start: usize,
    /// The offset behind the last record.
    pub(super) end: usize,
}

impl<'a> Planned<'a> {
    /// The table of a scope at `start`, with room for so many other entries.
    pub(super) fn new(bytes: &[u8], scope: Scope, placed: &'a [Placed], others: usize, start: usize) -> Self {
        let bits = slot::bits(placed.len() + others);
        let mut kinds: Vec<(u8, usize)> = Vec::new();
        let mut length = 0;
        for placed in placed {
            let record = Record::read(bytes, placed.start);
            if kinds.last().is_none_or(|(last, _)| *last != record.kind) {
                kinds.push((record.kind, length));
            }
            length += record.bytes.len();
        }
        let records = start + TABLE_HEAD + (8 << bits) + 8 * kinds.len();
        for (_, first) in &mut kinds {
            *first += records;
        }
        Self { scope, placed, bits, kinds, start, end: records + length }
    }
}

/// The image while it is written.
pub(super) struct Draft {
    pub(super) bytes: Vec<u8>,
    pub(super) seed: u64,
}

impl Draft {
    /// Appends a table with its records. The tables of tenants, in order, are what records of the platform lead to.
    pub(super) fn table(&mut self, records: &[u8], table: &Planned<'_>, tenants: &[Planned<'_>]) {
        self.bytes.extend_from_slice(&table.scope);
        for word in [table.bits, low(table.kinds.len()), low(table.end / 8), low(table.placed.len())] {
            self.bytes.extend_from_slice(&word.to_le_bytes());
        }
        self.bytes.resize(table.start + TABLE_HEAD + (8 << table.bits), 0);
        for (kind, first) in &table.kinds {
            for word in [u32::from(*kind), low(first / 8)] {
                self.bytes.extend_from_slice(&word.to_le_bytes());
            }
        }
        for placed in table.placed {
            let record = Record::read(records, placed.start);
            let at = self.bytes.len();
            self.bytes.extend_from_slice(record.bytes);
            let home = record.home().filter(|_| table.scope == PLATFORM);
            let home = home.and_then(|home| tenants.binary_search_by_key(&home, |tenant| tenant.scope).ok());
            if let Some(home) = home.and_then(|index| tenants.get(index))
                && let Some(near) = self.bytes.get_mut(at + 4..at + 8)
            {
                near.copy_from_slice(&low(home.start / 8).to_le_bytes());
            }
            let kind = Kind::from_u8(record.kind);
            if let Some(hash) = kind.and_then(|kind| slot::hash(self.seed, kind, &table.scope, record.key)) {
                self.slot(table, hash, at);
            }
        }
    }

    /// Fills a slot of a table.
    pub(super) fn slot(&mut self, table: &Planned<'_>, hash: u64, leads_to: usize) {
        let (first, count) = (table.start + TABLE_HEAD, 1_u64 << table.bits);
        // Half of the slots stay empty, so one is found.
        let free = (0..count)
            .filter_map(|step| usize::try_from(hash.wrapping_add(step) & (count - 1)).ok())
            .map(|number| first + number * 8)
            .find(|at| u64_at(&self.bytes, *at) == Some(0));
        if let Some(place) = free.and_then(|at| self.bytes.get_mut(at..at + 8)) {
            place.copy_from_slice(&slot::pack(hash, leads_to).to_le_bytes());
        }
    }
}

/// A number of which the image is too short for a greater one.
fn low(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
