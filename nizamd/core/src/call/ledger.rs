//! The legs that live, and what facts do to them.

use super::SCHEMA_VERSION;
use super::claim::Claim;
use super::fact::{About, Fact};
use super::leg::{Leg, RECONCILER};
use super::sip::{GatewayState, Registration};
use crate::model::Cdr;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// What must be known before some facts are applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Channels: whether they live, or have ended.
    pub channels: BTreeSet<String>,
    /// Which of these ids are tenants.
    pub tenants: BTreeSet<Uuid>,
    /// Whose domains these are.
    pub domains: BTreeSet<String>,
    /// Whose gateways these are, where only one tenant may use them.
    pub gateways: BTreeSet<Uuid>,
    /// When the first of the facts was; microseconds since 1970, 0 where there is none.
    pub since: i64,
}

impl Wanted {
    /// What these facts need.
    pub fn of<'f>(facts: impl IntoIterator<Item = &'f Fact>) -> Self {
        let mut wanted = Self::default();
        let mut since = None;
        for fact in facts {
            since = since.into_iter().chain([fact.at]).min();
            for claim in &fact.claims {
                match claim {
                    Claim::Tenant(id) => drop(wanted.tenants.insert(*id)),
                    Claim::Domain(domain) => drop(wanted.domains.insert(domain.clone())),
                    Claim::Gateway(id) => drop(wanted.gateways.insert(*id)),
                    Claim::Leg(uuid) => drop(wanted.channels.insert(uuid.clone())),
                }
            }
            if let About::Channel { was, call, .. } = &fact.about {
                wanted.channels.insert(fact.subject.clone());
                wanted.channels.extend(was.iter().chain(call).cloned());
            }
        }
        wanted.since = since.unwrap_or_default();
        wanted
    }
}

/// A channel that has its CDR.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ended {
    /// Whose it was.
    pub tenant: Option<Uuid>,
    /// Its call.
    pub call_id: Option<String>,
    /// It was closed without its own word, which still counts if it comes.
    pub lost: bool,
    /// What was known of it then, to which that word is added.
    pub leg: Option<Box<Leg>>,
}

/// An event to store.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Whose; `None`: nobody's, for the operator.
    pub tenant: Option<Uuid>,
    /// The channel, or the SIP user.
    pub call_uuid: String,
    /// The call of the channel.
    pub call_id: Option<String>,
    /// What happened.
    pub event_type: String,
    /// When; microseconds since 1970.
    pub at: i64,
    /// The configuration that routed it.
    pub generation: Option<i64>,
    metadata: Map<String, Value>,
}

impl NewEvent {
    /// The event as clients get it.
    pub fn payload(&self) -> Value {
        let at = Timestamp::from_microsecond(self.at).unwrap_or_default();
        // A missed call is a hangup of a certain kind, and is told as one.
        let event_type = if self.event_type == "call.missed" { "call.hangup" } else { &self.event_type };
        json!({
            "tenant_id": self.tenant,
            "call_uuid": self.call_uuid,
            "event_type": event_type,
            "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
            "schema_version": SCHEMA_VERSION,
            "metadata": self.metadata,
        })
    }
}

/// Legs of one switch, and what became of them. Fill it with what [`Wanted`] names, apply facts in their order, and write what it holds then.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The switch's name.
    pub switch: String,
    /// Legs that live.
    pub legs: HashMap<String, Leg>,
    /// Channels that have ended before.
    pub ended: HashMap<String, Ended>,
    /// Tenants that there are.
    pub tenants: HashSet<Uuid>,
    /// Their domains.
    pub domains: HashMap<String, Uuid>,
    /// Gateways and their tenants.
    pub gateways: HashMap<Uuid, Uuid>,
    /// Legs that are not as they were read.
    pub changed: BTreeSet<String>,
    /// Channels that live no more, or under another id.
    pub gone: BTreeSet<String>,
    /// Channels whose tenant became known after earlier events of theirs.
    pub adopted: Vec<(String, Uuid)>,
    /// Events, in the order in which they came.
    pub events: Vec<NewEvent>,
    /// CDRs.
    pub cdrs: Vec<Cdr>,
    /// Phones that came, with their tenant, or went (`None`), in this order.
    pub registrations: Vec<(Registration, Option<Uuid>)>,
    /// Gateways whose state changed, and the tenant of each.
    pub gateway_states: Vec<(GatewayState, Option<Uuid>)>,
    /// How many calls the switch last said that it has.
    pub sessions: Option<i64>,
}

impl Ledger {
    /// Applies one fact.
    pub fn apply(&mut self, fact: Fact) {
        let Fact { at, kind, subject, claims, metadata, generation, about, .. } = fact;
        match about {
            About::Channel { name, said, was, call, called } => {
                let event = Channel { at, kind, claims, metadata, name: &name, was, call, called };
                self.channel(subject, *said, event);
                return;
            }
            About::Registered { registration, .. } => {
                let tenant = self.owner(&claims);
                if tenant.is_some() {
                    self.registrations.push((registration, tenant));
                }
            }
            About::Unregistered(registration) => self.registrations.push((registration, None)),
            About::Gateway(state) => {
                let tenant = self.owner(&claims);
                self.gateway_states.push((state, tenant));
            }
            About::Switch { sessions } => self.sessions = sessions.or(self.sessions),
            // Whoever stores the event has changed the mailbox before, and asks the switch for its gateways behind it.
            About::Pin(_) | About::GatewayAdded | About::Told => {}
        }
        if let Some(event_type) = kind {
            let tenant = self.owner(&claims);
            let call_id = self.call_of(&subject).or_else(|| self.call_of_claims(&claims));
            self.events.push(NewEvent {
                tenant,
                call_uuid: subject,
                call_id,
                event_type,
                at,
                generation,
                metadata,
            });
        }
    }

    /// Closes a leg of which nothing more will be heard.
    pub fn lose(&mut self, uuid: &str) {
        let Some(leg) = self.legs.remove(uuid) else { return };
        let mut metadata = leg.base();
        metadata.insert("closed_by".to_owned(), json!(RECONCILER));
        metadata.insert("hangup_cause".to_owned(), Value::Null);
        let at = leg.last();
        self.end(leg, true);
        let (tenant, call_id) = self.ended.get(uuid).map_or((None, None), |e| (e.tenant, e.call_id.clone()));
        let (call_uuid, event_type) = (uuid.to_owned(), "call.hangup".to_owned());
        self.events.push(NewEvent { tenant, call_uuid, call_id, event_type, at, generation: None, metadata });
    }

    /// Gives events of channels whose tenant became known behind them to that tenant. To be called after the last fact.
    pub fn settle(&mut self) {
        for event in self.events.iter_mut().filter(|event| event.tenant.is_none()) {
            event.tenant = self
                .legs
                .get(&event.call_uuid)
                .map_or_else(|| self.ended.get(&event.call_uuid).and_then(|e| e.tenant), |leg| leg.tenant)
                // What two tenants could be meant by belongs to neither.
                .filter(|_| event.event_type != "routing.ambiguous");
        }
    }

    fn channel(&mut self, uuid: String, said: Leg, event: Channel<'_>) {
        let last = event.name == "CHANNEL_HANGUP_COMPLETE";
        if let Some(mut leg) = event.was.as_ref().and_then(|was| self.legs.remove(was)) {
            self.gone.extend(event.was.clone());
            leg.uuid.clone_from(&uuid);
            self.legs.insert(uuid.clone(), leg);
        }
        if self.ended.get(&uuid).is_some_and(|ended| !(last && ended.lost)) {
            self.too_late(uuid, &said, event);
            return;
        }
        let closed = || self.ended.get_mut(&uuid).and_then(|ended| ended.leg.take()).map(|leg| *leg);
        let known = self.legs.remove(&uuid).or_else(closed);
        let heard_of = known.is_some();
        if known.is_none() && last && !event.called && said.is_inbound() && !self.ended.contains_key(&uuid) {
            // An INVITE that was asked for a password and never came again (`sofia_event_callback` in `sofia.c`): no call.
            return;
        }
        let mut leg = known.unwrap_or_else(|| Leg::new(uuid.clone()));
        leg.absorb(said, event.name);
        if leg.call_id.is_empty() {
            let before = self.ended.get(&uuid).and_then(|ended| ended.call_id.clone());
            leg.call_id = before.unwrap_or_else(|| self.call_id(&leg, event.call.as_deref()));
        }
        if leg.tenant.is_none() {
            let before = self.ended.get(&uuid).and_then(|ended| ended.tenant);
            leg.tenant = before.or_else(|| self.owner(&event.claims));
            self.adopted.extend(leg.tenant.filter(|_| heard_of).map(|tenant| (uuid.clone(), tenant)));
        }
        let mut metadata = leg.base();
        metadata.extend(event.metadata);
        if last {
            metadata.extend(leg.ending());
        }
        let missed = last && leg.cause() == Some("NO_ANSWER");
        let limit = leg.limit().filter(|_| last).map(|limit| {
            let mut metadata = leg.base();
            metadata.insert("limit".to_owned(), json!(limit));
            metadata
        });
        let told = NewEvent {
            tenant: leg.tenant,
            call_uuid: uuid.clone(),
            call_id: Some(leg.call_id.clone()),
            event_type: event.kind.unwrap_or_default(),
            at: event.at,
            generation: leg.generation(),
            metadata,
        };
        let missed = missed.then(|| NewEvent { event_type: "call.missed".to_owned(), ..told.clone() });
        let limit = limit.map(|metadata| NewEvent {
            event_type: "limit.reached".to_owned(),
            metadata,
            ..told.clone()
        });
        // What it was refused for comes before its end, which is the last of it.
        self.events.extend(limit);
        self.events.push(told);
        self.events.extend(missed);
        if last {
            self.end(leg, false);
        } else {
            self.changed.insert(uuid.clone());
            self.legs.insert(uuid, leg);
        }
    }

    /// An event that was overtaken by the end of its channel, which stays ended. Of a second end nothing is told.
    fn too_late(&mut self, uuid: String, said: &Leg, event: Channel<'_>) {
        let (Some(ended), Some(event_type)) = (self.ended.get(&uuid), event.kind) else { return };
        if event_type == "call.hangup" {
            return;
        }
        let (tenant, call_id) = (ended.tenant, ended.call_id.clone());
        let mut metadata = said.base();
        metadata.insert("call_id".to_owned(), json!(call_id));
        metadata.extend(event.metadata);
        let (at, generation) = (event.at, said.generation());
        self.events.push(NewEvent { tenant, call_uuid: uuid, call_id, event_type, at, generation, metadata });
    }

    fn end(&mut self, leg: Leg, lost: bool) {
        self.cdrs.extend(leg.tenant.map(|tenant| leg.cdr(tenant, &self.switch, lost)));
        self.changed.remove(&leg.uuid);
        self.gone.insert(leg.uuid.clone());
        let (uuid, tenant, call_id) = (leg.uuid.clone(), leg.tenant, Some(leg.call_id.clone()));
        let leg = lost.then(|| Box::new(leg));
        self.ended.insert(uuid, Ended { tenant, call_id, lost, leg });
    }

    /// The call that a leg is of: that of the channel that made it, or that FreeSWITCH counts it to.
    fn call_id(&self, leg: &Leg, call: Option<&str>) -> String {
        let parent = leg.originator.as_deref().or(call).filter(|parent| *parent != leg.uuid);
        let Some(parent) = parent else { return leg.uuid.clone() };
        self.call_of(parent).unwrap_or_else(|| parent.to_owned())
    }

    fn call_of(&self, uuid: &str) -> Option<String> {
        let live = self.legs.get(uuid).map(|leg| leg.call_id.clone()).filter(|id| !id.is_empty());
        live.or_else(|| self.ended.get(uuid)?.call_id.clone())
    }

    /// The call that an event is of which names a channel.
    fn call_of_claims(&self, claims: &[Claim]) -> Option<String> {
        claims.iter().find_map(|claim| match claim {
            Claim::Leg(uuid) => self.call_of(uuid),
            Claim::Tenant(_) | Claim::Domain(_) | Claim::Gateway(_) => None,
        })
    }

    /// The tenant that the first of the claims names that names one.
    fn owner(&self, claims: &[Claim]) -> Option<Uuid> {
        claims.iter().find_map(|claim| match claim {
            Claim::Tenant(id) => self.tenants.get(id).copied(),
            Claim::Domain(domain) => self.domains.get(domain).copied(),
            Claim::Gateway(id) => self.gateways.get(id).copied(),
            Claim::Leg(uuid) => match self.legs.get(uuid) {
                Some(leg) => leg.tenant,
                None => self.ended.get(uuid)?.tenant,
            },
        })
    }
}

/// What an event of a channel says beside what it says of the channel.
struct Channel<'e> {
    at: i64,
    kind: Option<String>,
    claims: Vec<Claim>,
    metadata: Map<String, Value>,
    name: &'e str,
    was: Option<String>,
    call: Option<String>,
    called: bool,
}
