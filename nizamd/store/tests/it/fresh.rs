//! Rows as they are now: what is found under a key, and what a row that is broken does to the others.

use nizam_core::Kind;
use nizam_core::compile::Row;
use nizam_core::model::Touched;
use nizam_core::resource::{DID, GATEWAY, Purpose, RING_GROUP, Resource};
use nizam_core::validate::{Fields, Input, Settings};
use nizam_store::{Expected, Store, StoreError};
use nizam_test_postgres::Database;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::Raw;
use crate::support::{Fixture, actor, new_extension};

async fn make(store: &Store, tenant: Uuid, resource: &'static Resource, body: Value) -> (Uuid, Vec<Touched>) {
    let Value::Object(map) = body else { panic!("no map") };
    let values = resource.read(Purpose::Create, &mut Fields::new(&Input::of(map))).unwrap();
    let made = store.create_record(&actor(), resource, tenant, values).await.unwrap();
    (made.value.record.id, made.touched)
}

async fn country(store: &Store, tenant: Uuid, country: &str) -> Vec<Touched> {
    let map = [("country".to_owned(), json!(country))].into_iter().collect();
    store.put_settings(&actor(), tenant, Settings::Map(map), &Expected::Anything).await.unwrap().touched
}

fn did(tenant_id: Uuid, digits: &str) -> Touched {
    Touched::Did { tenant_id, digits: digits.to_owned() }
}

#[tokio::test]
async fn a_did_is_found_in_whatever_spelling_and_home() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (a, b) = (fixture.tenant("a.example").await.id, fixture.tenant("b.example").await.id);
    country(store, a, "DE").await;
    let to = Uuid::now_v7();
    let body = |number: &str| json!({"number": number, "destination_type": "ivr", "destination_id": to});
    let (local, touched) = make(store, a, &DID, body("030 1234567")).await;
    assert_eq!(touched, [did(a, "49301234567")]);
    let (full, touched) = make(store, b, &DID, body("+49 (30) 1234567")).await;
    assert_eq!(touched, [did(b, "49301234567")]);
    // The same digits without a home are another number.
    make(store, b, &DID, body("0301234567")).await;
    let fresh = store.read_touched(&[did(a, "49301234567")]).await.unwrap();
    let [Row::Dids { digits, tenants, dids }] = fresh.rows.as_slice() else { panic!("{:?}", fresh.rows) };
    assert_eq!((digits.as_str(), tenants.as_slice()), ("49301234567", &[a][..]));
    let mut found: Vec<(Uuid, Uuid)> = dids.iter().map(|did| (did.tenant_id, did.id)).collect();
    found.sort_unstable();
    let mut want = [(a, local), (b, full)];
    want.sort_unstable();
    assert_eq!(found, want);
    let moved = country(store, a, "FR").await;
    assert!(moved.contains(&did(a, "49301234567")) && moved.contains(&did(a, "33301234567")), "{moved:?}");
    let same = country(store, a, "fr").await;
    assert!(!same.iter().any(|key| matches!(key, Touched::Did { .. })), "{same:?}");
    let fresh = store.read_touched(&[did(a, "49301234567")]).await.unwrap();
    let [Row::Dids { dids, .. }] = fresh.rows.as_slice() else { panic!("{:?}", fresh.rows) };
    assert_eq!(dids.iter().map(|did| did.id).collect::<Vec<_>>(), [full]);
}

async fn confirmed(store: &Store, tenant: Uuid, did: Uuid) -> bool {
    store.record(&DID, tenant, did).await.unwrap().unwrap().is("confirmed")
}

async fn change(store: &Store, tenant: Uuid, did: Uuid, change: Value) -> Result<Vec<Touched>, StoreError> {
    let Value::Object(change) = change else { panic!("no map") };
    let changed = store.update_record(&actor(), &DID, tenant, did, change, &Expected::Anything).await?;
    Ok(changed.touched)
}

#[tokio::test]
async fn a_number_is_confirmed_for_one_did_at_most() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (a, b) = (fixture.tenant("a.example").await.id, fixture.tenant("b.example").await.id);
    country(store, a, "DE").await;
    let to = Uuid::now_v7();
    let body = |number: &str| json!({"number": number, "destination_type": "ivr", "destination_id": to});
    let (local, _) = make(store, a, &DID, body("030 1234567")).await;
    let (full, _) = make(store, b, &DID, body("+49 (30) 1234567")).await;
    let yes = || json!({"confirmed": true});
    assert_eq!(change(store, a, local, yes()).await.unwrap(), [did(a, "49301234567")]);
    let rows = store.read_touched(&[did(a, "49301234567")]).await.unwrap().rows;
    let [Row::Dids { dids, .. }] = rows.as_slice() else { panic!("{rows:?}") };
    let said: Vec<_> = dids.iter().map(|did| (did.id == local, did.confirmed)).collect();
    assert!(said.contains(&(true, true)) && said.contains(&(false, false)), "{said:?}");
    let taken = |refused: Result<Vec<Touched>, StoreError>| {
        assert!(
            matches!(&refused, Err(StoreError::Invalid(errors)) if errors.has("confirmed")),
            "{refused:?}"
        );
    };
    taken(change(store, b, full, yes()).await);

    // Another spelling is the same number, and another number is not confirmed.
    change(store, a, local, json!({"number": "0049 30 1234567"})).await.unwrap();
    assert!(confirmed(store, a, local).await);
    taken(change(store, b, full, yes()).await);
    change(store, a, local, json!({"number": "030 7654321"})).await.unwrap();
    assert!(!confirmed(store, a, local).await);
    change(store, b, full, yes()).await.unwrap();
    taken(change(store, a, local, json!({"number": "030 1234567", "confirmed": true})).await);
    change(store, a, local, yes()).await.unwrap();
    let of_nowhere = json!({"number": format!("0{}", "1".repeat(31)), "confirmed": true});
    taken(change(store, a, local, of_nowhere).await);

    // Neither is what becomes another number because its tenant moves; and back there it is to be confirmed again.
    let moved = country(store, a, "FR").await;
    assert!(moved.contains(&did(a, "49307654321")) && moved.contains(&did(a, "33307654321")), "{moved:?}");
    assert!(!confirmed(store, a, local).await);
    country(store, a, "DE").await;
    assert!(!confirmed(store, a, local).await);
    let page = nizam_store::Page { number: 1, size: 100 };
    let trail = store.audit_entries(a, page).await.unwrap().rows;
    assert!(trail.iter().any(|entry| {
        let new = entry.new_values.as_ref().and_then(|new| new.get("confirmed"));
        entry.auditable_id == local && entry.user_id == actor().user_id && new == Some(&json!(false))
    }));
    country(store, b, "GB").await;
    assert!(confirmed(store, b, full).await, "a number with its country is the same everywhere");

    // Nobody holds a number with a DID that is gone.
    change(store, b, full, json!({"number": "+44201234567"})).await.unwrap();
    change(store, a, local, json!({"number": "+49301234567", "confirmed": true})).await.unwrap();
    store.delete_record(&actor(), &DID, a, local, &Expected::Anything).await.unwrap();
    change(store, b, full, json!({"number": "+49301234567", "confirmed": true})).await.unwrap();
}

#[tokio::test]
async fn what_a_tenant_had_above_it_goes_with_it() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("a.example").await.id);
    let body = json!({"number": "+4930", "destination_type": "ivr", "destination_id": Uuid::now_v7()});
    make(store, tenant, &DID, body).await;
    let gateway = json!({"name": "g", "host": "sip.example", "shared": true, "addresses": ["192.0.2.9"]});
    let (id, _) = make(store, tenant, &GATEWAY, gateway).await;
    let gone = store.delete_tenant(&actor(), tenant, &Expected::Anything).await.unwrap().touched;
    for key in [
        Touched::Domain("a.example".into()),
        Touched::TenantGone(tenant),
        did(tenant, "4930"),
        Touched::Row { tenant_id: tenant, kind: Kind::Gateway, id },
        Touched::Shared,
        Touched::Address("192.0.2.9".parse().unwrap()),
    ] {
        assert!(gone.contains(&key), "{key:?} in {gone:?}");
    }
    assert_eq!(gone.len(), 6, "{gone:?}");
    for row in store.read_touched(&gone).await.unwrap().rows {
        match row {
            Row::Gone(_) => {}
            Row::Dids { dids, .. } => assert!(dids.is_empty()),
            Row::Shared(gateways) | Row::Address { gateways, .. } => assert!(gateways.is_empty()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_keeps_no_other_back() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("a.example").await.id);
    let raw = Raw::of(&fixture).await;
    let junk = if Database::chosen() == Database::Sqlite { "x'00'" } else { "'\\x00'" };
    let mut extensions = Vec::new();
    for n in 0..100 {
        let made = store.create_extension(&actor(), tenant, new_extension(&n.to_string())).await.unwrap();
        extensions.push((made.value.id, made.touched[0].clone()));
    }
    let gateway =
        |n: u8| json!({"name": format!("g{n}"), "host": "h.example", "username": "u", "password": "p"});
    let (broken, _) = make(store, tenant, &GATEWAY, gateway(1)).await;
    let (good, _) = make(store, tenant, &GATEWAY, gateway(2)).await;
    raw.run(format!("UPDATE extensions SET password = {junk} WHERE id = {}", raw.id(extensions[0].0))).await;
    raw.run(format!("UPDATE gateways SET password = {junk} WHERE id = {}", raw.id(broken))).await;
    let by_id = |id: Uuid| Touched::Row { tenant_id: tenant, kind: Kind::Gateway, id };
    let mut keys: Vec<Touched> = extensions.iter().map(|(_, key)| key.clone()).collect();
    keys.extend([by_id(broken), by_id(good)]);
    let whole = store.read_touched(&keys).await.unwrap().rows;
    assert_eq!(whole.len(), 100, "99 extensions and a gateway; nothing is gone");
    let few = store.read_touched(&keys[..2]).await.unwrap().rows;
    assert_eq!(few.len(), 1);
    let (mut extensions, mut gateways) = (0, 0);
    store
        .export(&mut |row| match row {
            Row::Extension(_) => extensions += 1,
            Row::Record { kind: Kind::Gateway, .. } => gateways += 1,
            _ => {}
        })
        .await
        .unwrap();
    assert_eq!((extensions, gateways), (99, 1));
    store.delete_tenant(&actor(), tenant, &Expected::Anything).await.expect("nor does it keep the tenant");
}

#[tokio::test]
async fn a_number_of_a_group_is_no_extensions() {
    let fixture = Fixture::new().await;
    let (store, tenant) = (&fixture.store, fixture.tenant("a.example").await.id);
    let made = store.create_extension(&actor(), tenant, new_extension("100")).await.unwrap().value;
    make(store, tenant, &RING_GROUP, json!({"name": "g", "number": "6A", "members": [made.id]})).await;
    let errors = store.insert_extensions(&actor(), tenant, vec![new_extension("6a")]).await.unwrap_err();
    assert!(matches!(errors, StoreError::Invalid(errors) if errors.has("extensions.0.extension")));
    let key = Touched::Number { tenant_id: tenant, number: "6a".into() };
    let fresh = store.read_touched(&[key]).await.unwrap();
    let [Row::Number { number, is_active, .. }] = fresh.rows.as_slice() else { panic!("{:?}", fresh.rows) };
    assert_eq!((number.as_str(), *is_active), ("6a", true));
}
