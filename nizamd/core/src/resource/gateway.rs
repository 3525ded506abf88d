//! Gateways: trunks to carriers.

use nizam_wire::image;
use serde_json::{Value, json};

use super::field::{Default, Field, Kind, Shape};
use super::shape::{refers_to_nothing, texts};
use super::{Access, Resource, no_rules};
use crate::model::Permission as P;
use crate::validate::Errors;
use crate::validate::rule::{ADDRESS, CODEC, GATEWAY_PASSWORD, HOST, PLAIN, folded};

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
    record: Some(image::Kind::Gateway),
    by_upload: false,
    lenient: false,
    order: ("name", false),
    rules: no_rules,
    fields: &[
        Field::required("name", Kind::Text(PLAIN.such_as("carrier"))).kept().filter().sort().folded(folded),
        Field::required("host", Kind::Text(HOST)).kept().filter(),
        Field::optional("port", Kind::Integer(1, 65_535), Default::Integer(5060)),
        Field::nullable("username", Kind::Text(PLAIN.such_as("acme"))),
        Field::nullable("password", Kind::Secret(GATEWAY_PASSWORD))
            .hidden()
            .about("FreeSWITCH uses what stands before the first colon in it."),
        Field::nullable("realm", Kind::Text(PLAIN.such_as("sip.carrier.example"))),
        Field::optional("transport", Kind::Choice(&["udp", "tcp", "tls"]), Default::Text("udp")),
        Field::nullable("inbound_codecs", Kind::Json(CODECS)),
        Field::nullable("outbound_codecs", Kind::Json(CODECS)),
        Field::optional("allow_transcoding", Kind::Flag, Default::Flag(true)),
        Field::optional("register", Kind::Flag, Default::Flag(true))
            .about("Whether it registers with the carrier; it needs a user name and a password for that."),
        Field::nullable("addresses", Kind::Json(ADDRESSES)).for_admins().about(
            "IP addresses from which its calls come; the host says nothing on that. Only an administrator may set them: \
             whoever names an address takes the calls that come from it.",
        ),
        Field::optional("shared", Kind::Flag, Default::Flag(false)).filter().for_admins().reserves().about(
            "Whether every tenant may call through it, and its calls are any tenant's. Only an administrator may say so, and only \
             an administrator may change or delete a gateway that is shared.",
        ),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};

const CODECS: Shape = Shape {
    read: codecs,
    refers: refers_to_nothing,
    schema: || json!({"type": "array", "maxItems": 20, "items": CODEC.schema(), "examples": [["PCMA", "PCMU"]]}),
};

const ADDRESSES: Shape = Shape {
    read: addresses,
    refers: refers_to_nothing,
    schema: || json!({"type": "array", "maxItems": 50, "items": ADDRESS.schema(), "examples": [["192.0.2.10"]]}),
};

/// An empty list says what null says, and is no other value: whoever may not set addresses may send it back.
fn addresses(path: &str, value: &Value, errors: &mut Errors) -> Value {
    let addresses = texts(path, value, 0, 50, ADDRESS, errors);
    if addresses.as_array().is_some_and(Vec::is_empty) { Value::Null } else { addresses }
}

fn codecs(path: &str, value: &Value, errors: &mut Errors) -> Value {
    texts(path, value, 0, 20, CODEC, errors)
}
