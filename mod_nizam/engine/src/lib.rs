//! What `mod_nizam` decides, without FreeSWITCH: which answer a lookup gets from the images at hand, how images
//! come and go, the snapshot to start from when nobody sends any, and the link to `nizamd`.
//!
//! The road of a lookup, [`Engine::directory`] and [`Engine::dialplan`], takes no lock that a writer holds, makes
//! no system call, and allocates no more for a large tenant than for a small one.

#![forbid(unsafe_code)]

mod argument;
mod bench;
pub mod civil;
pub mod command;
mod counters;
mod directory;
mod element;
mod engine;
pub mod gateways;
mod layers;
pub mod link;
mod live;
mod route;
pub mod schedule;
pub mod snapshot;
pub mod spool;

pub use argument::is_taken;
pub use bench::{Measured, bench};
pub use counters::Counters;
pub use directory::{DirectoryAnswer, DirectoryQuestion};
pub use element::Element;
pub use engine::Engine;
pub use layers::{Layers, Lead, Origin, Scoped};
pub use live::Live;
pub use nizam_wire::xml::{Sink, Unwritable};
pub use route::{
    Action, Caller, Channel, Condition, DialplanQuestion, NoChannel, Note, Outcome, Route, Silent, Trace,
    Verdict, decide,
};
