//! Webhooks: addresses that are told of events.

use serde_json::json;

use super::field::{Default, Field, Kind, Shape};
use super::shape::{choice, items, refers_to_nothing};
use super::{Access, Quota, Resource, no_rules};
use crate::model::Permission as P;
use crate::validate::Errors;
use crate::validate::rule::{PLAIN, SIGNING_SECRET, URL};
use serde_json::Value;

/// Webhooks.
pub const WEBHOOK: Resource = Resource {
    model: "Webhook",
    label: "Webhook",
    table: "webhooks",
    path: "webhooks",
    parameter: "webhook",
    access: Access {
        view: P::WebhooksView,
        create: P::WebhooksCreate,
        update: P::WebhooksUpdate,
        delete: P::WebhooksDelete,
    },
    quota: Some(Quota::Fixed(100)),
    record: None,
    by_upload: false,
    lenient: false,
    order: ("created_at", false),
    rules: no_rules,
    fields: &[
        Field::required("url", Kind::Text(URL)).kept().filter(),
        Field::required("events", Kind::Json(SUBSCRIPTION)).kept(),
        Field::nullable("secret", Kind::Secret(SIGNING_SECRET))
            .hidden()
            .about("What signs the deliveries; made at random where it is left out, and shown once."),
        Field::nullable("description", Kind::Text(PLAIN.such_as("CRM"))),
        Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
    ],
};

/// Every event that can be subscribed to, in both spellings where there are two.
pub const EVENTS: &[&str] = &[
    "call.started",
    "call.created",
    "call.answered",
    "call.missed",
    "call.hangup",
    "call.bridge",
    "call.bridged",
    "call.unbridged",
    "call.held",
    "call.resumed",
    "recording.created",
    "recording.started",
    "recording.stopped",
    "voicemail.received",
    "device.registered",
    "device.unregistered",
    "registration.registered",
    "registration.unregistered",
    "extension.created",
    "extension.updated",
    "extension.deleted",
    "did.created",
    "did.updated",
    "did.deleted",
    "tenant.updated",
    "routing.updated",
];

const SUBSCRIPTION: Shape = Shape {
    read,
    refers: refers_to_nothing,
    schema: || {
        json!({
            "type": "array", "minItems": 1, "maxItems": 100, "items": {"type": "string", "enum": EVENTS},
            "examples": [["call.hangup"]],
        })
    },
};

fn read(path: &str, value: &Value, errors: &mut Errors) -> Value {
    let Some(items) = items(path, value, 1, 100, errors) else { return Value::Null };
    let mut names: Vec<&str> = Vec::new();
    for (i, item) in items.into_iter().enumerate() {
        if let Some(name) = choice(&format!("{path}.{i}"), Some(item), EVENTS, errors)
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    json!(names)
}
