//! Random numbers from a seed, the same on every machine.

use std::cell::Cell;
use uuid::Uuid;

/// `SplitMix64`: every state gives a good number, and a case can be had again by its number alone.
pub(crate) struct Random(Cell<u64>);

impl Random {
    /// The numbers of one case of a seed.
    pub(crate) fn of(seed: u64, case: u64) -> Self {
        let this = Self(Cell::new(seed ^ case.wrapping_mul(0xd134_2543_de82_ef95)));
        this.bits();
        this
    }

    /// 64 bits.
    pub(crate) fn bits(&self) -> u64 {
        let mut bits = self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.0.set(bits);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below this one.
    pub(crate) fn below(&self, most: usize) -> usize {
        usize::try_from(self.bits() % u64::try_from(most).unwrap()).unwrap()
    }

    /// A number from the one to the other, both included.
    pub(crate) fn within(&self, least: i64, most: i64) -> i64 {
        least + i64::try_from(self.bits() % u64::try_from(most - least + 1).unwrap()).unwrap()
    }

    /// True so many times of a hundred.
    pub(crate) fn percent(&self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub(crate) fn one<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// One of these, or something else so many times of a hundred.
    pub(crate) fn one_or<T: Copy>(&self, of: &[T], percent: usize, other: T) -> T {
        if of.is_empty() || self.percent(percent) { other } else { self.one(of) }
    }

    /// Some of these, each at most once, in any order.
    pub(crate) fn some<T: Copy>(&self, of: &[T], most: usize) -> Vec<T> {
        let mut rest = of.to_vec();
        let count = self.below(most.min(rest.len()) + 1);
        (0..count).map(|_| rest.swap_remove(self.below(rest.len()))).collect()
    }

    /// An id.
    pub(crate) fn uuid(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.bits()) << 64 | u128::from(self.bits()) | 1)
    }
}
