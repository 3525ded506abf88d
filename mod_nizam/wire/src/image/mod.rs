//! An image: an immutable set of records, found by hash, that one process writes and another reads.
//!
//! A *base* image holds everything, an *overlay* only what changed, deletions included. A reader looks a record
//! up in the newest overlay first and in the base last.

mod builder;
mod error;
mod header;
mod merge;
mod reader;
mod slot;

pub use builder::{BuildError, Builder};
pub use error::ImageError;
pub use header::{FORMAT_VERSION, HEADER_LEN, Header, MAGIC};
pub use merge::{merge, scope};
pub use reader::{Entry, Image, Lookup};
pub use slot::hash;

/// Whose record it is: the nil UUID for the platform's own records, a tenant's UUID for a tenant's.
pub type Scope = [u8; 16];

/// The platform's own scope: tenants by domain.
pub const PLATFORM: Scope = [0; 16];

/// Longest key in bytes.
pub const MAX_KEY: usize = 255;

/// Longest value in bytes, 1 MiB.
pub const MAX_VALUE: usize = 1 << 20;

/// What a record is about. Part of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A tenant, by lower-case domain, in [`PLATFORM`].
    Tenant = 1,
    /// An extension, by lower-case number, in its tenant.
    Extension = 2,
    /// A gateway, by name, in its tenant.
    Gateway = 3,
    /// A network whose traffic counts as an extension's, by lower-case number, in its tenant; the value is CIDR text.
    Network = 4,
    /// Where one scope's records of one kind lie in this image, by that kind's number; written by the builder.
    Range = 255,
}

impl Kind {
    /// The kind with that number.
    pub fn from_u8(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Tenant),
            2 => Some(Self::Extension),
            3 => Some(Self::Gateway),
            4 => Some(Self::Network),
            255 => Some(Self::Range),
            _ => None,
        }
    }
}
