//! From committed rows to what switches answer with.

mod layer;
mod prompts;
mod publisher;
mod save;
mod service;
mod stack;

pub use layer::{Layer, LayerError};
pub use publisher::{PublishError, Publishing};
pub use service::start;
pub use stack::{Stack, fold};
