//! Whose a number of the public network is.

use super::entry::tenant_by_id;
use crate::Layers;
use nizam_wire::Kind;
use nizam_wire::image::{ONLY, PLATFORM};
use nizam_wire::record::{DestinationKind, Did, Ids, State, Tenant};

/// What is known of the tenants that claim a number.
pub(crate) enum Claimed<'a> {
    /// None does.
    Nobody,
    /// It is that one's.
    One(Tenant<'a>, Did),
    /// No claim is better than another.
    Several,
}

/// Whose a number is, by the digits of its E.164 form. A confirmed claim goes before others, and one of a closed tenant is
/// none.
pub(crate) fn claimed<'a>(layers: &'a Layers, digits: &[u8]) -> Claimed<'a> {
    let claims = layers.get(Kind::Claim, &PLATFORM, digits).and_then(|value| Ids::decode(value).ok());
    let mut found: Option<(Tenant<'a>, Did)> = None;
    for id in claims.iter().flat_map(|claims| claims.0.iter()) {
        let domain = (Kind::TenantId, &PLATFORM, id.as_slice());
        layers.expect([domain, (Kind::Did, &id, digits), (Kind::Routing, &id, ONLY)]);
        let Some(Ok(did)) = layers.get(Kind::Did, &id, digits).map(Did::decode) else {
            continue;
        };
        // The confirmed ones are the first of the list.
        if found.as_ref().is_some_and(|(_, first)| first.confirmed && !did.confirmed) {
            break;
        }
        if let Some(domain) = layers.get(Kind::TenantId, &PLATFORM, &id) {
            let to = did.destination;
            layers.expect([(Kind::Tenant, &PLATFORM, domain), (record_of(to.kind), &id, &to.id)]);
        }
        let Some(tenant) = tenant_by_id(layers, &id).filter(|tenant| tenant.state != State::Closed) else {
            continue;
        };
        if found.is_some() {
            return Claimed::Several;
        }
        found = Some((tenant, did));
    }
    found.map_or(Claimed::Nobody, |(tenant, did)| Claimed::One(tenant, did))
}

/// The kind of record that a destination has.
fn record_of(kind: DestinationKind) -> Kind {
    match kind {
        DestinationKind::Extension | DestinationKind::Voicemail => Kind::ExtensionId,
        DestinationKind::RingGroup => Kind::RingGroup,
        DestinationKind::TimeCondition => Kind::TimeCondition,
        DestinationKind::Policy => Kind::Policy,
        DestinationKind::Ivr => Kind::Ivr,
        DestinationKind::Queue => Kind::Queue,
        DestinationKind::Flow => Kind::Flow,
    }
}
