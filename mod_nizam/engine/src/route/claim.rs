//! Whose a number of the public network is.

use crate::{Layers, Scoped};
use nizam_wire::Kind;
use nizam_wire::image::ONLY;
use nizam_wire::record::{DestinationKind, Did, Ids, State, Tenant};

/// What is known of the tenants that claim a number.
#[expect(
    clippy::large_enum_variant,
    reason = "taken apart where it is returned to, and a box would be an allocation for each call"
)]
pub(crate) enum Claimed<'a> {
    /// None does.
    Nobody,
    /// It is that one's.
    One(Scoped<'a>, Tenant<'a>, Did),
    /// No claim is better than another.
    Several,
}

/// Whose a number is, by the digits of its E.164 form. A confirmed claim goes before others, and one of a closed tenant is
/// none.
pub(crate) fn claimed<'a>(layers: &'a Layers, digits: &[u8]) -> Claimed<'a> {
    let lead = layers.lead(Kind::Claim, digits);
    let claims = lead.and_then(|lead| Ids::decode(lead.value).ok());
    let mut found: Option<(Scoped<'a>, Tenant<'a>, Did)> = None;
    for id in claims.iter().flat_map(|claims| claims.0.iter()) {
        let own = layers.of(&id, lead);
        own.expect([(Kind::Did, digits), (Kind::Tenant, ONLY), (Kind::Routing, ONLY)]);
        let Some(Ok(did)) = own.get(Kind::Did, digits).map(Did::decode) else {
            continue;
        };
        // The confirmed ones are the first of the list.
        if found.as_ref().is_some_and(|(_, _, first)| first.confirmed && !did.confirmed) {
            break;
        }
        own.expect([(record_of(did.destination.kind), &did.destination.id)]);
        let Some(tenant) = own.tenant().filter(|tenant| tenant.state != State::Closed) else {
            continue;
        };
        if found.is_some() {
            return Claimed::Several;
        }
        found = Some((own, tenant, did));
    }
    found.map_or(Claimed::Nobody, |(own, tenant, did)| Claimed::One(own, tenant, did))
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
