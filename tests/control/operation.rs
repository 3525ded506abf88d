//! The operations, as the daemon's own document describes them: one that is added is tried as well, or fails the suite.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::House;
use crate::support::Rest;

const BELOW: &str = "/tenants/{tenant}/calls/";

/// One operation of call control.
pub(crate) struct Operation {
    /// `hangup`.
    pub(crate) name: String,
    pub(crate) method: Method,
    /// What it takes in its body.
    pub(crate) arguments: Vec<String>,
}

impl Operation {
    /// All of them, those last that are tried for longest.
    pub(crate) fn all(rest: &Rest) -> Vec<Self> {
        let (status, document) = rest.attempt(&Method::GET, "/openapi.json", &Value::Null);
        assert_eq!(status, 200);
        let mut all = Vec::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, described) in methods.as_object().unwrap() {
                let id = described["operationId"].as_str().unwrap_or_default();
                assert_eq!(
                    id.starts_with("calls."),
                    path.starts_with(BELOW) && method != "parameters",
                    "{path}"
                );
                let Some(name) = id.strip_prefix("calls.") else { continue };
                assert_eq!(path.strip_prefix(BELOW), Some(name));
                let schema = &described["requestBody"]["content"]["application/json"]["schema"];
                let arguments =
                    schema["properties"].as_object().map(|fields| fields.keys().cloned().collect());
                all.push(Self {
                    name: name.to_owned(),
                    method: method.to_uppercase().parse().unwrap(),
                    arguments: arguments.unwrap_or_default(),
                });
            }
        }
        assert!(all.len() >= 10, "{}", all.len());
        all
    }

    /// Where it is.
    pub(crate) fn path(&self, tenant: &str) -> String {
        format!("{}{}", BELOW.replace("{tenant}", tenant), self.name)
    }

    /// The arguments that name a channel.
    pub(crate) fn channels(&self) -> impl Iterator<Item = &str> {
        self.arguments.iter().map(String::as_str).filter(|name| name.ends_with("uuid"))
    }

    /// Whether a phone rings for it.
    pub(crate) fn rings(&self) -> bool {
        self.arguments.iter().any(|name| name == "extension")
    }

    /// What an argument is where it is nothing special.
    pub(crate) fn usual(&self, argument: &str, [channel, other]: [&str; 2]) -> String {
        let value = match (self.name.as_str(), argument) {
            (_, "uuid" | "call_uuid") => channel,
            (_, "other_uuid") => other,
            (_, "extension") => House::REFUSES,
            (_, "destination") => House::NOBODY,
            (_, "caller_id_name") => "Front desk",
            (_, "caller_id_number") => "1005",
            (_, "cause") => "USER_BUSY",
            (_, "leg") => "aleg",
            (_, "digits") => "1#",
            ("hold", "action") => "hold",
            ("recording", "action") => "start",
            (name, argument) => panic!("the suite does not know {argument} of calls.{name}"),
        };
        value.to_owned()
    }

    /// A request with these texts, and what is usual for the other arguments. A channel has two names; one is enough.
    pub(crate) fn body(&self, texts: &[(&str, &str)], channels: [&str; 2]) -> Value {
        let given = |name: &str| texts.iter().find(|(argument, _)| *argument == name);
        let mut body = Map::new();
        for name in self.arguments.iter().map(String::as_str) {
            let left_out = name == "call_uuid" || (name == "uuid" && given("call_uuid").is_some());
            match given(name) {
                Some((_, text)) => drop(body.insert(name.to_owned(), json!(text))),
                None if left_out => {}
                None => drop(body.insert(name.to_owned(), json!(self.usual(name, channels)))),
            }
        }
        Value::Object(body)
    }
}
