//! Bytes to messages and back.

use super::LinkError;
use serde::{Serialize, de::DeserializeOwned};
use std::marker::PhantomData;

/// Version of the messages. Both sides must have the same.
pub const PROTOCOL_VERSION: u16 = 4;

/// Length of the preamble in bytes.
pub const PREAMBLE_LEN: usize = 8;

/// Longest frame in bytes, its length field not counted. Images do not travel in frames.
pub const MAX_FRAME: u32 = 1 << 20;

/// Longest part of an answer in bytes, which fits a frame with what goes around it.
pub(super) const MAX_PART: usize = MAX_FRAME as usize - 1024;

/// Longest answer in bytes: what a hundred thousand registrations take.
pub const MAX_ANSWER: usize = 64 << 20;

const WORD: [u8; 6] = *b"NIZAML";

/// What a side says first: `NIZAML` and its version, little endian.
pub fn preamble() -> [u8; PREAMBLE_LEN] {
    let mut bytes = [0; PREAMBLE_LEN];
    bytes[..6].copy_from_slice(&WORD);
    bytes[6..].copy_from_slice(&PROTOCOL_VERSION.to_le_bytes());
    bytes
}

/// A message as a frame.
pub(super) fn encode(message: &impl Serialize) -> Vec<u8> {
    let body = postcard::to_allocvec(message).unwrap_or_default();
    let mut frame = Vec::with_capacity(4 + body.len());
    frame.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    frame.extend_from_slice(&body);
    frame
}

/// Collects bytes and gives out whole messages.
#[derive(Debug)]
pub struct Decoder<T> {
    buffer: Vec<u8>,
    greeted: bool,
    message: PhantomData<T>,
}

impl<T> Default for Decoder<T> {
    fn default() -> Self {
        Self { buffer: Vec::new(), greeted: false, message: PhantomData }
    }
}

impl<T: DeserializeOwned> Decoder<T> {
    /// Takes bytes as they come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, `None` until more bytes come. After an error the connection is of no use.
    pub fn message(&mut self) -> Result<Option<T>, LinkError> {
        if !self.greeted {
            let Some(greeting) = self.buffer.first_chunk::<PREAMBLE_LEN>() else {
                let same = self.buffer.iter().zip(WORD).all(|(got, want)| *got == want);
                return if same { Ok(None) } else { Err(LinkError::NotOurs) };
            };
            if greeting[..6] != WORD {
                return Err(LinkError::NotOurs);
            }
            let version = u16::from_le_bytes([greeting[6], greeting[7]]);
            if version != PROTOCOL_VERSION {
                return Err(LinkError::Version(version));
            }
            self.buffer.drain(..PREAMBLE_LEN);
            self.greeted = true;
        }
        let Some(length) = self.buffer.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes)) else {
            return Ok(None);
        };
        if length == 0 || length > MAX_FRAME {
            return Err(LinkError::FrameLength(length));
        }
        let end = 4 + length as usize;
        let Some(body) = self.buffer.get(4..end) else { return Ok(None) };
        let message = postcard::from_bytes(body).map_err(|_| LinkError::BadFrame)?;
        self.buffer.drain(..end);
        Ok(Some(message))
    }
}
