//! The answers that are lists, built only where FreeSWITCH asks for one: at start, on reload, for a group.

use super::question::GROUP;
use super::user::{Fields, User, Value};
use crate::{Element, Layers, Unwritable, gateways};
use nizam_wire::Kind;
use nizam_wire::image::Scope;
use nizam_wire::record::{Extension, Gateway, State, Tenant};
use std::collections::HashMap;

/// Most users in one list. A list of more would take FreeSWITCH longer than a call may wait; such a domain is
/// given without users rather than with some of them.
const MAX_USERS: usize = 100_000;

/// What is listed.
#[derive(Clone, Copy)]
pub(super) enum Listing {
    /// Every user, with these params.
    Users(Fields),
    /// One user that holds every gateway.
    Gateways,
    /// Users with a network, for access lists.
    Networks,
}

/// The document with one domain.
pub(super) fn one_domain(layers: &Layers, tenant: &Tenant<'_>, listing: Listing) -> Element {
    document(vec![domain(layers, &of_all(layers, listing), tenant, listing)])
}

/// The document with every domain that is open.
pub(super) fn all_domains(layers: &Layers, listing: Listing) -> Element {
    let open = layers.tenants().filter(|tenant| tenant.state != State::Closed);
    let gateways = of_all(layers, listing);
    document(open.map(|tenant| domain(layers, &gateways, &tenant, listing)).collect())
}

/// The gateways of all tenants, read once a list: they lie in one scope.
fn of_all(layers: &Layers, listing: Listing) -> HashMap<Scope, Vec<Gateway<'_>>> {
    match listing {
        Listing::Gateways => gateways::by_tenant(layers),
        Listing::Users(_) | Listing::Networks => HashMap::new(),
    }
}

fn document(domains: Vec<Element>) -> Element {
    let section = Element { children: domains, ..Element::new("section").with("name", "directory") };
    Element::new("document").with("type", "freeswitch/xml").child(section)
}

fn domain(
    layers: &Layers,
    gateways: &HashMap<Scope, Vec<Gateway<'_>>>,
    tenant: &Tenant<'_>,
    listing: Listing,
) -> Element {
    let users = match listing {
        Listing::Users(fields) => users(layers, tenant, fields),
        Listing::Gateways => {
            gateways.get(&tenant.id).and_then(|gateways| carrier(gateways)).into_iter().collect()
        }
        Listing::Networks => networks(layers, tenant),
    };
    let users = Element { children: users, ..Element::new("users") };
    let group = Element::new("group").with("name", GROUP).child(users);
    Element::new("domain").with("name", tenant.domain).child(Element::new("groups").child(group))
}

fn users(layers: &Layers, tenant: &Tenant<'_>, fields: Fields) -> Vec<Element> {
    let count = layers.scope(&tenant.id, Kind::Extension).take(MAX_USERS + 1).count();
    if count > MAX_USERS {
        return Vec::new();
    }
    layers
        .scope(&tenant.id, Kind::Extension)
        .filter_map(|entry| {
            let extension = Extension::decode(entry.value?).ok()?;
            user(&User { tenant: tenant.clone(), extension }, fields).ok().filter(Element::is_writable)
        })
        .collect()
}

fn user(user: &User<'_>, fields: Fields) -> Result<Element, Unwritable> {
    let mut params = Element::new("params");
    user.params(fields, |label, value| {
        params.children.push(entry("param", label.name, value)?);
        Ok(())
    })?;
    let mut variables = Element::new("variables");
    if fields.has_template() {
        for (name, value) in user.tenant.variables.iter() {
            variables.children.push(entry("variable", name, Value::Text(value))?);
        }
    }
    user.variables(fields, |label, value| {
        variables.children.push(entry("variable", label.name, value)?);
        Ok(())
    })?;
    Ok(Element::new("user").with("id", user.extension.number).child(params).child(variables))
}

fn entry(tag: &'static str, name: &str, value: Value<'_>) -> Result<Element, Unwritable> {
    let mut text = String::new();
    value.pieces(|piece| {
        text.push_str(piece);
        Ok(())
    })?;
    Ok(Element::new(tag).with("name", name).with("value", text))
}

/// A user that nobody can register as: it only carries the gateways, which mod_sofia reads from users
/// (`sofia.c:parse_domain_tag`).
fn carrier(gateways: &[Gateway<'_>]) -> Option<Element> {
    let gateways: Vec<Element> =
        gateways.iter().filter_map(|gateway| element(gateway).filter(Element::is_writable)).collect();
    let gateways =
        (!gateways.is_empty()).then(|| Element { children: gateways, ..Element::new("gateways") })?;
    let lock = Element::new("param").with("name", "allow-empty-password").with("value", "false");
    Some(
        Element::new("user")
            .with("id", "nizam-gateways")
            .child(Element::new("params").child(lock))
            .child(gateways),
    )
}

fn element(gateway: &Gateway<'_>) -> Option<Element> {
    let mut children: Vec<Element> = gateway
        .params
        .iter()
        .map(|(name, value)| entry("param", name, Value::Text(value)))
        .collect::<Result<_, _>>()
        .ok()?;
    let mut variables = Element::new("variables");
    for (name, value) in gateway.variables.iter() {
        let variable = entry("variable", name, Value::Text(value)).ok()?;
        variables.children.push(variable.with("direction", "inbound"));
    }
    if !variables.children.is_empty() {
        children.push(variables);
    }
    Some(Element { children, ..Element::new("gateway").with("name", gateway.name) })
}

fn networks(layers: &Layers, tenant: &Tenant<'_>) -> Vec<Element> {
    layers
        .scope(&tenant.id, Kind::Network)
        .filter_map(|record| {
            // The key is in lower case; everybody else is told the number as it was given.
            let extension = layers.get(Kind::Extension, &tenant.id, record.key)?;
            let id = Extension::decode(extension).ok()?.number;
            let cidr = std::str::from_utf8(record.value?).ok()?;
            let user = Element::new("user").with("id", id).with("cidr", cidr);
            user.is_writable().then_some(user)
        })
        .collect()
}
