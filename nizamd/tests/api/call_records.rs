//! What switches told, as clients read it: calls and legs, traces, registrations, gateways; and nothing of another tenant.

use nizam_core::call::Fact;
use nizam_core::model::Role;
use nizam_store::{Delivered, Origin};
use nizam_wire::event::EventWriter;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Api, Person};

const NOON: i64 = 1_785_153_600_000_000;

pub(crate) fn told(name: &str, subclass: &str, after: i64, headers: &[(&str, &str)]) -> Delivered {
    let mut out = Vec::new();
    let mut writer = EventWriter::new(&mut out, NOON + after, name.as_bytes(), subclass.as_bytes());
    for (name, value) in headers {
        writer.header(name, value.as_bytes());
    }
    Delivered::Fact(Box::new(Fact::read(&out, NOON).unwrap().unwrap()))
}

/// A call of two legs in a domain, a phone, and a gateway.
fn events(domain: &str, gateway: Option<&str>) -> Vec<(u64, Delivered)> {
    call_of([&format!("a-{domain}"), &format!("b-{domain}")], domain, gateway)
}

/// The same with these channels.
pub(crate) fn call_of([a, b]: [&str; 2], domain: &str, gateway: Option<&str>) -> Vec<(u64, Delivered)> {
    let (created, path) = (NOON.to_string(), path_of_a_call());
    let end = [
        ("variable_duration", "9"),
        ("variable_billsec", "6"),
        ("variable_hangup_cause", "NORMAL_CLEARING"),
        ("variable_sip_call_id", "x@phone"),
        ("variable_nizam_generation", "7"),
    ];
    let of = |own: &str, first: bool, more: &[(&'static str, &'static str)]| {
        let mut headers = vec![
            ("Unique-ID".to_owned(), own.to_owned()),
            ("Channel-Call-UUID".to_owned(), a.to_owned()),
            ("Caller-Caller-ID-Number".to_owned(), "=1001".to_owned()),
            ("Caller-Destination-Number".to_owned(), "1002".to_owned()),
            ("Caller-Channel-Created-Time".to_owned(), created.clone()),
            ("Call-Direction".to_owned(), if first { "inbound" } else { "outbound" }.to_owned()),
        ];
        headers.push(if first {
            ("Caller-Context".to_owned(), domain.to_owned())
        } else {
            ("variable_originator".to_owned(), a.to_owned())
        });
        headers.push(("variable_nizam_path".to_owned(), path.clone()));
        headers.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        headers
    };
    let event = |name: &str, after: i64, headers: &[(String, String)]| {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        told(name, "", after, &headers)
    };
    let mut all = vec![
        event("CHANNEL_CREATE", 0, &of(a, true, &[])),
        event("CHANNEL_CREATE", 1, &of(b, false, &[])),
        event("CHANNEL_ANSWER", 2, &of(b, false, &[])),
        event("CHANNEL_HANGUP_COMPLETE", 3, &of(b, false, &end)),
        event("CHANNEL_HANGUP_COMPLETE", 4, &of(a, true, &end)),
        told(
            "CUSTOM",
            "sofia::register",
            5,
            &[("from-user", "1001"), ("from-host", domain), ("call-id", "r"), ("contact", domain)],
        ),
    ];
    if let Some(id) = gateway {
        let name = format!("{id}-3");
        all.push(told(
            "CUSTOM",
            "sofia::gateway_state",
            6,
            &[("Gateway", &name), ("State", "REGED"), ("Status", "200")],
        ));
    }
    (1..).zip(all).collect()
}

/// What a channel says of the rows that it passed.
fn path_of_a_call() -> String {
    let [did, menu] = [1, 2].map(|id| Uuid::from_u128(id).simple().to_string());
    format!("g6 did:{did} tc:{menu}/no_match g7 ivr:{did}/1")
}

async fn gateway(api: &Api, admin: &Person, tenant: Uuid) -> String {
    let body = json!({"name": "trunk", "host": "sip.example.org"});
    let made = api.post(&format!("/tenants/{tenant}/gateways"), admin, body).await.is(201).json();
    made["data"]["id"].as_str().unwrap().to_owned()
}

fn uuids(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|row| row["uuid"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_call_is_read_from_its_first_packet_to_its_bill() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let (ours, theirs) = (api.tenant(&admin, "ours").await, api.tenant(&admin, "theirs").await);
    let domain = async |tenant: Uuid| {
        let shown = api.get(&format!("/tenants/{tenant}"), &admin).await.is(200).json();
        shown["data"]["domain"].as_str().unwrap().to_owned()
    };
    let (mine, other) = (domain(ours).await, domain(theirs).await);
    let trunk = gateway(&api, &admin, ours).await;
    let origin = Origin { switch: "fs1", core_uuid: "c", incarnation: [1; 16] };
    api.store.ingest(origin, &events(&mine, Some(&trunk)), 0).await.unwrap();
    let origin = Origin { switch: "fs2", ..origin };
    let trunk_of_theirs = gateway(&api, &admin, theirs).await;
    api.store.ingest(origin, &events(&other, Some(&trunk_of_theirs)), 0).await.unwrap();
    let member = api.person(Role::User, Some(ours)).await;
    let here = format!("/tenants/{ours}");
    let (a, b) = (format!("a-{mine}"), format!("b-{mine}"));

    // Calls, and all legs.
    let list = async |query: &str| api.get(&format!("{here}/cdrs{query}"), &member).await.is(200).json();
    assert_eq!(uuids(&list("").await), [&a]);
    assert_eq!(list("?legs=1").await["meta"]["total"], 2);
    assert_eq!(uuids(&list(&format!("?uuid={b}")).await), [&b], "a leg that is asked for is shown");
    for (query, total) in [
        ("caller_id_number=%3D1001", 1),
        ("caller_id_number=1001", 0),
        ("destination_number=1002", 1),
        ("hangup_cause=NORMAL_CLEARING", 1),
        ("hangup_cause=USER_BUSY", 0),
        ("destination_number=1002&hangup_cause=USER_BUSY", 0),
        ("caller_id_number=%3D1001&destination_number=1002&hangup_cause=NORMAL_CLEARING&legs=1", 2),
    ] {
        assert_eq!(list(&format!("?{query}")).await["meta"]["total"], total, "{query}");
    }
    let cdr = &list("").await["data"][0];
    assert_eq!((&cdr["call_id"], &cdr["leg"], &cdr["generation"]), (&json!(a), &json!("a"), &json!(7)));
    let file = api.get(&format!("{here}/cdrs/export"), &member).await;
    assert_eq!(file.is(200).header("content-type"), "text/csv; charset=utf-8");
    let lines: Vec<&str> = file.text.lines().collect();
    assert_eq!(
        lines[0],
        "uuid,caller_id_name,caller_id_number,destination_number,direction,start_stamp,answer_stamp,end_stamp,duration,\
         billsec,hangup_cause"
    );
    assert_eq!(lines.len(), 2);
    assert!(lines[1].starts_with(&format!("{a},,'=1001,1002,inbound,2026-07-27 12:00:00,,")), "{}", lines[1]);
    assert!(lines[1].ends_with(",9,6,NORMAL_CLEARING"), "{}", lines[1]);
    assert_eq!(api.get(&format!("{here}/cdrs/export?legs=1"), &member).await.text.lines().count(), 3);

    // Events, by both spellings of their names.
    for name in ["call.created", "call.started"] {
        let found = api.get(&format!("{here}/call-events?event_type={name}"), &member).await.is(200).json();
        assert_eq!(found["total"], 2, "{name}");
    }
    let trace = api.get(&format!("{here}/call-events/{b}/trace"), &member).await.is(200).json();
    assert_eq!(
        (&trace["call_uuid"], &trace["event_count"], &trace["call_id"]),
        (&json!(b), &json!(3), &json!(a))
    );
    let types = |list: &Value| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|event| event["event_type"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(types(&trace["events"]), ["call.created", "call.answered", "call.hangup"]);
    assert_eq!(trace["timeline"].as_array().unwrap().len(), 5);
    assert_eq!(trace["timeline"][1]["leg"], "b");
    assert_eq!(trace["legs"][0]["sip"]["call_id"], "x@phone");
    assert_eq!(
        (&trace["decisions"][0]["decision"], &trace["decisions"][0]["generation"]),
        (&json!("routed"), &json!(7))
    );
    let id = trace["events"][0]["id"].as_str().unwrap();
    let replayed = api.get(&format!("{here}/call-events/replay/{id}"), &member).await.is(200).json();
    assert_eq!((&replayed["id"], &replayed["payload"]["tenant_id"]), (&json!(id), &json!(ours)));

    // What is so now.
    let registrations = api.get(&format!("{here}/registrations"), &member).await.is(200).json();
    assert_eq!((&registrations["total"], &registrations["data"][0]["contact"]), (&json!(1), &json!(mine)));
    let gateways = api.get(&format!("{here}/gateways/status"), &member).await.is(200).json();
    assert_eq!(gateways["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&gateways["data"][0]["gateway_id"], &gateways["data"][0]["state"]),
        (&json!(trunk), &json!("REGED"))
    );
    let reconciled = api
        .get(&format!("{here}/usage/reconcile?from=2026-07-01&to=2026-07-31"), &member)
        .await
        .is(200)
        .json();
    assert_eq!(
        (&reconciled["data"]["cdr_total_seconds"], &reconciled["data"]["matched"]),
        (&json!(6), &json!(true))
    );

    // Nothing of the other tenant.
    let foreign = api.get(&format!("{here}/call-events/a-{other}/trace"), &member).await;
    foreign.says(404, "No events found for this call UUID.");
    let seen = api.get(&format!("/tenants/{theirs}/call-events"), &admin).await.is(200).json();
    let id = seen["data"][0]["id"].as_str().unwrap();
    api.get(&format!("{here}/call-events/replay/{id}"), &member).await.says(404, "Event not found.");
    for path in ["cdrs?legs=1", "cdrs/export?legs=1", "call-events", "registrations", "gateways/status"] {
        let text = api.get(&format!("{here}/{path}"), &member).await.is(200).text.clone();
        assert!(!text.contains(&other) && !text.contains(&trunk_of_theirs), "{path}: {text}");
        api.get(&format!("/tenants/{theirs}/{path}"), &member).await.is(403);
    }
}

/// The rows that the legs of a trace passed.
fn passed(trace: &Value) -> Vec<Value> {
    let rows = trace["decisions"].as_array().unwrap().iter();
    rows.filter(|row| row["decision"] == "passed").cloned().collect()
}

#[tokio::test]
async fn a_trace_says_which_rows_led_each_leg_where_it_went_also_while_it_lives() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let here = format!("/tenants/{}", api.tenant(&admin, "ours").await);
    let origin = Origin { switch: "fs1", core_uuid: "c", incarnation: [1; 16] };
    api.store.ingest(origin, &events("ours.example", None), 0).await.unwrap();
    let trace =
        async |uuid: &str| api.get(&format!("{here}/call-events/{uuid}/trace"), &admin).await.is(200).json();
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let want = |uuid: &str| {
        [
            (6, "did", one, json!(null)),
            (6, "time_condition", two, json!("no_match")),
            (7, "ivr", one, json!("1")),
        ]
        .map(|(generation, object, id, branch)| {
            json!({
                "call_uuid": uuid, "decision": "passed", "generation": generation, "object": object, "id": id,
                "branch": branch,
            })
        })
    };
    let ended = trace("b-ours.example").await;
    let [a, b] = ["a-ours.example", "b-ours.example"].map(want);
    assert_eq!(passed(&ended), [a, b].concat());
    assert_eq!(ended["decisions"][0]["path_cut"], false);

    let path = format!("{} +", path_of_a_call());
    let headers = [
        ("Unique-ID", "live"),
        ("Caller-Context", "ours.example"),
        ("Caller-Destination-Number", "1002"),
        ("variable_nizam_generation", "7"),
        ("variable_nizam_path", &*path),
    ];
    let created = told("CHANNEL_CREATE", "", 20, &headers[..3]);
    let answered = told("CHANNEL_ANSWER", "", 21, &headers);
    api.store.ingest(origin, &[(100, created), (101, answered)], 0).await.unwrap();
    let live = trace("live").await;
    assert_eq!((&live["legs"], passed(&live)), (&json!([]), want("live").to_vec()));
    let routed = &live["decisions"][0];
    assert_eq!((&routed["decision"], &routed["destination_number"]), (&json!("routed"), &json!("1002")));
    assert_eq!((&routed["generation"], &routed["path_cut"]), (&json!(7), &json!(true)));
}
