//! The table of one scope: its slots, where its kinds begin, and right behind them its records.
//!
//! Most tenants are small. Everything that a call needs of one is within a few neighbouring lines of memory, which come all at once.

use super::header::{u32_at, u64_at};
use super::{Kind, Scope, slot};

/// Length of what a table begins with: scope, slots (as a power of two), kinds, end (divided by eight), records.
pub(super) const TABLE_HEAD: usize = 32;

/// Length of a record's header in bytes.
pub(super) const RECORD_HEADER: usize = 12;

/// Flag of a record that deletes: the key is gone, whatever older images say.
pub(super) const GONE: u8 = 1;

/// A line of memory: what a processor fetches at least.
const LINE: usize = 64;

/// One record, as a walk finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Whose record.
    pub scope: Scope,
    /// About what.
    pub kind: Kind,
    /// Its key in scope and kind.
    pub key: &'a [u8],
    /// Its value; `None`: deleted.
    pub value: Option<&'a [u8]>,
    /// For [`super::Image::table_near`]: where the table of the tenant is that this record of the platform is about.
    pub near: u32,
}

impl Entry<'_> {
    /// What records are ordered and replaced by.
    pub fn order(&self) -> (Scope, Kind, &[u8]) {
        (self.scope, self.kind, self.key)
    }
}

/// Where the slots and records of a scope lie, as the image says. All of it is inside the image; what lies there is checked when it
/// is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    scope: Scope,
    slots: usize,
    mask: u64,
    kinds: usize,
    records: usize,
    end: usize,
}

impl Table {
    /// The table at that offset. `None` where no whole one lies.
    pub(super) fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let head = bytes.get(at..at.checked_add(TABLE_HEAD)?)?;
        let scope: Scope = *head.first_chunk()?;
        let count = 1_usize.checked_shl(u32_at(head, 16)?)?;
        let slots = at + TABLE_HEAD;
        let kinds = count.checked_mul(8)?.checked_add(slots)?;
        let records = (u32_at(head, 20)? as usize).checked_mul(8)?.checked_add(kinds)?;
        let end = (u32_at(head, 24)? as usize).checked_mul(8)?;
        let mask = count as u64 - 1;
        (records <= end && end <= bytes.len()).then_some(Self { scope, slots, mask, kinds, records, end })
    }

    /// Whose it is.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The offset behind its last record, where the next table begins.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// What the slot with that number holds.
    fn slot(&self, bytes: &[u8], number: u64) -> Option<u64> {
        let number = usize::try_from(number & self.mask).ok()?;
        u64_at(bytes, self.slots.checked_add(number.checked_mul(8)?)?)
    }

    /// Where something of that hash may lie.
    pub(super) fn places<'a>(&self, bytes: &'a [u8], hash: u64) -> impl Iterator<Item = usize> + use<'a> {
        let table = *self;
        // Bounded by the table: one without an empty slot is not an endless loop.
        (0..self.mask.saturating_add(1))
            .map_while(move |step| table.slot(bytes, hash.wrapping_add(step)).filter(|slot| *slot != 0))
            .filter_map(move |slot| slot::offset(slot, hash))
    }

    /// Where something lies that is chosen by `pick`, any number.
    pub(super) fn any<'a>(&self, bytes: &'a [u8], pick: u64) -> impl Iterator<Item = usize> + use<'a> {
        let table = *self;
        (0..=self.mask.min(4096))
            .filter_map(move |step| table.slot(bytes, pick.wrapping_add(step)).filter(|slot| *slot != 0))
            .map(slot::place)
    }

    /// The record of that key.
    pub(super) fn find<'a>(&self, bytes: &'a [u8], hash: u64, kind: Kind, key: &[u8]) -> Option<Entry<'a>> {
        self.places(bytes, hash)
            .filter_map(|at| self.record(bytes, at))
            .map(|(entry, _)| entry)
            .find(|entry| entry.kind == kind && entry.key == key)
    }

    /// The record at that offset, and the offset behind it. `None` where no whole record of this scope lies.
    pub(super) fn record<'a>(&self, bytes: &'a [u8], at: usize) -> Option<(Entry<'a>, usize)> {
        if at < self.records {
            return None;
        }
        let bytes = bytes.get(at..self.end)?;
        // A record spans several lines, each of which may have to come from memory: ask for them at once.
        std::hint::black_box([bytes.get(LINE).copied(), bytes.get(2 * LINE).copied()]);
        let head = bytes.get(..RECORD_HEADER)?;
        let key_end = RECORD_HEADER + usize::from(*head.get(8)?);
        let value_end = key_end.checked_add(u32_at(head, 0)? as usize)?;
        let gone = *head.get(10)? & GONE != 0;
        let entry = Entry {
            scope: self.scope,
            kind: Kind::from_u8(*head.get(9)?)?,
            key: bytes.get(RECORD_HEADER..key_end)?,
            value: bytes.get(key_end..value_end).map(|value| (!gone).then_some(value))?,
            near: u32_at(head, 4)?,
        };
        Some((entry, at.checked_add(value_end.checked_next_multiple_of(8)?)?))
    }

    /// All records of one kind in the order of their keys, deletions included.
    pub(super) fn kind<'a>(&self, bytes: &'a [u8], kind: Kind) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let kinds = bytes.get(self.kinds..self.records).unwrap_or_default();
        let found = kinds.chunks_exact(8).find(|of| u32_at(of, 0) == Some(u32::from(kind as u8)));
        let first = found.and_then(|of| u32_at(of, 4)).map_or(self.end, |place| place as usize * 8);
        self.walk(bytes, first).take_while(move |entry| entry.kind == kind)
    }

    /// All records in order of kind and key, deletions included.
    pub(super) fn all<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        self.walk(bytes, self.records)
    }

    fn walk<'a>(&self, bytes: &'a [u8], from: usize) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let (table, mut at) = (*self, from);
        std::iter::from_fn(move || {
            let (entry, next) = table.record(bytes, at)?;
            at = next;
            Some(entry)
        })
    }

    /// Whether everything of it is within so many bytes.
    pub(super) fn is_within(&self, length: usize) -> bool {
        self.end.saturating_sub(self.slots) <= length
    }

    /// Has the memory of these keys come all at once, not one after the other as each is looked up.
    pub(super) fn touch<const N: usize>(&self, bytes: &[u8], hashes: [Option<u64>; N]) {
        let first = hashes.map(|hash| hash.and_then(|hash| slot::offset(self.slot(bytes, hash)?, hash)));
        for at in first.into_iter().flatten() {
            touch(bytes, at, 2 * LINE);
        }
    }
}

/// Reads a byte of each line there, for nothing but that they come nearer.
pub(super) fn touch(bytes: &[u8], at: usize, length: usize) {
    let end = at.saturating_add(length).min(bytes.len());
    let lines = bytes.get(at..end).unwrap_or_default().iter().step_by(LINE);
    std::hint::black_box(lines.fold(0_u8, |sum, byte| sum ^ byte));
}
