//! Classes of service: what kinds of numbers an extension may dial.

use serde::{Deserialize, Serialize};

/// A kind of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// Of the neighbourhood.
    Local,
    /// Of the country.
    National,
    /// Of mobile phones.
    Mobile,
    /// Free for the caller.
    TollFree,
    /// Of other countries.
    International,
    /// Dearer than others.
    Premium,
    /// Of police, fire brigade, ambulance.
    Emergency,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 7] = [
        Self::Local,
        Self::National,
        Self::Mobile,
        Self::TollFree,
        Self::International,
        Self::Premium,
        Self::Emergency,
    ];

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::National => "national",
            Self::Mobile => "mobile",
            Self::TollFree => "toll_free",
            Self::International => "international",
            Self::Premium => "premium",
            Self::Emergency => "emergency",
        }
    }

    /// The class with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }
}

/// Some classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classes(u8);

impl Classes {
    /// What an extension may dial where nothing else is said.
    pub const DEFAULT: [Class; 3] = [Class::Local, Class::National, Class::Emergency];

    /// These classes.
    pub fn of(classes: impl IntoIterator<Item = Class>) -> Self {
        Self(classes.into_iter().fold(0, |bits, class| bits | 1 << class as u8))
    }

    /// Whether a class is among them.
    pub fn has(self, class: Class) -> bool {
        self.0 >> class as u8 & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_into_it() {
        for class in Class::ALL {
            assert_eq!(Class::parse(class.name()), Some(class));
            let set = Classes::of([class]);
            assert!(Class::ALL.iter().all(|other| set.has(*other) == (*other == class)));
        }
    }
}
