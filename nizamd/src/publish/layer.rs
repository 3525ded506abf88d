//! An image that is being served: its bytes in sealed memory, and the descriptor to hand on.

use nizam_wire::image::{Image, ImageError};
use nizam_wire::memory::{self, Mapping};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use thiserror::Error;

/// Why bytes did not become a layer.
#[derive(Debug, Error)]
pub enum LayerError {
    /// No memory for it.
    #[error("no shared memory for an image: {0}")]
    Memory(#[from] std::io::Error),
    /// Our own image cannot be opened: a fault of ours.
    #[error("a compiled image cannot be opened: {0}")]
    Image(#[from] ImageError),
}

/// An image in sealed shared memory.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The image, as every switch sees it.
    pub image: Arc<Image>,
    /// Its memory.
    pub memory: Arc<OwnedFd>,
}

impl Layer {
    /// Seals the bytes of an image.
    pub fn new(bytes: &[u8]) -> Result<Self, LayerError> {
        let memory = memory::seal(bytes)?;
        let image = Image::from_mapping(Mapping::new(&memory)?)?;
        Ok(Self { image: Arc::new(image), memory: Arc::new(memory) })
    }

    /// Number of records.
    pub fn record_count(&self) -> u64 {
        self.image.header().record_count
    }
}
