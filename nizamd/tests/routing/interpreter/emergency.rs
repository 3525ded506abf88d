//! Emergency calls: before everything else, counted by nothing.

use super::json::list;
use super::outbound::{self, best};
use super::scope::{Scope, is_there};
use super::walk::Walk;
use crate::model::Extension;
use nizam_core::resource::Record;

/// Where the tenant says none, and the country is not known.
const ANYWHERE: &[&str] = &["112", "911", "999", "000"];
/// Most gateways that are tried.
const MOST_GATEWAYS: usize = 8;

/// Sends the call to the emergency services. Whether it was one for them.
pub(super) fn call(walk: &mut Walk<'_>, caller: Option<&Extension>) -> bool {
    let scope = walk.scope;
    let (Some(caller), Ok(dialled)) = (caller, std::str::from_utf8(walk.call.number())) else { return false };
    if !is_emergency(scope, dialled) {
        return false;
    }
    walk.step(
        "event",
        format!(
            "Event-Name=CUSTOM,Event-Subclass=nizam::emergency,nizam_tenant={},nizam_extension={},nizam_number={dialled}",
            scope.id(),
            caller.number
        ),
    );
    let found = best(scope, dialled.as_bytes(), |route| route.text("class") == "emergency");
    let route = found.as_ref().map(|found| found.route);
    // A route that leaves nothing of the number, or has no gateway, is not taken.
    let taken = found.and_then(|found| {
        let number = outbound::changed(found.route, &found.form).unwrap_or_else(|| dialled.into());
        let number = String::from_utf8(number).unwrap();
        let gateways = outbound::gateways(scope, found.route);
        (!number.is_empty() && !gateways.is_empty()).then_some((number, gateways))
    });
    let (number, gateways) = taken.unwrap_or_else(|| (dialled.to_owned(), every_gateway(scope)));
    let gateways: Vec<&Record> = gateways.into_iter().take(MOST_GATEWAYS).collect();
    outbound::dial(walk, caller, route, &gateways, &number);
    true
}

fn is_emergency(scope: Scope<'_>, dialled: &str) -> bool {
    let is_number = |text: &&str| (2..=6).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit());
    let mut numbers: Vec<&str> = list(scope.setting("emergency_numbers"))
        .iter()
        .filter_map(|text| text.as_str())
        .filter(is_number)
        .collect();
    numbers.extend(scope.text_setting("country").map(of_country).unwrap_or_default());
    if numbers.is_empty() { ANYWHERE.contains(&dialled) } else { numbers.contains(&dialled) }
}

/// The emergency numbers of a country: data, no code.
fn of_country(country: &str) -> &'static [&'static str] {
    match country.to_ascii_uppercase().as_str() {
        "DE" => &["110", "112"],
        "US" => &["911"],
        "GB" => &["112", "999"],
        "ES" => &["061", "062", "080", "085", "091", "092", "112"],
        "AU" => &["000", "106", "112"],
        "RU" => &["101", "102", "103", "112"],
        "IT" => &["112", "113", "115", "118"],
        _ => ANYWHERE,
    }
}

/// All that the tenant has, by name, then those that every tenant may use, by name.
fn every_gateway(scope: Scope<'_>) -> Vec<&Record> {
    let active = scope.model.gateways.iter().filter(|gateway| is_there(gateway));
    let (mut own, others): (Vec<&Record>, Vec<&Record>) =
        active.partition(|gateway| gateway.tenant_id == scope.id());
    let mut shared: Vec<&Record> = others.into_iter().filter(|gateway| gateway.is("shared")).collect();
    own.sort_by_key(|gateway| (gateway.text("name"), gateway.id));
    shared.sort_by_key(|gateway| (gateway.text("name"), gateway.id));
    own.into_iter().chain(shared).collect()
}
