//! Random PINs.

use nizam_store::{StoreResult, random_text};

/// So many random digits.
pub(crate) fn random(length: usize) -> StoreResult<String> {
    let mut pin = String::new();
    while pin.len() < length {
        pin.extend(random_text(64)?.chars().filter(char::is_ascii_digit));
    }
    pin.truncate(length);
    Ok(pin)
}
