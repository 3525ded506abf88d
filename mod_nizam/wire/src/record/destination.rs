//! Where a call goes.

use serde::{Deserialize, Serialize};

/// A kind of destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DestinationKind {
    /// An extension rings.
    Extension,
    /// Several extensions ring.
    RingGroup,
    /// A menu.
    Ivr,
    /// One of two destinations, by the time.
    TimeCondition,
    /// The mailbox of an extension.
    Voicemail,
    /// What a policy decides.
    Policy,
    /// A flow of steps.
    Flow,
    /// A queue.
    Queue,
}

impl DestinationKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Extension,
        Self::RingGroup,
        Self::Ivr,
        Self::TimeCondition,
        Self::Voicemail,
        Self::Policy,
        Self::Flow,
        Self::Queue,
    ];

    /// Its name, as in `destination_type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::RingGroup => "ring_group",
            Self::Ivr => "ivr",
            Self::TimeCondition => "time_condition",
            Self::Voicemail => "voicemail",
            Self::Policy => "call_routing_policy",
            Self::Flow => "call_flow",
            Self::Queue => "queue",
        }
    }

    /// The kind with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Where a call goes. Whether that is there is seen when a call goes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Destination {
    /// What it is.
    pub kind: DestinationKind,
    /// Its UUID; of a mailbox that of the extension.
    pub id: [u8; 16],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_name() {
        for kind in DestinationKind::ALL {
            assert_eq!(DestinationKind::parse(kind.name()), Some(kind));
        }
        assert_eq!(DestinationKind::parse("moon"), None);
    }
}
