//! Lint: what of a row is not wrong, but will not work as it stands. Pure: the store loads the rows that can be reached
//! into a [`Graph`].

mod chain;
mod flow;
mod graph;
mod menu;
mod pattern;
mod prompt;
mod site;
mod time;

use serde::Serialize;
use serde_json::Value;

use crate::resource::{Record, Resource, Target};

use graph::Look;
pub use graph::{Graph, Node};
pub use site::{Finding, Phone, Site, site};

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Where in the row it begins: `nodes.2.next`.
    pub path: String,
    /// What kind it is: `missing`, `inactive`, `loop`, `dead_end`, `unreachable`, `ambiguous`, `prompt`,
    /// `no_emergency_route`, `emergency_number`.
    pub code: &'static str,
    /// What it means, for people.
    pub message: String,
}

impl Warning {
    fn new(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Self {
        Self { path: path.into(), code, message: message.into() }
    }
}

/// The findings of a row.
pub fn lint(resource: &Resource, record: &Record, graph: &Graph) -> Vec<Warning> {
    let mut warnings = Vec::new();
    destinations(resource, record, graph, &mut warnings);
    chain::lint(resource, record, graph, &mut warnings);
    match resource.model {
        "TimeCondition" => time::lint(record, &mut warnings),
        "RingGroup" => ring_group(record, graph, &mut warnings),
        "Ivr" => {
            menu::lint(record, &mut warnings);
            prompt::fields(record, &["greet_long", "greet_short"], &mut warnings);
        }
        "CallFlow" => {
            flow::lint(record, &mut warnings);
            prompt::steps(record, &mut warnings);
        }
        "Queue" => prompt::fields(record, &["music_on_hold"], &mut warnings),
        "OutboundRoute" => pattern::lint(record, &mut warnings),
        _ => {}
    }
    warnings
}

/// What it refers to is not there, or switched off.
fn destinations(resource: &Resource, record: &Record, graph: &Graph, warnings: &mut Vec<Warning>) {
    for reference in resource.references(&record.values) {
        let what = kind(reference.target);
        match graph.look(reference.target, reference.id) {
            Look::Missing => warnings.push(Warning::new(
                reference.path,
                "missing",
                format!(
                    "There is no {what} {} in this tenant: calls that get there are refused.",
                    reference.id
                ),
            )),
            Look::Found(node) if !node.is_active => warnings.push(Warning::new(
                reference.path,
                "inactive",
                format!("The {what} {} is switched off.", node.name),
            )),
            Look::Found(_) | Look::Unknown => {}
        }
    }
}

/// Nobody is left to ring.
fn ring_group(record: &Record, graph: &Graph, warnings: &mut Vec<Warning>) {
    let members = record.value("members").as_array().map(Vec::as_slice).unwrap_or_default();
    let rings = |member: &Value| {
        let id = member.as_str().and_then(|text| uuid::Uuid::try_parse(text).ok());
        id.is_some_and(|id| match graph.look(Target::Extension, id) {
            Look::Found(node) => node.is_active,
            Look::Missing => false,
            Look::Unknown => true,
        })
    };
    if !members.iter().any(rings) {
        warnings.push(Warning::new("members", "dead_end", "No member can ring."));
    }
}

/// The kind of a row, for people.
fn kind(target: Target) -> String {
    target.name().replace('_', " ")
}

#[cfg(test)]
mod tests;
