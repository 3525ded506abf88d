//! Sealing secrets: XChaCha20-Poly1305 with a random nonce, bound to table, column and row, so that a sealed value copied
//! to another place does not open.
//!
//! A sealed value is: format (1 byte, 1), key id (4), nonce (24), ciphertext and tag.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::error::{StoreError, StoreResult};
use crate::keyring::{Key, Keyring, WrongKey};

const FORMAT: u8 = 1;
const CHECK: &[u8] = b"the key fits";

/// Where a secret is.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    pub(crate) id: Uuid,
}

impl Place {
    fn aad(self) -> String {
        // Without the machinery of format!: an export makes two of these for each extension.
        let mut id = [0; Hyphenated::LENGTH];
        let id = self.id.hyphenated().encode_lower(&mut id);
        [self.table, "/", self.column, "/", id].concat()
    }
}

/// The place of the constant that tells whether a key fits.
pub(crate) const CHECK_PLACE: Place = Place { table: "meta", column: "key_check", id: Uuid::nil() };

impl Keyring {
    /// A ring with the one key that seals and opens.
    pub fn new(key: &Key) -> Self {
        Self::of(std::slice::from_ref(key))
    }

    /// A ring whose first key seals; each of them opens what it has sealed.
    pub fn of(keys: &[Key]) -> Self {
        Self { keys: keys.iter().map(|key| (key.id(), XChaCha20Poly1305::new(key.bytes().into()))).collect() }
    }

    /// Whether a value was sealed by the key that seals now.
    pub(crate) fn is_current(&self, sealed: &[u8]) -> bool {
        let id = sealed.get(1..5);
        self.keys.first().is_some_and(|(current, _)| id == Some(current.as_slice()))
    }

    /// The same secret, sealed anew.
    pub(crate) fn reseal(&self, place: Place, sealed: &[u8]) -> StoreResult<Vec<u8>> {
        let secret = self.open_bytes(place, sealed).map(zeroize::Zeroizing::new);
        let secret = secret.ok_or(StoreError::Sealed { table: place.table, id: place.id })?;
        self.seal(place, &secret)
    }

    /// Seals a secret for its place.
    pub(crate) fn seal(&self, place: Place, secret: &[u8]) -> StoreResult<Vec<u8>> {
        let Some((id, cipher)) = self.keys.first() else { return Err(StoreError::WrongKey) };
        let mut nonce = [0; 24];
        getrandom::fill(&mut nonce).map_err(|_| StoreError::Random)?;
        let aad = place.aad();
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: aad.as_bytes() })
            .map_err(|_| StoreError::Sealed { table: place.table, id: place.id })?;
        let mut out = Vec::with_capacity(1 + id.len() + nonce.len() + sealed.len());
        out.push(FORMAT);
        out.extend_from_slice(id);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens what was sealed for that place, a text.
    pub(crate) fn open(&self, place: Place, sealed: &[u8]) -> StoreResult<String> {
        self.open_bytes(place, sealed)
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or(StoreError::Sealed { table: place.table, id: place.id })
    }

    /// The sealed constant for a new database.
    pub(crate) fn checkpoint(&self) -> StoreResult<Vec<u8>> {
        self.seal(CHECK_PLACE, CHECK)
    }

    /// Whether the sealed constant of a database opens.
    pub(crate) fn check(&self, sealed: &[u8]) -> Result<(), WrongKey> {
        match self.open_bytes(CHECK_PLACE, sealed) {
            Some(text) if text == CHECK => Ok(()),
            _ => Err(WrongKey),
        }
    }

    fn open_bytes(&self, place: Place, sealed: &[u8]) -> Option<Vec<u8>> {
        let (&format, rest) = sealed.split_first()?;
        let (key_id, rest) = rest.split_first_chunk::<4>()?;
        let (nonce, text) = rest.split_first_chunk::<24>()?;
        if format != FORMAT {
            return None;
        }
        let (_, cipher) = self.keys.iter().find(|(id, _)| id == key_id)?;
        let aad = place.aad();
        cipher.decrypt(&XNonce::from(*nonce), Payload { msg: text, aad: aad.as_bytes() }).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { table: "extensions", column: "password", id: Uuid::nil() };

    fn ring() -> Keyring {
        Keyring::new(&Key::random().unwrap())
    }

    #[test]
    fn opens_only_what_was_sealed_here() {
        let ring = ring();
        let sealed = ring.seal(PLACE, b"secret").unwrap();
        assert_eq!(ring.open(PLACE, &sealed).unwrap(), "secret");
        assert_ne!(ring.seal(PLACE, b"secret").unwrap(), sealed, "the nonce is random");
        for place in [
            Place { table: "other", ..PLACE },
            Place { column: "voicemail_pin", ..PLACE },
            Place { id: Uuid::from_u128(1), ..PLACE },
        ] {
            assert!(ring.open(place, &sealed).is_err());
        }
    }

    #[test]
    fn an_older_key_opens_and_the_first_one_seals() {
        let [old, new] = [Key::random().unwrap(), Key::random().unwrap()];
        let sealed = Keyring::new(&old).seal(PLACE, b"secret").unwrap();
        let both = Keyring::of(&[new.clone(), old]);
        assert!(!both.is_current(&sealed) && !both.is_current(b""));
        let resealed = both.reseal(PLACE, &sealed).unwrap();
        assert!(both.is_current(&resealed));
        assert_eq!(Keyring::new(&new).open(PLACE, &resealed).unwrap(), "secret");
        assert!(Keyring::new(&new).open(PLACE, &sealed).is_err());
    }

    #[test]
    fn refuses_what_was_damaged() {
        let ring = ring();
        let sealed = ring.seal(PLACE, b"secret").unwrap();
        for i in 0..sealed.len() {
            let mut broken = sealed.clone();
            broken[i] ^= 1;
            assert!(ring.open(PLACE, &broken).is_err(), "byte {i}");
            assert!(ring.open(PLACE, &sealed[..i]).is_err(), "length {i}");
        }
    }

    #[test]
    fn another_key_does_not_fit() {
        let check = ring().checkpoint().unwrap();
        assert_eq!(ring().check(&check), Err(WrongKey));
        let ring = ring();
        assert_eq!(ring.check(&ring.checkpoint().unwrap()), Ok(()));
    }
}
