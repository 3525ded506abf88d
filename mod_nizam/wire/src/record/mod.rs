//! The values in an image: one compact struct a kind, in the postcard encoding, borrowed from the image when read.
//!
//! Field order is the format: a change raises [`crate::image::FORMAT_VERSION`].

mod extension;
mod gateway;
mod list;
mod pairs;
mod schedule;
mod tenant;

pub use extension::Extension;
pub use gateway::Gateway;
pub use list::{List, ListBuf};
pub use pairs::{Pairs, PairsBuf};
pub use schedule::{ANY_DAY, ANY_MONTH, ANY_WEEKDAY, DAY_MINUTES, Holiday, TimeRule, Zone};
pub use tenant::{State, Tenant, USER_MARK};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A value that is not the record its kind says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a record in the image cannot be read")]
pub struct RecordError;

fn encode(record: &impl Serialize) -> Vec<u8> {
    // Serialising plain structs of strings and numbers into memory has no way to fail.
    postcard::to_allocvec(record).unwrap_or_default()
}

fn decode<'a, T: Deserialize<'a>>(value: &'a [u8]) -> Result<T, RecordError> {
    postcard::from_bytes(value).map_err(|_| RecordError)
}
