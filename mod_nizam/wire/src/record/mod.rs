//! The values in an image: one compact struct a kind, in the postcard encoding, borrowed from the image when read.
//!
//! Field order is the format: a change raises [`crate::image::FORMAT_VERSION`].

/// A record's two directions.
macro_rules! record {
    ($($name:ident<'a>),+) => {
        $(impl<'a> $name<'a> {
            /// The record's bytes.
            pub fn encode(&self) -> Vec<u8> {
                super::encode(self)
            }

            /// The record in `value`.
            pub fn decode(value: &'a [u8]) -> Result<Self, super::RecordError> {
                super::decode(value)
            }
        })+
    };
    ($($name:ident),+) => {
        $(impl $name {
            /// The record's bytes.
            pub fn encode(&self) -> Vec<u8> {
                super::encode(self)
            }

            /// The record in `value`.
            pub fn decode(value: &[u8]) -> Result<Self, super::RecordError> {
                super::decode(value)
            }
        })+
    };
}

mod class;
mod condition;
mod destination;
mod extension;
mod flow;
mod gateway;
mod group;
mod list;
mod menu;
mod outbound;
mod pairs;
mod patterns;
mod prompt;
mod routing;
mod schedule;
mod tenant;

pub use class::{Class, Classes};
pub use condition::{Condition, Policy, TimeCondition};
pub use destination::{Destination, DestinationKind};
pub use extension::{Extension, is_pin};
pub use flow::{Branches, Case, Collect, Flow, Step, StepAction, When};
pub use gateway::Gateway;
pub use group::{Agent, Overflow, Queue, QueueStrategy, RingGroup};
pub use list::{List, ListBuf};
pub use menu::Ivr;
pub use outbound::{CallerIdRule, OutboundRoute};
pub use pairs::{Pairs, PairsBuf};
pub use patterns::{Found, PatternRow, PatternSets, Patterns};
pub use prompt::Prompt;
pub use routing::{Did, Ids, Routing};
pub use schedule::{ANY_DAY, ANY_MONTH, ANY_WEEKDAY, DAY_MINUTES, Holiday, TimeRule, Zone};
pub use tenant::{State, Tenant, USER_MARK};

use crate::image::{Kind, Scope};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A value that is not the record its kind says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a record in the image cannot be read")]
pub struct RecordError;

/// The tenant that a record of the platform is about, the first of several: whoever reads it goes on there.
pub(crate) fn home(kind: Kind, value: &[u8]) -> Option<Scope> {
    match kind {
        Kind::Domain => value.try_into().ok(),
        Kind::Claim => Ids::decode(value).ok()?.0.iter().next(),
        Kind::Gateway => Some(Gateway::decode(value).ok()?.tenant),
        _ => None,
    }
}

fn encode(record: &impl Serialize) -> Vec<u8> {
    // Serialising plain structs of strings and numbers into memory has no way to fail.
    postcard::to_allocvec(record).unwrap_or_default()
}

fn decode<'a, T: Deserialize<'a>>(value: &'a [u8]) -> Result<T, RecordError> {
    postcard::from_bytes(value).map_err(|_| RecordError)
}
