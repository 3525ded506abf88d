//! The channels that there are, and who may hear what is told on them.

use std::fmt;

use nizam_core::model::Permission;
use uuid::Uuid;

/// What the names of channels that need an authorisation begin with.
const PRIVATE: &str = "private-";
/// What the names of channels begin with whose members are shown to each other.
const PRESENCE: &str = "presence-";

/// The events of [`Kind::Calls`]: as clients know them behind `call.`, and as they are stored.
pub(super) const CALLS: [(&str, &str); 6] = [
    ("started", "call.created"),
    ("answered", "call.answered"),
    ("bridge", "call.bridged"),
    ("hangup", "call.hangup"),
    ("registered", "device.registered"),
    ("unregistered", "device.unregistered"),
];

/// The events of [`Kind::ContactCenter`], as they stand in the names of channels.
const CONTACT_CENTER: [&str; 5] = [
    "queue-call_joined",
    "queue-call_answered",
    "queue-call_abandoned",
    "queue-call_overflowed",
    "agent-state_changed",
];

/// A channel of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Channel {
    pub(crate) tenant: Uuid,
    pub(crate) kind: Kind,
}

/// What is told on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Every event, under the name by which it is stored.
    Events,
    /// What the contract calls events of calls; only that one, where one is named.
    Calls(Option<&'static str>),
    /// What happens to queues and agents; only that one, where one is named. Nothing is stored of it yet, and so nothing is told.
    ContactCenter(Option<&'static str>),
}

impl Channel {
    /// The channel with that name; the error is for whoever asked for it.
    pub(crate) fn parse(name: &str) -> Result<Self, &'static str> {
        if name.starts_with(PRESENCE) {
            return Err(
                "There are no presence channels here: who hears what of a tenant is not shown. Use a private channel.",
            );
        }
        let Some(name) = name.strip_prefix(PRIVATE) else {
            return Err("There are only private channels here; their names begin with private-tenant.");
        };
        let none = "There is no such channel.";
        let (id, rest) = name.strip_prefix("tenant.").and_then(|rest| rest.split_once('.')).ok_or(none)?;
        // The one form in which it is written, too: one channel has one name.
        let tenant = Uuid::try_parse(id).ok().filter(|tenant| tenant.to_string() == id).ok_or(none)?;
        let kind = match rest.split_once('.') {
            None => match rest {
                "events" => Some(Kind::Events),
                "calls" => Some(Kind::Calls(None)),
                "contact-center" => Some(Kind::ContactCenter(None)),
                _ => None,
            },
            Some(("calls", suffix)) => {
                let known = CALLS.iter().find(|(known, _)| *known == suffix);
                known.map(|(known, _)| Kind::Calls(Some(known)))
            }
            Some(("contact-center", suffix)) => {
                let known = CONTACT_CENTER.iter().find(|known| **known == suffix);
                known.map(|known| Kind::ContactCenter(Some(known)))
            }
            Some(_) => None,
        };
        kind.map(|kind| Self { tenant, kind }).ok_or(none)
    }

    /// What a user of the tenant needs to hear it.
    pub(crate) fn permission(self) -> Permission {
        match self.kind {
            Kind::Events | Kind::Calls(_) => Permission::CallEventsView,
            Kind::ContactCenter(_) => Permission::QueuesView,
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PRIVATE}tenant.{}.", self.tenant)?;
        match self.kind {
            Kind::Events => f.write_str("events"),
            Kind::Calls(None) => f.write_str("calls"),
            Kind::Calls(Some(one)) => write!(f, "calls.{one}"),
            Kind::ContactCenter(None) => f.write_str("contact-center"),
            Kind::ContactCenter(Some(one)) => write!(f, "contact-center.{one}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

    #[test]
    fn a_channel_has_one_name() {
        let kinds = ["events", "calls", "calls.started", "calls.bridge", "contact-center"];
        for kind in kinds.into_iter().chain(["contact-center.agent-state_changed"]) {
            let name = format!("private-tenant.{TENANT}.{kind}");
            assert_eq!(Channel::parse(&name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn what_is_no_channel_is_refused_with_a_reason() {
        for name in [
            String::new(),
            "private-".into(),
            "private-tenant.".into(),
            format!("private-tenant.{TENANT}"),
            format!("private-tenant.{TENANT}."),
            format!("private-tenant.{TENANT}.calls."),
            format!("private-tenant.{TENANT}.calls.created"),
            format!("private-tenant.{TENANT}.calls.started.x"),
            format!("private-tenant.{TENANT}.events.x"),
            format!("private-tenant.{}.calls", TENANT.to_uppercase()),
            format!("private-tenant.{}.calls", TENANT.replace('-', "")),
            format!("private-tenant.{{{TENANT}}}.calls"),
            format!("private-encrypted-tenant.{TENANT}.calls"),
            format!("tenant.{TENANT}.calls"),
            format!("presence-tenant.{TENANT}.calls"),
        ] {
            assert!(!Channel::parse(&name).unwrap_err().is_empty(), "{name}");
        }
    }
}
