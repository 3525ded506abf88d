//! Emergency calls: before everything else, counted by nothing.

use super::json::list;
use super::outbound::{self, best};
use super::scope::{Scope, is_there};
use super::walk::Walk;
use crate::model::Extension;
use nizam_core::resource::Record;

/// Where neither the tenant nor its country says any.
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
    let (number, gateways) = match &found {
        Some(found) => {
            let changed = outbound::changed(found.route, &found.form);
            (changed.unwrap_or_else(|| dialled.to_owned()), outbound::gateways(scope, found.route))
        }
        None => (dialled.to_owned(), every_gateway(scope)),
    };
    let gateways: Vec<&Record> = gateways.into_iter().take(MOST_GATEWAYS).collect();
    outbound::dial(walk, caller, found.map(|found| found.route), &gateways, &number);
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
        "US" | "CA" => &["911"],
        "GB" => &["112", "999"],
        "ES" => &["112"],
        "AU" => &["000", "112", "106"],
        _ => &[],
    }
}

/// All that the tenant has, by name, then those that every tenant may use.
fn every_gateway(scope: Scope<'_>) -> Vec<&Record> {
    let by_name = |gateway: &&Record| (gateway.text("name").to_lowercase(), gateway.id);
    let active = scope.model.gateways.iter().filter(|gateway| is_there(gateway));
    let (mut own, others): (Vec<&Record>, Vec<&Record>) =
        active.partition(|gateway| gateway.tenant_id == scope.id());
    let mut shared: Vec<&Record> = others.into_iter().filter(|gateway| gateway.is("shared")).collect();
    own.sort_by_key(by_name);
    shared.sort_by_key(by_name);
    own.into_iter().chain(shared).collect()
}
