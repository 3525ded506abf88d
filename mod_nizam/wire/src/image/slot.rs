//! The hash of a key, and the slots that lead from it to a record.
//!
//! A slot is a little-endian `u64`: the upper half of the hash in its upper 32 bits, the record's offset divided
//! by eight in its lower 32. Zero is empty: no record lies at offset zero. Collisions go to the next slot.

use super::{Kind, MAX_KEY, Scope};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// XXH3-64 of kind, scope and key, in this order. `None` for a key that is too long to be in any image.
///
/// The seed is random and the same for all images of one daemon, so that nobody can choose extension numbers that
/// collide, and a reader hashes once for the whole stack.
pub fn hash(seed: u64, kind: Kind, scope: &Scope, key: &[u8]) -> Option<u64> {
    let mut buffer = [0u8; 17 + MAX_KEY];
    let end = 17 + key.len();
    buffer[0] = kind as u8;
    buffer.get_mut(1..17)?.copy_from_slice(scope);
    buffer.get_mut(17..end)?.copy_from_slice(key);
    Some(xxh3_64_with_seed(buffer.get(..end)?, seed))
}

/// A slot for a record at `offset` (a multiple of eight, below 32 GiB).
pub(super) fn pack(hash: u64, offset: u64) -> u64 {
    (hash & 0xFFFF_FFFF_0000_0000) | (offset / 8)
}

/// The record's offset if the slot is for a key of this hash.
pub(super) fn offset(slot: u64, hash: u64) -> Option<u64> {
    (slot >> 32 == hash >> 32).then_some((slot & 0xFFFF_FFFF) * 8)
}

/// Number of slots for so many records: a power of two, at most half full.
pub(super) fn count(records: usize) -> usize {
    (records.max(1) * 2).next_power_of_two()
}
