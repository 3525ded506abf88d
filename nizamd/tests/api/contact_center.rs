//! Agents, queues, policies, webhooks: what they do besides being rows.

use nizam_core::model::Role;
use serde_json::{Value, json};

use crate::resources::{World, id, path};
use crate::support::{Api, answer};

#[tokio::test]
async fn agents_answer_for_queues() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let (ours, theirs) = (World::new(&api, &admin, "ours").await, World::new(&api, &admin, "theirs").await);
    let agents = path(ours.tenant, "agents");
    let agent = json!({"name": "Ann", "extension_id": ours.extension});
    let made = api.post(&agents, &admin, agent.clone()).await.is(201).json();
    assert_eq!(made["data"]["extension"]["extension"], "1001");
    assert_eq!(made["data"]["state"], "offline");
    api.post(&agents, &admin, agent).await.names(&["extension_id"]);
    let one = format!("{agents}/{}", id(&made));
    api.post(&format!("{one}/state"), &admin, json!({"state": "paused"})).await.names(&["pause_reason"]);
    api.post(&format!("{one}/state"), &admin, json!({"state": "asleep"})).await.names(&["state"]);
    api.post(&format!("{one}/state"), &admin, json!({})).await.names(&["state"]);
    let paused = json!({"state": "paused", "pause_reason": "lunch"});
    let paused = api.post(&format!("{one}/state"), &admin, paused).await.is(200).json();
    assert_eq!(paused["data"]["pause_reason"], "lunch");
    assert!(paused["data"]["state_changed_at"].as_str().unwrap().ends_with('Z'));
    let busy = api.post(&format!("{one}/state"), &admin, json!({"state": "busy", "pause_reason": "x"})).await;
    assert_eq!(busy.is(200).json()["data"]["pause_reason"], Value::Null);

    let queues = path(ours.tenant, "queues");
    let queue = api.post(&queues, &admin, json!({"name": "Support"})).await.is(201).json();
    assert_eq!(queue["data"]["members_count"], 0);
    let queue = format!("{queues}/{}", id(&queue));
    let join = json!({"agent_id": id(&made), "priority": 2});
    let before = api.get(&queue, &admin).await;
    api.post(&format!("{queue}/members"), &admin, join.clone()).await.is(201);
    let request = api.client.get(api.url(&queue)).bearer_auth(&admin.token);
    let after = answer(request.header("if-none-match", before.header("etag"))).await;
    assert_eq!(after.is(200).json()["data"]["members_count"], 1, "its members change without the row");
    let again = api.post(&format!("{queue}/members"), &admin, join).await;
    again.says(422, "Agent is already a member of this queue.");
    let foreign = json!({"name": "Bob", "extension_id": theirs.extension});
    let foreign = api.post(&path(theirs.tenant, "agents"), &admin, foreign).await.is(201).json();
    let join = json!({"agent_id": id(&foreign)});
    api.post(&format!("{queue}/members"), &admin, join).await.says(404, "Agent not found.");
    api.post(&format!("{queue}/members"), &admin, json!({"priority": -1}))
        .await
        .names(&["agent_id", "priority"]);
    // A refusal leaves no key behind: the same request may be sent again.
    for status in [404, 404] {
        let request = api.client.post(api.url(&format!("{queue}/members"))).bearer_auth(&admin.token);
        let stranger = json!({"agent_id": id(&foreign)});
        answer(request.header("idempotency-key", "stranger").json(&stranger)).await.is(status);
    }
    let members = api.get(&format!("{queue}/members"), &admin).await.is(200).json();
    assert_eq!(members["data"][0]["extension"], "1001");
    assert_eq!(api.get(&queue, &admin).await.json()["data"]["members_count"], 1);

    let live = api.get(&format!("{queue}/metrics/realtime"), &admin).await.is(200).json();
    assert_eq!(
        (&live["data"]["service_level"], &live["data"]["agent_occupancy"]),
        (&json!(100), &json!(100))
    );
    let kept = api.post(&format!("{queue}/metrics/aggregate"), &admin, json!({"period": "daily"})).await;
    assert_eq!(kept.is(200).json()["data"]["service_level"], "100.00");
    api.post(&format!("{queue}/metrics/aggregate"), &admin, json!({"period": "daily"})).await.is(200);
    let history = api.get(&format!("{queue}/metrics/history?period=daily"), &admin).await.is(200).json();
    assert_eq!(history["total"], 1, "a period is kept once");
    assert!(history["data"][0]["period_start"].as_str().unwrap().ends_with("T00:00:00.000000Z"));
    api.get(&format!("{queue}/metrics/history?period=yearly"), &admin).await.names(&["period"]);

    let states = api.get(&path(ours.tenant, "agent-states"), &admin).await.is(200).json();
    assert_eq!(states["data"], json!({"available": 0, "busy": 1, "ringing": 0, "paused": 0, "offline": 0}));
    let wall = api.get(&path(ours.tenant, "wallboard"), &admin).await.is(200).json();
    assert_eq!(wall["data"]["queues"][0]["queue_name"], "Support");
    assert_eq!(wall["data"]["agents"][0]["extension"], "1001");
    api.delete(&format!("{queue}/members/{}", id(&made)), &admin).await.is(204);
    api.delete(&format!("{queue}/members/{}", id(&made)), &admin).await.is(204);
    assert_eq!(api.get(&format!("{queue}/members"), &admin).await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_policy_says_what_it_would_decide() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let world = World::new(&api, &admin, "acme").await;
    api.put(&format!("/tenants/{}/settings", world.tenant), &admin, json!({"timezone": "America/New_York"}))
        .await
        .is(200);
    let policies = path(world.tenant, "call-routing-policies");
    let body = json!({"name": "Office", "conditions": [
            {"type": "time_of_day", "params": {"start": "09:00", "end": "17:00"}},
            {"type": "day_of_week", "params": {"days": ["mon", "tue"]}},
            {"type": "blacklist", "params": {"numbers": ["+1666*"]}}],
        "match_destination_type": "extension", "match_destination_id": world.extension});
    let made = api.post(&policies, &admin, body).await.is(201).json();
    let evaluate = format!("{policies}/{}/evaluate", id(&made));
    let decide = async |caller: &str, time: &str| {
        let body = json!({"caller_id": caller, "time": time, "metadata": {"tenant_id": "forged", "x": 1}});
        api.post(&evaluate, &admin, body).await.is(200).json()
    };
    // 14:30 UTC is 10:30 in New York, on a Monday.
    let inside = decide("+15551", "2026-06-01T14:30:00Z").await;
    assert_eq!(
        inside["decision"],
        json!({"decision": "redirect", "redirect_to": {"type": "extension", "id": world.extension}})
    );
    assert_eq!(inside["context"]["tenant_id"], json!(world.tenant));
    assert_eq!((&inside["context"]["x"], &inside["policy_name"]), (&json!(1), &json!("Office")));
    assert_eq!(decide("+15551", "2026-06-01T12:30:00Z").await["decision"], json!({"decision": "allow"}));
    assert_eq!(
        decide("+16661", "2026-06-01T14:30:00Z").await["decision"]["reason"],
        "Caller is blacklisted."
    );
    api.post(&evaluate, &admin, json!({"time": "soon"})).await.names(&["time"]);
    api.post(&evaluate, &admin, json!({"metadata": "x"})).await.names(&["metadata"]);
    // It asks, and changes nothing: a token that reads may.
    let user = api.person(Role::User, Some(world.tenant)).await;
    let token = api.token(user.id, &["read"], None).await;
    api.send(reqwest::Method::POST, &evaluate, Some(&token), Some(json!([]))).await.is(200);
}

#[tokio::test]
async fn a_webhook_shows_its_secret_once() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let world = World::new(&api, &admin, "acme").await;
    let hooks = path(world.tenant, "webhooks");
    let body = json!({"url": "https://hooks.example.org/x", "events": ["call.created", "call.hangup"]});
    let made = api.post(&hooks, &admin, body).await.is(201).json();
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(secret.len(), 32);
    assert_eq!(made["data"].get("secret"), None);
    let one = format!("{hooks}/{}", id(&made));
    assert!(!api.get(&one, &admin).await.is(200).text.contains(secret));
    api.put(&one, &admin, json!({"secret": "another-secret-of-mine"})).await.is(200);
    let bad = json!({"url": "ftp://x", "events": ["call.hangup", "moon.rise"], "secret": "short"});
    api.post(&hooks, &admin, bad).await.names(&["url", "events.1", "secret"]);
    let attempts = api.get(&format!("{one}/delivery-attempts"), &admin).await.is(200).json();
    assert_eq!(attempts["meta"]["total"], 0);
    let stats = api.get(&format!("{one}/delivery-stats"), &admin).await.is(200).json();
    assert_eq!(stats["data"]["success_rate"], 0);
    let trail = api.get(&path(world.tenant, "audit-logs?per_page=100"), &admin).await.text;
    assert!(!trail.contains(secret) && !trail.contains("another-secret"), "{trail}");
}
