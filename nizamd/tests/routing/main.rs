//! Routing, twice: the resolver that FreeSWITCH is answered by, and a slow interpreter of the rows written from
//! `docs/routing.md` alone. `NIZAM_ROUTING_CASES` says how many random tenants, calls and times they are compared with,
//! `NIZAM_ROUTING_SEED` which.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod adapter;
mod call;
mod compare;
mod element;
mod generate;
mod interpreter;
mod model;
mod names;
mod outcome;
mod random;
mod rows;
mod shrink;
mod spec;
