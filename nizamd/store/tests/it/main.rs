//! The store on real SQLite files.

#![allow(
    unused_must_use,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may stop at the first surprise, and no switch waits for what it writes"
)]

mod calls;
mod closure;
mod configuration;
mod deliveries;
mod feed;
mod fresh;
mod ingest;
mod large;
mod minutes;
mod model;
mod opening;
mod outbox;
mod people;
mod phones;
mod random;
mod redrive;
mod support;
