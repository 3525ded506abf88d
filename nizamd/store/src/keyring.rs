//! The keys that seal secrets.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A key of 32 bytes.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

/// The key cannot open what the database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongKey;

/// Name of a key inside sealed values: the beginning of a hash of it.
pub(crate) type KeyId = [u8; 4];

impl Key {
    /// Reads 32 bytes in base64, with or without the prefix `base64:`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix("base64:").unwrap_or(text);
        let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// A new one; `None` if the system gives no random numbers.
    pub fn random() -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).ok()?;
        Some(Self(bytes))
    }

    /// The text that [`Self::parse`] reads.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("base64:{}", STANDARD.encode(*self.0)))
    }

    /// Another secret for that use: the same for whoever has this key, and it does not give the key away.
    pub fn derive(&self, purpose: &str) -> Zeroizing<String> {
        let hash = Sha256::new()
            .chain_update(b"nizam derived secret ")
            .chain_update(&self.0[..])
            .chain_update(purpose.as_bytes())
            .finalize();
        Zeroizing::new(STANDARD.encode(hash))
    }

    pub(crate) fn id(&self) -> KeyId {
        let hash = Sha256::new().chain_update(b"nizam key id").chain_update(&self.0[..]).finalize();
        let [a, b, c, d, ..] = <[u8; 32]>::from(hash);
        [a, b, c, d]
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// The key that seals, and older ones that only open.
#[derive(Clone)]
pub struct Keyring {
    pub(crate) keys: Vec<(KeyId, chacha20poly1305::XChaCha20Poly1305)>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_text() {
        let key = Key::random().unwrap();
        let text = key.to_text();
        assert_eq!(Key::parse(&text).unwrap().bytes(), key.bytes());
        let bare = text.strip_prefix("base64:").unwrap();
        assert_eq!(Key::parse(&format!(" {bare}\n")).unwrap().id(), key.id());
        for text in
            ["", "base64:", "AAAA", "base64:!!", "base64:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
        {
            assert!(Key::parse(text).is_none(), "{text}");
        }
        assert!(!format!("{key:?}").contains(bare));
    }
}
