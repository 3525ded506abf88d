//! "Whose call it is", "From outside".

use super::*;

fn did(model: &mut Model, tenant: Uuid, id: u128, number: &str) {
    let to = if tenant == ACME { id_of(101) } else { json!(Uuid::from_u128(0x102)) };
    model.dids.push(row(
        tenant,
        id,
        json!({"number": number, "destination_type": "extension", "destination_id": to}),
    ));
}

fn gateway(tenant: Uuid, id: u128, values: &Value) -> Record {
    let mut all =
        json!({"name": "carrier", "host": "sip.carrier.example", "shared": false, "addresses": null});
    all.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
    row(tenant, id, all)
}

#[test]
fn other_contexts_are_not_ours() {
    for context in [None, Some("default"), Some("c.test"), Some("Public"), Some("")] {
        let call = Call { context: context.map(|context| context.as_bytes().to_vec()), ..call("100") };
        assert_eq!(all_steps(&model(), &call), None, "{context:?}");
    }
}

#[test]
fn closed_tenants_refuse() {
    let mut model = model();
    model.tenants[0].status = "terminated";
    let want = ["set nizam_generation=1", &format!("set nizam_tenant={ACME}"), "respond 403"];
    assert_eq!(all_steps(&model, &call("101")).unwrap(), want);
    model.tenants[0] = Tenant { is_active: false, ..tenant(ACME, "a.test") };
    assert_eq!(all_steps(&model, &call("101")).unwrap(), want);
}

#[test]
fn a_did_is_whose_it_is() {
    let mut model = model();
    did(&mut model, ACME, 1, "+49 30 1234567");
    for dialled in ["+49301234567", "0049301234567", "49301234567", "49 30-123 (4567)"] {
        assert_eq!(
            steps(&model, &from_outside(dialled)),
            rings_101(&["hangup ${originate_disposition}"]),
            "{dialled}"
        );
    }
    for dialled in
        ["030 1234567", "4930123456", "", "x", "nizam:extension:00000000-0000-0000-0000-000000000101"]
    {
        assert_eq!(all_steps(&model, &from_outside(dialled)), None, "{dialled}");
    }
    model.dids[0].values["is_active"] = json!(false);
    assert_eq!(all_steps(&model, &from_outside("+49301234567")), None);
}

#[test]
fn two_tenants_claim_a_number() {
    let mut model = model();
    did(&mut model, ACME, 1, "+4930123456");
    model.tenants[1].settings.insert("country".into(), json!("DE"));
    did(&mut model, OTHER, 2, "030 123456");
    assert_eq!(
        all_steps(&model, &from_outside("+4930123456")).unwrap(),
        [
            "set nizam_generation=1",
            "event Event-Name=CUSTOM,Event-Subclass=nizam::ambiguous,nizam_number=4930123456",
            "set nizam_refused=ambiguous",
            "respond 404"
        ]
    );
    model.tenants[1].status = "suspended";
    assert_eq!(steps(&model, &from_outside("+4930123456")).last().unwrap(), "respond 404");
    model.tenants[1].status = "terminated";
    assert_eq!(steps(&model, &from_outside("+4930123456")), rings_101(&["hangup ${originate_disposition}"]));
    model.tenants[0].status = "suspended";
    assert_eq!(steps(&model, &from_outside("+4930123456")), ["set nizam_refused=suspended", "respond 403"]);
}

fn confirm(model: &mut Model, did: usize, confirmed: bool) {
    model.dids[did].values.insert("confirmed".into(), json!(confirmed));
}

#[test]
fn a_confirmed_claim_goes_before_others() {
    let mut model = model();
    did(&mut model, ACME, 1, "+4930123456");
    did(&mut model, OTHER, 2, "+4930123456");
    let ours = rings_101(&["hangup ${originate_disposition}"]);
    let call = from_outside("+4930123456");
    let is_nobodys = |model: &Model| steps(model, &call).contains(&"set nizam_refused=ambiguous".to_owned());
    assert!(is_nobodys(&model));
    confirm(&mut model, 0, true);
    assert_eq!(steps(&model, &call), ours);
    // Switched off, it is no claim.
    model.dids[0].values["is_active"] = json!(false);
    assert!(!steps(&model, &call).is_empty() && steps(&model, &call) != ours && !is_nobodys(&model));
    model.dids[0].values["is_active"] = json!(true);
    // Neither is that of a closed tenant.
    model.tenants[0].status = "terminated";
    assert!(steps(&model, &call) != ours && !is_nobodys(&model));
    // That of a suspended tenant is one.
    model.tenants[0].status = "suspended";
    assert_eq!(steps(&model, &call), ["set nizam_refused=suspended", "respond 403"]);
    model.tenants[0].status = "active";
    confirm(&mut model, 1, true);
    assert!(is_nobodys(&model), "two are confirmed");
    confirm(&mut model, 0, false);
    // The other spelling of it is confirmed, and younger.
    did(&mut model, ACME, 3, "004930123456");
    confirm(&mut model, 1, false);
    confirm(&mut model, 2, true);
    model.dids[2].values["destination_id"] = id_of(102);
    assert!(!is_nobodys(&model) && steps(&model, &call) != ours);
}

#[test]
fn a_trunk_of_a_tenant_is_asked_at_home() {
    let mut model = model();
    model.tenants[0].settings.insert("country".into(), json!("DE"));
    did(&mut model, ACME, 1, "+49301234567");
    did(&mut model, OTHER, 2, "+49301234567");
    model.gateways.push(gateway(ACME, 3, &json!({"addresses": ["192.0.2.10", "2001:db8::1"]})));
    let by_id = Call { gateway: Some(Uuid::from_u128(3).to_string().into()), ..from_outside("0301234567") };
    let by_address = |address: &str| Call { address: Some(address.into()), ..from_outside("0301234567") };
    for call in [&by_id, &by_address("192.0.2.10"), &by_address("2001:db8::1")] {
        assert_eq!(steps(&model, call), rings_101(&["hangup ${originate_disposition}"]));
    }
    assert_eq!(all_steps(&model, &by_address("192.0.2.11")), None);
    let unknown = Call { number: Some(b"0301234568".to_vec()), ..by_id.clone() };
    assert_eq!(steps(&model, &unknown), ["respond 404"]);
    model.gateways.push(gateway(OTHER, 4, &json!({"host": "192.0.2.10"})));
    let still = steps(&model, &by_address("192.0.2.10"));
    assert_eq!(still, rings_101(&["hangup ${originate_disposition}"]), "a host says nothing on who calls");
    model.gateways[1].values["addresses"] = json!(["192.0.2.10"]);
    assert_eq!(all_steps(&model, &by_address("192.0.2.10")), None, "of several tenants");
    model.gateways[0].values["shared"] = json!(true);
    assert_eq!(all_steps(&model, &by_id), None, "read without a home");
    model.gateways[0].values["is_active"] = json!(false);
    assert_eq!(all_steps(&model, &by_id), None);
    model.gateways.remove(0);
    model.gateways[0].tenant_id = ACME;
    model.tenants[0].is_active = false;
    assert_eq!(steps(&model, &by_address("192.0.2.10")), ["respond 403"]);
}
