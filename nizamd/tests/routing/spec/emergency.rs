//! "Emergency".

use super::*;

fn model_with(settings: &Value) -> Model {
    let mut model = model();
    model.tenants[0].settings.clone_from(settings.as_object().unwrap());
    let gateways = [
        (ACME, 0x63, "Zeta", false),
        (ACME, 0x62, "alpha", false),
        (OTHER, 0x61, "any", true),
        (OTHER, 0x64, "own", false),
    ];
    for (tenant, id, name, shared) in gateways {
        model.gateways.push(row(tenant, id, json!({"name": name, "shared": shared})));
    }
    model
}

fn bridges(model: &Model, dialled: &str) -> Vec<String> {
    let steps = steps(model, &call(dialled));
    steps.iter().filter_map(|step| step.strip_prefix("bridge ")).map(str::to_owned).collect()
}

fn leg(model: &Model, at: usize, number: &str) -> String {
    format!("[leg_progress_timeout=8]sofia/gateway/{}/{number}", crate::names::gateway(&model.gateways[at]))
}

#[test]
fn goes_out_whatever_else_holds() {
    let mut model = model_with(&json!({}));
    model.tenants[0].status = "suspended";
    model.tenants[0].max_concurrent_calls = 1;
    model.extensions[0].toll_allow = Some(Vec::new());
    let steps = steps(&model, &call("112"));
    assert_eq!(
        steps[0],
        format!(
            "event Event-Name=CUSTOM,Event-Subclass=nizam::emergency,nizam_tenant={ACME},nizam_extension=100,nizam_number=112"
        )
    );
    assert!(!steps.iter().any(|step| step.starts_with("limit ") || step.contains("nizam_admitted")));
    assert_eq!(bridges(&model, "112"), [0, 1, 2].map(|at| leg(&model, at, "112")));
    let stranger = Call { caller: None, ..call("112") };
    assert_eq!(super::steps(&model, &stranger), ["set nizam_refused=suspended", "respond 403"]);
    model.gateways.clear();
    assert_eq!(super::steps(&model, &call("112"))[1..], ["set nizam_refused=no_gateway", "respond 503"]);
}

#[test]
fn which_numbers() {
    let is = |settings: Value, number: &str| !bridges(&model_with(&settings), number).is_empty();
    for number in ["112", "911", "999", "000"] {
        assert!(is(json!({}), number), "{number}");
    }
    assert!(!is(json!({}), "110") && !is(json!({}), "+112") && !is(json!({}), "1 12"));
    assert!(is(json!({"country": "DE"}), "110") && !is(json!({"country": "DE"}), "911"));
    let own = json!({"country": "de", "emergency_numbers": ["116117"]});
    assert!(is(own.clone(), "116117") && is(own.clone(), "112") && !is(own, "911"));
    assert!(!is(json!({"emergency_numbers": ["110"]}), "112"));
}

#[test]
fn by_its_own_route() {
    let mut model = model_with(&json!({}));
    let route = |id: u128, class: &str, gateway: u128| {
        row(
            ACME,
            id,
            json!({
                "priority": 1, "patterns": ["11X"], "class": class, "strip": 0, "prepend": null,
                "gateways": [Uuid::from_u128(gateway)], "caller_id": "extension",
            }),
        )
    };
    model.outbound_routes = vec![route(1, "national", 0x63), route(2, "emergency", 0x61)];
    assert_eq!(bridges(&model, "112"), [leg(&model, 2, "112")]);
    model.outbound_routes[1].values["prepend"] = json!("9");
    assert_eq!(bridges(&model, "112"), [leg(&model, 2, "9112")]);
    model.outbound_routes[1].values["strip"] = json!(3);
    model.outbound_routes[1].values["prepend"] = Value::Null;
    assert_eq!(bridges(&model, "112").len(), 3, "nothing would be left");
    model.outbound_routes[1] = route(2, "emergency", 0x64);
    assert_eq!(bridges(&model, "112").len(), 3, "another tenant's gateway");
    for at in 0..10 {
        model.gateways.push(row(ACME, 0x70 + at, json!({"name": "more", "shared": false})));
    }
    model.outbound_routes.clear();
    assert_eq!(bridges(&model, "112").len(), 8);
}

#[test]
fn the_number_stays_as_it_was_dialled() {
    // Six digits in Spain are those of a national number, and with its code it would be one of eight.
    let mut model = model_with(&json!({"country": "ES", "emergency_numbers": ["116117"]}));
    model.outbound_routes.push(row(
        ACME,
        1,
        json!({
            "priority": 1, "patterns": ["116."], "class": "emergency", "strip": 0, "prepend": null,
            "gateways": [Uuid::from_u128(0x61)], "caller_id": "extension",
        }),
    ));
    assert_eq!(bridges(&model, "116117"), [leg(&model, 2, "116117")]);
}
