//! Everything that a tenant has, looked over at once.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{Graph, Node, Warning, lint};
use crate::resource::{Record, Resource, Target};

/// Most findings; whoever has more mends these first.
const MOST: usize = 1000;

/// An extension, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    /// Its id.
    pub id: Uuid,
    /// Its number.
    pub number: String,
    /// Whether it is switched on.
    pub is_active: bool,
}

/// What a tenant has.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The rows of its resources.
    pub rows: Vec<(&'static Resource, Vec<Record>)>,
    /// Its extensions.
    pub phones: Vec<Phone>,
    /// The ids of the active DIDs whose number another tenant has as well, with as good a claim or a better one.
    pub contested: BTreeSet<Uuid>,
    /// The numbers that call for help, whatever else has them.
    pub emergency: BTreeSet<String>,
    /// The ids and names of the gateways of others that it may use.
    pub shared_gateways: Vec<(Uuid, String)>,
}

/// Something that will not work as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The part of the path: `ring-groups`.
    pub resource: &'static str,
    /// The id of the row.
    pub id: Uuid,
    /// The name or number of the row.
    pub name: String,
    /// What it is.
    #[serde(flatten)]
    pub warning: Warning,
}

/// The findings, at most 1000.
pub fn site(site: &Site) -> Vec<Finding> {
    let graph = graph(site);
    let mut findings = Vec::new();
    let led_to = led_to(site);
    for (resource, rows) in &site.rows {
        let target = target_of(resource);
        for row in rows.iter().filter(|row| row.is("is_active")) {
            let mut warnings = lint(resource, row, &graph);
            if site.contested.contains(&row.id) {
                let message = "Another tenant has this number as well, and nobody has confirmed that it is yours: calls from trunks \
                               that several tenants use do not come here.";
                warnings.push(Warning::new("number", "ambiguous", message));
            }
            if target.is_some_and(|target| is_unused(target, row, &led_to)) {
                let message = "Nothing leads to it, and it has no number of its own.";
                warnings.push(Warning::new("id", "unreachable", message));
            }
            if is_number_inside(target) && site.emergency.contains(row.text("number")) {
                warnings.push(hidden("number"));
            }
            let name =
                ["name", "number", "url"].map(|field| row.text(field)).into_iter().find(|n| !n.is_empty());
            findings.extend(warnings.into_iter().map(|warning| Finding {
                resource: resource.path,
                id: row.id,
                name: name.unwrap_or_default().to_owned(),
                warning,
            }));
        }
    }
    let active = || site.phones.iter().filter(|phone| phone.is_active);
    findings.extend(
        active()
            .filter(|phone| site.emergency.contains(&phone.number))
            .map(|phone| of_phone(phone, hidden("extension"))),
    );
    if !can_call_for_help(site) {
        findings.extend(active().map(|phone| {
            let message = "Emergency calls cannot leave: there is no active gateway.";
            of_phone(phone, Warning::new("extension", "no_emergency_route", message))
        }));
    }
    findings.truncate(MOST);
    findings
}

fn of_phone(phone: &Phone, warning: Warning) -> Finding {
    Finding { resource: "extensions", id: phone.id, name: phone.number.clone(), warning }
}

/// Whoever dials the number calls for help instead.
fn hidden(path: &str) -> Warning {
    let message = "It is an emergency number here: phones that dial it call for help, and never come here.";
    Warning::new(path, "emergency_number", message)
}

/// Whether such rows have numbers that phones dial inside.
fn is_number_inside(target: Option<Target>) -> bool {
    matches!(target, Some(Target::RingGroup | Target::Ivr | Target::CallFlow))
}

/// Every row at once; whatever is referred to and not among them is not there.
fn graph(site: &Site) -> Graph {
    let mut graph = Graph::default();
    for (resource, rows) in &site.rows {
        let Some(target) = target_of(resource) else {
            for row in rows {
                graph.refer(resource, row);
            }
            continue;
        };
        for row in rows {
            let node = Node {
                name: row.text("name").to_owned(),
                is_active: row.is("is_active"),
                values: Some(row.values.clone()),
            };
            graph.insert(target, row.id, Some(node));
        }
    }
    for phone in &site.phones {
        for target in [Target::Extension, Target::Voicemail] {
            let node = Node { name: phone.number.clone(), is_active: phone.is_active, values: None };
            graph.insert(target, phone.id, Some(node));
        }
    }
    for (id, name) in &site.shared_gateways {
        graph.insert(Target::Gateway, *id, Some(Node { name: name.clone(), is_active: true, values: None }));
    }
    for (target, id) in graph.wanted() {
        graph.insert(target, id, None);
    }
    graph
}

fn target_of(resource: &Resource) -> Option<Target> {
    Target::ALL
        .iter()
        .copied()
        .find(|target| target.resource().is_some_and(|known| known.model == resource.model))
}

/// What active rows lead to.
fn led_to(site: &Site) -> BTreeSet<(Target, Uuid)> {
    let active = site.rows.iter().flat_map(|(resource, rows)| {
        rows.iter().filter(|row| row.is("is_active")).flat_map(|row| resource.references(&row.values))
    });
    active.map(|reference| (reference.target, reference.id)).collect()
}

/// Whether nobody ever gets there. A policy comes before routing, and others are no destinations.
fn is_unused(target: Target, row: &Record, led_to: &BTreeSet<(Target, Uuid)>) -> bool {
    let destination = matches!(
        target,
        Target::RingGroup | Target::Ivr | Target::TimeCondition | Target::CallFlow | Target::Queue
    );
    destination && row.text("number").is_empty() && !led_to.contains(&(target, row.id))
}

/// Emergency calls leave through any gateway.
fn can_call_for_help(site: &Site) -> bool {
    let own = site.rows.iter().filter(|(resource, _)| resource.model == "Gateway").flat_map(|(_, rows)| rows);
    !site.shared_gateways.is_empty()
        || own.into_iter().any(|row| row.value("is_active") == &Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{DID, GATEWAY, IVR, OUTBOUND_ROUTE, RING_GROUP};
    use serde_json::json;

    fn row(n: u128, values: Value) -> Record {
        let Value::Object(mut values) = values else { panic!("no map") };
        values.entry("is_active").or_insert(json!(true));
        Record {
            id: Uuid::from_u128(n),
            tenant_id: Uuid::nil(),
            version: 1,
            values,
            created_at: 0,
            updated_at: 0,
        }
    }

    fn codes(of: &Site) -> Vec<(String, String)> {
        site(of).into_iter().map(|f| (f.name, f.warning.code.to_owned())).collect()
    }

    #[test]
    fn what_a_tenant_should_know() {
        let id = |n: u128| json!(Uuid::from_u128(n));
        let phone = Phone { id: Uuid::from_u128(1), number: "1001".into(), is_active: true };
        let group = json!({"name": "sales", "members": [id(1)]});
        let did = json!({"number": "+1", "destination_type": "ring_group", "destination_id": id(10)});
        let lost = json!({"number": "+2", "destination_type": "ivr", "destination_id": id(99)});
        let route = json!({"name": "out", "patterns": ["9."], "gateways": [id(50)]});
        let mut of = Site {
            rows: vec![
                (&RING_GROUP, vec![row(10, group)]),
                (&IVR, vec![row(20, json!({"name": "alone", "options": []}))]),
                (&DID, vec![row(30, did), row(31, lost)]),
                (&OUTBOUND_ROUTE, vec![row(40, route)]),
            ],
            phones: vec![phone],
            contested: BTreeSet::from([Uuid::from_u128(30)]),
            emergency: BTreeSet::new(),
            shared_gateways: vec![(Uuid::from_u128(50), "carrier".into())],
        };
        let said = codes(&of);
        for want in [("alone", "unreachable"), ("+1", "ambiguous"), ("+2", "missing")] {
            assert!(said.contains(&(want.0.into(), want.1.into())), "{want:?} in {said:?}");
        }
        assert_eq!(said.len(), 3, "{said:?}");
        of.shared_gateways.clear();
        let said = codes(&of);
        assert!(
            said.contains(&("out".into(), "missing".into()))
                && said.contains(&("1001".into(), "no_emergency_route".into()))
        );
        of.rows.push((&GATEWAY, vec![row(50, json!({"name": "own"}))]));
        let said = codes(&of);
        assert!(!said.iter().any(|(_, code)| code == "no_emergency_route"), "{said:?}");
        assert!(said.len() <= 3);
    }

    #[test]
    fn an_emergency_number_hides_what_has_it() {
        let phone =
            |n, number: &str, is_active| Phone { id: Uuid::from_u128(n), number: number.into(), is_active };
        let group = json!({"name": "help desk", "members": [Uuid::from_u128(1)], "number": "110"});
        let of = Site {
            rows: vec![(&RING_GROUP, vec![row(10, group)])],
            phones: vec![phone(1, "112", true), phone(2, "1120", true), phone(3, "911", false)],
            emergency: ["110", "112", "911"].map(str::to_owned).into(),
            shared_gateways: vec![(Uuid::from_u128(50), "carrier".into())],
            ..Site::default()
        };
        let want = [("help desk", "emergency_number"), ("112", "emergency_number")];
        assert_eq!(codes(&of), want.map(|(name, code)| (name.to_owned(), code.to_owned())));
    }
}
