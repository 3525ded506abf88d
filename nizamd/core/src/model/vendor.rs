//! Makers of phones, by the first half of their MAC addresses (IEEE registration authority, MA-L assignments).

use crate::validate::mac_key;

const MAKERS: &[(&str, &str)] = &[
    ("0004f2", "polycom"),
    ("64167f", "polycom"),
    ("482567", "polycom"),
    ("001565", "yealink"),
    ("805ec0", "yealink"),
    ("805e0c", "yealink"),
    ("249ad8", "yealink"),
    ("000b82", "grandstream"),
    ("c074ad", "grandstream"),
    ("ec74d7", "grandstream"),
];

/// The maker of the phone with that address, where it is known.
pub fn vendor_of_mac(mac: &str) -> Option<&'static str> {
    let key = mac_key(mac);
    MAKERS.iter().find(|(prefix, _)| key.starts_with(prefix)).map(|(_, maker)| *maker)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makers_in_every_spelling() {
        for mac in ["00:15:65:A1:B2:C3", "00-15-65-a1-b2-c3", "001565A1B2C3", "0015.65a1.b2c3"] {
            assert_eq!(vendor_of_mac(mac), Some("yealink"), "{mac}");
        }
        assert_eq!(vendor_of_mac("ff:ff:ff:00:00:00"), None);
    }
}
