//! Secrets that this program makes: bearer tokens and random texts.

use sha2::{Digest, Sha256};

use crate::error::{StoreError, StoreResult};

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The secret part of a bearer token: 40 random letters and digits, and 8 hex digits of their CRC-32, by which scanners
/// for leaked secrets tell a token from noise.
pub struct TokenSecret(String);

impl TokenSecret {
    /// A new one.
    pub fn random() -> StoreResult<Self> {
        let entropy = random_text(40)?;
        let sum = crc32fast::hash(entropy.as_bytes());
        Ok(Self(format!("{entropy}{sum:08x}")))
    }

    /// The whole token, as it is shown once.
    pub fn token(&self, id: i64) -> String {
        format!("{id}|{}", self.0)
    }

    /// What is stored.
    pub(crate) fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

/// What is stored of a secret. A token has 238 random bits: a fast hash is enough.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// So many random letters and digits.
pub fn random_text(length: usize) -> StoreResult<String> {
    let mut text = String::with_capacity(length);
    let mut bytes = [0; 64];
    while text.len() < length {
        getrandom::fill(&mut bytes).map_err(|_| StoreError::Random)?;
        // 248 is the largest multiple of 62 in a byte: what is above would make some letters likelier.
        for &byte in bytes.iter().filter(|&&b| b < 248) {
            if let Some(&letter) = ALPHANUMERIC.get(usize::from(byte % 62)).filter(|_| text.len() < length) {
                text.push(char::from(letter));
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_the_known_form() {
        let secret = TokenSecret::random().unwrap();
        let token = secret.token(7);
        let (id, rest) = token.split_once('|').unwrap();
        assert_eq!((id, rest.len()), ("7", 48));
        let (entropy, sum) = rest.split_at(40);
        assert!(entropy.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(u32::from_str_radix(sum, 16).unwrap(), crc32fast::hash(entropy.as_bytes()));
        assert_ne!(TokenSecret::random().unwrap().token(7), token);
        // CRC32(b), the check value of the algorithm.
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn random_texts_have_their_length() {
        for length in [0, 1, 63, 64, 200] {
            assert_eq!(random_text(length).unwrap().len(), length);
        }
    }
}
