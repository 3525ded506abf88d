//! DIDs: where each leads in its tenant, and which tenants claim it.

use nizam_wire::image::PLATFORM;
use nizam_wire::record::{self, Ids, ListBuf};
use nizam_wire::{Builder, Kind};
use uuid::Uuid;

use super::{BuildError, DidRow, delete};

/// Adds the records of everybody's DIDs with these digits: one for each of these tenants, and one that says who has them.
pub(super) fn dids(
    builder: &mut Builder,
    digits: &str,
    tenants: &[Uuid],
    dids: &[DidRow],
) -> Result<(), BuildError> {
    let mut active: Vec<(&DidRow, record::Destination)> =
        dids.iter().filter(|did| did.is_active).filter_map(|did| Some((did, did.to?))).collect();
    // Two spellings of one number: the confirmed row counts, else the older one.
    active.sort_unstable_by_key(|(did, _)| (!did.confirmed, did.id));
    let key = digits.as_bytes();
    for tenant_id in tenants {
        let scope = tenant_id.into_bytes();
        match active.iter().find(|(did, _)| did.tenant_id == *tenant_id) {
            Some((did, destination)) => {
                let record = record::Did {
                    id: did.id.into_bytes(),
                    destination: *destination,
                    confirmed: did.confirmed,
                };
                builder.put(Kind::Did, scope, key, Some(&record.encode()))?;
            }
            None => delete(builder, Kind::Did, scope, key)?,
        }
    }
    // Every tenant claims by the DID that counts.
    let mut claims: Vec<(bool, [u8; 16])> = Vec::new();
    for (did, _) in &active {
        let tenant_id = did.tenant_id.into_bytes();
        if claims.iter().all(|(_, claimed)| *claimed != tenant_id) {
            claims.push((!did.confirmed, tenant_id));
        }
    }
    if claims.is_empty() {
        return delete(builder, Kind::Claim, PLATFORM, key);
    }
    // The confirmed ones first: whoever finds one need not look at the others.
    claims.sort_unstable();
    let claims: Vec<[u8; 16]> = claims.into_iter().map(|(_, tenant_id)| tenant_id).collect();
    builder.put(Kind::Claim, PLATFORM, key, Some(&Ids(ListBuf::of(claims).as_list()).encode()))
}

#[cfg(test)]
mod tests {
    use nizam_wire::image::Lookup;
    use nizam_wire::record::DestinationKind;

    use super::super::destination;
    use super::super::testing::{self, ACME, find};
    use super::*;

    const OTHER: Uuid = Uuid::from_u128(99);

    fn did(id: u128, tenant_id: Uuid, is_active: bool) -> DidRow {
        let to = destination("ivr", Uuid::from_u128(id + 1000));
        DidRow { id: Uuid::from_u128(id), tenant_id, to, is_active, confirmed: false }
    }

    fn claims(image: &nizam_wire::Image) -> Vec<[u8; 16]> {
        let Lookup::Value(value) = find(image, Kind::Claim, PLATFORM, b"49301234567") else {
            panic!("not found")
        };
        Ids::decode(value).unwrap().0.iter().collect()
    }

    #[test]
    fn the_older_of_two_spellings_counts_and_every_tenant_claims_once() {
        let rows = [did(4, ACME, true), did(3, ACME, true), did(2, ACME, false), did(5, OTHER, true)];
        let image = testing::image(|builder| dids(builder, "49301234567", &[ACME], &rows).unwrap());
        let Lookup::Value(value) = find(&image, Kind::Did, ACME.into_bytes(), b"49301234567") else {
            panic!("not found")
        };
        let record = record::Did::decode(value).unwrap();
        assert_eq!(record.id, 3_u128.to_be_bytes());
        assert_eq!(
            (record.destination.kind, record.destination.id),
            (DestinationKind::Ivr, 1003_u128.to_be_bytes())
        );
        assert_eq!(
            find(&image, Kind::Did, OTHER.into_bytes(), b"49301234567"),
            Lookup::Absent,
            "not asked for"
        );
        assert_eq!(claims(&image), [ACME.into_bytes(), OTHER.into_bytes()]);
    }

    #[test]
    fn a_confirmed_claim_comes_first() {
        let confirmed = |did: DidRow| DidRow { confirmed: true, ..did };
        let rows = [did(1, ACME, true), confirmed(did(2, OTHER, true)), did(3, OTHER, true)];
        let image = testing::image(|builder| dids(builder, "49301234567", &[ACME, OTHER], &rows).unwrap());
        assert_eq!(claims(&image), [OTHER.into_bytes(), ACME.into_bytes()]);
        let of = |tenant: Uuid| {
            let Lookup::Value(value) = find(&image, Kind::Did, tenant.into_bytes(), b"49301234567") else {
                panic!("not found")
            };
            record::Did::decode(value).unwrap()
        };
        assert_eq!((of(ACME).confirmed, of(OTHER).confirmed), (false, true));
        // Of two spellings of a number the confirmed one is that which counts, also where it is younger.
        let rows = [did(1, ACME, true), confirmed(did(2, ACME, true)), did(3, OTHER, true)];
        let image = testing::image(|builder| dids(builder, "49301234567", &[ACME], &rows).unwrap());
        assert_eq!(claims(&image), [ACME.into_bytes(), OTHER.into_bytes()]);
        let Lookup::Value(value) = find(&image, Kind::Did, ACME.into_bytes(), b"49301234567") else {
            panic!("not found")
        };
        assert_eq!(record::Did::decode(value).unwrap().id, 2_u128.to_be_bytes());
        // One that is switched off is no claim.
        let rows = [did(1, ACME, true), confirmed(did(2, OTHER, false))];
        let image = testing::image(|builder| dids(builder, "49301234567", &[ACME], &rows).unwrap());
        assert_eq!(claims(&image), [ACME.into_bytes()]);
    }

    #[test]
    fn a_number_that_nobody_has_is_deleted() {
        let rows = [did(1, ACME, false)];
        let image = testing::overlay(|builder| dids(builder, "1", &[ACME], &rows).unwrap());
        assert_eq!(find(&image, Kind::Did, ACME.into_bytes(), b"1"), Lookup::Gone);
        assert_eq!(find(&image, Kind::Claim, PLATFORM, b"1"), Lookup::Gone);
    }
}
