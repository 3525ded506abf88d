//! What the operator alone sees: figures for Prometheus, events that are nobody's or make no sense.

use nizam_core::model::Role;
use nizam_store::{Delivered, Origin};
use reqwest::Method;
use serde_json::json;

use crate::call_records::told;
use crate::support::Api;

#[tokio::test]
async fn figures_are_for_prometheus_with_an_admins_token() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "figures").await;
    api.get(&format!("/tenants/{tenant}/extensions"), &admin).await.is(200);
    api.send(Method::GET, "//metrics", None, None).await.is(401);
    let user = api.person(Role::User, Some(tenant)).await;
    api.get("//metrics", &user).await.is(403);
    for path in ["//metrics", "/metrics"] {
        let answer = api.get(path, &admin).await;
        assert!(answer.is(200).header("content-type").starts_with("application/openmetrics-text"));
        for line in [
            "nizam_database_up 1",
            "nizam_generation 1",
            "nizam_registrations 0",
            "nizam_api_requests_total{operation=\"extensions.list\",status=\"200\"} 1",
            "nizam_api_request_seconds_count{operation=\"extensions.list\"} 1",
            "nizam_cdrs_total 0",
        ] {
            assert!(answer.text.lines().any(|found| found == line), "{line} is not in\n{}", answer.text);
        }
        assert!(answer.text.ends_with("# EOF\n"));
        assert!(!answer.text.contains("figures.example"), "no tenant is named");
    }
}

#[tokio::test]
async fn what_is_nobodys_is_the_operators() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "somebody").await;
    let call = [("Unique-ID", "call-1"), ("Caller-Context", "nobody.example")];
    let events = [
        (1, told("CHANNEL_CREATE", "", 0, &call)),
        (2, Delivered::Unusable("the event has no Unique-ID".to_owned(), b"\x01odd".to_vec())),
    ];
    let origin = Origin { switch: "fs1", core_uuid: "c", incarnation: [3; 16] };
    api.store.ingest(origin, &events, 0).await.unwrap();

    let strays = api.get("/admin/stray-events", &admin).await.is(200).json();
    assert_eq!(strays["total"], 1);
    assert_eq!(
        (&strays["data"][0]["call_uuid"], &strays["data"][0]["event_type"], &strays["data"][0]["switch"]),
        (&json!("call-1"), &json!("call.created"), &json!("fs1"))
    );
    let odd = api.get("/admin/quarantined-events", &admin).await.is(200).json();
    assert_eq!(odd["total"], 1);
    assert_eq!(
        (&odd["data"][0]["reason"], &odd["data"][0]["record"], &odd["data"][0]["sequence"]),
        (&json!("the event has no Unique-ID"), &json!("AW9kZA=="), &json!(2))
    );
    let user = api.person(Role::User, Some(tenant)).await;
    for path in ["/admin/stray-events", "/admin/quarantined-events"] {
        api.get(path, &user).await.is(403);
        api.get(&format!("{path}?per_page=1&page=2"), &admin).await.is(200);
    }
}
