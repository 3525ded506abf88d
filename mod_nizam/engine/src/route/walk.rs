//! A walk: a call on its way through the records of its tenant.

use super::caller::Caller;
use super::clock;
use super::inert::is_inert;
use super::plan::{Outcome, Route};
use super::question::DialplanQuestion;
use super::trace::Trace;
use crate::civil::Civil;
use crate::directory::is_dialable;
use crate::layers::LowerKey;
use crate::{Layers, Scoped};
use nizam_wire::Kind;
use nizam_wire::image::ONLY;
pub(super) use nizam_wire::path::decimal;
use nizam_wire::path::{Object, Path};
use nizam_wire::record::{Destination, DestinationKind, Extension, List, Prompt, Routing, Tenant};
use uuid::Uuid;

/// Most nodes of a walk; after them the call ends.
const MOST_NODES: u32 = 64;

/// Where a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At a destination.
    At(Destination),
    /// At a step of a flow.
    Step([u8; 16], u16),
}

/// Where a call goes next, and where it goes if nobody takes it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visit {
    pub(super) place: Place,
    pub(super) fallback: Option<Place>,
}

impl Visit {
    pub(super) fn to(destination: Destination) -> Self {
        Self { place: Place::At(destination), fallback: None }
    }
}

/// The call on its way.
pub(super) struct Walk<'a, T> {
    pub(super) layers: &'a Layers,
    pub(super) call: &'a DialplanQuestion<'a>,
    /// What the tenant has.
    pub(super) own: Scoped<'a>,
    pub(super) tenant: Tenant<'a>,
    pub(super) routing: Routing<'a>,
    /// The extension that calls, where it is one of the tenant.
    pub(super) caller: Option<Extension<'a>>,
    pub(super) route: Route,
    pub(super) trace: &'a mut T,
    /// Whether a step has answered the call.
    pub(super) answered: bool,
    /// Whether digits were asked for since the lookup: what they are is not known yet.
    pub(super) collected: bool,
    /// Flow variables that steps of this walk set.
    pub(super) set: Vec<(&'a str, &'a str)>,
    nodes: u32,
}

/// What is known of a tenant without a record of its routing.
fn nothing_known<'a>() -> Routing<'a> {
    Routing {
        zone: "",
        home: None,
        max_calls: 0,
        calls_per_minute: 0,
        caller_id_number: "",
        caller_id_name: "",
        emergency: List::default(),
        class_limits: List::default(),
        policies: List::default(),
        gateways: List::default(),
        tts_engine: "",
        tts_voice: "",
    }
}

/// What routing knows of a tenant.
pub(super) fn routing<'a>(own: &Scoped<'a>) -> Routing<'a> {
    own.get(Kind::Routing, ONLY).and_then(|value| Routing::decode(value).ok()).unwrap_or_else(nothing_known)
}

impl<'a, T: Trace> Walk<'a, T> {
    /// Begins the route of a call of that tenant.
    pub(super) fn begin(
        layers: &'a Layers,
        call: &'a DialplanQuestion<'a>,
        own: Scoped<'a>,
        tenant: Tenant<'a>,
        context: &str,
        trace: &'a mut T,
    ) -> Self {
        let routing = routing(&own);
        let mut route = Route::new(context);
        route.tenant = Some(tenant.id);
        let mut digits = [0; 20];
        route.add("set", &["nizam_generation=", decimal(layers.generation(), &mut digits)]);
        let mut id = Uuid::encode_buffer();
        let id = text_of(&tenant.id, &mut id);
        route.add("set", &["nizam_tenant=", id]);
        // What another tenant had it pass is not this one's to see.
        let ours = |of: &[u8]| of.eq_ignore_ascii_case(id.as_bytes());
        if let Some(path) = call.path.filter(|_| call.channel.variable("nizam_tenant").is_some_and(ours)) {
            route.path = Path::after(path);
        }
        Self {
            layers,
            call,
            own,
            tenant,
            routing,
            caller: None,
            route,
            trace,
            answered: false,
            collected: false,
            set: Vec::new(),
            nodes: 0,
        }
    }

    /// Walks until the call ends or is handed on.
    pub(super) fn go(&mut self, visit: Visit) {
        let mut next = Some(visit);
        while let Some(visit) = next {
            self.nodes += 1;
            if self.nodes > MOST_NODES {
                self.trace.note("route", None, format_args!("more than {MOST_NODES} nodes: the call ends"));
                self.refuse("loop");
                self.end("hangup", "EXCHANGE_ROUTING_ERROR", Outcome::Loop);
                self.route.outcome = Outcome::Loop;
                return;
            }
            next = match visit.place {
                Place::Step(flow, step) => self.step(flow, step),
                Place::At(destination) => self.destination(destination, visit.fallback),
            };
        }
    }

    fn destination(&mut self, to: Destination, fallback: Option<Place>) -> Option<Visit> {
        match to.kind {
            DestinationKind::Extension => self.ring_extension(to.id, fallback),
            DestinationKind::Voicemail => self.voicemail(to.id, fallback),
            DestinationKind::RingGroup => self.ring_group(to.id, fallback),
            DestinationKind::TimeCondition => self.time_condition(to.id, fallback),
            DestinationKind::Policy => self.policy(to.id, fallback),
            DestinationKind::Ivr => self.ivr(to.id, fallback),
            DestinationKind::Queue => self.queue(to.id, None, fallback),
            DestinationKind::Flow => self.flow(to.id, fallback),
        }
    }

    /// The record of something of the tenant, by its id or number.
    pub(super) fn record(&self, kind: Kind, key: &[u8]) -> Option<&'a [u8]> {
        self.own.get(kind, key)
    }

    /// The extension with that number.
    pub(super) fn extension_by_number(&self, number: &[u8]) -> Option<Extension<'a>> {
        let key = LowerKey::new(number)?;
        let value = self.record(Kind::Extension, key.as_bytes())?;
        Extension::decode(value).ok().filter(|extension| is_dialable(extension.number))
    }

    /// The extension with that id.
    pub(super) fn extension_by_id(&self, id: &[u8; 16]) -> Option<Extension<'a>> {
        self.extension_by_number(self.record(Kind::ExtensionId, id)?)
    }

    /// The clock of the tenant.
    pub(super) fn now(&self) -> Civil {
        clock::at(self.layers, self.routing.zone, self.call.now)
    }

    /// The number of the caller, as policies see it.
    pub(super) fn caller_number(&self) -> Caller<'a> {
        Caller::new(self.call.caller_number, self.routing.home.as_ref())
    }

    /// Notes for the CDR that the call passes a row of the tenant, and what is decided there.
    pub(super) fn pass(&mut self, object: Object, id: &[u8; 16], branch: &str) {
        let generation = self.layers.generation();
        self.route.unsaid |= self.route.path.pass(generation, object, id, branch);
    }

    /// Notes for the CDR what was decided at the row that the call passed last.
    pub(super) fn decide(&mut self, branch: &str) {
        self.route.unsaid |= self.route.path.decide(branch);
    }

    /// Says what a route leads to, unless that was said before.
    pub(super) fn reaches(&mut self, outcome: Outcome) {
        if self.route.outcome == Outcome::Unknown {
            self.route.outcome = outcome;
        }
    }

    /// Sets a channel variable to a value that need not be inert, and is left out if it is not.
    pub(super) fn set_text(&mut self, name: &str, value: &str) {
        if is_inert(value) {
            self.route.add("set", &[name, "=", value]);
        }
    }

    /// Answers the call, so that it can hear something.
    pub(super) fn answer(&mut self) {
        self.route.add("answer", &[]);
        self.answered = true;
    }

    /// Notes for the CDR why a call is refused.
    pub(super) fn refuse(&mut self, why: &str) {
        self.route.add("set", &["nizam_refused=", why]);
    }

    /// The last step.
    pub(super) fn end(&mut self, application: &'static str, data: &str, outcome: Outcome) {
        self.reaches(outcome);
        self.route.add(application, &[data]);
    }

    /// There is nothing there.
    pub(super) fn nowhere(&mut self) -> Option<Visit> {
        if self.answered {
            self.route.add("hangup", &["UNALLOCATED_NUMBER"]);
        } else {
            self.route.add("respond", &["404"]);
        }
        None
    }

    /// There is nothing there: the fallback, if there is one.
    pub(super) fn nothing(&mut self, fallback: Option<Place>) -> Option<Visit> {
        match fallback {
            Some(place) => Some(Visit { place, fallback: None }),
            None => self.nowhere(),
        }
    }

    /// As [`Self::nothing`], and says what is missing.
    pub(super) fn missing(
        &mut self,
        object: &'static str,
        id: &[u8; 16],
        fallback: Option<Place>,
    ) -> Option<Visit> {
        self.decide("missing");
        let then = if fallback.is_some() { "the fallback" } else { "the call leads nowhere" };
        self.trace.note(object, Some(*id), format_args!("is not there, or not active: {then}"));
        self.nothing(fallback)
    }

    /// Refuses the call: a status as long as nobody has answered it, and else the end with that cause.
    pub(super) fn reject(&mut self, status: &str, cause: &str) {
        if self.answered {
            self.end("hangup", cause, Outcome::Refused);
        } else {
            self.end("respond", status, Outcome::Refused);
        }
    }

    /// A prompt as an argument of `playback`; `None` where there is nothing to play.
    pub(super) fn file(&self, prompt: Prompt<'a>) -> Option<&'a str> {
        let path = match prompt {
            Prompt::File(file) => file,
            Prompt::Uploaded(id) => std::str::from_utf8(self.record(Kind::Prompt, &id)?).ok()?,
            Prompt::None | Prompt::Say(_) => return None,
        };
        (!path.is_empty() && is_inert(path)).then_some(path)
    }

    /// The step that hands the call to a later lookup, when more is known.
    pub(super) fn transfer(&mut self, number: &[&str]) {
        let mut pieces = number.to_vec();
        pieces.extend([" XML ", self.tenant.domain]);
        self.route.add("transfer", &pieces);
    }

    /// Hands the call to a later lookup of a destination.
    pub(super) fn transfer_to(&mut self, to: Destination) {
        let mut id = Uuid::encode_buffer();
        self.transfer(&["nizam:", to.kind.name(), ":", text_of(&to.id, &mut id)]);
    }
}

/// A UUID as text, without an allocation.
pub(super) fn text_of<'b>(id: &[u8; 16], buffer: &'b mut [u8; 45]) -> &'b str {
    Uuid::from_bytes(*id).hyphenated().encode_lower(buffer)
}
