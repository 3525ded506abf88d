//! The trunk that a call comes from.

use super::json::{list, uuid};
use super::scope::{Scope, is_there};
use crate::call::Call;
use crate::model::Model;
use nizam_core::resource::Record;
use std::net::IpAddr;

/// Every gateway that is there.
fn gateways(model: &Model) -> impl Iterator<Item = &Record> {
    model.gateways.iter().filter(|gateway| is_there(gateway))
}

/// The tenant whose own trunk the call comes from. `None`: it may be any tenant's call.
pub(super) fn owner<'m>(model: &'m Model, call: &Call) -> Option<Scope<'m>> {
    let named = call.gateway.as_deref().and_then(|id| uuid(std::str::from_utf8(id).ok()?));
    let named = named.and_then(|id| gateways(model).find(|gateway| gateway.id == id));
    let trunks = named.map_or_else(|| at_address(model, call), |gateway| vec![gateway]);
    let first = trunks.first()?;
    let is_own = trunks.iter().all(|trunk| trunk.tenant_id == first.tenant_id && !trunk.is("shared"));
    if is_own { Scope::of_id(model, first.tenant_id) } else { None }
}

fn at_address<'m>(model: &'m Model, call: &Call) -> Vec<&'m Record> {
    let parse = |text: &str| text.parse::<IpAddr>().ok();
    let source = call.address.as_deref().and_then(|text| std::str::from_utf8(text).ok()).and_then(parse);
    let Some(source) = source else { return Vec::new() };
    let is_there = |gateway: &&Record| {
        let mut listed = list(gateway.value("addresses")).iter().filter_map(|text| parse(text.as_str()?));
        listed.any(|address| address == source) || parse(gateway.text("host")) == Some(source)
    };
    gateways(model).filter(is_there).collect()
}
