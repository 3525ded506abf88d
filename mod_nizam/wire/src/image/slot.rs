//! The hash of a key, and the slots that lead from it to a record or to the table of a scope.
//!
//! A slot is a little-endian `u64`: the upper half of the hash in its upper 32 bits, an offset in the image divided
//! by eight in its lower 32. Zero is empty: nothing lies at offset zero. Collisions go to the next slot.

use super::{Kind, MAX_KEY, Scope};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Stands for the kind where a scope itself is looked for. No kind has this number.
const OF_SCOPE: u8 = 0;

/// XXH3-64 of kind, scope and key, in this order. `None` for a key that is too long to be in any image.
///
/// The seed is random and the same for all images of one daemon, so that nobody can choose extension numbers that
/// collide, and a reader hashes once for the whole stack.
pub fn hash(seed: u64, kind: Kind, scope: &Scope, key: &[u8]) -> Option<u64> {
    hash_of(seed, kind as u8, scope, key)
}

/// What leads from the platform's table to that of a scope.
pub(super) fn hash_scope(seed: u64, scope: &Scope) -> u64 {
    // Without a key it always fits.
    hash_of(seed, OF_SCOPE, scope, &[]).unwrap_or(0)
}

fn hash_of(seed: u64, kind: u8, scope: &Scope, key: &[u8]) -> Option<u64> {
    let (mut short, mut long) = ([0; 64], None);
    let end = 17 + key.len();
    // Most keys are short, and to clear room for the longest costs more than to hash them.
    let buffer = match end {
        ..=64 => short.as_mut_slice(),
        _ => long.insert([0; 17 + MAX_KEY]).as_mut_slice(),
    };
    *buffer.first_mut()? = kind;
    buffer.get_mut(1..17)?.copy_from_slice(scope);
    buffer.get_mut(17..end)?.copy_from_slice(key);
    Some(xxh3_64_with_seed(buffer.get(..end)?, seed))
}

/// A slot for what lies at `offset` (a multiple of eight, below 32 GiB).
pub(super) fn pack(hash: u64, offset: usize) -> u64 {
    (hash & 0xFFFF_FFFF_0000_0000) | (offset as u64 / 8)
}

/// The offset if the slot is for a key of this hash.
pub(super) fn offset(slot: u64, hash: u64) -> Option<usize> {
    (slot >> 32 == hash >> 32).then(|| place(slot))
}

/// The offset in a slot, whatever its hash.
pub(super) fn place(slot: u64) -> usize {
    (slot & 0xFFFF_FFFF) as usize * 8
}

/// Number of slots for so many entries, as the power of two that it is: at most half are full.
pub(super) fn bits(entries: usize) -> u32 {
    (entries.max(1) * 2).next_power_of_two().trailing_zeros()
}
