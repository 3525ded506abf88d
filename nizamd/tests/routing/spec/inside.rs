//! "Inside": the order, feature codes, continuations, and what every route begins with.

use super::*;

#[test]
fn every_route_begins_with_whose_it_is() {
    let mut model = model();
    model.generation = 7;
    let begin = ["set nizam_generation=7", &format!("set nizam_tenant={ACME}")];
    let stranger = Call { caller: None, ..call("nobody") };
    assert_eq!(all_steps(&model, &stranger).unwrap(), [&begin[..], &["respond 404"]].concat());
    let named = |name: &str, number: &str| {
        let name = format!("set effective_caller_id_name={name}");
        let number = format!("set effective_caller_id_number={number}");
        [begin[0], begin[1], &name, &number, "respond 404"].map(str::to_owned)
    };
    assert_eq!(all_steps(&model, &call("nobody")).unwrap(), named("Ann 100", "100"));
    model.extensions[0].effective_caller_id_name = Some("Front desk".into());
    model.extensions[0].effective_caller_id_number = Some("0".into());
    assert_eq!(all_steps(&model, &call("nobody")).unwrap(), named("Front desk", "0"));
    model.extensions[0].effective_caller_id_name = Some("$x".into());
    let want = [begin[0], begin[1], "set effective_caller_id_number=0", "respond 404"];
    assert_eq!(all_steps(&model, &call("nobody")).unwrap(), want, "a name that no step may hold");
    model.extensions[0].effective_caller_id_name = None;
    let by_case =
        Call { context: Some(b"A.TEST".to_vec()), caller_domain: Some(b"A.Test".to_vec()), ..call("nobody") };
    assert_eq!(all_steps(&model, &by_case).unwrap(), named("Ann 100", "0"));
    model.extensions[0].is_active = false;
    assert_eq!(all_steps(&model, &call("nobody")).unwrap(), [&begin[..], &["respond 404"]].concat());
}

#[test]
fn numbers_in_their_order() {
    let mut model = model();
    model.tenants[0].settings.insert("country".into(), json!("US"));
    let to = |kind: &str, id: Value| json!({"number": "(555) 100-1001", "destination_type": kind, "destination_id": id});
    extension(&mut model, ACME, "5551001001");
    model.flows.push(row(
        ACME,
        9,
        json!({"number": "Desk", "nodes": [
        {"id": "a", "type": "hangup", "data": {"cause": "USER_BUSY"}, "next": null}]}),
    ));
    for dialled in ["desk", "DESK"] {
        assert_eq!(steps(&model, &call(dialled)), ["answer", "hangup USER_BUSY"]);
    }
    assert_eq!(steps(&model, &call("5551001001"))[0], "set dialed_extension=5551001001");
    model.dids.push(row(ACME, 1, to("extension", id_of(101))));
    for dialled in ["5551001001", "+15551001001", "0115551001001"] {
        let rings = steps(&model, &call(dialled))[0] == "set dialed_extension=101";
        assert_eq!(rings, !dialled.starts_with("011"), "{dialled}");
    }
    assert_eq!(steps(&model, &call("100"))[0], "set dialed_extension=100");
    assert_eq!(steps(&model, &call("10")), ["respond 404"]);
    model.tenants[0].status = "suspended";
    assert_eq!(steps(&model, &call("101")), ["set nizam_refused=suspended", "respond 403"]);
}

#[test]
fn hostile_numbers_lead_nowhere() {
    let model = model();
    let numbers: [&[u8]; 9] =
        [b"100\0", b"${uuid}", b"1'", b"\xff", b"", b"1\n1", b"1<!--", &[b'1'; 4096], "１００".as_bytes()];
    for number in numbers {
        let call = Call { number: Some(number.to_vec()), ..call("") };
        assert_eq!(steps(&model, &call), ["respond 404"], "{number:?}");
    }
    assert_eq!(steps(&model, &Call { number: None, ..call("") }), ["respond 404"]);
}

#[test]
fn feature_codes_ask_mailboxes() {
    let model = model();
    assert_eq!(steps(&model, &call("*97")), ["answer", "sleep 500", "voicemail check default a.test 100"]);
    assert_eq!(steps(&model, &call("*98")), ["answer", "sleep 500", "voicemail check default a.test"]);
    let without = Call { caller: Some(b"101".to_vec()), ..call("*97") };
    assert_eq!(steps(&model, &without), ["respond 404"]);
    let stranger = Call { caller: Some(b"102".to_vec()), ..call("*98") };
    assert_eq!(steps(&model, &stranger), ["respond 404"]);
}

#[test]
fn continuations() {
    let mut model = model();
    model.ivrs.push(row(
        ACME,
        0x1f,
        json!({"options": [], "timeout_destination_type": null, "timeout_destination_id": null}),
    ));
    let ivr = Uuid::from_u128(0x1f);
    let of_101 = Uuid::from_u128(0x101);
    let rings = rings_101(&["hangup ${originate_disposition}"]);
    let menu = [
        "answer".to_owned(),
        "sleep 500".to_owned(),
        format!("ivr {}.{}", ACME.simple(), ivr.simple()),
        "hangup NORMAL_CLEARING".to_owned(),
    ];
    assert_eq!(steps(&model, &call(&format!("nizam:extension:{of_101}"))), rings);
    assert_eq!(steps(&model, &call(&format!("nizam:voicemail:{of_101}"))), ["hangup UNALLOCATED_NUMBER"]);
    assert_eq!(steps(&model, &call(&format!("nizam:ivr:{ivr}"))), menu);
    assert_eq!(steps(&model, &call(&format!("nizam:direct:{ivr}:101"))), rings);
    assert_eq!(steps(&model, &call(&format!("nizam:direct:{ivr}:999"))), menu);
    assert_eq!(steps(&model, &call(&format!("nizam:direct:{of_101}:999"))), ["hangup UNALLOCATED_NUMBER"]);
    for number in ["nizam:extension:x", "nizam:moon", "nizam:", "nizam:flow:x:0", "nizam:direct:x:1:2"] {
        assert_eq!(steps(&model, &call(number)), ["hangup UNALLOCATED_NUMBER"], "{number}");
    }
    assert_eq!(steps(&model, &call("NIZAM:extension:")), ["respond 404"]);
    let other = Call { context: Some(b"b.test".to_vec()), ..call(&format!("nizam:extension:{of_101}")) };
    assert_eq!(steps(&model, &other), ["hangup UNALLOCATED_NUMBER"]);
    model.tenants[0].status = "suspended";
    assert_eq!(steps(&model, &call(&format!("nizam:ivr:{ivr}")))[1], "respond 403");
}
