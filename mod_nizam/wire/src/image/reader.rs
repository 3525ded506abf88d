//! Reading an image: opening, lookup by key, walking one scope.

use super::header::{u32_at, u64_at};
use super::{Header, ImageError, Kind, Scope, slot};
use crate::memory::Mapping;
use std::fmt;

/// Length of a record's header in bytes.
pub(super) const RECORD_HEADER: usize = 24;

/// Flag of a record that deletes: the key is gone, whatever older images say.
pub(super) const GONE: u8 = 1;

/// Where an image's bytes live.
enum Bytes {
    Owned(Vec<u8>),
    Mapped(Mapping),
}

/// An opened image. Immutable; every offset in it is checked whenever it is followed.
pub struct Image {
    header: Header,
    bytes: Bytes,
}

/// What an image says about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// Nothing: ask an older image.
    Absent,
    /// It was deleted: do not ask an older image.
    Gone,
    /// The record's value.
    Value(&'a [u8]),
}

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
}

impl Entry<'_> {
    /// What records are ordered and replaced by.
    pub fn order(&self) -> (Scope, Kind, &[u8]) {
        (self.scope, self.kind, self.key)
    }
}

impl Image {
    /// Opens an image in this process's own memory, as read from a file.
    pub fn from_vec(bytes: Vec<u8>) -> Result<Self, ImageError> {
        let header = Header::read(&bytes)?;
        Ok(Self { header, bytes: Bytes::Owned(bytes) })
    }

    /// Opens an image in sealed shared memory.
    pub fn from_mapping(mapping: Mapping) -> Result<Self, ImageError> {
        let header = Header::read(mapping.bytes())?;
        Ok(Self { header, bytes: Bytes::Mapped(mapping) })
    }

    /// The checked header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The image's name: its checksum.
    pub fn id(&self) -> u64 {
        self.header.checksum
    }

    /// All bytes, header included.
    pub fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Owned(bytes) => bytes,
            Bytes::Mapped(mapping) => mapping.bytes(),
        }
    }

    /// Finds a key whose [`slot::hash`] with this image's seed is `hash`.
    pub fn get(&self, hash: u64, kind: Kind, scope: &Scope, key: &[u8]) -> Lookup<'_> {
        let bytes = self.bytes();
        let mask = self.header.slot_count - 1;
        let mut index = hash & mask;
        // Bounded by the table: a table without an empty slot is not an endless loop.
        for _ in 0..self.header.slot_count {
            let Some(found) =
                usize::try_from(self.header.slots + index * 8).ok().and_then(|at| u64_at(bytes, at))
            else {
                return Lookup::Absent;
            };
            if found == 0 {
                return Lookup::Absent;
            }
            if let Some(offset) = slot::offset(found, hash)
                && let Some((entry, _)) = self.record(offset)
                && entry.kind == kind
                && entry.scope == *scope
                && entry.key == key
            {
                return entry.value.map_or(Lookup::Gone, Lookup::Value);
            }
            index = (index + 1) & mask;
        }
        Lookup::Absent
    }

    /// The first slot that [`Image::get`] looks at for that hash.
    pub fn slot(&self, hash: u64) -> u64 {
        let index = hash & (self.header.slot_count - 1);
        let at = usize::try_from(self.header.slots + index * 8).ok();
        at.and_then(|at| u64_at(self.bytes(), at)).unwrap_or(0)
    }

    /// Reads the beginning of the record that such a slot leads to, for nothing but that it comes nearer.
    pub fn touch(&self, hash: u64, slot: u64) {
        if let Some(at) = slot::offset(slot, hash).and_then(|offset| usize::try_from(offset).ok()) {
            let bytes = self.bytes();
            std::hint::black_box([bytes.get(at).copied(), bytes.get(at.saturating_add(64)).copied()]);
        }
    }

    /// The record at `offset` and the offset behind it. `None` where no whole record lies.
    fn record(&self, offset: u64) -> Option<(Entry<'_>, u64)> {
        if offset < self.header.records || offset >= self.header.records_end {
            return None;
        }
        let start = usize::try_from(offset).ok()?;
        let end = usize::try_from(self.header.records_end).ok()?;
        let bytes = self.bytes().get(start..end)?;
        // A record spans several cache lines, each of which may have to come from memory: ask for them at once.
        std::hint::black_box([bytes.get(64).copied(), bytes.get(128).copied()]);
        let head = bytes.get(..RECORD_HEADER)?;
        let value_len = u32_at(head, 0)? as usize;
        let key_len = usize::from(u16::from_le_bytes(head.get(4..6)?.try_into().ok()?));
        let kind = Kind::from_u8(*head.get(6)?)?;
        let gone = *head.get(7)? & GONE != 0;
        let scope: Scope = head.get(8..24)?.try_into().ok()?;
        let key_end = RECORD_HEADER.checked_add(key_len)?;
        let value_end = key_end.checked_add(value_len)?;
        let key = bytes.get(RECORD_HEADER..key_end)?;
        let value = bytes.get(key_end..value_end)?;
        let next = offset.checked_add(value_end.next_multiple_of(8) as u64)?;
        Some((Entry { scope, kind, key, value: (!gone).then_some(value) }, next))
    }

    /// All records of one kind in one scope in the order of their keys, deletions included.
    pub fn scope<'a>(&'a self, scope: &Scope, kind: Kind) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let key = [kind as u8];
        let range = slot::hash(self.header.seed, Kind::Range, scope, &key)
            .map_or(Lookup::Absent, |hash| self.get(hash, Kind::Range, scope, &key));
        let (start, end) = match range {
            Lookup::Value(value) => (u64_at(value, 0).unwrap_or(0), u64_at(value, 8).unwrap_or(0)),
            _ => (0, 0),
        };
        self.walk(start, end)
    }

    /// All records in order of scope, kind and key, deletions included, ranges not.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.walk(self.header.records, self.header.records_end).take_while(|entry| entry.kind != Kind::Range)
    }

    fn walk(&self, start: u64, end: u64) -> impl Iterator<Item = Entry<'_>> + use<'_> {
        let mut at = start;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let (entry, next) = self.record(at)?;
            at = next;
            Some(entry)
        })
    }

    /// A record chosen by `pick`, any number: what measurements draw their keys from.
    pub fn sample(&self, pick: u64) -> Option<Entry<'_>> {
        let mask = self.header.slot_count - 1;
        (0..self.header.slot_count.min(4096)).find_map(|step| {
            let at = usize::try_from(self.header.slots + ((pick.wrapping_add(step)) & mask) * 8).ok()?;
            let found = u64_at(self.bytes(), at)?;
            let (entry, _) = self.record((found & 0xFFFF_FFFF) * 8)?;
            (entry.kind != Kind::Range).then_some(entry)
        })
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image").field("header", &self.header).finish_non_exhaustive()
    }
}
