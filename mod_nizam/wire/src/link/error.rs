//! Why a connection is given up.

use super::{MAX_ANSWER, MAX_FRAME, MAX_LAYERS, PROTOCOL_VERSION};
use thiserror::Error;

/// What was wrong with the peer's bytes. The connection ends; lookups do not notice.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    /// Not one of ours.
    #[error("the peer does not speak this protocol")]
    NotOurs,
    /// Another build.
    #[error(
        "the peer speaks version {0} of the link protocol, this side {PROTOCOL_VERSION}: upgrade the older of nizamd and mod_nizam and restart it"
    )]
    Version(u16),
    /// A length that no frame of ours has.
    #[error("a frame of {0} bytes was announced, at most {MAX_FRAME} are allowed")]
    FrameLength(u32),
    /// A frame that is no message.
    #[error("a frame cannot be read")]
    BadFrame,
    /// A message at the wrong time.
    #[error("{0} came at the wrong time")]
    OutOfOrder(&'static str),
    /// An image without its memory.
    #[error("an image came without its descriptor")]
    NoDescriptor,
    /// An answer that is longer than any that is of use.
    #[error("an answer of more than {MAX_ANSWER} bytes was begun")]
    LongAnswer,
    /// A stack of more layers than allowed.
    #[error("a stack of {0} layers was announced, at most {MAX_LAYERS} are allowed")]
    TooManyLayers(usize),
    /// The daemon ended it, and said why.
    #[error("nizamd refused the connection: {0}")]
    Rejected(String),
}
