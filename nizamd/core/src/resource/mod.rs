//! Resources: the kinds of rows that a tenant owns and that the API makes, shows, changes and deletes.
//!
//! A resource is a table of [`Field`]s. From it come the checks of requests, the statements of the store, the answers, the
//! audit trail, and the schemas and documents of the API: a field is described once. Extensions, tenants and users have
//! types of their own.

mod agent;
mod call_flow;
mod call_routing_policy;
mod destination;
mod device_profile;
mod did;
mod extension;
mod field;
mod gateway;
mod holiday;
mod ivr;
mod mapping;
mod outbound_route;
mod people;
mod prompt;
mod queue;
mod record;
mod reference;
mod ring_group;
pub(crate) mod schedule;
mod shape;
mod time_condition;
mod webhook;

use nizam_wire::image;

use crate::model::Permission;
use crate::validate::rule::label;
use crate::validate::{Errors, Fields, Presence};

pub use agent::{AGENT, STATES as AGENT_STATES};
pub use call_flow::{CALL_FLOW, NODE_TYPES};
pub use call_routing_policy::{CALL_ROUTING_POLICY, DAYS};
pub use device_profile::DEVICE_PROFILE;
pub use did::DID;
pub use extension::EXTENSION_LIST;
pub use field::{Default, Field, Kind, Refers, Shape, Values};
pub use gateway::GATEWAY;
pub use holiday::HOLIDAY;
pub use ivr::IVR;
pub(crate) use ivr::options as ivr_options;
pub use mapping::mapped;
pub use outbound_route::OUTBOUND_ROUTE;
pub use people::{TENANT_LIST, USER_LIST, email_key};
pub use prompt::PROMPT;
pub use queue::QUEUE;
pub use record::Record;
pub(crate) use reference::destination_of;
pub use reference::{Reference, Target};
pub use ring_group::RING_GROUP;
pub(crate) use shape::texts;
pub use time_condition::TIME_CONDITION;
pub use webhook::{EVENTS as WEBHOOK_EVENTS, WEBHOOK, settle_webhook};

/// Every resource.
pub const RESOURCES: &[&Resource] = &[
    &DID,
    &RING_GROUP,
    &IVR,
    &TIME_CONDITION,
    &HOLIDAY,
    &GATEWAY,
    &OUTBOUND_ROUTE,
    &CALL_ROUTING_POLICY,
    &CALL_FLOW,
    &QUEUE,
    &AGENT,
    &PROMPT,
    &DEVICE_PROFILE,
    &WEBHOOK,
];

/// A kind of rows that a tenant owns.
#[derive(Debug)]
pub struct Resource {
    /// The name in the audit trail and in schemas: `RingGroup`.
    pub model: &'static str,
    /// The name in messages: `Ring group`.
    pub label: &'static str,
    /// The table.
    pub table: &'static str,
    /// The part of the path: `ring-groups`.
    pub path: &'static str,
    /// The parameter of the path: `ring_group`.
    pub parameter: &'static str,
    /// Who may do what.
    pub access: Access,
    /// Most rows of a tenant, where there is such a bound.
    pub quota: Option<Quota>,
    /// The kind of its records in images; none where no switch must learn of a change.
    pub record: Option<image::Kind>,
    /// Whether a row is made of a file that is sent, and not of fields.
    pub by_upload: bool,
    /// Whether what it refers to may be missing; then answers carry warnings.
    pub lenient: bool,
    /// The order of lists where the request does not say: field and whether descending.
    pub order: (&'static str, bool),
    /// What must hold between the fields of a whole row.
    pub rules: fn(&Values, &mut Errors),
    /// The fields.
    pub fields: &'static [Field],
}

/// The permissions of a resource.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// To list and show.
    pub view: Permission,
    /// To make.
    pub create: Permission,
    /// To change.
    pub update: Permission,
    /// To delete.
    pub delete: Permission,
}

/// A bound on the rows of a tenant.
#[derive(Clone, Copy, Debug)]
pub enum Quota {
    /// A bound that each tenant has.
    OfTenant {
        /// The column of the tenant with the most, 0 = unlimited.
        most: &'static str,
        /// The column of the tenant that counts.
        count: &'static str,
    },
    /// The same for all tenants.
    Fixed(i64),
}

/// What a request does with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It makes one.
    Create,
    /// It changes one.
    Update,
}

impl Resource {
    /// Reads the fields of a request: for a new row all of them, for a change those that were sent.
    pub fn read(&self, purpose: Purpose, f: &mut Fields<'_>) -> Result<Values, Errors> {
        let mut values = Values::new();
        for field in self.fields {
            let presence = match purpose {
                Purpose::Create => field.on_create,
                Purpose::Update => field.on_update,
            };
            let sent = presence.and_then(|presence| read_field(field, presence, f));
            if let Some(value) = sent {
                values.insert(field.name.to_owned(), value);
            } else if purpose == Purpose::Create {
                values.insert(field.name.to_owned(), field.default_value());
            }
        }
        if purpose == Purpose::Create {
            let mut errors = Errors::default();
            (self.rules)(&values, &mut errors);
            f.add(errors);
        }
        f.finish(values)
    }

    /// Whether the fields of a whole row fit together.
    pub fn check(&self, values: &Values) -> Result<(), Errors> {
        let mut errors = Errors::default();
        (self.rules)(values, &mut errors);
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The field with that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether a row is an administrator's alone, because all tenants depend on it.
    pub fn is_reserved(&self, values: &Values) -> bool {
        self.fields
            .iter()
            .any(|field| field.reserves && values.get(field.name) == Some(&serde_json::Value::Bool(true)))
    }

    /// The fields that only an administrator may change, and that are not as they were; a new row begins with the defaults.
    pub fn reserved(&self, old: Option<&Values>, new: &Values) -> Result<(), Errors> {
        let mut errors = Errors::default();
        for field in self.fields.iter().filter(|field| field.for_admins) {
            let was =
                old.and_then(|old| old.get(field.name)).cloned().unwrap_or_else(|| field.default_value());
            if new.get(field.name).is_some_and(|value| *value != was) {
                errors.push(
                    field.name,
                    format!("The {} field may only be set by an administrator.", label(field.name)),
                );
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// What a row says of other rows.
    pub fn references(&self, values: &Values) -> Vec<Reference> {
        let mut references = Vec::new();
        for field in self.fields {
            let Some(value) = values.get(field.name).filter(|value| !value.is_null()) else { continue };
            let target = match field.kind {
                Kind::Json(shape) => {
                    (shape.refers)(field.name, value, &mut references);
                    continue;
                }
                Kind::Id(Refers::To(target)) => Some(target),
                Kind::Id(Refers::ByType(kind)) => {
                    values.get(kind).and_then(|kind| Target::destination(kind.as_str()?))
                }
                _ => continue,
            };
            if let (Some(target), Some(id)) = (target, value.as_str().and_then(field::uuid)) {
                references.push(Reference { path: field.name.to_owned(), target, id });
            }
        }
        references
    }
}

fn read_field(field: &'static Field, presence: Presence, f: &mut Fields<'_>) -> Option<serde_json::Value> {
    if f.describe(field.name, presence, || field.schema()) {
        return None;
    }
    let sent = f.has(field.name);
    let value = f.value(field.name);
    let empty = value.is_some_and(|value| value.as_array().is_some_and(Vec::is_empty));
    match (value, presence) {
        (None, Presence::Required) => {
            f.missing(field.name);
            None
        }
        (Some(_), Presence::Required) if empty => {
            f.missing(field.name);
            None
        }
        (None, Presence::Nullable) => sent.then_some(serde_json::Value::Null),
        (None, Presence::Optional) if !sent => None,
        (value, _) => {
            let mut errors = Errors::default();
            let value = field.check(value.unwrap_or(&serde_json::Value::Null), &mut errors);
            f.add(errors);
            Some(value)
        }
    }
}

/// Rules of a resource that has none.
pub(crate) fn no_rules(_: &Values, _: &mut Errors) {}

#[cfg(test)]
mod tests;
