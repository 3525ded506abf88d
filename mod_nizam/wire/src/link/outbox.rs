//! What a side has to send.

use super::frame;
use serde::Serialize;
use std::collections::VecDeque;

/// Bytes to send in one go, and the descriptor that goes with their first byte.
#[derive(Debug)]
pub struct Chunk<F> {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The descriptor.
    pub descriptor: Option<F>,
}

/// A queue of chunks.
#[derive(Debug)]
pub struct Outbox<F>(VecDeque<Chunk<F>>);

impl<F> Outbox<F> {
    /// An outbox that begins with the preamble.
    pub(super) fn new() -> Self {
        Self(VecDeque::from([Chunk { bytes: frame::preamble().to_vec(), descriptor: None }]))
    }

    pub(super) fn put(&mut self, message: &impl Serialize, descriptor: Option<F>) {
        self.0.push_back(Chunk { bytes: frame::encode(message), descriptor });
    }

    /// The next chunk to send.
    pub fn take(&mut self) -> Option<Chunk<F>> {
        self.0.pop_front()
    }
}
