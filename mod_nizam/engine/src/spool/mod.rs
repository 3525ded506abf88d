//! Events on their way to `nizamd`: kept until it has stored them, whatever dies on the way.
//!
//! ```text
//! callbacks --push--> ring (a file in tmpfs) --thread--> segments (files on disk) --link--> nizamd
//! ```
//!
//! - [`Spool::push`] copies a record into the [ring](ring), makes no system call and waits for no disk. A ring that is full drops
//!   what comes, and counts it. What was pushed survives the death of the process.
//! - [`Spool::run`] moves records from the ring to [segments](segment). While the disk is full, they stay in the ring.
//! - A [`Sender`] reads them for one connection, and the daemon's acknowledgements delete them.
//!
//! Each load of the module is an [`Incarnation`](nizam_wire::link::Incarnation) of its own, with numbers from one on. What earlier ones
//! left is sent before what the present one writes.

mod bounds;
mod disk;
mod error;
mod leftover;
mod life;
mod record;
mod reserve;
mod ring;
mod segment;
mod sender;
#[expect(clippy::module_inception, reason = "the noun that the others are parts of")]
mod spool;
mod status;
mod store;

pub use error::SpoolError;
pub use record::Class;
pub use sender::{Outgoing, Sender};
pub use spool::{Settings, Spool, SpoolNote};
pub use status::{Drops, SpoolStatus};

#[cfg(test)]
mod tests;
