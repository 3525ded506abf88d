//! One event, understood.

use super::claim::{self, Claim};
use super::kind;
use super::leg::Leg;
use super::mailbox::{self, NewPin};
use super::said::{Said, plausible};
use super::sip::{GatewayState, Registration};
use nizam_wire::event::{Event, EventError};
use serde_json::{Map, Value, json};
use thiserror::Error;

/// Why an event cannot be stored as anything but itself.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unusable {
    /// It is no event.
    #[error("{0}")]
    Record(#[from] EventError),
    /// A header without which it says nothing.
    #[error("the event has no {0}")]
    Missing(&'static str),
    /// A header that is longer than anything that FreeSWITCH makes.
    #[error("the event's {0} is too long")]
    Long(&'static str),
}

/// Longest id of a channel: 36 bytes unless somebody chose another one.
const LONGEST_ID: usize = 255;

/// What an event is about.
#[derive(Clone, Debug, PartialEq)]
pub enum About {
    /// A channel: what it says of itself.
    Channel {
        /// The event's name.
        name: String,
        /// What is known from this event alone.
        said: Box<Leg>,
        /// The channel's id before this event, where it got another one.
        was: Option<String>,
        /// `Channel-Call-UUID`.
        call: Option<String>,
        /// Whether it ever was a call: a channel that waits for a password has no caller yet.
        called: bool,
    },
    /// A phone came, or came again.
    Registered {
        /// Which.
        registration: Registration,
        /// Whether it was there already.
        again: bool,
    },
    /// A phone went.
    Unregistered(Registration),
    /// A gateway is in another state.
    Gateway(GatewayState),
    /// mod_sofia has a gateway that it had not. How it is may never be told: of one that neither registers nor is pinged no other event
    /// is fired.
    GatewayAdded,
    /// The switch itself: how it is.
    Switch {
        /// Calls that it has.
        sessions: Option<i64>,
    },
    /// Somebody has chosen the PIN of a mailbox by phone.
    Pin(NewPin),
    /// Something that is only told.
    Told,
}

/// What one event says.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// When; microseconds since 1970.
    pub at: i64,
    /// What it is stored as; `None`: it only changes what is known.
    pub kind: Option<String>,
    /// The channel, or the SIP user of a registration or mailbox.
    pub subject: String,
    /// By what its tenant may be known, the best first.
    pub claims: Vec<Claim>,
    /// What clients get of it; of a channel only what the channel's base does not say.
    pub metadata: Map<String, Value>,
    /// The configuration that routed it.
    pub generation: Option<i64>,
    /// `Core-UUID`, if it says.
    pub core: Option<String>,
    /// What it is about.
    pub about: About,
}

impl Fact {
    /// Reads a record of the link that came at `received`, which is its time if it does not say a better one. `Ok(None)`: an event
    /// that says nothing worth keeping.
    pub fn read(record: &[u8], received: i64) -> Result<Option<Self>, Unusable> {
        let event = Event::read(record)?;
        let at = if plausible(event.time) { event.time } else { received };
        let said = Said(&event);
        let mut fact = match event.name {
            "CUSTOM" => custom(said, event.subclass, at)?,
            "HEARTBEAT" => {
                let about = About::Switch { sessions: said.number("Session-Count") };
                Some(Self::about(at, None, String::new(), Vec::new(), Map::new(), about))
            }
            name => match kind::of_channel(name) {
                Some(kind) => Some(channel(said, name, kind, at)?),
                None => None,
            },
        };
        if let Some(fact) = &mut fact {
            fact.core = said.text("Core-UUID");
        }
        Ok(fact)
    }

    fn about(
        at: i64,
        kind: Option<String>,
        subject: String,
        claims: Vec<Claim>,
        metadata: Map<String, Value>,
        about: About,
    ) -> Self {
        Self { at, kind, subject, claims, metadata, generation: None, core: None, about }
    }
}

fn id(said: Said<'_>, names: &'static [&'static str]) -> Result<String, Unusable> {
    let name = names.first().copied().unwrap_or_default();
    let id = said.first(names).ok_or(Unusable::Missing(name))?;
    if id.len() > LONGEST_ID { Err(Unusable::Long(name)) } else { Ok(id) }
}

fn channel(said: Said<'_>, name: &str, kind: &'static str, at: i64) -> Result<Fact, Unusable> {
    let uuid = id(said, &["Unique-ID", "variable_uuid"])?;
    let mut leg = Leg::of(said, uuid.clone(), name, at);
    let claims = claim::of_channel(said, leg.originator.as_deref());
    let mut metadata = Map::new();
    let mut add = |key: &str, value: Value| drop(metadata.insert(key.to_owned(), value));
    match name {
        "CHANNEL_BRIDGE" | "CHANNEL_UNBRIDGE" => {
            let ids = ["Bridge-A-Unique-ID", "Bridge-B-Unique-ID"].map(|name| said.text(name));
            let other = ids.into_iter().flatten().find(|id| *id != uuid).or_else(|| leg.other.clone());
            leg.other.clone_from(&other);
            add("other_leg_uuid", json!(other));
        }
        "RECORD_START" | "RECORD_STOP" => {
            add("path", json!(said.text("Record-File-Path")));
            add("seconds", json!(said.number("variable_record_seconds")));
            add("completion_cause", json!(said.text("Record-Completion-Cause")));
        }
        _ => {}
    }
    let was = (name == "CHANNEL_UUID").then(|| said.text("Old-Unique-ID")).flatten();
    let about = About::Channel {
        name: name.to_owned(),
        was,
        call: said.text("Channel-Call-UUID").filter(|id| id.len() <= LONGEST_ID),
        // As long as a channel has no caller profile, its events have none of this (`switch_channel.c:
        // switch_channel_event_set_basic_data`). `Channel-HIT-Dialplan` is true of all that come in.
        called: said.first(&["Caller-Direction", "Caller-Destination-Number", "Caller-Context"]).is_some(),
        said: Box::new(leg),
    };
    Ok(Fact::about(at, Some(kind.to_owned()), uuid, claims, metadata, about))
}

fn custom(said: Said<'_>, subclass: &str, at: i64) -> Result<Option<Fact>, Unusable> {
    let fact = match subclass {
        "sofia::register" | "sofia::unregister" | "sofia::expire" => {
            let registration = Registration::of(said, at).ok_or(Unusable::Missing("user or domain"))?;
            if registration.user.len() > LONGEST_ID || registration.call_id.len() > LONGEST_ID {
                return Err(Unusable::Long("user or call-id"));
            }
            let (subject, claims) = (registration.user.clone(), claim::of_registration(said));
            let action = subclass.trim_start_matches("sofia::");
            let metadata = registration.metadata(action);
            let (kind, about) = if action == "register" {
                // A refresh changes the table, and is nothing that happened.
                let again = said.text("update-reg").as_deref() == Some("true");
                ((!again).then_some("device.registered"), About::Registered { registration, again })
            } else {
                (Some("device.unregistered"), About::Unregistered(registration))
            };
            Fact::about(at, kind.map(str::to_owned), subject, claims, metadata, about)
        }
        "sofia::register_failure" => {
            let names =
                ["to-user", "to-host", "network-ip", "network-port", "user-agent", "registration-type"];
            let subject = id(said, &["to-user"])?;
            told(said, at, "device.register_failed", subject, &names, claim::of_registration(said))
        }
        "sofia::gateway_state" => {
            let state = GatewayState::of(said, at).ok_or(Unusable::Missing("Gateway"))?;
            let claims = state.gateway_id.map(Claim::Gateway).into_iter().collect();
            let (subject, metadata) = (state.name.clone(), state.metadata());
            let kind = Some("gateway.state".to_owned());
            Fact::about(at, kind, subject, claims, metadata, About::Gateway(state))
        }
        "sofia::gateway_add" => {
            Fact::about(at, None, String::new(), Vec::new(), Map::new(), About::GatewayAdded)
        }
        "vm::maintenance" if said.text("VM-Action").as_deref() == Some("leave-message") => {
            let mut claims = claim::of_application(said, &["VM-Domain"]);
            // A message has the id of the channel that left it.
            claims.extend(said.text("VM-UUID").filter(|id| id.len() <= LONGEST_ID).map(Claim::Leg));
            let (kind, subject) = (Some("voicemail.received".to_owned()), id(said, &["VM-User"])?);
            Fact::about(at, kind, subject, claims, mailbox::message(said), About::Told)
        }
        "vm::maintenance" if said.text("VM-Action").as_deref() == Some("change-password") => {
            let pin = NewPin::of(said).ok_or(Unusable::Missing("VM-User, VM-Domain or PIN"))?;
            let claims = claim::of_application(said, &["VM-Domain"]);
            let (kind, subject) = (Some("voicemail.pin_changed".to_owned()), id(said, &["VM-User"])?);
            Fact::about(at, kind, subject, claims, pin.metadata(), About::Pin(pin))
        }
        "nizam::ambiguous" | "nizam::emergency" | "nizam::flow" => {
            let (kind, names): (_, &[&str]) = match subclass {
                "nizam::ambiguous" => ("routing.ambiguous", &["nizam_number"]),
                "nizam::emergency" => ("call.emergency", &["nizam_extension", "nizam_number"]),
                _ => ("call.flow", &["nizam_flow", "nizam_step"]),
            };
            // Of a number that is two tenants' nobody knows whose call it is, whatever else it says.
            let claims =
                if kind == "routing.ambiguous" { Vec::new() } else { claim::of_application(said, &[]) };
            told(said, at, kind, id(said, &["Unique-ID"])?, names, claims)
        }
        "conference::maintenance" => {
            let Some(action) = said.text("Action").filter(|action| worth_telling(action)) else {
                return Ok(None);
            };
            let names =
                ["Conference-Name", "Conference-Domain", "Conference-Size", "Member-ID", "Member-Type"];
            let subject = id(said, &["Unique-ID", "Conference-Unique-ID", "Conference-Name"])?;
            let claims = claim::of_application(said, &["Conference-Domain"]);
            told(said, at, &format!("conference.{}", snake(&action)), subject, &names, claims)
        }
        "callcenter::info" => {
            let action = id(said, &["CC-Action"])?;
            let names = [
                "CC-Queue",
                "CC-Agent",
                "CC-Agent-Status",
                "CC-Agent-State",
                "CC-Member-UUID",
                "CC-Member-Session-UUID",
                "CC-Member-CID-Number",
                "CC-Cause",
                "CC-Cancel-Reason",
                "CC-Hangup-Cause",
                "CC-Count",
            ];
            let subject = id(said, &["CC-Member-Session-UUID", "CC-Queue", "CC-Agent"])?;
            let claims = claim::of_application(said, &["CC-Queue", "CC-Agent"]);
            told(said, at, &format!("callcenter.{}", snake(&action)), subject, &names, claims)
        }
        _ => return Ok(None),
    };
    Ok(Some(fact))
}

/// Who talks and who does not changes many times a second.
fn worth_telling(action: &str) -> bool {
    !matches!(
        action,
        "start-talking" | "stop-talking" | "floor-change" | "energy-level" | "gain-level" | "volume-level"
    )
}

/// `agent-state-change` as a part of a type's name.
fn snake(action: &str) -> String {
    let kept = action.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').take(40);
    kept.map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
}

/// An event that is told with some of its headers.
fn told(said: Said<'_>, at: i64, kind: &str, subject: String, names: &[&str], claims: Vec<Claim>) -> Fact {
    let name = |header: &str| snake(header.trim_start_matches("nizam_"));
    let metadata = names.iter().map(|header| (name(header), json!(said.text(header)))).collect();
    let generation =
        said.first(&["nizam_generation", "variable_nizam_generation"]).and_then(|text| text.parse().ok());
    Fact { generation, ..Fact::about(at, Some(kind.to_owned()), subject, claims, metadata, About::Told) }
}
