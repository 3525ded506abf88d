//! A walk: the steps so far, and what decides about the next ones.

use super::Step;
use super::scope::Scope;
use crate::call::Call;
use std::collections::BTreeMap;

/// Most nodes that a walk passes: destinations, and steps of flows.
pub(crate) const MOST_NODES: usize = 64;

/// What a walk gave.
pub(crate) struct Walked {
    pub(crate) steps: Vec<Step>,
    /// Nodes that it passed.
    pub(crate) nodes: usize,
}

/// A walk through what one tenant has.
pub(super) struct Walk<'m> {
    pub(super) scope: Scope<'m>,
    pub(super) call: &'m Call,
    pub(super) steps: Vec<Step>,
    pub(super) nodes: usize,
    /// The call continues one that was answered before this lookup.
    pub(super) continues: bool,
    /// Digits were asked for in this walk: only the next lookup knows what was pressed.
    pub(super) collected: bool,
    /// What steps of flows set in this walk, without `flow_`.
    pub(super) set: BTreeMap<String, String>,
}

impl<'m> Walk<'m> {
    /// Begins as every route does.
    pub(super) fn begin(scope: Scope<'m>, call: &'m Call) -> Self {
        let mut walk = Self {
            scope,
            call,
            steps: Vec::new(),
            nodes: 0,
            continues: false,
            collected: false,
            set: BTreeMap::new(),
        };
        walk.set_variable("nizam_generation", scope.model.generation.to_string());
        walk.set_variable("nizam_tenant", scope.id().to_string());
        walk
    }

    pub(super) fn step(&mut self, application: &str, argument: impl Into<String>) {
        self.steps.push((application.to_owned(), argument.into()));
    }

    pub(super) fn set_variable(&mut self, name: &str, value: impl Into<String>) {
        self.step("set", format!("{name}={}", value.into()));
    }

    /// Counts a node. One too many ends the call, and the walk is over.
    pub(super) fn passes(&mut self) -> bool {
        if self.nodes == MOST_NODES {
            self.set_variable("nizam_refused", "loop");
            self.step("hangup", "EXCHANGE_ROUTING_ERROR");
            return false;
        }
        self.nodes += 1;
        true
    }

    /// Whether anything could have answered the call.
    pub(super) fn is_answered(&self) -> bool {
        self.continues || self.steps.iter().any(|(application, _)| application == "answer")
    }

    /// The end of a call that leads nowhere.
    pub(super) fn nowhere(&mut self) {
        if self.is_answered() {
            self.step("hangup", "UNALLOCATED_NUMBER");
        } else {
            self.step("respond", "404");
        }
    }

    /// The end of a call that is refused.
    pub(super) fn refuse(&mut self, reason: &str, status: u16) {
        self.set_variable("nizam_refused", reason);
        self.step("respond", status.to_string());
    }

    /// The end of a call that a policy refuses.
    pub(super) fn reject(&mut self) {
        if self.is_answered() {
            self.set_variable("nizam_refused", "policy");
            self.step("hangup", "CALL_REJECTED");
        } else {
            self.refuse("policy", 403);
        }
    }

    /// A variable of flows, without `flow_`, as the channel has it when the steps so far are done.
    pub(super) fn flow_variable(&self, name: &str) -> &[u8] {
        if let Some(value) = self.set.get(name) {
            return value.as_bytes();
        }
        self.call.variables.get(&format!("flow_{name}")).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn end(self) -> Walked {
        Walked { steps: self.steps, nodes: self.nodes }
    }
}
