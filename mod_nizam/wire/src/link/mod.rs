//! The frames on the socket between a FreeSWITCH process and `nizamd`, and the two ends' protocol as state
//! machines that do no I/O: bytes and descriptors in, events and output out.
//!
//! Each side first sends a [`preamble`] with its protocol version; everything after it is frames: a little-endian
//! `u32` length and a postcard message of that length.

mod daemon;
mod error;
mod frame;
mod message;
mod module;
mod outbox;

pub use daemon::{DaemonEvent, DaemonSession};
pub use error::LinkError;
pub use frame::{Decoder, MAX_ANSWER, MAX_FRAME, PREAMBLE_LEN, PROTOCOL_VERSION, preamble};
pub use message::{
    Api, Batch, Command, FromDaemon, FromModule, GATEWAY, Hello, Incarnation, MAX_LAYERS, RECORDINGS, Welcome,
};
pub use module::{ModuleEvent, ModuleSession};
pub use outbox::{Chunk, Outbox};
