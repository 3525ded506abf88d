//! Ring groups: several extensions that ring for one call.

use nizam_wire::image;
use serde_json::{Value, json};

use super::destination::{id, kind, together};
use super::field::{Default, Field, Kind, Shape, Values};
use super::reference::{Reference, Target};
use super::shape::{ids, ids_refer};
use super::{Access, Quota, Resource};
use crate::model::Permission as P;
use crate::validate::rule::{NUMBER, PLAIN};
use crate::validate::{Errors, extension_key};

/// Ring groups.
pub const RING_GROUP: Resource = Resource {
    model: "RingGroup",
    label: "Ring group",
    table: "ring_groups",
    path: "ring-groups",
    parameter: "ring_group",
    access: Access {
        view: P::RingGroupsView,
        create: P::RingGroupsCreate,
        update: P::RingGroupsUpdate,
        delete: P::RingGroupsDelete,
    },
    quota: Some(Quota::OfTenant { most: "max_ring_groups", count: "ring_groups_count" }),
    record: Some(image::Kind::RingGroup),
    by_upload: false,
    lenient: false,
    order: ("name", false),
    rules,
    fields: &[
        Field::required("name", Kind::Text(PLAIN)).filter().sort(),
        Field::nullable("number", Kind::Text(NUMBER.such_as("600"))).filter().folded(extension_key).about(
            "The internal number that people dial to get there; no extension and nothing else has it.",
        ),
        Field::optional(
            "strategy",
            Kind::Choice(&["simultaneous", "sequential"]),
            Default::Text("simultaneous"),
        )
        .filter()
        .about("All at once, or one after another in the order of the members."),
        Field::optional("ring_timeout", Kind::Integer(5, 300), Default::Integer(30))
            .about("How long it rings, in seconds; for each member where the strategy is sequential."),
        Field::required("members", Kind::Json(MEMBERS))
            .about("The ids of the extensions that ring, in order."),
        kind("fallback_destination_type"),
        id("fallback_destination_id", "fallback_destination_type")
            .about("Where the call goes if nobody answers."),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};

const MEMBERS: Shape = Shape {
    read: |path, value, errors| ids(path, value, 1, 200, errors),
    refers: members,
    schema: || {
        json!({
            "type": "array", "minItems": 1, "maxItems": 200,
            "items": {"type": "string", "format": "uuid"},
            "examples": [["019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01"]],
        })
    },
};

fn members(path: &str, value: &Value, references: &mut Vec<Reference>) {
    ids_refer(path, value, Target::Extension, references);
}

fn rules(values: &Values, errors: &mut Errors) {
    together(values, "fallback_destination_type", "fallback_destination_id", errors);
}
