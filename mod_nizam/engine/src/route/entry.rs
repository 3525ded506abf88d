//! Where a walk begins: whose call it is, and what it is for.

use super::claim::{Claimed, claimed};
use super::plan::{Outcome, Route};
use super::question::DialplanQuestion;
use super::trace::Trace;
use super::walk::{Place, Visit, Walk};
use crate::layers::LowerKey;
use crate::{Layers, Scoped};
use nizam_wire::Kind;
use nizam_wire::image::{ONLY, PLATFORM};
use nizam_wire::number;
use nizam_wire::path::Object;
use nizam_wire::record::{Destination, DestinationKind, Did, Gateway, Ids, State, Tenant};
use uuid::Uuid;

/// The context of calls from outside.
const PUBLIC: &[u8] = b"public";

/// The route of a call, `None` where the context is not a tenant's, or nobody has the number.
pub(crate) fn resolve<T: Trace>(
    layers: &Layers,
    call: &DialplanQuestion<'_>,
    trace: &mut T,
) -> Option<Route> {
    let context = LowerKey::new(call.context?)?;
    if context.as_bytes() == PUBLIC {
        return outside(layers, call, trace);
    }
    let own = layers.of_domain(context.as_bytes())?;
    let [caller, number] = [call.caller, call.number].map(|text| LowerKey::new(text.unwrap_or_default()));
    let [caller, number] = [&caller, &number].map(|key| key.as_ref().map_or(ONLY, LowerKey::as_bytes));
    own.expect([
        (Kind::Tenant, ONLY),
        (Kind::Routing, ONLY),
        (Kind::Extension, caller),
        (Kind::Extension, number),
        (Kind::Patterns, ONLY),
    ]);
    let tenant = own.tenant()?;
    Some(inside(layers, call, own, tenant, trace))
}

/// A call in the context of a tenant.
fn inside<'a, T: Trace>(
    layers: &'a Layers,
    call: &'a DialplanQuestion<'a>,
    own: Scoped<'a>,
    tenant: Tenant<'a>,
    trace: &'a mut T,
) -> Route {
    let domain = tenant.domain;
    let mut walk = Walk::begin(layers, call, own, tenant, domain, trace);
    if walk.tenant.state == State::Closed {
        walk.trace.note("tenant", Some(walk.tenant.id), format_args!("is closed"));
        walk.end("respond", "403", Outcome::Suspended);
        return walk.route;
    }
    walk.find_caller();
    let number = call.number.unwrap_or_default();
    if let Some(caller) = walk.caller.clone().filter(|_| walk.is_emergency(number)) {
        walk.emergency(&caller, number);
    } else if walk.tenant.state == State::Suspended {
        walk.suspended();
    } else if let Some(continued) = number.strip_prefix(b"nizam:") {
        walk.admit();
        walk.answered = true;
        walk.continuation(continued);
    } else if !walk.feature(number) {
        walk.admit();
        if walk.passes_policies() {
            walk.dialled(number);
        }
    }
    walk.route
}

/// A call from a trunk.
fn outside<'a, T: Trace>(
    layers: &'a Layers,
    call: &'a DialplanQuestion<'a>,
    trace: &'a mut T,
) -> Option<Route> {
    let context = "public";
    let trunk = trunk(layers, call);
    if let Some(gateway) = trunk.filter(|gateway| !gateway.shared) {
        let own = layers.of(&gateway.tenant, None);
        let tenant = own.tenant()?;
        trace.note("gateway", None, format_args!("the call comes from {}", gateway.name));
        let mut walk = Walk::begin(layers, call, own, tenant, context, trace);
        if walk.tenant.state == State::Closed {
            walk.trace.note("tenant", Some(walk.tenant.id), format_args!("is closed"));
            walk.end("respond", "403", Outcome::Suspended);
            return Some(walk.route);
        }
        if let Some(did) = walk.find_did(call.number.unwrap_or_default()) {
            walk.came_to(&did);
        } else {
            walk.trace.note("tenant", Some(walk.tenant.id), format_args!("has no such DID"));
            walk.nowhere();
        }
        return Some(walk.route);
    }
    let digits = number::read(call.number?, None)?;
    let (own, tenant, did) = match claimed(layers, digits.as_bytes()) {
        Claimed::One(own, tenant, did) => (own, tenant, did),
        Claimed::Nobody => return None,
        Claimed::Several => {
            // Whoever asks may be of one of the tenants, and is not told of the others.
            trace.note("route", None, format_args!("several tenants have the number"));
            return Some(ambiguous(layers, context, digits.as_bytes()));
        }
    };
    let mut walk = Walk::begin(layers, call, own, tenant, context, trace);
    walk.came_to(&did);
    Some(walk.route)
}

/// A call to a number that several tenants have, none with a better claim, is nobody's.
fn ambiguous(layers: &Layers, context: &str, digits: &[u8]) -> Route {
    let mut route = Route::new(context);
    route.add("set", &["nizam_generation=", &layers.generation().to_string()]);
    let digits = std::str::from_utf8(digits).unwrap_or_default();
    route.add("event", &["Event-Name=CUSTOM,Event-Subclass=nizam::ambiguous,nizam_number=", digits]);
    route.add("set", &["nizam_refused=ambiguous"]);
    route.add("respond", &["404"]);
    route.outcome = Outcome::Ambiguous;
    route
}

/// The gateway that a call comes from.
fn trunk<'a>(layers: &'a Layers, call: &DialplanQuestion<'_>) -> Option<Gateway<'a>> {
    let gateway = |id: &[u8]| Gateway::decode(layers.get(Kind::Gateway, &PLATFORM, id)?).ok();
    if let Some(named) = call.gateway.and_then(|text| Uuid::try_parse_ascii(text).ok()) {
        return gateway(named.as_bytes());
    }
    let ids = Ids::decode(layers.get(Kind::Address, &PLATFORM, call.address?)?).ok()?;
    let mut first: Option<Gateway<'_>> = None;
    for next in ids.0.iter().filter_map(|id| gateway(&id)) {
        match &first {
            None => first = Some(next),
            Some(first) if first.tenant == next.tenant => {}
            Some(_) => return None,
        }
    }
    first
}

impl<T: Trace> Walk<'_, T> {
    /// Finds out whether an extension of the tenant calls, and shows its caller id.
    fn find_caller(&mut self) {
        let ours =
            self.call.caller_domain.is_some_and(|of| of.eq_ignore_ascii_case(self.tenant.domain.as_bytes()));
        let Some(caller) = self.call.caller.filter(|_| ours).and_then(|user| self.extension_by_number(user))
        else {
            return;
        };
        let user = crate::directory::User { tenant: self.tenant.clone(), extension: caller };
        self.set_text("effective_caller_id_name", user.caller_id_name());
        self.set_text("effective_caller_id_number", user.caller_id_number());
        self.caller = Some(user.extension);
    }

    fn suspended(&mut self) {
        self.trace.note("tenant", Some(self.tenant.id), format_args!("is suspended"));
        self.refuse("suspended");
        self.end("respond", "403", Outcome::Suspended);
    }

    /// The DID of the tenant with that number.
    fn find_did(&self, number: &[u8]) -> Option<Did> {
        let digits = number::read(number, self.routing.home.as_ref())?;
        Did::decode(self.record(Kind::Did, digits.as_bytes())?).ok()
    }

    /// A call from outside has come to a DID.
    fn came_to(&mut self, did: &Did) {
        if self.tenant.state == State::Suspended {
            self.suspended();
            return;
        }
        self.admit();
        if self.passes_policies() {
            self.follow_did(did);
        }
    }

    fn follow_did(&mut self, did: &Did) {
        self.trace.note("did", Some(did.id), format_args!("leads to {}", did.destination.kind.name()));
        self.pass(Object::Did, &did.id, "");
        self.go(Visit::to(did.destination));
    }

    /// The numbers that ask mod_voicemail for messages. False: it is none of them.
    fn feature(&mut self, number: &[u8]) -> bool {
        let Some(caller) = self.caller.clone() else { return false };
        let own = match number {
            b"*97" => true,
            b"*98" => false,
            _ => return false,
        };
        if own && !caller.voicemail {
            self.trace.note("extension", Some(caller.id), format_args!("has no mailbox"));
            self.nowhere();
            return true;
        }
        self.reaches(Outcome::Mailbox);
        self.trace.note("extension", Some(caller.id), format_args!("asks for messages"));
        self.pass(Object::Extension, &caller.id, "messages");
        self.answer();
        self.route.add("sleep", &["500"]);
        let number = if own { [" ", caller.number] } else { ["", ""] };
        self.route.add("voicemail", &["check default ", self.tenant.domain, number[0], number[1]]);
        true
    }

    /// What somebody dialled.
    fn dialled(&mut self, number: &[u8]) {
        if let Some(did) = self.find_did(number) {
            self.follow_did(&did);
        } else if let Some(extension) = self.extension_by_number(number) {
            if let Some(visit) = self.ring(&extension, None) {
                self.go(visit);
            }
        } else if let Some(to) = self.internal_number(number) {
            self.trace.note("number", Some(to.id), format_args!("is that of a {}", to.kind.name()));
            self.go(Visit::to(to));
        } else if !self.outbound(number) {
            self.trace.note("route", None, format_args!("there is no such number"));
            self.nowhere();
        }
    }

    fn internal_number(&self, number: &[u8]) -> Option<Destination> {
        let key = LowerKey::new(number)?;
        Destination::decode(self.record(Kind::Number, key.as_bytes())?).ok()
    }

    /// A number that a step of ours led to.
    fn continuation(&mut self, text: &[u8]) {
        let parts: Vec<&str> = std::str::from_utf8(text).unwrap_or_default().split(':').collect();
        let id = |text: &str| Uuid::try_parse(text).ok().map(Uuid::into_bytes);
        let next = match parts.as_slice() {
            ["direct", menu, digits] => match (self.extension_by_number(digits.as_bytes()), id(menu)) {
                (Some(extension), Some(id)) => {
                    self.dialled_in(&id);
                    self.ring(&extension, None)
                }
                (None, Some(id)) => Some(Visit::to(Destination { kind: DestinationKind::Ivr, id })),
                (_, None) => self.nowhere(),
            },
            ["flow", flow, step] => match (id(flow), step.parse::<u16>()) {
                (Some(id), Ok(step)) => self.resume(id, step),
                _ => self.nowhere(),
            },
            ["queue", queue, until] => match (id(queue), until.parse::<i64>()) {
                (Some(id), Ok(until)) => self.queue(id, Some(until), None),
                _ => self.nowhere(),
            },
            [kind, to] => match (DestinationKind::parse(kind), id(to)) {
                (Some(kind), Some(id)) => {
                    let to = Destination { kind, id };
                    self.chosen_for(to);
                    Some(Visit { place: Place::At(to), fallback: None })
                }
                _ => self.nowhere(),
            },
            _ => self.nowhere(),
        };
        if let Some(visit) = next {
            self.go(visit);
        }
    }
}
