//! Writing an image.

use super::reader::{GONE, RECORD_HEADER};
use super::{HEADER_LEN, Header, Kind, MAX_KEY, MAX_VALUE, Scope, slot};
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

/// Where one added record lies in the builder's buffer.
struct Placed {
    start: usize,
    end: usize,
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
type Order<'a> = (&'a [u8], u8, &'a [u8]);

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
        append(&mut self.bytes, kind, scope, key, value)?;
        let end = self.bytes.len();
        if let Some(last) = self.placed.last() {
            let (last, new) = (self.order(last), order(&self.bytes, start));
            self.sorted &= last < new;
        }
        self.placed.push(Placed { start, end });
        Ok(())
    }

    fn order(&self, placed: &Placed) -> Order<'_> {
        order(&self.bytes, placed.start)
    }

    /// The finished image.
    pub fn finish(mut self) -> Result<Vec<u8>, BuildError> {
        if !self.sorted {
            let bytes = &self.bytes;
            // Stable: of equal keys the one added last comes last, and stays below.
            self.placed.sort_by(|a, b| order(bytes, a.start).cmp(&order(bytes, b.start)));
            let mut kept: Vec<Placed> = Vec::with_capacity(self.placed.len());
            for record in self.placed {
                match kept.last_mut() {
                    Some(last) if order(bytes, last.start) == order(bytes, record.start) => *last = record,
                    _ => kept.push(record),
                }
            }
            self.placed = kept;
        }
        let ranges = self.ranges();
        let slot_count = slot::count(self.placed.len() + ranges);
        let records = HEADER_LEN + slot_count * 8;
        let capacity = records + self.bytes.len() + ranges * (RECORD_HEADER + 24);
        if capacity as u64 / 8 > u64::from(u32::MAX) {
            return Err(BuildError::ImageLength(capacity as u64));
        }
        let mut image = Vec::with_capacity(capacity);
        image.resize(records, 0);
        let mut table = Table { slots: vec![0; slot_count], seed: self.seed };
        self.write_records(&mut image, &mut table)?;
        for (place, slot) in
            image.get_mut(HEADER_LEN..records).unwrap_or_default().chunks_exact_mut(8).zip(table.slots)
        {
            place.copy_from_slice(&slot.to_le_bytes());
        }
        let mut header = Header {
            checksum: 0,
            generation: self.generation,
            overlay: self.overlay,
            seed: self.seed,
            slots: HEADER_LEN as u64,
            slot_count: slot_count as u64,
            records: records as u64,
            records_end: image.len() as u64,
            record_count: self.placed.len() as u64,
        };
        header.write(&mut image);
        Ok(image)
    }

    /// Number of ranges: of pairs of scope and kind.
    fn ranges(&self) -> usize {
        let mut ranges: Vec<(&[u8], u8)> = self
            .placed
            .iter()
            .map(|placed| {
                let (scope, kind, _) = self.order(placed);
                (scope, kind)
            })
            .collect();
        ranges.dedup();
        ranges.len()
    }

    fn write_records(&self, image: &mut Vec<u8>, table: &mut Table) -> Result<(), BuildError> {
        let mut ranges: Vec<((Scope, u8), u64, u64)> = Vec::new();
        for placed in &self.placed {
            let (scope, kind, key) = self.order(placed);
            let offset = image.len() as u64;
            image.extend_from_slice(self.bytes.get(placed.start..placed.end).unwrap_or_default());
            let end = image.len() as u64;
            let scope: Scope = scope.try_into().unwrap_or_default();
            table.insert(kind, &scope, key, offset);
            match ranges.last_mut() {
                Some((last, _, range_end)) if *last == (scope, kind) => *range_end = end,
                _ => ranges.push(((scope, kind), offset, end)),
            }
        }
        for ((scope, kind), start, end) in ranges {
            let offset = image.len() as u64;
            let mut value = [0; 16];
            value[..8].copy_from_slice(&start.to_le_bytes());
            value[8..].copy_from_slice(&end.to_le_bytes());
            append(image, Kind::Range, scope, &[kind], Some(&value))?;
            table.insert(Kind::Range as u8, &scope, &[kind], offset);
        }
        Ok(())
    }
}

/// The slot table while it is filled.
struct Table {
    slots: Vec<u64>,
    seed: u64,
}

impl Table {
    fn insert(&mut self, kind: u8, scope: &Scope, key: &[u8], offset: u64) {
        let Some(hash) = Kind::from_u8(kind).and_then(|kind| slot::hash(self.seed, kind, scope, key)) else {
            return;
        };
        let len = self.slots.len() as u64;
        // Half of the slots stay empty, so one is found.
        let free = (0..len)
            .filter_map(|step| usize::try_from(hash.wrapping_add(step) & (len - 1)).ok())
            .find(|&index| self.slots.get(index) == Some(&0));
        if let Some(place) = free.and_then(|index| self.slots.get_mut(index)) {
            *place = slot::pack(hash, offset);
        }
    }
}

fn append(
    bytes: &mut Vec<u8>,
    kind: Kind,
    scope: Scope,
    key: &[u8],
    value: Option<&[u8]>,
) -> Result<(), BuildError> {
    let data = value.unwrap_or_default();
    let value_len = u32::try_from(data.len())
        .ok()
        .filter(|_| data.len() <= MAX_VALUE)
        .ok_or(BuildError::ValueLength(data.len()))?;
    let key_len = u16::try_from(key.len()).map_err(|_| BuildError::KeyLength(key.len()))?;
    bytes.extend_from_slice(&value_len.to_le_bytes());
    bytes.extend_from_slice(&key_len.to_le_bytes());
    bytes.push(kind as u8);
    bytes.push(if value.is_none() { GONE } else { 0 });
    bytes.extend_from_slice(&scope);
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    Ok(())
}

/// Scope, kind and key of the record at `start`, which [`append`] wrote.
fn order(bytes: &[u8], start: usize) -> Order<'_> {
    let record = bytes.get(start..).unwrap_or_default();
    let key_len = usize::from(u16::from_le_bytes([
        record.get(4).copied().unwrap_or_default(),
        record.get(5).copied().unwrap_or_default(),
    ]));
    (
        record.get(8..24).unwrap_or_default(),
        record.get(6).copied().unwrap_or_default(),
        record.get(RECORD_HEADER..RECORD_HEADER + key_len).unwrap_or_default(),
    )
}
