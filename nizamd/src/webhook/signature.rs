//! Signatures of deliveries, by which a receiver knows that they are ours.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// HMAC-SHA-256 (RFC 2104) over `timestamp.body`, in hexadecimal digits; the timestamp is seconds since 1970.
pub(super) fn of(secret: &str, timestamp: i64, body: &str) -> String {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    let mut hex = String::with_capacity(64);
    for byte in mac.finalize().into_bytes() {
        // Writing into memory cannot fail.
        let _written = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_that_openssl_makes_as_well() {
        // printf '1700000000.{"event":"call.hangup"}' | openssl dgst -sha256 -hmac 'a secret of ours!'
        let want = "92b6bb7383615477ec7d364c1eeb8baeafc0b9d6bff5fd3a06abb7ff618551af";
        assert_eq!(of("a secret of ours!", 1_700_000_000, r#"{"event":"call.hangup"}"#), want);
    }
}
