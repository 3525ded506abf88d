//! Rows and what they refer to.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::resource::{Record, Reference, Resource, Target, Values};

/// A row that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its name, for people.
    pub name: String,
    /// Whether it is switched on.
    pub is_active: bool,
    /// Its values; none of an extension, which leads nowhere.
    pub values: Option<Values>,
}

/// What is known of a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Look<'g> {
    /// Nobody has looked: the walk is bounded.
    Unknown,
    /// It is not there.
    Missing,
    /// It is there.
    Found(&'g Node),
}

/// Rows that can be reached from one row.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: BTreeMap<(Target, Uuid), Option<Node>>,
    wanted: BTreeSet<(Target, Uuid)>,
}

impl Graph {
    /// Begins with a row, which is in it itself where others can refer to it.
    pub fn of(resource: &Resource, record: &Record) -> Self {
        let mut this = Self::default();
        let own = Target::ALL
            .iter()
            .copied()
            .find(|target| target.resource().is_some_and(|known| known.model == resource.model));
        this.want(resource.references(&record.values));
        if let Some(target) = own {
            let node = Node {
                name: record.text("name").to_owned(),
                is_active: record.is("is_active"),
                values: Some(record.values.clone()),
            };
            this.insert(target, record.id, Some(node));
        }
        this
    }

    /// Takes note of what a row refers to that nothing refers to itself.
    pub(super) fn refer(&mut self, resource: &Resource, record: &Record) {
        self.want(resource.references(&record.values));
    }

    /// What is referred to and was not looked up yet.
    pub fn wanted(&self) -> Vec<(Target, Uuid)> {
        self.wanted.iter().copied().collect()
    }

    /// What was found there.
    pub fn insert(&mut self, target: Target, id: Uuid, node: Option<Node>) {
        if let (Some(values), Some(resource)) =
            (node.as_ref().and_then(|n| n.values.as_ref()), target.resource())
        {
            let references = resource.references(values);
            self.want(references);
        }
        self.wanted.remove(&(target, id));
        self.nodes.insert((target, id), node);
    }

    /// What is there.
    pub(super) fn look(&self, target: Target, id: Uuid) -> Look<'_> {
        match self.nodes.get(&(target, id)) {
            None => Look::Unknown,
            Some(None) => Look::Missing,
            Some(Some(node)) => Look::Found(node),
        }
    }

    fn want(&mut self, references: Vec<Reference>) {
        for reference in references {
            let key = (reference.target, reference.id);
            if !self.nodes.contains_key(&key) {
                self.wanted.insert(key);
            }
        }
    }
}
