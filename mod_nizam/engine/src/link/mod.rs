//! The link to `nizamd`: the socket with its descriptors, and the module's side of the conversation.

mod backoff;
mod client;
mod socket;
mod status;

pub use backoff::Backoff;
pub use client::{Client, Identity, LinkNote};
pub use socket::{Connection, peer_uid};
pub use status::{LinkState, LinkStatus};
