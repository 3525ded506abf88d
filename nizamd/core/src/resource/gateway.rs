//! Gateways: trunks to carriers.

use serde_json::{Value, json};

use super::field::{Default, Field, Kind, Shape};
use super::shape::{refers_to_nothing, texts};
use super::{Access, Resource, no_rules};
use crate::model::Permission as P;
use crate::validate::Errors;
use crate::validate::rule::{CODEC, GATEWAY_PASSWORD, HOST, PLAIN, folded};

/// Gateways.
pub const GATEWAY: Resource = Resource {
    model: "Gateway",
    label: "Gateway",
    table: "gateways",
    path: "gateways",
    parameter: "gateway",
    access: Access {
        view: P::GatewaysView,
        create: P::GatewaysManage,
        update: P::GatewaysManage,
        delete: P::GatewaysManage,
    },
    quota: None,
    concerns_switch: true,
    lenient: false,
    order: ("name", false),
    rules: no_rules,
    fields: &[
        Field::required("name", Kind::Text(PLAIN.such_as("carrier"))).kept().filter().sort().folded(folded),
        Field::required("host", Kind::Text(HOST)).kept().filter(),
        Field::optional("port", Kind::Integer(1, 65_535), Default::Integer(5060)),
        Field::nullable("username", Kind::Text(PLAIN.such_as("acme"))),
        Field::nullable("password", Kind::Secret(GATEWAY_PASSWORD)).hidden(),
        Field::nullable("realm", Kind::Text(PLAIN.such_as("sip.carrier.example"))),
        Field::optional("transport", Kind::Choice(&["udp", "tcp", "tls"]), Default::Text("udp")),
        Field::nullable("inbound_codecs", Kind::Json(CODECS)),
        Field::nullable("outbound_codecs", Kind::Json(CODECS)),
        Field::optional("allow_transcoding", Kind::Flag, Default::Flag(true)),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};

const CODECS: Shape = Shape {
    read: codecs,
    refers: refers_to_nothing,
    schema: || json!({"type": "array", "maxItems": 20, "items": CODEC.schema(), "examples": [["PCMA", "PCMU"]]}),
};

fn codecs(path: &str, value: &Value, errors: &mut Errors) -> Value {
    texts(path, value, 0, 20, CODEC, errors)
}
