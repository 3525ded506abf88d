//! From committed rows to what switches answer with.

mod layer;
mod publisher;
mod save;
mod stack;

pub use layer::{Layer, LayerError};
pub use publisher::{PublishError, Publishing};
pub use stack::{Stack, fold};
