//! The harmless call flows.

use serde_json::json;

use crate::form::{Form, Reach};
use crate::town::Town;

/// The id of nothing.
const NIL: &str = "00000000-0000-0000-0000-000000000001";

/// Every kind of step. None leads to another, so that each is looked at by itself.
pub(crate) fn flow(town: &Town) -> Form {
    let none = "q-none";
    let body = json!({"name": "q-name", "number": "q7800", "description": "q-about", "nodes": [
        {"id": "n0", "type": "play_prompt", "data": {"file": "q-file.wav"}},
        {"id": "n1", "type": "play_prompt", "data": {"prompt_id": NIL}},
        {"id": "n2", "type": "play_prompt", "data": {"text": "q-words"}},
        {"id": "n3", "type": "collect_input", "data": {"variable": "q_var", "terminators": "*9*#9", "file": "q-collect.wav"}},
        {"id": "n4", "type": "collect_input", "data": {"text": "q-spoken"}},
        {"id": "n5", "type": "branch", "data": {"default": none, "cases": [
            {"digits": "q-digits", "next": none}, {"caller": "q-caller", "next": none}, {"variable": "q_of", "equals": "q-equals", "next": none},
            {"conditions": {"wday": "q-day"}, "next": none},
        ]}},
        {"id": "n6", "type": "webhook", "data": {"url": "q-url", "q-key-data": "q-data"}},
        {"id": "n7", "type": "api_call", "data": {"headers": {"q-key-header": "q-header"}, "list": ["q-item"]}},
        {"id": "n8", "type": "set_variable", "data": {"name": "q_set", "value": "q-value"}},
        {"id": "n9", "type": "hangup", "data": {"cause": "Q_CAUSE"}},
        {"id": "n10", "type": "collect_input", "data": {"max_digits": 4}, "next": {"5555555555": "q-none"}},
    ]});
    Form {
        fixed: &[
            "nodes.0.id",
            "nodes.1.id",
            "nodes.2.id",
            "nodes.3.id",
            "nodes.4.id",
            "nodes.5.id",
            "nodes.6.id",
            "nodes.7.id",
            "nodes.8.id",
            "nodes.9.id",
            "nodes.10.id",
            "nodes.10.next.5555555555",
            "nodes.5.data.default",
            "nodes.5.data.cases.0.next",
            "nodes.5.data.cases.1.next",
            "nodes.5.data.cases.2.next",
            "nodes.5.data.cases.3.next",
        ],
        reach: &[
            ("nodes.0.data.file", Reach::Prompt),
            ("nodes.3.data.file", Reach::Prompt),
            ("nodes.3.data.variable", Reach::Variable),
            ("nodes.3.data.terminators", Reach::Or("#")),
            ("nodes.8.data.name", Reach::Variable),
            ("nodes.9.data.cause", Reach::Or("NORMAL_CLEARING")),
        ],
        number: Some("number"),
        ..Form::row(town, "call-flows.create", body)
    }
}

/// Data of flows that choose their way.
pub(crate) fn flow_ways(town: &Town) -> Form {
    let body = json!({"name": "q-name", "nodes": [
        {"id": "n0", "type": "bridge", "data": {"destination_type": "extension", "destination_id": town.other}, "next": "n1"},
        {"id": "n1", "type": "record", "data": {"max_seconds": "60"}, "next": {"default": "n2"}},
        {"id": "n2", "type": "collect_input", "data": {"min_digits": "1", "max_digits": "2", "timeout": "3", "tries": "4"}, "next": "n3"},
        {"id": "n3", "type": "bridge", "data": {"type": "extension", "id": town.other}},
        {"id": "n4", "type": "branch", "data": {"branches": [{"conditions": [{"time_from": "09:00"}], "next": "n1"}], "default": "n2"}},
    ]});
    Form {
        fixed: &["nodes.0.id", "nodes.1.id", "nodes.2.id", "nodes.3.id", "nodes.4.id"],
        decides: &["*"],
        ..Form::row(town, "call-flows.create", body)
    }
}

pub(crate) fn flow_names(town: &Town) -> Form {
    let body =
        json!({"name": "q-name", "nodes": [{"id": "q-node", "type": "webhook", "data": {"url": "q-url"}}]});
    Form { reach: &[("nodes.0.id", Reach::Word)], ..Form::row(town, "call-flows.create", body) }
}
