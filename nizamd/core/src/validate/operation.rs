//! The fields of operations that are not about a row's own fields.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::rule::{HARMLESS_KEY, PLAIN, harmless};
use super::{Errors, Fields, Presence};
use crate::resource::{AGENT_STATES, texts};

/// An agent who is to answer for a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The agent.
    pub agent_id: Uuid,
    /// The lowest is asked first.
    pub priority: i64,
}

/// What an agent does now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentState {
    /// The state.
    pub state: &'static str,
    /// Why the agent pauses.
    pub pause_reason: Option<String>,
}

/// A call that a policy is to decide on.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The number that is called.
    pub did: Option<String>,
    /// The number of the caller.
    pub caller_id: Option<String>,
    /// When, as it was sent.
    pub time: Option<String>,
    /// What else is to be in the answer.
    pub metadata: Map<String, Value>,
}

/// A call whose way is to be explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Who calls: the number of an extension, or one from outside.
    pub from: String,
    /// What is dialled.
    pub to: String,
    /// When, as it was sent.
    pub at: Option<String>,
    /// The dialplan context; none where it follows from who calls.
    pub context: Option<String>,
    /// The extensions that are registered; none where nobody says.
    pub registered: Option<Vec<String>>,
}

/// Most extensions that are said to be registered.
const MOST_REGISTERED: usize = 1000;

/// Reads a call whose way is to be explained.
pub fn explanation(f: &mut Fields<'_>) -> Result<Explanation, Errors> {
    let from = f.text("from", PLAIN.such_as("1001"));
    let to = f.text("to", PLAIN.such_as("+15551001000"));
    let at = f.nullable("at", super::rule::TIME_TEXT);
    let context = f.nullable("context", PLAIN.such_as("public"));
    let schema = || json!({"type": ["array", "null"], "maxItems": MOST_REGISTERED, "items": PLAIN.such_as("1001").schema(), "examples": [["1001"]]});
    let mut registered = None;
    if !f.describe("registered", Presence::Nullable, schema)
        && let Some(value) = f.value("registered").cloned()
    {
        let mut errors = Errors::default();
        let list = texts("registered", &value, 0, MOST_REGISTERED, PLAIN, &mut errors);
        f.add(errors);
        let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        registered = Some(texts.collect());
    }
    f.finish(Explanation { from, to, at, context, registered })
}

/// Reads an agent who is to answer for a queue.
pub fn membership(f: &mut Fields<'_>) -> Result<Membership, Errors> {
    let agent_id = required_id(f, "agent_id");
    let priority = f.count("priority").unwrap_or(0);
    f.finish(Membership { agent_id, priority })
}

/// Reads what an agent does now.
pub fn agent_state(f: &mut Fields<'_>) -> Result<AgentState, Errors> {
    let schema = || json!({"type": "string", "enum": AGENT_STATES});
    let described = f.describe("state", Presence::Required, schema);
    let state = if described {
        ""
    } else if f.value("state").is_none() {
        f.missing("state");
        ""
    } else {
        f.choice("state", AGENT_STATES).unwrap_or_default()
    };
    let schema = || {
        let mut schema = PLAIN.such_as("lunch").schema();
        if let Some(map) = schema.as_object_mut() {
            map.insert("description".to_owned(), json!("Why; an agent who pauses has a reason."));
        }
        schema
    };
    f.describe("pause_reason", Presence::Nullable, schema);
    let pause_reason = f.nullable("pause_reason", PLAIN);
    if state == "paused" && pause_reason.is_none() && !f.is_wrong("pause_reason") {
        f.wrong("pause_reason", "The pause reason field is required when state is paused.");
    }
    f.finish(AgentState { state, pause_reason })
}

/// Reads the period that figures are kept for.
pub fn period(f: &mut Fields<'_>) -> Result<&'static str, Errors> {
    let period = f.choice("period", &["hourly", "daily"]).unwrap_or("hourly");
    f.finish(period)
}

/// Reads a call that a policy is to decide on.
pub fn evaluation(f: &mut Fields<'_>) -> Result<Evaluation, Errors> {
    let did = f.nullable("did", PLAIN);
    let caller_id = f.nullable("caller_id", PLAIN);
    let time = f.nullable("time", super::rule::TIME_TEXT);
    let schema = || json!({"type": "object", "propertyNames": {"pattern": HARMLESS_KEY}, "examples": [{"queue": "support"}]});
    let mut metadata = Map::new();
    if !f.describe("metadata", Presence::Nullable, schema) {
        match f.value("metadata") {
            None => {}
            Some(Value::Array(items)) if items.is_empty() => {}
            Some(Value::Object(map)) => match map.keys().find_map(|key| harmless("metadata", key).err()) {
                None => metadata.clone_from(map),
                Some(message) => f.wrong("metadata", message),
            },
            Some(_) => f.wrong("metadata", "The metadata field must be an array."),
        }
    }
    f.finish(Evaluation { did, caller_id, time, metadata })
}

/// An id that must be there.
pub(super) fn required_id(f: &mut Fields<'_>, field: &'static str) -> Uuid {
    let schema =
        || json!({"type": "string", "format": "uuid", "examples": ["019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01"]});
    if f.describe(field, Presence::Required, schema) {
        return Uuid::nil();
    }
    match f.value(field) {
        None => f.missing(field),
        Some(value) => {
            let text = value.as_str().filter(|text| text.len() == 36);
            if let Some(id) = text.and_then(|text| Uuid::try_parse(text).ok()) {
                return id;
            }
            f.wrong(field, format!("The {} field must be a valid UUID.", field.replace('_', " ")));
        }
    }
    Uuid::nil()
}
