//! Webhooks: addresses that are told of events.

use serde_json::json;

use super::field::{Default, Field, Kind, Shape, Values};
use super::mapping::MAPPING;
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
        Field::optional("format", Kind::Choice(FORMATS), Default::Text("nizam")).about(
            "What a delivery is: the event in our own form, or CloudEvents 1.0 in structured mode.",
        ),
        Field::nullable("mapping", Kind::Json(MAPPING)).about(
            "What is sent in the place of the whole event, or of the data of a CloudEvent: names, and for each a path into the event, or a \
             value that is always the same.",
        ),
        Field::nullable("previous_secret", Kind::Secret(SIGNING_SECRET)).unset().hidden(),
        Field::nullable("previous_secret_until", Kind::Time)
            .unset()
            .about("Until when the secret before the last rotation signs as well."),
        Field::nullable("disabled_at", Kind::Time)
            .unset()
            .about("When the webhook was made inactive because its receiver wanted no more events."),
        Field::nullable("disabled_reason", Kind::Text(PLAIN)).unset().about("Why it was."),
    ],
};

/// What a delivery can be.
const FORMATS: &[&str] = &["nizam", "cloudevents"];

/// What follows from a change of a webhook: one that is active is not disabled, and a secret that is set is the only one from then on.
pub fn settle_webhook(change: &mut Values) {
    let active = change.get("is_active") == Some(&Value::Bool(true));
    let secret = change.contains_key("secret");
    let notice = ["disabled_at", "disabled_reason"].into_iter().filter(|_| active);
    let before = ["previous_secret", "previous_secret_until"].into_iter().filter(|_| secret);
    change.extend(notice.chain(before).map(|name| (name.to_owned(), Value::Null)));
}

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
    "limit.reached",
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
