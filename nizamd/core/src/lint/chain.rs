//! Loops: a call that is sent on and on without anybody doing anything.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::graph::Look;
use super::{Graph, Warning, kind};
use crate::resource::{Record, Reference, Resource, Target};

/// Finds the ways on which a call comes back to where it was. A caller who presses keys in a menu may go round for as long
/// as the caller likes: that is no loop.
pub(super) fn lint(resource: &Resource, record: &Record, graph: &Graph, warnings: &mut Vec<Warning>) {
    let own = Target::ALL
        .iter()
        .copied()
        .find(|target| target.resource().is_some_and(|known| known.model == resource.model));
    for reference in automatic(resource, &record.values) {
        let start = format!("{} {}", resource.label.to_lowercase(), record.text("name"));
        let mut walk = Walk { graph, way: Vec::new(), done: BTreeSet::new(), found: None };
        if let Some(own) = own {
            walk.way.push((own, record.id, start));
        }
        walk.go(reference.target, reference.id);
        if let Some(way) = walk.found {
            warnings.push(Warning::new(
                reference.path,
                "loop",
                format!("Calls go round in a loop: {}.", way.join(" → ")),
            ));
        }
    }
}

/// Where calls go by themselves.
fn automatic(resource: &Resource, values: &crate::resource::Values) -> Vec<Reference> {
    let mut references = resource.references(values);
    references.retain(|reference| {
        let pressed = resource.model == "Ivr" && reference.path.starts_with("options");
        let leads_on = !matches!(
            reference.target,
            Target::Extension | Target::Voicemail | Target::Gateway | Target::Holiday
        );
        leads_on && !pressed
    });
    references
}

struct Walk<'g> {
    graph: &'g Graph,
    /// The rows that the call has passed, with their names.
    way: Vec<(Target, Uuid, String)>,
    /// Rows from which no way leads into a loop.
    done: BTreeSet<(Target, Uuid)>,
    found: Option<Vec<String>>,
}

impl Walk<'_> {
    /// The depth is bounded by the number of rows in the graph.
    fn go(&mut self, target: Target, id: Uuid) {
        if self.found.is_some() || self.done.contains(&(target, id)) {
            return;
        }
        let Look::Found(node) = self.graph.look(target, id) else { return };
        let name = format!("{} {}", kind(target), node.name);
        let at = self.way.iter().position(|(kind, known, _)| (*kind, *known) == (target, id));
        if let Some(at) = at {
            let mut names: Vec<String> = self.way.iter().skip(at).map(|(_, _, name)| name.clone()).collect();
            names.push(name);
            self.found = Some(names);
            return;
        }
        if let (Some(resource), Some(values)) = (target.resource(), &node.values) {
            self.way.push((target, id, name));
            for reference in automatic(resource, values) {
                self.go(reference.target, reference.id);
            }
            self.way.pop();
        }
        if self.found.is_none() {
            self.done.insert((target, id));
        }
    }
}
