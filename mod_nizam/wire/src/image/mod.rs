//! An image: an immutable set of records, found by hash, that one process writes and another reads.
//!
//! A *base* image holds everything, an *overlay* only what changed, deletions included. A reader looks a record
//! up in the newest overlay first and in the base last.

mod builder;
mod draft;
mod error;
mod header;
mod merge;
mod reader;
mod slot;
mod table;

pub use builder::{BuildError, Builder};
pub use error::ImageError;
pub use header::{FORMAT_VERSION, HEADER_LEN, Header, MAGIC};
pub use merge::{merge, scope};
pub use reader::{Image, Lookup};
pub use slot::hash;
pub use table::{Entry, Table};

/// Whose record it is: the nil UUID for the platform's own records, a tenant's UUID for a tenant's.
pub type Scope = [u8; 16];

/// The platform's own scope: who is where.
pub const PLATFORM: Scope = [0; 16];

/// The key of a record of which a scope has one at most.
pub const ONLY: &[u8] = b"-";

/// Longest key in bytes.
pub const MAX_KEY: usize = 255;

/// Longest value in bytes, 64 MiB: a tenant's table of dialling patterns.
pub const MAX_VALUE: usize = 1 << 26;

/// Declares the kinds with their numbers, so that the two directions cannot differ.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// What a record is about. Part of its key.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Kind {
            $($(#[$doc])* $name = $number,)*
        }

        impl Kind {
            /// The kind with that number.
            pub fn from_u8(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// A tenant, by [`ONLY`], in the tenant. The first of its records: without it the others are nobody's.
    Tenant = 1,
    /// An extension, by lower-case number, in its tenant.
    Extension = 2,
    /// A gateway, by id, in [`PLATFORM`].
    Gateway = 3,
    /// A network whose traffic counts as an extension's, by lower-case number, in its tenant; the value is CIDR text.
    Network = 4,
    /// What routing knows of a tenant, by [`ONLY`], in the tenant.
    Routing = 5,
    /// The lower-case number of an extension, by its id, in its tenant.
    ExtensionId = 6,
    /// An internal number, lower case, of something else than an extension, in its tenant.
    Number = 7,
    /// A DID, by the digits of its E.164 form, in its tenant.
    Did = 8,
    /// The tenants that have an active DID, by the digits of its E.164 form, in [`PLATFORM`].
    Claim = 9,
    /// A ring group, by id, in its tenant.
    RingGroup = 10,
    /// A menu, by id, in its tenant.
    Ivr = 11,
    /// A time condition, by id, in its tenant.
    TimeCondition = 12,
    /// A call routing policy, by id, in its tenant.
    Policy = 13,
    /// A call flow, by id, in its tenant.
    Flow = 14,
    /// A queue, by id, in its tenant.
    Queue = 15,
    /// A calendar of holidays, by id, in its tenant.
    Holiday = 16,
    /// A time zone, by name, in [`PLATFORM`].
    Zone = 17,
    /// An outbound route, by id, in its tenant.
    OutboundRoute = 19,
    /// The id of a tenant, by its lower-case domain, in [`PLATFORM`].
    Domain = 20,
    /// The gateways from which calls come from an IP address, by its text, in [`PLATFORM`].
    Address = 21,
    /// The gateways that every tenant may use, by [`ONLY`], in [`PLATFORM`].
    Shared = 22,
    /// An uploaded prompt, by id, in its tenant; the value is the path of its file.
    Prompt = 23,
    /// An agent of queues, by id, in its tenant.
    Agent = 24,
    /// The patterns of a tenant's outbound routes, by [`ONLY`], in the tenant. They are large: behind all that is small.
    Patterns = 25,
}
