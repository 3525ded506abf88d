//! "Flows", and prompts.

use super::*;

const FLOW: &str = "00000000-0000-0000-0000-000000000002";

/// A DID that leads to a flow of these steps.
fn model_with(nodes: &Value) -> Model {
    let mut model = model();
    model.dids.push(row(
        ACME,
        1,
        json!({"number": "+15550001111", "destination_type": "call_flow", "destination_id": FLOW}),
    ));
    model.flows.push(row(ACME, 2, json!({"nodes": nodes})));
    model.prompts.push(row(ACME, 5, json!({"name": "Welcome"})));
    model.tenants[0].settings.insert("tts_engine".into(), json!("flite"));
    model.tenants[0].settings.insert("tts_voice".into(), json!("kal"));
    model
}

fn walk(nodes: &Value) -> Vec<String> {
    steps(&model_with(nodes), &call("+15550001111"))
}

/// What a step decides in another lookup.
fn decide(nodes: &Value, index: usize, variables: &[(&str, &str)]) -> Vec<String> {
    let mut call = call(&format!("nizam:flow:{FLOW}:{index}"));
    call.variables =
        variables.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    steps(&model_with(nodes), &call)
}

fn node(id: &str, kind: &str, data: &Value, next: &Value) -> Value {
    json!({"id": id, "type": kind, "data": data, "next": next})
}

#[test]
fn step_by_step() {
    let file = json!({"file": "ivr/welcome.wav"});
    assert_eq!(
        walk(&json!([
            node("a", "play_prompt", &file, &json!("b")),
            node("b", "record", &json!({"x": 1}), &json!("c")),
            node("unused", "hangup", &json!({"cause": "USER_BUSY"}), &Value::Null),
            node("c", "webhook", &json!({"url": "https://x"}), &json!("d")),
            node("d", "set_variable", &json!({"name": "lang", "value": "de"}), &json!("e")),
            node("e", "hangup", &json!({"cause": "CALL_REJECTED"}), &json!("a")),
        ])),
        [
            "answer",
            "playback ivr/welcome.wav",
            &format!("mkdir ${{recordings_dir}}/{ACME}"),
            &format!("record ${{recordings_dir}}/{ACME}/${{uuid}}.wav 300"),
            &format!(
                "event Event-Name=CUSTOM,Event-Subclass=nizam::flow,nizam_tenant={ACME},nizam_flow={FLOW},nizam_step=c"
            ),
            "set flow_lang=de",
            "hangup CALL_REJECTED",
        ]
    );
    let end = ["answer", "playback ivr/welcome.wav", "hangup NORMAL_CLEARING"];
    assert_eq!(walk(&json!([node("a", "play_prompt", &file, &json!("gone"))])), end);
    assert_eq!(walk(&json!([node("a", "play_prompt", &file, &Value::Null)])), end);
    let looped = walk(&json!([node("a", "play_prompt", &file, &json!("a"))]));
    assert_eq!(looped.len(), 1 + 63 + 2, "the flow is a node as well");
    assert_eq!(looped.last().unwrap(), "hangup EXCHANGE_ROUTING_ERROR");
}

#[test]
fn prompts() {
    let plays = |data: Value| {
        let steps = walk(&json!([node("a", "play_prompt", &data, &Value::Null)]));
        if steps.len() > 2 { steps[1].clone() } else { String::new() }
    };
    assert_eq!(plays(json!({"text": "Hello"})), "speak flite|kal|Hello");
    assert_eq!(plays(json!({"file": "say:Hello"})), "speak flite|kal|Hello");
    assert_eq!(plays(json!({"file": "local_stream://moh"})), "playback local_stream://moh");
    let uploaded = format!("playback {}", crate::names::prompt(&model_with(&json!([])).prompts[0]));
    assert_eq!(plays(json!({"prompt_id": Uuid::from_u128(5)})), uploaded);
    assert_eq!(plays(json!({"file": Uuid::from_u128(5)})), uploaded);
    for file in [
        "/etc/passwd",
        "../x.wav",
        "a/../../b",
        "http://x/y",
        "$x",
        "a\\b",
        "phrase:x",
        "00000000-0000-0000-0000-000000000006",
    ] {
        assert_eq!(plays(json!({"file": file})), "", "{file}");
    }
    assert_eq!(plays(json!({"text": "costs $5"})), "");
}

#[test]
fn digits_are_asked_for_and_looked_at_later() {
    let asked =
        json!({"file": "ivr/choose.wav", "max_digits": 3, "timeout": 7, "tries": 2, "variable": "choice"});
    let end = |cause: &str| json!({"cause": cause});
    let nodes = json!([
        node("a", "collect_input", &asked, &json!({"1": "one", "2": "gone", "default": "other"})),
        node("one", "hangup", &end("USER_BUSY"), &Value::Null),
        node("other", "hangup", &end("CALL_REJECTED"), &Value::Null),
    ]);
    assert_eq!(
        walk(&nodes),
        [
            "answer",
            "play_and_get_digits 1 3 2 7000 # ivr/choose.wav silence_stream://250 flow_choice \\d+",
            &format!("transfer nizam:flow:{FLOW}:0 XML a.test"),
        ]
    );
    assert_eq!(decide(&nodes, 0, &[("flow_choice", "1")]), ["hangup USER_BUSY"]);
    assert_eq!(decide(&nodes, 0, &[("flow_choice", "2")]), ["hangup NORMAL_CLEARING"]);
    assert_eq!(decide(&nodes, 0, &[("flow_choice", "3")]), ["hangup CALL_REJECTED"]);
    assert_eq!(decide(&nodes, 0, &[("flow_digits", "1")]), ["hangup CALL_REJECTED"]);
    let without = json!([
        node("a", "collect_input", &json!({"text": "Press, please"}), &json!("b")),
        node("b", "branch", &json!({"branches": []}), &Value::Null)
    ]);
    assert_eq!(
        walk(&without),
        [
            "answer",
            "speak flite|kal|Press, please",
            "play_and_get_digits 1 1 1 5000 # silence_stream://250 silence_stream://250 flow_digits \\d+",
            &format!("transfer nizam:flow:{FLOW}:1 XML a.test"),
        ]
    );
}

#[test]
fn branches() {
    let end = |id: &str| node(id, "hangup", &json!({"cause": id}), &Value::Null);
    let branch = |cases: &Value, default: &Value| {
        json!([
            node("A", "branch", &json!({"branches": cases, "default": default}), &json!("NEXT")),
            end("CASE"),
            end("DEFAULT"),
            end("NEXT"),
        ])
    };
    let case = |key: &str, value: Value| json!([{key: value, "next": "CASE"}]);
    let ends = |steps: Vec<String>| steps.last().unwrap().clone();
    for cases in [case("caller", json!("1*")), case("conditions", json!([{"wday": "mon"}]))] {
        assert_eq!(ends(walk(&branch(&cases, &Value::Null))), "hangup CASE");
    }
    for cases in
        [case("caller", json!("2*")), case("conditions", json!([{"wday": "tue"}])), case("moon", json!(1))]
    {
        assert_eq!(ends(walk(&branch(&cases, &Value::Null))), "hangup NEXT");
        assert_eq!(ends(walk(&branch(&cases, &json!("DEFAULT")))), "hangup DEFAULT");
        assert_eq!(ends(walk(&branch(&cases, &json!("gone")))), "hangup NEXT");
    }
    let digits = branch(&case("digits", json!("12")), &Value::Null);
    assert_eq!(decide(&digits, 0, &[("flow_digits", "12")]), ["hangup CASE"]);
    assert_eq!(decide(&digits, 0, &[]), ["hangup NEXT"]);
    let mut set = vec![node("S", "set_variable", &json!({"name": "lang", "value": "de"}), &json!("A"))];
    let cases = json!([{"variable": "lang", "equals": "de", "next": "CASE"}]);
    set.extend(branch(&cases, &Value::Null).as_array().unwrap().clone());
    assert_eq!(walk(&json!(set)), ["answer", "set flow_lang=de", "hangup CASE"], "seen in the same walk");
}

#[test]
fn a_bridge_has_the_next_step_for_a_fallback() {
    let nodes = |kind: &str, id: Value| {
        json!([
            node("a", "bridge", &json!({"destination_type": kind, "destination_id": id}), &json!("b")),
            node("b", "hangup", &json!({"cause": "NO_ANSWER"}), &Value::Null),
        ])
    };
    let mut rings = rings_101(&["hangup NO_ANSWER"]);
    rings.insert(0, "answer".to_owned());
    assert_eq!(walk(&nodes("extension", id_of(101))), rings);
    assert_eq!(walk(&nodes("extension", id_of(100)))[6..], ["hangup NO_ANSWER"], "in place of the mailbox");
    for kind in [
        "extension",
        "voicemail",
        "ring_group",
        "ivr",
        "queue",
        "call_flow",
        "time_condition",
        "call_routing_policy",
    ] {
        let gone = walk(&nodes(kind, json!(Uuid::from_u128(9))));
        assert_eq!(gone, ["answer", "hangup NO_ANSWER"], "what is not there takes no call: {kind}");
    }
    assert_eq!(walk(&nodes("voicemail", id_of(101))), ["answer", "hangup NO_ANSWER"], "it has no mailbox");
    assert_eq!(walk(&nodes("extension", Value::Null)), ["answer", "hangup NO_ANSWER"]);
    let looped = walk(&nodes("call_flow", json!(FLOW)));
    assert_eq!(looped.len(), 32 + 2, "two nodes each time, and an answer");
}

#[test]
fn another_lookup_goes_on_where_it_was() {
    let nodes = json!([node("a", "hangup", &json!({"cause": "USER_BUSY"}), &Value::Null)]);
    assert_eq!(decide(&nodes, 0, &[]), ["hangup USER_BUSY"]);
    assert_eq!(decide(&nodes, 1, &[]), ["hangup UNALLOCATED_NUMBER"]);
    let odd = json!([
        node("a", "set_variable", &json!({"name": "wanted language", "value": "de"}), &json!("b, c")),
        node("b, c", "webhook", &json!({"x": 1}), &Value::Null),
    ]);
    assert_eq!(decide(&odd, 0, &[])[0], "set flow_wanted_language=de");
    assert!(decide(&odd, 0, &[])[1].ends_with(",nizam_step="));
}
