//! The contract between `nizamd` and `mod_nizam`: the image format ([`image`], values in [`record`]), the sealed
//! memory an image travels in ([`memory`]), text that FreeSWITCH reads back ([`xml`]), what switches say
//! of calls ([`event`], [`path`]), and the frames on the socket ([`link`]).
//!
//! Nothing here knows FreeSWITCH, a database or an async runtime. `docs/image-format.md` describes every byte.

#![deny(unsafe_code)]

pub mod event;
pub mod image;
pub mod link;
pub mod memory;
pub mod number;
pub mod path;
pub mod record;
pub mod xml;

pub use image::{Builder, Image, ImageError, Kind, Lookup, Scope};
