//! Calls that leave through a gateway.

use super::caller::{plus, public};
use super::inert::is_inert;
use super::plan::Outcome;
use super::trace::Trace;
use super::walk::Walk;
use crate::directory::is_dialable;
use nizam_wire::Kind;
use nizam_wire::image::{ONLY, PLATFORM};
use nizam_wire::number::MOST;
use nizam_wire::path::Object;
use nizam_wire::record::{CallerIdRule, Class, Extension, Gateway, OutboundRoute, PatternSets, Patterns};

/// Causes after which the next gateway is tried: the carrier, not the person called, is the reason.
const FAILOVER: &str = "continue_on_fail=NETWORK_OUT_OF_ORDER,NORMAL_TEMPORARY_FAILURE,SWITCH_CONGESTION,\
    REQUESTED_CHAN_UNAVAIL,NORMAL_CIRCUIT_CONGESTION,RECOVERY_ON_TIMER_EXPIRE,PROGRESS_TIMEOUT,GATEWAY_DOWN,\
    INVALID_GATEWAY,SERVICE_UNAVAILABLE,DESTINATION_OUT_OF_ORDER";

/// A dialled number that a route takes.
pub(super) struct Taken<'a> {
    pub(super) id: [u8; 16],
    pub(super) route: OutboundRoute<'a>,
    /// The number as the carrier gets it.
    pub(super) wire: String,
}

/// Whether a text is a number as a carrier gets it.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || b"+*#".contains(&byte))
}

impl<'a, T: Trace> Walk<'a, T> {
    /// The best route for a number as dialled.
    /// Of all, or of those that take emergency calls.
    pub(super) fn outbound_route(&self, dialled: &[u8], emergency: bool) -> Option<Taken<'a>> {
        let sets = PatternSets::decode(self.record(Kind::Patterns, ONLY)?).ok()?;
        let patterns = Patterns::decode(if emergency { sets.emergency } else { sets.all }).ok()?;
        let number = public(dialled, self.routing.home.as_ref());
        let mut buffer = [0; MOST + 1];
        let with_plus = number.as_ref().map(|number| plus(number, &mut buffer));
        let digits = number.as_ref().map(nizam_wire::number::Number::as_bytes);
        // Nothing else leaves in a dial string: a pattern's final dot stands for any rest.
        let as_dialled = std::str::from_utf8(dialled).ok().filter(|text| is_number(text));
        let mut best = None;
        for form in [as_dialled.map(str::as_bytes), digits, with_plus].into_iter().flatten() {
            if let Some(found) = patterns.find(form)
                && best.as_ref().is_none_or(|(rank, _, _)| found.rank < *rank)
            {
                best = Some((found.rank, found.route, form));
            }
        }
        let (_, id, form) = best?;
        let route = OutboundRoute::decode(self.record(Kind::OutboundRoute, &id)?).ok()?;
        let plain = route.strip == 0 && route.prepend.is_empty();
        let wire = match with_plus {
            // A country code would make another number of it.
            _ if plain && emergency => String::from_utf8_lossy(dialled).into_owned(),
            Some(with_plus) if plain => String::from_utf8_lossy(with_plus).into_owned(),
            _ => {
                let rest = form.get(usize::from(route.strip)..).unwrap_or_default();
                [route.prepend, &String::from_utf8_lossy(rest)].concat()
            }
        };
        Some(Taken { id, route, wire })
    }

    /// Sends the call out. False: no route takes the number, or nobody of the tenant calls.
    pub(super) fn outbound(&mut self, dialled: &[u8]) -> bool {
        let Some(caller) = self.caller.clone() else { return false };
        let Some(taken) = self.outbound_route(dialled, false) else { return false };
        let class = taken.route.class;
        self.trace.note(
            "outbound_route",
            Some(taken.id),
            format_args!("takes the number, of class {}: {}", class.name(), taken.wire),
        );
        if class != Class::Emergency && !caller.toll_allow.has(class) {
            self.trace.note(
                "extension",
                Some(caller.id),
                format_args!("may not dial numbers of class {}", class.name()),
            );
            self.pass(Object::OutboundRoute, &taken.id, "refused");
            self.refuse("class");
            self.end("respond", "403", Outcome::Refused);
            return true;
        }
        self.pass(Object::OutboundRoute, &taken.id, class.name());
        let gateways = self.gateways(taken.route.gateways.iter());
        if gateways.is_empty() || !is_number(&taken.wire) {
            self.no_gateway();
            return true;
        }
        self.admit_class(class);
        self.reaches(Outcome::Outbound);
        self.show_caller(&caller, taken.route.caller_id, taken.route.caller_id_number);
        self.bridge_gateways(&gateways, &taken.wire);
        true
    }

    /// The gateways with these ids that this tenant may use.
    pub(super) fn gateways(&self, ids: impl Iterator<Item = [u8; 16]>) -> Vec<Gateway<'a>> {
        let find = |id: [u8; 16]| Gateway::decode(self.layers.get(Kind::Gateway, &PLATFORM, &id)?).ok();
        ids.filter_map(find)
            .filter(|gateway| gateway.shared || gateway.tenant == self.tenant.id)
            .filter(|gateway| is_dialable(gateway.name))
            .collect()
    }

    /// There is no way out.
    pub(super) fn no_gateway(&mut self) {
        self.trace.note("route", None, format_args!("there is no gateway for it"));
        self.refuse("no_gateway");
        self.end("respond", "503", Outcome::Refused);
    }

    /// Each gateway in turn.
    pub(super) fn bridge_gateways(&mut self, gateways: &[Gateway<'_>], number: &str) {
        self.route.add("set", &["call_timeout=60"]);
        self.route.add("set", &["hangup_after_bridge=true"]);
        self.route.add("set", &[FAILOVER]);
        for gateway in gateways {
            self.trace.note("gateway", None, format_args!("{} gets {number}", gateway.name));
            self.route.add("bridge", &["[leg_progress_timeout=8]sofia/gateway/", gateway.name, "/", number]);
        }
        self.route.add("hangup", &["${originate_disposition}"]);
    }

    /// The caller id that is shown outside.
    pub(super) fn show_caller(&mut self, caller: &Extension<'_>, rule: CallerIdRule, own: &str) {
        let tenant = self.routing.caller_id_number;
        let candidates = match rule {
            CallerIdRule::Extension => [caller.outbound_caller_id_number, tenant],
            CallerIdRule::Tenant => [tenant, ""],
            CallerIdRule::Trunk => [own, tenant],
        };
        let number = candidates.into_iter().find(|number| !number.is_empty()).unwrap_or(caller.number);
        let mut buffer = [0; MOST + 1];
        let wire = public(number.as_bytes(), self.routing.home.as_ref());
        let shown = wire.as_ref().map(|number| plus(number, &mut buffer));
        let shown = shown.and_then(|text| std::str::from_utf8(text).ok()).unwrap_or(number);
        // Without one the name that colleagues see would go out.
        let names = [caller.outbound_caller_id_name, self.routing.caller_id_name];
        let name = names.into_iter().find(|name| !name.is_empty() && is_inert(name));
        self.set_text("effective_caller_id_name", name.unwrap_or(shown));
        if is_inert(shown) {
            self.route.add("set", &["effective_caller_id_number=", shown]);
        }
    }
}
