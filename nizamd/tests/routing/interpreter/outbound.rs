//! Calls to the outside.

use super::caller_id;
use super::dial_pattern::{rank, takes};
use super::json::{integer_in, list, uuid};
use super::number::long_digits;
use super::scope::{Scope, is_there};
use super::walk::Walk;
use crate::model::Extension;
use crate::names;
use nizam_core::resource::Record;
use serde_json::Value;

/// What an extension may dial where nothing is said.
const USUAL: &[&str] = &["local", "national", "emergency"];
/// Failures after which the next gateway is tried.
const TRY_NEXT: &str = "NETWORK_OUT_OF_ORDER,NORMAL_TEMPORARY_FAILURE,SWITCH_CONGESTION,REQUESTED_CHAN_UNAVAIL,\
                        NORMAL_CIRCUIT_CONGESTION,RECOVERY_ON_TIMER_EXPIRE,PROGRESS_TIMEOUT,GATEWAY_DOWN,INVALID_GATEWAY,\
                        SERVICE_UNAVAILABLE,DESTINATION_OUT_OF_ORDER";

/// A route that takes a number, and the form of the number that it takes.
pub(super) struct Found<'m> {
    pub(super) route: &'m Record,
    pub(super) form: Vec<u8>,
}

/// The forms of a number that patterns are compared with: as dialled if a carrier could be given that, as E.164 digits, and
/// those with `+`.
fn forms(scope: Scope<'_>, dialled: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    if dialled.iter().all(|byte| byte.is_ascii_digit() || b"+*#".contains(byte)) {
        forms.push(dialled.to_vec());
    }
    if let Some(digits) = long_digits(dialled, scope.home()) {
        forms.push(digits.clone().into_bytes());
        forms.push(format!("+{digits}").into_bytes());
    }
    forms
}

/// The best of the routes of some kind that take the number.
pub(super) fn best<'m>(
    scope: Scope<'m>,
    dialled: &[u8],
    is_of_kind: impl Fn(&Record) -> bool,
) -> Option<Found<'m>> {
    let forms = forms(scope, dialled);
    let mut found = Vec::new();
    for route in scope.own(&scope.model.outbound_routes).into_iter().filter(|route| is_of_kind(route)) {
        for (place, pattern) in list(route.value("patterns")).iter().filter_map(Value::as_str).enumerate() {
            for (at, form) in forms.iter().enumerate().filter(|(_, form)| takes(pattern, form)) {
                let order = (route.value("priority").as_i64(), rank(pattern), route.id, place, at);
                found.push((order, Found { route, form: form.clone() }));
            }
        }
    }
    found.into_iter().min_by_key(|(order, _)| *order).map(|(_, found)| found)
}

/// Dials outside, if a route takes the number and the caller is one of the tenant. Whether it did.
pub(super) fn call(walk: &mut Walk<'_>, caller: Option<&Extension>) -> bool {
    let scope = walk.scope;
    let dialled = walk.call.number();
    let Some(caller) = caller else { return false };
    let Some(Found { route, form }) = best(scope, dialled, |_| true) else { return false };
    let class = route.text("class");
    if !may_dial(caller, class) {
        walk.refuse("class", 403);
        return true;
    }
    let gateways = gateways(scope, route);
    let number = for_carrier(scope, dialled, route, &form).filter(|_| !gateways.is_empty());
    let Some(number) = number else {
        walk.refuse("no_gateway", 503);
        return true;
    };
    let bound = scope.setting("class_limits").get(class).and_then(|bound| integer_in(bound, 1, 1_000_000));
    if let Some(bound) = bound {
        walk.set_variable("nizam_refused", "class_limit");
        let domain = scope.domain();
        walk.step("limit", format!("hash {domain} class-{class} {bound} !NORMAL_TEMPORARY_FAILURE"));
        walk.step("unset", "nizam_refused");
    }
    dial(walk, caller, Some(route), &gateways, &number);
    true
}

fn may_dial(caller: &Extension, class: &str) -> bool {
    class == "emergency"
        || match &caller.toll_allow {
            Some(classes) => classes.contains(&class),
            None => USUAL.contains(&class),
        }
}

/// The number for the carrier, if it can be dialled.
fn for_carrier(scope: Scope<'_>, dialled: &[u8], route: &Record, form: &[u8]) -> Option<String> {
    let number = match (changed(route, form), long_digits(dialled, scope.home())) {
        (Some(changed), _) => changed,
        (None, Some(digits)) => format!("+{digits}").into_bytes(),
        (None, None) => form.to_vec(),
    };
    let number = String::from_utf8(number).ok()?;
    let is_dialled = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || "+*#".contains(c));
    is_dialled.then_some(number)
}

/// What the route makes of the form that matched; `None` if it changes nothing.
pub(super) fn changed(route: &Record, form: &[u8]) -> Option<Vec<u8>> {
    let strip = usize::try_from(route.value("strip").as_i64().unwrap_or(0)).unwrap();
    let prepend = route.text("prepend");
    if strip == 0 && prepend.is_empty() {
        return None;
    }
    Some(prepend.bytes().chain(form.iter().copied().skip(strip)).collect())
}

/// The gateways of the route that are there: the tenant's own, and those that every tenant may use.
pub(super) fn gateways<'m>(scope: Scope<'m>, route: &Record) -> Vec<&'m Record> {
    let may_use =
        |gateway: &&Record| is_there(gateway) && (gateway.tenant_id == scope.id() || gateway.is("shared"));
    let ids = list(route.value("gateways")).iter().filter_map(|id| uuid(id.as_str()?));
    let gateway = |id| scope.model.gateways.iter().filter(may_use).find(|gateway| gateway.id == id);
    ids.filter_map(gateway).collect()
}

/// Tries one gateway after the other.
pub(super) fn dial(
    walk: &mut Walk<'_>,
    caller: &Extension,
    route: Option<&Record>,
    gateways: &[&Record],
    number: &str,
) {
    if gateways.is_empty() {
        return walk.refuse("no_gateway", 503);
    }
    caller_id::outside(walk, caller, route);
    walk.set_variable("call_timeout", "60");
    walk.set_variable("hangup_after_bridge", "true");
    walk.set_variable("continue_on_fail", TRY_NEXT);
    for gateway in gateways {
        let name = names::gateway(gateway);
        walk.step("bridge", format!("[leg_progress_timeout=8]sofia/gateway/{name}/{number}"));
    }
    walk.step("hangup", "${originate_disposition}");
}
