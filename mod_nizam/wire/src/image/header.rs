//! The first 128 bytes of an image.

use super::table::{RECORD_HEADER, Table};
use super::{ImageError, PLATFORM};
use xxhash_rust::xxh3::xxh3_64;

/// The first eight bytes of every image.
pub const MAGIC: [u8; 8] = *b"NIZAMIMG";

/// The format this build writes and reads. Any change of layout or of a record's fields raises it.
pub const FORMAT_VERSION: u32 = 3;

/// Length of the header in bytes.
pub const HEADER_LEN: usize = 128;

/// Reads as `0x0D0C0B0A` on a machine of the other byte order.
const BYTE_ORDER: u32 = 0x0A0B_0C0D;

/// Where the bytes that the checksum covers begin.
const CHECKED_FROM: usize = 32;

/// The fields of a header, checked against the bytes they describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// XXH3-64 of everything after it; names the image.
    pub checksum: u64,
    /// The configuration generation this image brings a reader to.
    pub generation: u64,
    /// Whether only changes are in it.
    pub overlay: bool,
    /// Seed of the key hash.
    pub seed: u64,
    /// The table of the platform's scope, which leads to those of the others.
    pub platform: Table,
    /// Number of records.
    pub record_count: u64,
}

/// The `u64` at `at`, little endian; `None` outside.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// The `u32` at `at`, little endian; `None` outside.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

impl Header {
    /// Reads and checks the header of `bytes`, the checksum over all of them included.
    pub fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let actual = bytes.len() as u64;
        let short = ImageError::TooShort(actual);
        let head = bytes.get(..HEADER_LEN).ok_or(short)?;
        if head.get(..8) != Some(&MAGIC[..]) {
            return Err(ImageError::WrongMagic);
        }
        let version = u32_at(head, 8).ok_or(short)?;
        let order = u32_at(head, 12).ok_or(short)?;
        if order == BYTE_ORDER.swap_bytes() {
            return Err(ImageError::WrongByteOrder);
        }
        if version != FORMAT_VERSION {
            return Err(ImageError::WrongVersion(version));
        }
        if order != BYTE_ORDER {
            return Err(ImageError::WrongByteOrder);
        }
        let word = |at| u64_at(head, at).ok_or(short);
        let stated = word(16)?;
        if stated != actual {
            return Err(ImageError::WrongLength { stated, actual });
        }
        let checksum = word(24)?;
        let computed = checksum_of(bytes);
        if checksum != computed {
            return Err(ImageError::Corrupt { stated: checksum, computed });
        }
        let overlay = match u32_at(head, 40).ok_or(short)? {
            0 => false,
            1 => true,
            _ => return Err(ImageError::BadHeader),
        };
        let platform = usize::try_from(word(56)?).ok().filter(|at| *at >= HEADER_LEN);
        let platform = platform.and_then(|at| Table::read(bytes, at)).ok_or(ImageError::BadHeader)?;
        let record_count = word(64)?;
        // Whoever reserves room for the records must be able to trust their number.
        if *platform.scope() != PLATFORM || record_count > actual / RECORD_HEADER as u64 {
            return Err(ImageError::BadHeader);
        }
        Ok(Self { checksum, generation: word(32)?, overlay, seed: word(48)?, platform, record_count })
    }
}

/// What a writer says in a header.
pub(super) struct Written {
    pub(super) generation: u64,
    pub(super) overlay: bool,
    pub(super) seed: u64,
    /// Offset of the platform's table.
    pub(super) platform: usize,
    pub(super) record_count: usize,
}

impl Written {
    /// Writes the header into the first bytes of `image`, whose other bytes are final.
    pub(super) fn write(&self, image: &mut [u8]) {
        let length = image.len() as u64;
        let fields = [
            (16, length),
            (32, self.generation),
            (40, u64::from(self.overlay)),
            (48, self.seed),
            (56, self.platform as u64),
            (64, self.record_count as u64),
        ];
        let mut put = |at: usize, bytes: &[u8]| {
            if let Some(place) = image.get_mut(at..at + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        };
        put(0, &MAGIC);
        put(8, &FORMAT_VERSION.to_le_bytes());
        put(12, &BYTE_ORDER.to_le_bytes());
        for (at, value) in fields {
            put(at, &value.to_le_bytes());
        }
        let checksum = checksum_of(image);
        if let Some(place) = image.get_mut(24..32) {
            place.copy_from_slice(&checksum.to_le_bytes());
        }
    }
}

fn checksum_of(image: &[u8]) -> u64 {
    xxh3_64(image.get(CHECKED_FROM..).unwrap_or_default())
}
