//! Agents: extensions that answer for queues.

use nizam_wire::image;

use super::field::{Default, Field, Kind, Refers};
use super::reference::Target;
use super::{Access, Resource, no_rules};
use crate::model::Permission as P;
use crate::validate::rule::PLAIN;

/// What an agent may be doing.
pub const STATES: &[&str] = &["available", "busy", "ringing", "paused", "offline"];

/// Agents.
pub const AGENT: Resource = Resource {
    model: "Agent",
    label: "Agent",
    table: "agents",
    path: "agents",
    parameter: "agent",
    access: Access {
        view: P::AgentsView,
        create: P::AgentsManage,
        update: P::AgentsManage,
        delete: P::AgentsManage,
    },
    quota: None,
    record: Some(image::Kind::Agent),
    by_upload: false,
    lenient: false,
    order: ("name", false),
    rules: no_rules,
    fields: &[
        Field::required("extension_id", Kind::Id(Refers::To(Target::Extension))).fixed().filter(),
        Field::required("name", Kind::Text(PLAIN.such_as("Alice Demo"))).kept().filter().sort(),
        Field::optional("role", Kind::Choice(&["agent", "supervisor"]), Default::Text("agent")).filter(),
        Field::optional("state", Kind::Choice(STATES), Default::Text("offline")).fixed().filter(),
        Field::nullable("pause_reason", Kind::Text(PLAIN)).unset(),
        Field::nullable("state_changed_at", Kind::Time).unset(),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};
