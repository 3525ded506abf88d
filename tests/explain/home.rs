//! How numbers are dialled where tenants are at home.

use super::Dice;

/// What numbers of a tenant look like.
pub(super) struct Home {
    pub(super) country: Option<&'static str>,
    /// The beginning of its DIDs in E.164 form, without the plus, and of the same numbers as they are dialled there.
    pub(super) international: &'static str,
    pub(super) national: &'static str,
    pub(super) emergency: &'static str,
}

pub(super) const HOMES: [Home; 3] = [
    Home { country: Some("DE"), international: "4930", national: "030", emergency: "112" },
    Home { country: Some("US"), international: "1415", national: "415", emergency: "911" },
    Home { country: None, international: "33140", national: "0033140", emergency: "112" },
];

/// A number in one of its spellings; the national one is understood at home only.
pub(super) fn spelled(digits: &str, home: Option<&Home>, dice: &mut Dice) -> String {
    match (dice.below(3), home) {
        (0, _) => format!("+{digits}"),
        (1, Some(home)) => digits.replacen(home.international, home.national, 1),
        (1, None) => format!("00{digits}"),
        _ => digits.to_owned(),
    }
}
