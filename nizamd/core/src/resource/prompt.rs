//! Prompts: recorded texts that menus, flows and queues play. One is made of a file that is sent.

use nizam_wire::image;

use super::field::{Default, Field, Kind};
use super::{Access, Resource, no_rules};
use crate::model::Permission as P;
use crate::validate::rule::{PLAIN, folded};

/// Prompts.
pub const PROMPT: Resource = Resource {
    model: "Prompt",
    label: "Prompt",
    table: "prompts",
    path: "prompts",
    parameter: "prompt",
    access: Access { view: P::IvrsView, create: P::IvrsCreate, update: P::IvrsUpdate, delete: P::IvrsDelete },
    quota: None,
    record: Some(image::Kind::Prompt),
    by_upload: true,
    lenient: false,
    order: ("name", false),
    rules: no_rules,
    fields: &[
        Field::required("name", Kind::Text(PLAIN.such_as("Welcome"))).kept().filter().sort().folded(folded),
        Field::nullable("file_name", Kind::Text(PLAIN))
            .unset()
            .about("What the file was called that it was made of."),
        Field::optional("size", Kind::Integer(0, i64::MAX), Default::Integer(0)).unset().about("Its bytes."),
        Field::optional("duration_ms", Kind::Integer(0, i64::MAX), Default::Integer(0))
            .unset()
            .about("How long it takes, in milliseconds."),
    ],
};
