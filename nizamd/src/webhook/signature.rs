//! Signatures of deliveries, by which a receiver knows that they are ours: that of the contract, and those of Standard Webhooks
//! (<https://github.com/standard-webhooks/standard-webhooks>, `spec/standard-webhooks.md`).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use nizam_core::resource::Record;
use sha2::Sha256;
use uuid::Uuid;

/// What a secret of Standard Webhooks begins with; the bytes of its key follow in base64.
const PREFIX: &str = "whsec_";

/// The secrets of a webhook that sign at that time, microseconds since 1970: its own first, then the one before it, while that is good.
pub(super) fn secrets(webhook: &Record, now: i64) -> Vec<&str> {
    let lasts = webhook.value("previous_secret_until").as_i64().is_some_and(|until| now < until);
    let previous = webhook.value("previous_secret").as_str().filter(|_| lasts);
    webhook.value("secret").as_str().into_iter().chain(previous).collect()
}

/// HMAC-SHA-256 (RFC 2104) over `timestamp.body`, in hexadecimal digits; the timestamp is seconds since 1970. The key is the text of the
/// secret, whatever it begins with.
pub(super) fn contract(secret: &str, timestamp: i64, body: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in mac(secret.as_bytes(), &[&timestamp.to_string(), body]) {
        // Writing into memory cannot fail.
        let _written = write!(hex, "{byte:02x}");
    }
    hex
}

/// `v1,` and HMAC-SHA-256 over `id.timestamp.body` in base64, once for each secret, with blanks between them.
pub(super) fn standard(secrets: &[&str], id: Uuid, timestamp: i64, body: &str) -> String {
    let sign = |secret: &&str| {
        let mac = mac(&key(secret), &[&id.to_string(), &timestamp.to_string(), body]);
        format!("v1,{}", STANDARD.encode(mac))
    };
    secrets.iter().map(sign).collect::<Vec<_>>().join(" ")
}

/// The key that Standard Webhooks reads out of a secret. One in no such form is its own key: a library wants `whsec_` and its bytes in base64.
fn key(secret: &str) -> Vec<u8> {
    let encoded = secret.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok());
    encoded.filter(|key| !key.is_empty()).unwrap_or_else(|| secret.as_bytes().to_vec())
}

/// The code of these parts, with dots between them.
fn mac(key: &[u8], parts: &[&str]) -> Vec<u8> {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(parts.join(".").as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use nizam_core::resource::Values;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_signature_that_openssl_makes_as_well() {
        // printf '1700000000.{"event":"call.hangup"}' | openssl dgst -sha256 -hmac 'a secret of ours!'
        let want = "92b6bb7383615477ec7d364c1eeb8baeafc0b9d6bff5fd3a06abb7ff618551af";
        assert_eq!(contract("a secret of ours!", 1_700_000_000, r#"{"event":"call.hangup"}"#), want);
    }

    #[test]
    fn the_example_of_standard_webhooks() {
        // From the tests of its own libraries, with another form of id.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let id = Uuid::nil();
        let one = standard(&[secret], id, 1_614_265_330, r#"{"test": 2432232314}"#);
        let same = standard(&[secret, "sixteen letters!"], id, 1_614_265_330, r#"{"test": 2432232314}"#);
        assert!(one.starts_with("v1,") && one.len() == 47, "{one}");
        assert!(same.starts_with(&format!("{one} v1,")) && same.len() == 95, "{same}");
        assert_eq!(key(secret).len(), 24);
        for own in ["whsec_", "whsec_!!!", "sixteen letters!"] {
            assert_eq!(key(own), own.as_bytes(), "{own}");
        }
    }

    #[test]
    fn the_secret_before_signs_until_its_time_is_over() {
        let record = |values: Value| {
            let Value::Object(values) = values else { unreachable!() };
            let values: Values = values.into_iter().collect();
            Record {
                id: Uuid::nil(),
                tenant_id: Uuid::nil(),
                version: 1,
                values,
                created_at: 0,
                updated_at: 0,
            }
        };
        let both = record(json!({"secret": "new", "previous_secret": "old", "previous_secret_until": 10}));
        assert_eq!(secrets(&both, 9), ["new", "old"]);
        assert_eq!(secrets(&both, 10), ["new"]);
        assert_eq!(secrets(&record(json!({"secret": "new", "previous_secret": "old"})), 9), ["new"]);
        assert_eq!(secrets(&record(json!({"secret": null})), 9), Vec::<&str>::new());
    }
}
