//! What rows say of other rows.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Resource;
use super::field::uuid;
use crate::validate::Errors;

/// A kind of row that other rows refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// An extension.
    Extension,
    /// A ring group.
    RingGroup,
    /// An IVR.
    Ivr,
    /// A time condition.
    TimeCondition,
    /// The voicemail of an extension.
    Voicemail,
    /// A call routing policy.
    CallRoutingPolicy,
    /// A call flow.
    CallFlow,
    /// A queue.
    Queue,
    /// A gateway.
    Gateway,
    /// A calendar of holidays.
    Holiday,
}

/// One place of a row that names another row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The field, as errors name it: `members.0`.
    pub path: String,
    /// The kind of the other row.
    pub target: Target,
    /// The id of the other row.
    pub id: Uuid,
}

/// Where calls can go.
pub(super) const DESTINATIONS: &[&str] = &[
    "extension",
    "ring_group",
    "ivr",
    "time_condition",
    "voicemail",
    "call_routing_policy",
    "call_flow",
    "queue",
];

impl Target {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::Extension,
        Self::RingGroup,
        Self::Ivr,
        Self::TimeCondition,
        Self::Voicemail,
        Self::CallRoutingPolicy,
        Self::CallFlow,
        Self::Queue,
        Self::Gateway,
        Self::Holiday,
    ];

    /// The destination with that name.
    pub fn destination(name: &str) -> Option<Self> {
        Some(match name {
            "extension" => Self::Extension,
            "ring_group" => Self::RingGroup,
            "ivr" => Self::Ivr,
            "time_condition" => Self::TimeCondition,
            "voicemail" => Self::Voicemail,
            "call_routing_policy" => Self::CallRoutingPolicy,
            "call_flow" => Self::CallFlow,
            "queue" => Self::Queue,
            _ => return None,
        })
    }

    /// The name in destinations and paths of warnings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::RingGroup => "ring_group",
            Self::Ivr => "ivr",
            Self::TimeCondition => "time_condition",
            Self::Voicemail => "voicemail",
            Self::CallRoutingPolicy => "call_routing_policy",
            Self::CallFlow => "call_flow",
            Self::Queue => "queue",
            Self::Gateway => "gateway",
            Self::Holiday => "holiday",
        }
    }

    /// The table of its rows.
    pub fn table(self) -> &'static str {
        self.resource().map_or("extensions", |resource| resource.table)
    }

    /// Its resource; none for extensions and their voicemail, which have a type of their own.
    pub fn resource(self) -> Option<&'static Resource> {
        Some(match self {
            Self::Extension | Self::Voicemail => return None,
            Self::RingGroup => &super::RING_GROUP,
            Self::Ivr => &super::IVR,
            Self::TimeCondition => &super::TIME_CONDITION,
            Self::CallRoutingPolicy => &super::CALL_ROUTING_POLICY,
            Self::CallFlow => &super::CALL_FLOW,
            Self::Queue => &super::QUEUE,
            Self::Gateway => &super::GATEWAY,
            Self::Holiday => &super::HOLIDAY,
        })
    }
}

/// Reads `destination_type` and `destination_id`, or `type` and `id`, of an entry, and says what is wrong with them.
pub(super) fn read_destination(path: &str, entry: &serde_json::Map<String, Value>, errors: &mut Errors) {
    let (kind, id) = destination_keys(entry);
    let (kind_path, id_path) = (format!("{path}.{kind}"), format!("{path}.{id}"));
    match entry.get(kind) {
        None | Some(Value::Null) => errors.push(&kind_path, format!("The {kind_path} field is required.")),
        Some(value) if value.as_str().and_then(Target::destination).is_none() => {
            errors.push(&kind_path, format!("The selected {kind_path} is invalid."));
        }
        Some(_) => {}
    }
    match entry.get(id) {
        None | Some(Value::Null) => errors.push(&id_path, format!("The {id_path} field is required.")),
        Some(value) if value.as_str().and_then(uuid).is_none() => {
            errors.push(&id_path, format!("The {id_path} field must be a valid UUID."));
        }
        Some(_) => {}
    }
}

/// What an entry with a destination refers to.
pub(crate) fn destination_of(path: &str, entry: &Value) -> Option<Reference> {
    let map = entry.as_object()?;
    let (kind, id) = destination_keys(map);
    let target = Target::destination(map.get(kind)?.as_str()?)?;
    Some(Reference { path: format!("{path}.{id}"), target, id: uuid(map.get(id)?.as_str()?)? })
}

/// Both spellings are in use; the long one counts first.
fn destination_keys(entry: &serde_json::Map<String, Value>) -> (&'static str, &'static str) {
    let short = !entry.contains_key("destination_type") && entry.contains_key("type");
    if short { ("type", "id") } else { ("destination_type", "destination_id") }
}

/// A destination as a JSON Schema, with these names of its two fields.
pub(super) fn destination_schema(kind: &str, id: &str) -> serde_json::Map<String, Value> {
    [
        (kind.to_owned(), json!({"type": "string", "enum": DESTINATIONS})),
        (id.to_owned(), json!({"type": "string", "format": "uuid"})),
    ]
    .into_iter()
    .collect()
}
