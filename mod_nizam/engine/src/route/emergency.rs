//! Emergency calls: they always leave.

use super::outbound::{Taken, is_number};
use super::plan::Outcome;
use super::trace::Trace;
use super::walk::{Walk, text_of};
use nizam_wire::Kind;
use nizam_wire::image::{ONLY, PLATFORM};
use nizam_wire::path::Object;
use nizam_wire::record::{CallerIdRule, Extension, Gateway, Ids};
use uuid::Uuid;

/// Most gateways that are tried.
const MOST: usize = 8;

impl<'a, T: Trace> Walk<'a, T> {
    /// Whether that is an emergency number, as dialled.
    pub(super) fn is_emergency(&self, dialled: &[u8]) -> bool {
        self.routing.emergency.iter().any(|number| number.as_bytes() == dialled)
    }

    /// Sends an emergency call out: past every limit, whatever becomes of the tenant.
    pub(super) fn emergency(&mut self, caller: &Extension<'_>, dialled: &[u8]) {
        // Emergency numbers are digits.
        let number = std::str::from_utf8(dialled).unwrap_or_default();
        let mut id = Uuid::encode_buffer();
        self.route.add(
            "event",
            &[
                "Event-Name=CUSTOM,Event-Subclass=nizam::emergency,nizam_tenant=",
                text_of(&self.tenant.id, &mut id),
                ",nizam_extension=",
                caller.number,
                ",nizam_number=",
                number,
            ],
        );
        self.trace.note("extension", Some(caller.id), format_args!("calls the emergency number {number}"));
        let taken = self.outbound_route(dialled, true);
        let (gateways, wire, rule, own) = match taken {
            Some(Taken { id, route, wire }) => {
                self.trace.note("outbound_route", Some(id), format_args!("takes emergency calls"));
                self.pass(Object::OutboundRoute, &id, route.class.name());
                (self.gateways(route.gateways.iter()), wire, route.caller_id, route.caller_id_number)
            }
            None => (Vec::new(), number.to_owned(), CallerIdRule::Extension, ""),
        };
        let (gateways, wire) = if gateways.is_empty() || !is_number(&wire) {
            (self.any_gateways(), number.to_owned())
        } else {
            (gateways, wire)
        };
        if gateways.is_empty() {
            self.no_gateway();
            return;
        }
        self.reaches(Outcome::Emergency);
        self.show_caller(caller, rule, own);
        self.bridge_gateways(gateways.get(..MOST.min(gateways.len())).unwrap_or_default(), &wire);
    }

    /// The tenant's own gateways, then those of all.
    fn any_gateways(&self) -> Vec<Gateway<'a>> {
        let shared = self.layers.get(Kind::Shared, &PLATFORM, ONLY).and_then(|value| Ids::decode(value).ok());
        let own: Vec<[u8; 16]> = self.routing.gateways.iter().take(MOST).collect();
        let others =
            shared.into_iter().flat_map(|ids| ids.0.iter()).filter(|id| !own.contains(id)).take(MOST);
        self.gateways(own.iter().copied().chain(others))
    }
}
