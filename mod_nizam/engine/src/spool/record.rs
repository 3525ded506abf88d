//! A record, which looks the same in the ring and in a segment.
//!
//! ```text
//! length    u32   of the event in bytes
//! class     u8    0: trace, 1: final
//! zero      3
//! sequence  u64
//! checksum  u64   xxh3 of the event, and of what stands above
//! event           zeroes follow to a multiple of eight bytes
//! ```
//!
//! Little endian.

use nizam_wire::event;
use xxhash_rust::xxh3::xxh3_64;

/// Length of what stands before the event.
pub(super) const HEAD: usize = 24;

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// What happened on the way: goes first when there is no room.
    Trace,
    /// The end of a channel, which a bill is made of: goes last.
    Final,
}

impl Class {
    pub(super) fn index(self) -> usize {
        match self {
            Self::Trace => 0,
            Self::Final => 1,
        }
    }
}

/// What stands before an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) length: u32,
    pub(super) class: Class,
    pub(super) sequence: u64,
    checksum: u64,
}

impl Head {
    /// For an event of this length whose xxh3 is `hash`.
    pub(super) fn new(length: u32, class: Class, sequence: u64, hash: u64) -> Self {
        let mut head = Self { length, class, sequence, checksum: 0 };
        head.checksum = head.sum(hash);
        head
    }

    fn sum(&self, hash: u64) -> u64 {
        let [first, second, _] = self.words();
        // Odd constants of no meaning: what was computed outside of the lock is only mixed with the rest inside.
        hash ^ first.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ second.wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
    }

    pub(super) fn words(&self) -> [u64; 3] {
        [u64::from(self.length) | (self.class.index() as u64) << 32, self.sequence, self.checksum]
    }

    /// `None`: this is no head.
    pub(super) fn read(words: [u64; 3]) -> Option<Self> {
        let [first, sequence, checksum] = words;
        let class = match first >> 32 {
            0 => Class::Trace,
            1 => Class::Final,
            _ => return None,
        };
        let length = u32::try_from(first & u64::from(u32::MAX)).ok()?;
        (sequence != 0 && length as usize <= event::MOST).then_some(Self {
            length,
            class,
            sequence,
            checksum,
        })
    }

    /// As [`Head::read`], of bytes.
    pub(super) fn read_bytes(bytes: &[u8; HEAD]) -> Option<Self> {
        let mut words = [0; 3];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        Self::read(words)
    }

    /// Whether it belongs to this event.
    pub(super) fn fits(&self, event: &[u8]) -> bool {
        event.len() == self.length as usize && self.checksum == self.sum(xxh3_64(event))
    }

    /// How many words the record takes, this head included.
    pub(super) fn count(&self) -> u64 {
        count(self.length as usize)
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> u64 {
        self.count() * 8
    }
}

/// How many words the record of an event of this length takes.
pub(super) fn count(length: usize) -> u64 {
    (HEAD + length).div_ceil(8) as u64
}
