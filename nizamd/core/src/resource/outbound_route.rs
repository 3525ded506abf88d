//! Outbound routes: which gateways take calls to which numbers.

use nizam_wire::image;
use serde_json::{Value, json};

use super::field::{Default, Field, Kind, Shape};
use super::reference::{Reference, Target};
use super::shape::{ids, ids_refer, refers_to_nothing, texts};
use super::{Access, Quota, Resource, no_rules};
use crate::model::Permission as P;
use crate::validate::class::NAMES;
use crate::validate::rule::{DIAL_PATTERN, PLAIN, PREPEND};

/// Outbound routes.
pub const OUTBOUND_ROUTE: Resource = Resource {
    model: "OutboundRoute",
    label: "Outbound route",
    table: "outbound_routes",
    path: "outbound-routes",
    parameter: "outbound_route",
    access: Access {
        view: P::OutboundRoutesView,
        create: P::OutboundRoutesManage,
        update: P::OutboundRoutesManage,
        delete: P::OutboundRoutesManage,
    },
    quota: Some(Quota::Fixed(500)),
    record: Some(image::Kind::OutboundRoute),
    by_upload: false,
    lenient: false,
    order: ("priority", false),
    rules: no_rules,
    fields: &[
        Field::required("name", Kind::Text(PLAIN.such_as("National"))).kept().filter().sort(),
        Field::optional("priority", Kind::Integer(0, 1000), Default::Integer(100))
            .filter()
            .sort()
            .about("The lowest is looked at first."),
        Field::required("patterns", Kind::Json(PATTERNS)).kept().about(
            "Numbers that the route takes: digits, X for any digit, Z for 1-9, N for 2-9; a final dot stands for any rest, \
             so that `0044.` is a prefix.",
        ),
        Field::optional("class", Kind::Choice(NAMES), Default::Text("national"))
            .filter()
            .about("What an extension must be allowed to dial."),
        Field::optional("strip", Kind::Integer(0, 32), Default::Integer(0))
            .about("Digits that are taken off the front."),
        Field::nullable("prepend", Kind::Text(PREPEND)).about("Digits that are then put in front."),
        Field::required("gateways", Kind::Json(GATEWAYS))
            .kept()
            .about("The ids of the gateways, in the order in which they are tried."),
        Field::optional("caller_id", Kind::Choice(&["extension", "tenant", "trunk"]), Default::Text("extension"))
            .about("Whose number is shown outside."),
        Field::nullable("caller_id_number", Kind::Text(PREPEND.such_as("+15551001000")))
            .about("The number of the trunk, where it is the trunk's that is shown."),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};

const PATTERNS: Shape = Shape {
    read: |path, value, errors| texts(path, value, 1, 200, DIAL_PATTERN, errors),
    refers: refers_to_nothing,
    schema: || {
        json!({
            "type": "array", "minItems": 1, "maxItems": 200, "items": DIAL_PATTERN.schema(),
            "examples": [["1NXXNXXXXXX"]],
        })
    },
};

const GATEWAYS: Shape = Shape {
    read: |path, value, errors| ids(path, value, 1, 20, errors),
    refers: gateways,
    schema: || {
        json!({
            "type": "array", "minItems": 1, "maxItems": 20, "uniqueItems": true,
            "items": {"type": "string", "format": "uuid"},
            "examples": [["019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01"]],
        })
    },
};

fn gateways(path: &str, value: &Value, references: &mut Vec<Reference>) {
    ids_refer(path, value, Target::Gateway, references);
}
