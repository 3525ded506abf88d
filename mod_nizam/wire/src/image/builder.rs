//! Writing an image.

use super::draft::{Draft, Planned};
use super::header::{Written, u32_at};
use super::table::{GONE, RECORD_HEADER};
use super::{HEADER_LEN, Kind, MAX_KEY, MAX_VALUE, PLATFORM, Scope, slot};
use crate::record;
use thiserror::Error;

/// Why records do not become an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BuildError {
    /// A key of no or too many bytes.
    #[error("a record's key has {0} bytes, 1 to {MAX_KEY} are allowed")]
    KeyLength(usize),
    /// A value of too many bytes.
    #[error("a record's value has {0} bytes, at most {MAX_VALUE} are allowed")]
    ValueLength(usize),
    /// Slots address 32 GiB.
    #[error("an image of {0} bytes is larger than 32 GiB")]
    ImageLength(u64),
}

/// Whose one added record is, and where it lies in the builder's buffer.
pub(super) struct Placed {
    pub(super) scope: Scope,
    pub(super) start: usize,
}

/// Collects records and writes them as one image.
///
/// Records may come in any order; of two with the same key the one added last stays.
pub struct Builder {
    generation: u64,
    overlay: bool,
    seed: u64,
    bytes: Vec<u8>,
    placed: Vec<Placed>,
    sorted: bool,
}

/// Scope, kind and key of a record, in the order in which records lie.
type Order<'a> = (Scope, u8, &'a [u8]);

impl Builder {
    /// A builder of a base image.
    pub fn base(generation: u64, seed: u64) -> Self {
        Self { generation, overlay: false, seed, bytes: Vec::new(), placed: Vec::new(), sorted: true }
    }

    /// A builder of an overlay.
    pub fn overlay(generation: u64, seed: u64) -> Self {
        Self { overlay: true, ..Self::base(generation, seed) }
    }

    /// Makes room for so many records of so many bytes in all, so that a large image is not copied as it grows.
    pub fn reserve(&mut self, records: usize, bytes: usize) {
        self.placed.reserve(records);
        self.bytes.reserve(bytes);
    }

    /// Changes the generation, for whoever learns it with the last record.
    pub fn set_generation(&mut self, generation: u64) {
        self.generation = generation;
    }

    /// Whether this is an overlay, in which deletions mean something.
    pub fn is_overlay(&self) -> bool {
        self.overlay
    }

    /// Number of records added.
    pub fn len(&self) -> usize {
        self.placed.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.placed.is_empty()
    }

    /// Adds a record, or with `None` the deletion of one.
    pub fn put(
        &mut self,
        kind: Kind,
        scope: Scope,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), BuildError> {
        if key.is_empty() || key.len() > MAX_KEY {
            return Err(BuildError::KeyLength(key.len()));
        }
        let start = self.bytes.len();
        append(&mut self.bytes, kind, key, value)?;
        let new = Placed { scope, start };
        if let Some(last) = self.placed.last() {
            self.sorted &= last.order(&self.bytes) < new.order(&self.bytes);
        }
        self.placed.push(new);
        Ok(())
    }

    /// The finished image.
    pub fn finish(mut self) -> Result<Vec<u8>, BuildError> {
        self.sort();
        let platform = self.placed.partition_point(|placed| placed.scope == PLATFORM);
        let (platform, tenants) = self.placed.split_at(platform);
        let tenants: Vec<&[Placed]> = tenants.chunk_by(|a, b| a.scope == b.scope).collect();
        let mut end = HEADER_LEN;
        let mut plan = |scope: Scope, records, others: usize| {
            let planned = Planned::new(&self.bytes, scope, records, others, end);
            end = planned.end;
            planned
        };
        let platform = plan(PLATFORM, platform, tenants.len());
        let tenants: Vec<Planned<'_>> = tenants
            .into_iter()
            .filter_map(|records| Some(plan(records.first()?.scope, records, 0)))
            .collect();
        if end as u64 / 8 > u64::from(u32::MAX) {
            return Err(BuildError::ImageLength(end as u64));
        }
        let mut image = Draft { bytes: Vec::with_capacity(end), seed: self.seed };
        image.bytes.resize(HEADER_LEN, 0);
        image.table(&self.bytes, &platform, &tenants);
        for tenant in &tenants {
            image.slot(&platform, slot::hash_scope(self.seed, &tenant.scope), tenant.start);
            image.table(&self.bytes, tenant, &tenants);
        }
        let header = Written {
            generation: self.generation,
            overlay: self.overlay,
            seed: self.seed,
            platform: HEADER_LEN,
            record_count: self.placed.len(),
        };
        header.write(&mut image.bytes);
        Ok(image.bytes)
    }

    fn sort(&mut self) {
        if self.sorted {
            return;
        }
        let bytes = &self.bytes;
        // Stable: of equal keys the one added last comes last.
        self.placed.sort_by(|a, b| a.order(bytes).cmp(&b.order(bytes)));
        self.placed.reverse();
        self.placed.dedup_by(|later, kept| later.order(bytes) == kept.order(bytes));
        self.placed.reverse();
    }
}

impl Placed {
    fn order<'a>(&self, bytes: &'a [u8]) -> Order<'a> {
        let record = Record::read(bytes, self.start);
        (self.scope, record.kind, record.key)
    }
}

/// A record that [`append`] wrote.
pub(super) struct Record<'a> {
    /// All of it, up to the next multiple of eight.
    pub(super) bytes: &'a [u8],
    pub(super) kind: u8,
    pub(super) key: &'a [u8],
    value: &'a [u8],
}

impl<'a> Record<'a> {
    pub(super) fn read(bytes: &'a [u8], start: usize) -> Self {
        let record = bytes.get(start..).unwrap_or_default();
        let [key_len, kind] = [8, 9].map(|at| record.get(at).copied().unwrap_or_default());
        let key_end = RECORD_HEADER + usize::from(key_len);
        let value_end = key_end + u32_at(record, 0).unwrap_or(0) as usize;
        Self {
            bytes: record.get(..value_end.next_multiple_of(8)).unwrap_or_default(),
            kind,
            key: record.get(RECORD_HEADER..key_end).unwrap_or_default(),
            value: record.get(key_end..value_end).unwrap_or_default(),
        }
    }

    /// The tenant that it is about, where it is one of the platform.
    pub(super) fn home(&self) -> Option<Scope> {
        record::home(Kind::from_u8(self.kind)?, self.value)
    }
}

fn append(bytes: &mut Vec<u8>, kind: Kind, key: &[u8], value: Option<&[u8]>) -> Result<(), BuildError> {
    let data = value.unwrap_or_default();
    let value_len = u32::try_from(data.len())
        .ok()
        .filter(|_| data.len() <= MAX_VALUE)
        .ok_or(BuildError::ValueLength(data.len()))?;
    let key_len = u8::try_from(key.len()).map_err(|_| BuildError::KeyLength(key.len()))?;
    bytes.extend_from_slice(&value_len.to_le_bytes());
    // Where its tenant is comes in when that is known.
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&[key_len, kind as u8, if value.is_none() { GONE } else { 0 }, 0]);
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    Ok(())
}
