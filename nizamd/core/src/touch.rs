//! Which image records the change of a row touches. A row shows in some records: those that are different before and after are
//! touched. What is switched off shows nowhere.

use std::collections::BTreeMap;
use std::net::IpAddr;

use nizam_wire::Kind;
use nizam_wire::number::{Home, read};
use serde_json::{Value, json};

use crate::model::{Extension, Tenant, Touched};
use crate::resource::{Record, Resource, Target};
use crate::validate::extension_key;

/// Where a row shows, and what of it.
type Shown = BTreeMap<Touched, Value>;

/// What the change of a row of a resource touches; without `old` it is new, without `new` it is gone. `home` is that of its
/// tenant.
pub fn record(
    resource: &Resource,
    home: Option<&Home<'_>>,
    old: Option<&Record>,
    new: Option<&Record>,
) -> Vec<Touched> {
    let shown =
        |record: Option<&Record>| record.map(|record| shown(resource, home, record)).unwrap_or_default();
    differing(shown(old), shown(new))
}

/// What it touches that the home of a DID's tenant is another one.
pub fn moved(
    resource: &Resource,
    old: Option<&Home<'_>>,
    new: Option<&Home<'_>>,
    did: &Record,
) -> Vec<Touched> {
    differing(shown(resource, old, did), shown(resource, new, did))
}

/// What the change of an extension touches.
pub fn extension(old: Option<&Extension>, new: Option<&Extension>) -> Vec<Touched> {
    let number =
        |row: &Extension| Touched::Extension { tenant_id: row.tenant_id, extension: row.extension.clone() };
    let mut touched: Vec<Touched> = old.into_iter().chain(new).map(number).collect();
    touched.dedup();
    // As long as it is there, its number leads to it.
    if let (Some(old), None) = (old, new) {
        touched.push(Touched::ExtensionId { tenant_id: old.tenant_id, id: old.id });
    }
    touched
}

/// What the change of a tenant touches; what it owns besides is told row by row.
pub fn tenant(old: Option<&Tenant>, new: Option<&Tenant>) -> Vec<Touched> {
    let domain = |tenant: &Tenant| Touched::Domain(tenant.domain.clone());
    let mut touched: Vec<Touched> = old.into_iter().chain(new).map(domain).collect();
    touched.dedup();
    if let (Some(old), None) = (old, new) {
        touched.push(Touched::TenantGone(old.id));
    }
    touched
}

/// What shows on one side only, or not as on the other.
fn differing(old: Shown, mut new: Shown) -> Vec<Touched> {
    let mut touched = Vec::new();
    for (key, was) in old {
        if new.remove(&key).is_none_or(|is| is != was) {
            touched.push(key);
        }
    }
    touched.extend(new.into_keys());
    touched
}

fn shown(resource: &Resource, home: Option<&Home<'_>>, record: &Record) -> Shown {
    let mut shown = Shown::new();
    let (tenant_id, id) = (record.tenant_id, record.id);
    let Some(kind) = resource.record else { return shown };
    if resource.field("is_active").is_some() && !record.is("is_active") {
        return shown;
    }
    if kind == Kind::Did {
        did(record, home, &mut shown);
        return shown;
    }
    // Every version is another record.
    shown.insert(Touched::Row { tenant_id, kind, id }, json!(record.version));
    match kind {
        Kind::RingGroup | Kind::Ivr | Kind::Flow => {
            if let Some(number) = record.value("number").as_str() {
                let number = extension_key(number);
                shown.insert(Touched::Number { tenant_id, number }, json!([kind as u8, id]));
            }
        }
        Kind::Policy => {
            shown.insert(Touched::Routing(tenant_id), json!([id, record.value("priority")]));
        }
        Kind::OutboundRoute => {
            let listed =
                json!([id, record.value("priority"), record.value("patterns"), record.value("class")]);
            shown.insert(Touched::Patterns(tenant_id), listed);
        }
        Kind::Gateway => gateway(record, &mut shown),
        _ => {}
    }
    shown
}

fn did(record: &Record, home: Option<&Home<'_>>, shown: &mut Shown) {
    let (tenant_id, id) = (record.tenant_id, record.id);
    let leads = json!([record.value("destination_type"), record.value("destination_id")]);
    if let Some(digits) = digits(record.text("number"), home) {
        shown.insert(Touched::Did { tenant_id, digits }, json!([id, leads, record.is("confirmed")]));
    }
    // Policies that a DID leads to are not asked before every call.
    if record.text("destination_type") == Target::CallRoutingPolicy.name() {
        shown.insert(Touched::Routing(tenant_id), leads);
    }
}

/// The digits of the E.164 form of a number as it is read at that home.
pub fn digits(number: &str, home: Option<&Home<'_>>) -> Option<String> {
    let number = read(number.as_bytes(), home)?;
    String::from_utf8(number.as_bytes().to_vec()).ok()
}

fn gateway(record: &Record, shown: &mut Shown) {
    let name = json!([record.id, record.value("name")]);
    shown.insert(Touched::Routing(record.tenant_id), name.clone());
    if record.is("shared") {
        shown.insert(Touched::Shared, name);
    }
    for address in addresses(record) {
        shown.insert(Touched::Address(address), json!(record.id));
    }
}

/// The addresses from which the calls of a gateway come. Its host is none of them: everybody may name any host.
pub fn addresses(record: &Record) -> Vec<IpAddr> {
    let named = record.value("addresses").as_array().map(Vec::as_slice).unwrap_or_default();
    let parse = |text: &str| text.parse::<IpAddr>().ok();
    let mut addresses: Vec<IpAddr> =
        named.iter().filter_map(|text| parse(text.as_str()?)).map(|ip| ip.to_canonical()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use serde_json::Map;
    use uuid::Uuid;

    use super::*;
    use crate::resource::{
        CALL_FLOW, CALL_ROUTING_POLICY, DEVICE_PROFILE, DID, GATEWAY, IVR, OUTBOUND_ROUTE, RING_GROUP,
        WEBHOOK,
    };

    const TENANT: Uuid = Uuid::from_u128(1);
    const ID: Uuid = Uuid::from_u128(2);

    fn row(version: i64, values: Value) -> Record {
        let Value::Object(mut values) = values else { panic!("no map") };
        values.entry("is_active").or_insert(json!(true));
        Record { id: ID, tenant_id: TENANT, version, values, created_at: 0, updated_at: 0 }
    }

    fn own(kind: Kind) -> Touched {
        Touched::Row { tenant_id: TENANT, kind, id: ID }
    }

    fn number(text: &str) -> Touched {
        Touched::Number { tenant_id: TENANT, number: text.to_owned() }
    }

    fn did(digits: &str) -> Touched {
        Touched::Did { tenant_id: TENANT, digits: digits.to_owned() }
    }

    fn touched(resource: &Resource, old: Option<Value>, new: Option<Value>) -> Vec<Touched> {
        let (old, new) = (old.map(|values| row(1, values)), new.map(|values| row(2, values)));
        record(resource, crate::home("DE").as_ref(), old.as_ref(), new.as_ref())
    }

    #[test]
    fn a_row_touches_its_record_and_its_number() {
        for (resource, kind) in [(&RING_GROUP, Kind::RingGroup), (&IVR, Kind::Ivr), (&CALL_FLOW, Kind::Flow)]
        {
            let with = |text: &str| Some(json!({"number": text}));
            assert_eq!(touched(resource, None, with("6A")), [own(kind), number("6a")]);
            assert_eq!(touched(resource, with("6A"), with("6a")), [own(kind)], "the same number");
            assert_eq!(
                touched(resource, with("600"), with("601")),
                [own(kind), number("600"), number("601")]
            );
            assert_eq!(touched(resource, with("600"), None), [own(kind), number("600")]);
            assert_eq!(touched(resource, Some(json!({})), Some(json!({}))), [own(kind)]);
            let off = Some(json!({"number": "600", "is_active": false}));
            assert_eq!(touched(resource, with("600"), off.clone()), [own(kind), number("600")]);
            assert_eq!(touched(resource, off.clone(), off), []);
        }
    }

    #[test]
    fn a_did_touches_its_digits_and_the_list_of_policies() {
        let to = |number: &str, kind: &str| {
            Some(json!({"number": number, "destination_type": kind, "destination_id": ID}))
        };
        assert_eq!(touched(&DID, None, to("030 1234567", "ivr")), [did("49301234567")]);
        let mut confirmed = to("030 1234567", "ivr");
        confirmed.as_mut().unwrap()["confirmed"] = json!(true);
        assert_eq!(touched(&DID, to("030 1234567", "ivr"), confirmed), [did("49301234567")]);
        let both = touched(&DID, to("030 1234567", "ivr"), to("+49 89 1234567", "ivr"));
        assert_eq!(both, [did("49301234567"), did("49891234567")]);
        let policy = to("+49301234567", "call_routing_policy");
        assert_eq!(touched(&DID, policy.clone(), None), [did("49301234567"), Touched::Routing(TENANT)]);
        assert_eq!(touched(&DID, policy.clone(), policy), [], "a description is nowhere in an image");
        let home = |country: &str| crate::home(country);
        let local = row(1, json!({"number": "0301234567", "destination_type": "ivr"}));
        let both = moved(&DID, home("DE").as_ref(), home("FR").as_ref(), &local);
        assert_eq!(both, [did("49301234567"), did("33301234567")]);
        let full = row(1, json!({"number": "+49301234567", "destination_type": "ivr"}));
        assert_eq!(moved(&DID, home("DE").as_ref(), home("FR").as_ref(), &full), []);
    }

    #[test]
    fn lists_are_touched_by_what_they_show_only() {
        let with = |field: &str, value: Value| {
            let mut map = Map::from_iter([
                ("name".to_owned(), json!("a")),
                ("priority".to_owned(), json!(1)),
                ("patterns".to_owned(), json!(["9."])),
                ("host".to_owned(), json!("192.0.2.1")),
            ]);
            map.insert(field.to_owned(), value);
            Some(Value::Object(map))
        };
        let plain = || with("x", json!(1));
        let routing = || Touched::Routing(TENANT);
        let address = |text: &str| Touched::Address(text.parse().unwrap());
        let policy = |new| touched(&CALL_ROUTING_POLICY, plain(), new);
        assert_eq!(policy(with("name", json!("b"))), [own(Kind::Policy)]);
        assert_eq!(policy(with("priority", json!(2))), [own(Kind::Policy), routing()]);
        assert_eq!(policy(with("is_active", json!(false))), [own(Kind::Policy), routing()]);
        let route = |new| touched(&OUTBOUND_ROUTE, plain(), new);
        assert_eq!(route(with("strip", json!(1))), [own(Kind::OutboundRoute)]);
        let patterns = Touched::Patterns(TENANT);
        assert_eq!(route(with("patterns", json!(["0."]))), [own(Kind::OutboundRoute), patterns.clone()]);
        assert_eq!(route(None), [own(Kind::OutboundRoute), patterns]);
        let gateway = |new| touched(&GATEWAY, plain(), new);
        assert_eq!(gateway(with("password", json!("x"))), [own(Kind::Gateway)]);
        assert_eq!(gateway(with("name", json!("b"))), [own(Kind::Gateway), routing()]);
        assert_eq!(gateway(with("shared", json!(true))), [own(Kind::Gateway), Touched::Shared]);
        let named = || with("addresses", json!(["::ffff:192.0.2.1", "192.0.2.2"]));
        let both = [own(Kind::Gateway), address("192.0.2.1"), address("192.0.2.2")];
        assert_eq!(gateway(named()), both);
        assert_eq!(touched(&GATEWAY, named(), plain()), both);
        let hosts = gateway(with("host", json!("192.0.2.3")));
        assert_eq!(hosts, [own(Kind::Gateway)], "a host says nothing on who calls");
        assert_eq!(gateway(None), [own(Kind::Gateway), routing()]);
    }

    #[test]
    fn what_no_switch_knows_touches_nothing() {
        assert_eq!(touched(&WEBHOOK, None, Some(json!({}))), []);
        assert_eq!(touched(&DEVICE_PROFILE, Some(json!({})), None), []);
    }
}
