//! Raw bindings to the part of FreeSWITCH that `mod_nizam` uses, and nothing beyond it.
//!
//! The names, types and semantics are FreeSWITCH's own. Three choices make one binary fit releases 1.10.0 to 1.11.x:
//!
//! - A C enum is a newtype over its integer. FreeSWITCH returns values that a given header does not list (APR
//!   error codes as `switch_status_t`, newer event ids), which would be undefined behaviour in a Rust enum.
//! - Types whose fields change between releases are opaque.
//! - libfreeswitch is not linked. The process that opens the module has its symbols: `freeswitch`, or the stand-in host.
//!
//! Event ids must not be taken from these constants: they differ between releases, ask `switch_name_event`.

#[allow(
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    clippy::indexing_slicing,
    clippy::undocumented_unsafe_blocks,
    reason = "generated from C headers, whose names these are"
)]
mod bindings {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use bindings::*;

include!(concat!(env!("OUT_DIR"), "/origin.rs"));
