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
    let trunks: Vec<&Record> = match named {
        Some(id) => gateways(model).filter(|gateway| gateway.id == id).collect(),
        None => at_address(model, call),
    };
    let oldest = trunks.iter().min_by_key(|trunk| trunk.id)?;
    let is_one_tenants = trunks.iter().all(|trunk| trunk.tenant_id == oldest.tenant_id);
    if is_one_tenants && !oldest.is("shared") { Scope::of_id(model, oldest.tenant_id) } else { None }
}

fn at_address<'m>(model: &'m Model, call: &Call) -> Vec<&'m Record> {
    let parse = |text: &str| text.parse::<IpAddr>().ok();
    let source = call.address.as_deref().and_then(|text| std::str::from_utf8(text).ok()).and_then(parse);
    let Some(source) = source else { return Vec::new() };
    let is_there = |gateway: &&Record| {
        let mut listed = list(gateway.value("addresses")).iter().filter_map(|text| parse(text.as_str()?));
        listed.any(|address| address == source)
    };
    gateways(model).filter(is_there).collect()
}
