//! The model of NIZAM: what a tenant, an extension, a user is, which values they may hold, and how they become
//! image records. Pure: no I/O, no clock, no randomness.

#![forbid(unsafe_code)]

pub mod call;
pub mod compile;
pub mod control;
mod country;
pub mod event;
pub mod lint;
pub mod model;
pub mod resource;
pub mod touch;
pub mod validate;
pub mod wav;
mod zone;

pub use country::{home, spellings};
pub use nizam_wire::Kind;
pub use nizam_wire::number::Home;
pub use zone::zone;
