//! "Outbound".

use super::*;

const TRY_NEXT: &str = "set continue_on_fail=NETWORK_OUT_OF_ORDER,NORMAL_TEMPORARY_FAILURE,SWITCH_CONGESTION,\
REQUESTED_CHAN_UNAVAIL,NORMAL_CIRCUIT_CONGESTION,RECOVERY_ON_TIMER_EXPIRE,PROGRESS_TIMEOUT,GATEWAY_DOWN,INVALID_GATEWAY,\
SERVICE_UNAVAILABLE,DESTINATION_OUT_OF_ORDER";

fn route(id: u128, values: &Value) -> Record {
    let mut all = json!({
        "priority": 100, "patterns": ["0."], "class": "national", "strip": 0, "prepend": null,
        "gateways": [Uuid::from_u128(0x61)], "caller_id": "extension", "caller_id_number": null,
    });
    all.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
    row(ACME, id, all)
}

/// At home in Germany, with two gateways of the tenant and a shared one of another.
fn model_with(routes: Vec<Record>) -> Model {
    let mut model = model();
    model.tenants[0].settings.insert("country".into(), json!("DE"));
    for (tenant, id, shared) in
        [(ACME, 0x61, false), (ACME, 0x62, false), (OTHER, 0x63, true), (OTHER, 0x64, false)]
    {
        model.gateways.push(row(tenant, id, json!({"name": "x", "shared": shared})));
    }
    model.outbound_routes = routes;
    model
}

/// The numbers that carriers get.
fn carriers(model: &Model, dialled: &str) -> Vec<String> {
    let steps = steps(model, &call(dialled));
    let dialled =
        |step: &String| Some(step.strip_prefix("bridge [leg_progress_timeout=8]sofia/gateway/")?.to_owned());
    steps.iter().filter_map(dialled).collect()
}

fn gateway(model: &Model, at: usize, number: &str) -> String {
    format!("{}/{number}", crate::names::gateway(&model.gateways[at]))
}

#[test]
fn a_call_to_the_outside() {
    let mut model = model_with(vec![route(
        1,
        &json!({"gateways": [
        Uuid::from_u128(0x62), Uuid::from_u128(0x64), Uuid::from_u128(0x63), Uuid::from_u128(0x61)]}),
    )]);
    model.extensions[0].outbound_caller_id_name = Some("Acme".into());
    model.extensions[0].outbound_caller_id_number = Some("030 1234567".into());
    let bridge =
        |at| format!("bridge [leg_progress_timeout=8]sofia/gateway/{}", gateway(&model, at, "+49891234567"));
    let walked = all_steps(&model, &call("0891234567")).unwrap();
    assert_eq!(
        walked[4..],
        [
            "set effective_caller_id_name=Acme",
            "set effective_caller_id_number=+49301234567",
            "set call_timeout=60",
            "set hangup_after_bridge=true",
            TRY_NEXT,
            &bridge(1),
            &bridge(2),
            &bridge(0),
            "hangup ${originate_disposition}",
        ]
    );
    let stranger = Call { caller: None, ..call("0891234567") };
    assert_eq!(steps(&model, &stranger), ["respond 404"]);
    model.gateways.clear();
    assert_eq!(steps(&model, &call("0891234567")), ["set nizam_refused=no_gateway", "respond 503"]);
}

#[test]
fn the_best_pattern_counts() {
    let strip = |id: u128, priority: i64, pattern: &str, mark: &str| {
        route(id, &json!({"priority": priority, "patterns": [pattern], "prepend": mark}))
    };
    for (routes, dialled, want) in [
        (vec![strip(1, 5, "0.", "1"), strip(2, 4, "X.", "2")], "0891234567", "20891234567"),
        (vec![strip(1, 5, "0.", "1"), strip(2, 5, "089.", "2")], "0891234567", "20891234567"),
        (vec![strip(1, 5, "0.", "1"), strip(2, 5, "0XX.", "2")], "0891234567", "20891234567"),
        (vec![strip(1, 5, "08.", "1"), strip(2, 5, "08", "2")], "08", "208"),
        (vec![strip(2, 5, "0Z.", "2"), strip(1, 5, "0X.", "1")], "0891234567", "10891234567"),
        (vec![strip(1, 5, "X.", "1"), strip(2, 5, "+.", "2")], "0891234567", "2+49891234567"),
        (vec![strip(1, 5, "+49.", "1")], "0891234567", "1+49891234567"),
        (vec![strip(1, 5, "49N.", "1")], "0891234567", "149891234567"),
    ] {
        let model = model_with(routes);
        assert_eq!(carriers(&model, dialled), [gateway(&model, 0, want)], "{dialled}");
    }
    let model = model_with(vec![strip(1, 5, "0NXZ", "")]);
    assert!(
        carriers(&model, "0100").is_empty()
            && carriers(&model, "0290").is_empty()
            && carriers(&model, "02911").is_empty()
    );
    assert_eq!(carriers(&model, "0291"), [gateway(&model, 0, "0291")], "a short number stays as it is");
}

#[test]
fn numbers_for_carriers() {
    for (pattern, strip, prepend, dialled, want) in [
        ("0.", 1, json!("0049"), "0891234567", "0049891234567"),
        ("0.", 3, Value::Null, "0891234567", "1234567"),
        ("49.", 2, json!("0"), "0891234567", "0891234567"),
        ("49.", 0, Value::Null, "0 89/123-4567", "+49891234567"),
        ("00.", 0, Value::Null, "0049891234567", "+49891234567"),
    ] {
        let route = route(1, &json!({"strip": strip, "prepend": prepend, "patterns": [pattern]}));
        let model = model_with(vec![route]);
        assert_eq!(carriers(&model, dialled), [gateway(&model, 0, want)], "{dialled}");
    }
}

#[test]
fn only_digits_reach_a_carrier() {
    let none = ["set nizam_refused=no_gateway", "respond 503"];
    let mut model = model_with(vec![route(1, &json!({"patterns": ["1."], "strip": 1}))]);
    assert_eq!(steps(&model, &call("1")), none, "nothing is left of it");
    for dialled in ["1 2", "1'", "1${x}", "1x"] {
        assert_eq!(steps(&model, &call(dialled)), ["respond 404"], "{dialled}");
    }
    let bytes = Call { number: Some(b"1\xff".to_vec()), ..call("") };
    assert_eq!(steps(&model, &bytes), ["respond 404"]);
    let longest = "1".repeat(64);
    assert!(!carriers(&model, &longest).is_empty());
    assert_eq!(steps(&model, &call(&format!("{longest}1"))), ["respond 404"]);
    model.tenants[0].settings.insert("class_limits".into(), json!({"national": 3}));
    assert_eq!(steps(&model, &call("1")), none, "nothing is counted");
}

#[test]
fn classes_are_allowed_and_bounded() {
    let mut model = model_with(vec![route(1, &json!({"class": "international"}))]);
    let refused = ["set nizam_refused=class", "respond 403"];
    assert_eq!(steps(&model, &call("0891234567")), refused);
    model.extensions[0].toll_allow = Some(vec!["international"]);
    assert!(!carriers(&model, "0891234567").is_empty());
    model.tenants[0].settings.insert("class_limits".into(), json!({"international": 3, "local": 1}));
    assert_eq!(
        steps(&model, &call("0891234567"))[..3],
        [
            "set nizam_refused=class_limit",
            "limit hash a.test class-international 3 !NORMAL_TEMPORARY_FAILURE",
            "unset nizam_refused"
        ]
    );
    model.extensions[0].toll_allow = Some(Vec::new());
    assert_eq!(steps(&model, &call("0891234567")), refused);
    model.outbound_routes[0].values["class"] = json!("emergency");
    assert!(!carriers(&model, "0891234567").is_empty());
}

#[test]
fn whose_number_is_shown() {
    let shown = |model: &Model| {
        let steps = all_steps(model, &call("0891234567")).unwrap();
        let number = |step: &&String| step.starts_with("set effective_caller_id_number=");
        steps.iter().filter(number).nth(1).unwrap().split_once('=').unwrap().1.to_owned()
    };
    let mut model = model_with(vec![route(1, &json!({"caller_id_number": "030999"}))]);
    assert_eq!(shown(&model), "100");
    model.tenants[0].settings.insert("caller_id_number".into(), json!("030 7654321"));
    assert_eq!(shown(&model), "+49307654321");
    model.extensions[0].outbound_caller_id_number = Some("Desk".into());
    assert_eq!(shown(&model), "Desk");
    model.outbound_routes[0].values["caller_id"] = json!("tenant");
    assert_eq!(shown(&model), "+49307654321");
    model.outbound_routes[0].values["caller_id"] = json!("trunk");
    assert_eq!(shown(&model), "+4930999");
    model.outbound_routes[0].values["caller_id_number"] = Value::Null;
    assert_eq!(shown(&model), "+49307654321");
}
