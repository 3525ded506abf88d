use nizam_wire::image::Lookup;
use nizam_wire::record::{Destination, DestinationKind, Zone};
use serde_json::{Value, json};
use uuid::Uuid;

use super::testing::{ACME, find, image, overlay, record, row_extension, row_tenant};
use super::*;

/// 2026-10-25 00:00 UTC.
const NOW: i64 = 1_792_886_400;

fn compiler() -> Compiler {
    Compiler::new(NOW, "/state/prompts")
}

const BY_ID: [Kind; 10] = [
    Kind::RingGroup,
    Kind::Ivr,
    Kind::TimeCondition,
    Kind::Policy,
    Kind::Flow,
    Kind::Agent,
    Kind::Holiday,
    Kind::OutboundRoute,
    Kind::Gateway,
    Kind::Prompt,
];

fn row(kind: Kind, is_active: bool) -> Row {
    let values = json!({"is_active": is_active, "class": "local", "extension_id": ACME});
    Row::Record { kind, record: record(values) }
}

fn scope_of(kind: Kind) -> Scope {
    if kind == Kind::Gateway { PLATFORM } else { ACME.into_bytes() }
}

#[test]
fn what_is_active_has_a_record_and_what_is_not_has_none() {
    let id = record(json!({})).id;
    for kind in BY_ID {
        let built = image(|builder| compiler().record(builder, &row(kind, true)).unwrap());
        let found = find(&built, kind, scope_of(kind), id.as_bytes());
        assert!(matches!(found, Lookup::Value(_)), "{kind:?}");
        if kind == Kind::Prompt {
            continue;
        }
        let built = overlay(|builder| compiler().record(builder, &row(kind, false)).unwrap());
        assert_eq!(find(&built, kind, scope_of(kind), id.as_bytes()), Lookup::Gone, "{kind:?}");
        let built = image(|builder| compiler().record(builder, &row(kind, false)).unwrap());
        assert_eq!(built.header().record_count, 0, "{kind:?}: a base deletes nothing");
    }
    let queue =
        |is_active: bool| Row::Queue { record: record(json!({"is_active": is_active})), members: vec![] };
    let built = image(|builder| compiler().record(builder, &queue(true)).unwrap());
    assert!(matches!(find(&built, Kind::Queue, ACME.into_bytes(), id.as_bytes()), Lookup::Value(_)));
    let built = overlay(|builder| compiler().record(builder, &queue(false)).unwrap());
    assert_eq!(find(&built, Kind::Queue, ACME.into_bytes(), id.as_bytes()), Lookup::Gone);
}

/// How a record is found.
type Name = (Kind, Scope, Vec<u8>);

#[test]
fn what_is_gone_is_deleted_by_its_key() {
    let id = record(json!({})).id;
    let tenant_id = ACME;
    let extension = "10A".to_owned();
    let number = "6a".to_owned();
    let digits = "4930".to_owned();
    let own = ACME.into_bytes();
    let by_id = |kind: Kind| Touched::Row { tenant_id, kind, id };
    let mut all: Vec<(Touched, Vec<Name>)> = vec![
        (Touched::Domain("A.example".into()), vec![(Kind::Domain, PLATFORM, b"a.example".to_vec())]),
        (Touched::TenantGone(tenant_id), vec![(Kind::Tenant, own, ONLY.to_vec())]),
        (
            Touched::Extension { tenant_id, extension },
            vec![(Kind::Extension, own, b"10a".to_vec()), (Kind::Network, own, b"10a".to_vec())],
        ),
        (Touched::ExtensionId { tenant_id, id }, vec![(Kind::ExtensionId, own, id.as_bytes().to_vec())]),
        (Touched::Number { tenant_id, number }, vec![(Kind::Number, own, b"6a".to_vec())]),
        (
            Touched::Did { tenant_id, digits },
            vec![(Kind::Did, own, b"4930".to_vec()), (Kind::Claim, PLATFORM, b"4930".to_vec())],
        ),
        (Touched::Patterns(tenant_id), vec![(Kind::Patterns, own, ONLY.to_vec())]),
        (Touched::Routing(tenant_id), vec![(Kind::Routing, own, ONLY.to_vec())]),
        (Touched::Address("::1".parse().unwrap()), vec![(Kind::Address, PLATFORM, b"::1".to_vec())]),
        (Touched::Shared, vec![(Kind::Shared, PLATFORM, ONLY.to_vec())]),
    ];
    all.extend(BY_ID.map(|kind| (by_id(kind), vec![(kind, scope_of(kind), id.as_bytes().to_vec())])));
    for (key, records) in all {
        let built = overlay(|builder| compiler().record(builder, &Row::Gone(key.clone())).unwrap());
        assert_eq!(built.header().record_count, records.len() as u64, "{key:?}");
        for (kind, scope, name) in records {
            assert_eq!(find(&built, kind, scope, &name), Lookup::Gone, "{key:?}");
        }
    }
}

#[test]
fn an_internal_number_leads_somewhere() {
    let to = destination("call_flow", Uuid::from_u128(9)).unwrap();
    let row = |is_active| Row::Number { tenant_id: ACME, number: "600".into(), to, is_active };
    let built = overlay(|builder| compiler().record(builder, &row(true)).unwrap());
    let Lookup::Value(value) = find(&built, Kind::Number, ACME.into_bytes(), b"600") else {
        panic!("not found")
    };
    let found = Destination::decode(value).unwrap();
    assert_eq!((found.kind, found.id), (DestinationKind::Flow, 9_u128.to_be_bytes()));
    let built = overlay(|builder| compiler().record(builder, &row(false)).unwrap());
    assert_eq!(find(&built, Kind::Number, ACME.into_bytes(), b"600"), Lookup::Gone);
}

#[test]
fn the_zone_of_a_tenant_is_there_whenever_its_routing_names_it() {
    let with = |zone: &str| {
        let mut tenant = row_tenant();
        tenant.settings.insert("timezone".into(), json!(zone));
        Row::Routing(Routing { tenant, policies: vec![], gateways: vec![] })
    };
    let mut compiler = compiler();
    for _ in 0..2 {
        let built = image(|builder| compiler.record(builder, &with("europe/berlin")).unwrap());
        let Lookup::Value(value) = find(&built, Kind::Zone, PLATFORM, b"Europe/Berlin") else {
            panic!("not found")
        };
        let zone = Zone::decode(value).unwrap();
        assert_eq!([zone.offset(NOW), zone.offset(NOW + 3600)], [7200, 3600]);
    }
    let built = image(|builder| compiler.record(builder, &with("Mars/Olympus")).unwrap());
    assert_eq!(built.header().record_count, 1);
}

#[test]
fn an_uploaded_prompt_is_the_path_of_its_file() {
    let built = image(|builder| compiler().record(builder, &row(Kind::Prompt, true)).unwrap());
    let row = record(json!({}));
    let Lookup::Value(value) = find(&built, Kind::Prompt, ACME.into_bytes(), row.id.as_bytes()) else {
        panic!("not found")
    };
    assert_eq!(value, format!("/state/prompts/{ACME}/{}-1.wav", row.id).as_bytes());
}

#[test]
fn a_row_that_does_not_fit_is_an_error_and_harms_no_other() {
    let mut builder = Builder::base(1, 2);
    let mut wide = row_extension(&"1".repeat(300));
    assert!(compiler().record(&mut builder, &Row::Extension(wide.clone())).is_err());
    wide.extension = "1".into();
    compiler().record(&mut builder, &Row::Extension(wide)).unwrap();
    assert_eq!(builder.len(), 2);
}

/// Whatever stands in a row: no panic, and a record that can be read or none.
#[test]
fn rows_of_nonsense_are_compiled() {
    let odd = [
        json!(null),
        json!(-1),
        json!(1e300),
        json!("\u{0}${x}"),
        json!([[], {}, 7]),
        json!({"type": 7, "x": {}}),
    ];
    for kind in BY_ID {
        let resource =
            crate::resource::RESOURCES.iter().find(|resource| resource.record == Some(kind)).unwrap();
        for value in &odd {
            let values: serde_json::Map<String, Value> =
                resource.fields.iter().map(|field| (field.name.to_owned(), value.clone())).collect();
            let mut values = Value::Object(values);
            values["is_active"] = json!(true);
            let row = Row::Record { kind, record: record(values) };
            let built = image(|builder| compiler().record(builder, &row).unwrap());
            assert!(built.header().record_count <= 1);
        }
    }
}

/// What the document about the format of images shows byte by byte.
#[test]
fn the_document_shows_what_is_compiled() {
    const SEED: u64 = 0x85ed_ffa0_a140_4b08;
    let id = |text: &str| Uuid::try_parse(text).unwrap();
    let tenant_id = id("01a20aa2-0214-745d-8bcc-e5a2a876c9a4");
    let tenant = Tenant { id: tenant_id, domain: "a.test".into(), ..row_tenant() };
    let mut row = row_extension("100");
    row.id = id("01a20aa2-02c8-7355-a36a-ed6d2f9d05f6");
    row.tenant_id = tenant_id;
    row.password = "secret-1".into();
    (row.directory_first_name, row.directory_last_name) = ("Ann".into(), "Ay".into());
    row.cidr = Some("192.0.2.0/24".into());
    let routing = Routing { tenant: tenant.clone(), policies: vec![], gateways: vec![] };
    let build = |mut builder: Builder, rows: &[Row]| {
        for row in rows {
            compiler().record(&mut builder, row).unwrap();
        }
        builder.finish().unwrap()
    };
    let base = build(
        Builder::base(2, SEED),
        &[Row::Tenant(tenant), Row::Routing(routing), Row::Extension(row.clone())],
    );
    let keys = [
        Touched::Extension { tenant_id, extension: "100".into() },
        Touched::ExtensionId { tenant_id, id: row.id },
    ];
    let overlay = build(Builder::overlay(3, SEED), &keys.map(Row::Gone));
    let document = include_str!("../../../../docs/image-format.md");
    let example = document.split_once("## Example").unwrap().1;
    let (of_base, of_overlay) = example.split_once("Deleting the extension").unwrap();
    for (image, text, least) in [(&base, of_base, 60), (&overlay, of_overlay, 5)] {
        let mut compared = 0;
        for line in text.lines() {
            // An offset, bytes, then what they mean.
            let Some((offset, rest)) = line.split_once("  ") else { continue };
            let Ok(offset) = usize::from_str_radix(offset, 16) else { continue };
            let bytes = rest.split("   ").next().unwrap_or_default().split_whitespace();
            let bytes: Vec<u8> = bytes.map_while(|byte| u8::from_str_radix(byte, 16).ok()).collect();
            if rest.trim_start().get(2..3) == Some(" ") && !bytes.is_empty() {
                assert_eq!(image[offset..offset + bytes.len()], bytes, "{line}");
                compared += 1;
            }
        }
        assert!(compared > least, "{compared} lines compared");
        let id = u64::from_le_bytes(image[24..32].try_into().unwrap());
        assert!(example.contains(&format!("\n{id:016x}\n")), "{id:016x}");
        assert!(example.contains(&format!("{} bytes", group(image.len()))), "{}", image.len());
    }
}

/// `1,328`
fn group(number: usize) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", number / 1000, number % 1000) }
}
