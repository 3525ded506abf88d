//! The link to `nizamd`: the socket with its descriptors, and the module's side of the conversation.

mod backoff;
mod bell;
mod client;
mod commands;
mod socket;
mod status;
mod traffic;
mod workers;

pub use backoff::Backoff;
pub use client::{Client, Identity, LinkNote};
pub use commands::{Answer, Commands};
pub use socket::{Connection, peer_uid};
pub use status::{LinkState, LinkStatus};
pub use workers::Workers;
