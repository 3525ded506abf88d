//! An edit makes anew every record that is another one afterwards, and none of other kinds than those in which its row shows.
//! The whole database is compiled before and after, and compared record by record: that needs no knowledge of what depends on
//! what.

use std::collections::{BTreeMap, BTreeSet};

use nizam_core::Kind;
use nizam_core::compile::Compiler;
use nizam_core::model::Touched;
use nizam_core::resource::{
    AGENT, CALL_FLOW, CALL_ROUTING_POLICY, DID, GATEWAY, HOLIDAY, IVR, OUTBOUND_ROUTE, QUEUE, RING_GROUP,
    Resource, TIME_CONDITION,
};
use nizam_store::{Expected, Store};
use nizam_test_postgres::Database;
use nizam_wire::image::Image;
use nizam_wire::{Builder, Scope};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::random::{Edit, Known, Random, edit, values};
use crate::support::{Fixture, actor, new_extension};

const NOW: i64 = 1_790_000_000;
/// Kinds of edits.
const KINDS: usize = 21;

type Name = (Kind, Scope, Vec<u8>);
type Records = BTreeMap<Name, Option<Vec<u8>>>;

fn compiler() -> Compiler {
    Compiler::new(NOW, "/prompts")
}

fn records(builder: Builder) -> Records {
    let image = Image::from_vec(builder.finish().unwrap()).unwrap();
    let record = |entry: nizam_wire::image::Entry<'_>| {
        ((entry.kind, entry.scope, entry.key.to_vec()), entry.value.map(<[u8]>::to_vec))
    };
    image.iter().map(record).collect()
}

/// Everything, compiled from nothing.
async fn everything(store: &Store) -> Records {
    let (mut builder, mut compiler) = (Builder::base(1, 7), compiler());
    store.export(&mut |row| compiler.record(&mut builder, &row).unwrap()).await.unwrap();
    records(builder)
}

/// What an edit makes anew.
async fn overlay(store: &Store, touched: &[Touched]) -> Records {
    let (mut builder, mut compiler) = (Builder::overlay(1, 7), compiler());
    for row in store.read_touched(touched).await.unwrap().rows {
        compiler.record(&mut builder, &row).unwrap();
    }
    records(builder)
}

/// The records that differ.
fn difference(before: &Records, after: &Records) -> BTreeSet<Name> {
    let names: BTreeSet<&Name> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

/// The kinds of records in which something shows.
fn kinds(what: &str) -> &'static [Kind] {
    match what {
        // Terminated, a tenant has no claim to numbers any more.
        "Tenant" | "Settings" => {
            &[Kind::Tenant, Kind::Domain, Kind::Routing, Kind::Zone, Kind::Did, Kind::Claim]
        }
        // What is below a tenant goes with it, and cannot be reached from the start.
        "TenantGone" => {
            &[Kind::Tenant, Kind::Domain, Kind::Did, Kind::Claim, Kind::Gateway, Kind::Shared, Kind::Address]
        }
        "Extension" => &[Kind::Extension, Kind::ExtensionId, Kind::Network],
        "ExtensionGone" => &[Kind::Extension, Kind::ExtensionId, Kind::Network, Kind::Agent, Kind::Queue],
        "Did" => &[Kind::Did, Kind::Claim, Kind::Routing, Kind::Zone],
        "RingGroup" => &[Kind::RingGroup, Kind::Number],
        "Ivr" => &[Kind::Ivr, Kind::Number],
        "CallFlow" => &[Kind::Flow, Kind::Number],
        "TimeCondition" => &[Kind::TimeCondition],
        "Holiday" => &[Kind::Holiday],
        "Gateway" => &[Kind::Gateway, Kind::Routing, Kind::Zone, Kind::Shared, Kind::Address],
        "OutboundRoute" => &[Kind::OutboundRoute, Kind::Patterns],
        "CallRoutingPolicy" => &[Kind::Policy, Kind::Routing, Kind::Zone],
        "Queue" | "Member" => &[Kind::Queue],
        "Agent" => &[Kind::Agent],
        "AgentGone" => &[Kind::Agent, Kind::Queue],
        "Prompt" => &[Kind::Prompt],
        "DeviceProfile" | "Webhook" => &[],
        other => panic!("what does {other} show in?"),
    }
}

/// Compares an edit with the whole before and after.
fn compare(edit: &Edit, before: &Records, after: &Records, overlay: &Records, tenants: &BTreeSet<Scope>) {
    let what = edit.what;
    for name in difference(before, after) {
        let (kind, scope, _) = &name;
        let unreachable = what == "TenantGone" && *scope != [0; 16] && !tenants.contains(scope);
        // A zone that nobody uses any more stays until the next base of the database.
        let unused = *kind == Kind::Zone && !after.contains_key(&name);
        if unreachable || unused {
            continue;
        }
        let anew = overlay.get(&name);
        assert!(
            anew.is_some(),
            "{what}: {name:?} is another one now, and was not made anew: {:?}",
            edit.touched
        );
    }
    for (name, value) in overlay {
        assert_eq!(value, after.get(name).unwrap_or(&None), "{what}: {name:?}");
        assert!(kinds(what).contains(&name.0), "{what}: {name:?}");
    }
}

#[tokio::test]
async fn an_edit_makes_anew_what_differs_and_nothing_else() {
    let edits = if Database::chosen() == Database::Sqlite { 500 } else { 200 };
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let mut known = Known::default();
    for name in ["a.example", "b.example", "c.example"] {
        known.tenants.push(fixture.tenant(name).await.id);
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut before = everything(store).await;
    let (mut done, mut counts) = (0, BTreeMap::<&str, usize>::new());
    while done < edits || (counts.len() < KINDS && done < 20 * edits) {
        let Some(edit) = edit(store, &mut known, &mut random).await else { continue };
        let after = everything(store).await;
        let overlay = overlay(store, &edit.touched).await;
        let tenants = known.tenants.iter().map(|id| id.into_bytes()).collect();
        compare(&edit, &before, &after, &overlay, &tenants);
        *counts.entry(edit.what).or_default() += 1;
        before = after;
        done += 1;
    }
    println!("{done} edits compared: {counts:?}");
    assert_eq!(counts.len(), KINDS, "every kind of edit: {counts:?}");
}

/// A tenant of 10,000 objects, and one edit of each kind that makes another record of each in which the row shows.
#[tokio::test]
async fn an_edit_in_a_tenant_of_ten_thousand_recompiles_its_closure() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let tenant = fixture.tenant("a.example").await.id;
    let extensions = (0..1500).map(|n| new_extension(&format!("{}", 10_000 + n))).collect();
    let made = store.insert_extensions(&actor(), tenant, extensions).await.unwrap();
    let extension = made.value[0].0;
    let mut objects = made.value.len();
    let mut ids: BTreeMap<&str, Uuid> = BTreeMap::new();
    let (known, mut random) = (Known::default(), Random(7));
    let resources = [
        &RING_GROUP,
        &IVR,
        &TIME_CONDITION,
        &CALL_ROUTING_POLICY,
        &CALL_FLOW,
        &QUEUE,
        &AGENT,
        &HOLIDAY,
        &GATEWAY,
        &OUTBOUND_ROUTE,
        &DID,
    ];
    for resource in resources {
        let rows = match resource.model {
            "Agent" | "Gateway" => 50,
            "OutboundRoute" => 400,
            _ => 1000,
        };
        let rows: Vec<_> = (0..rows)
            .map(|n| {
                let mut row = values(&known, &mut random, tenant, resource);
                let own = own(resource, n, extension, made.value[n].0, &ids);
                row.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value)));
                row
            })
            .collect();
        let made = store.create_records(&actor(), resource, tenant, "rows", rows).await.unwrap().value;
        ids.insert(resource.model, made[0].id);
        objects += made.len();
    }
    assert!(objects >= 10_000, "{objects}");
    let mut before = everything(store).await;
    for (resource, values, want) in edits() {
        let Value::Object(values) = values else { panic!("no map") };
        let id = ids[resource.model];
        let changed =
            store.update_record(&actor(), resource, tenant, id, values, &Expected::Anything).await.unwrap();
        let recompiled = overlay(store, &changed.touched).await;
        let after = everything(store).await;
        let closure = difference(&before, &after);
        println!(
            "{}: recompiled {} records of {}, closure {}",
            resource.model,
            recompiled.len(),
            before.len(),
            closure.len()
        );
        assert_eq!(recompiled.into_keys().collect::<BTreeSet<_>>(), closure, "{}", resource.model);
        assert_eq!(closure.len(), want, "{}", resource.model);
        before = after;
    }
}

/// Values that no other row has.
fn own(
    resource: &Resource,
    n: usize,
    extension: Uuid,
    another: Uuid,
    ids: &BTreeMap<&str, Uuid>,
) -> Vec<(&'static str, Value)> {
    let mut all = vec![("name", json!(format!("row {n}"))), ("is_active", json!(true))];
    match resource.model {
        "RingGroup" => all.extend([("members", json!([extension])), ("number", json!(format!("6{n}")))]),
        "Ivr" => {
            let option = json!({"digit": "1", "destination_type": "extension", "destination_id": extension});
            all.extend([("options", json!([option])), ("number", json!(format!("7{n}")))]);
        }
        "CallFlow" => {
            let nodes = json!([{"id": "a", "type": "hangup", "data": {"cause": "USER_BUSY"}, "next": null}]);
            all.extend([("nodes", nodes), ("number", json!(format!("8{n}")))]);
        }
        "TimeCondition" | "CallRoutingPolicy" => {
            let side = |end: &str| match end {
                "type" => json!("extension"),
                _ => json!(extension),
            };
            all.extend([("match_destination_type", side("type")), ("match_destination_id", side("id"))]);
            all.push(("priority", json!(n)));
        }
        "Agent" => all.push(("extension_id", json!(another))),
        "Gateway" => all.extend([
            ("host", json!(format!("192.0.2.{n}"))),
            ("shared", json!(true)),
            ("addresses", json!([format!("198.51.100.{n}")])),
        ]),
        "OutboundRoute" => {
            all.extend([("gateways", json!([ids["Gateway"]])), ("patterns", json!([format!("9{n}.")]))]);
        }
        "Did" => all.extend([
            ("number", json!(format!("+4930{}", 1_000_000 + n))),
            ("destination_type", json!("call_routing_policy")),
            ("destination_id", json!(ids["CallRoutingPolicy"])),
        ]),
        _ => {}
    }
    if resource.model != "CallRoutingPolicy" {
        all.retain(|(name, _)| *name != "priority");
    }
    all
}

/// Edits, and in how many records each shows.
fn edits() -> Vec<(&'static Resource, Value, usize)> {
    vec![
        (&TIME_CONDITION, json!({"conditions": [{"wday": "sun"}]}), 1),
        (&HOLIDAY, json!({"dates": [{"date": "01-01"}]}), 1),
        (&QUEUE, json!({"max_wait_time": 77}), 1),
        (&AGENT, json!({"is_active": false}), 1),
        (&RING_GROUP, json!({"ring_timeout": 299}), 1),
        (&RING_GROUP, json!({"ring_timeout": 298, "number": "6000"}), 3),
        (&IVR, json!({"timeout": 59, "number": null}), 2),
        (&CALL_FLOW, json!({"is_active": false}), 2),
        // The name on the switch, the order of the tenant's and of all shared ones, and an address instead of another.
        (&GATEWAY, json!({"name": "zz", "host": "203.0.113.1", "addresses": ["203.0.113.2"]}), 5),
        (&OUTBOUND_ROUTE, json!({"strip": 3}), 1),
        (&OUTBOUND_ROUTE, json!({"strip": 2, "patterns": ["77."]}), 2),
        // Its old digits and its new ones, in its tenant and among all.
        (&DID, json!({"number": "+4930999999"}), 4),
        (
            &CALL_ROUTING_POLICY,
            json!({"conditions": [{"type": "blacklist", "params": {"numbers": ["+7*"]}}]}),
            1,
        ),
    ]
}
