//! The REST API, over HTTP, against a server in this process.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::large_futures,
    reason = "a test may stop at the first surprise"
)]

mod accounts;
mod call_records;
mod calls;
mod contact_center;
mod document;
mod extensions;
mod gates;
mod hostile;
mod isolation;
mod limits;
mod matrix;
mod operations;
mod operator;
mod outbox;
mod people;
mod protocol;
mod redispatch;
mod resources;
mod routing;
mod sockets;
mod streams;
mod support;
mod tenants;
mod webhooks;
