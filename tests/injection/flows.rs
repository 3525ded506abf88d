//! Flows that set variables of their channels to hostile texts.

use serde_json::{Value, json};

use super::taken::taken;
use super::{Found, is_inert};
use crate::support::{Account, Caller, Event, Events, Site};

/// Fewer steps than a walk may have.
const STEPS: usize = 50;

/// The flows, by their internal numbers, and what their steps set.
pub(crate) struct Flows(Vec<(String, Vec<Option<String>>)>);

impl Flows {
    pub(crate) fn make(site: &Site, tenant: &str, texts: &[String]) -> Self {
        let flows = texts.chunks(STEPS).zip(0..).map(|(texts, n)| {
            let number = format!("90{n:02}");
            let body = json!({"name": number, "number": number, "nodes": nodes(texts)});
            let (_, body) = taken(site, &format!("/tenants/{tenant}/call-flows"), body, without);
            let values = body["nodes"].as_array().unwrap().iter().take(texts.len());
            let text = |node: &Value| {
                node["data"].get("value").map(|value| value.as_str().unwrap().trim().to_owned())
            };
            (number, values.map(text).collect())
        });
        Self(flows.collect())
    }

    /// Calls each of them.
    pub(crate) fn walk(&self, site: &Site, events: &Events, caller: &Account, found: &mut Found) {
        for (number, texts) in &self.0 {
            let call = site.call(&Caller::phone(caller), number);
            let uuid = call.uuid(events);
            let ended = |event: &Event| event.is("CHANNEL_HANGUP_COMPLETE") && event.get("Unique-ID") == uuid;
            call.over();
            let end = events.wait("the end of a flow", ended);
            for (text, n) in texts.iter().zip(0..) {
                let Some(text) = text else { continue };
                let want = if is_inert(text) { text.as_str() } else { "" };
                found.left_out += usize::from(want != text);
                found.compare(
                    &format!("flow variable for {text:?}"),
                    want,
                    end.variable(&format!("flow_v{n}")),
                );
            }
        }
    }
}

fn nodes(texts: &[String]) -> Vec<Value> {
    let set = texts.iter().zip(0..).map(|(text, n)| {
        json!({
            "id": format!("n{n}"), "type": "set_variable", "next": format!("n{}", n + 1),
            "data": {"name": format!("v{n}"), "value": text},
        })
    });
    let end =
        json!({"id": format!("n{}", texts.len()), "type": "hangup", "data": {"cause": "NORMAL_CLEARING"}});
    set.chain([end]).collect()
}

/// `nodes.7.data`
fn without(body: &mut Value, field: &str) {
    let n: usize = field.split('.').nth(1).unwrap().parse().unwrap();
    body["nodes"][n]["data"] = json!({"name": "refused"});
}
