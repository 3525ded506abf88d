//! The harmless requests whose texts no switch learns of.

use serde_json::{Value, json};

use crate::form::{Form, Made};
use crate::site::Site;
use crate::town::Town;

/// All of them, about one tenant.
pub(crate) async fn accounts(site: &Site, town: &Town) -> Vec<Form> {
    let tenant = &town.tenant;
    let agent = json!({"name": "Agent", "extension_id": town.other});
    let agent = site.make(&format!("/tenants/{tenant}/agents"), agent).await;
    let policy =
        json!({"name": "Policy", "conditions": [{"type": "blacklist", "params": {"numbers": ["1"]}}]});
    let policy = site.make(&format!("/tenants/{tenant}/call-routing-policies"), policy).await;
    let user = json!({"name": "q-name", "email": "q@example.org", "password": "q-password"});
    let user = site.make("/users", user).await;
    let new =
        |operation: &'static str, path: String, body: Value| Form::new(town, operation, path, body).unread();
    let channel = "019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01";
    let of_call = |operation: &'static str, more: Value| {
        let mut body = json!({"uuid": channel, "call_uuid": channel});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let name = operation.trim_start_matches("calls.");
        new(operation, format!("/tenants/{tenant}/calls/{name}"), body)
    };
    let mut confirmed = json!({"name": "q-name", "email": "q-new@example.org", "password": "q-password"});
    confirmed["password_confirmation"] = json!("q-password");
    vec![
        Form {
            slow: true,
            made: Made::Row,
            ..new(
                "users.create",
                "/users".into(),
                json!({"name": "q-name", "email": "q-made@example.org", "password": "q-password", "role": "user", "tenant_id": tenant}),
            )
        },
        Form { slow: true, ..new("auth.register", "/auth/register".into(), confirmed) },
        Form {
            slow: true,
            ..new(
                "auth.login",
                "/auth/login".into(),
                json!({"email": "q@example.org", "password": "q-password"}),
            )
        },
        new(
            "tokens.create",
            "/auth/tokens".into(),
            json!({"name": "q-token", "abilities": ["q-ability"], "expires_at": "2036-12-25T09:00:00Z"}),
        ),
        new(
            "users.grant",
            format!("/users/{user}/permissions/grant"),
            json!({"permissions": ["extensions.view"]}),
        ),
        new(
            "users.revoke",
            format!("/users/{user}/permissions/revoke"),
            json!({"permissions": ["extensions.view"]}),
        ),
        new(
            "queues.join",
            format!("/tenants/{tenant}/queues/{}/members", town.queue),
            json!({"agent_id": agent}),
        ),
        new(
            "queues.aggregate",
            format!("/tenants/{tenant}/queues/{}/metrics/aggregate", town.queue),
            json!({"period": "daily"}),
        ),
        new(
            "agents.state",
            format!("/tenants/{tenant}/agents/{agent}/state"),
            json!({"state": "paused", "pause_reason": "q-reason"}),
        ),
        new(
            "call-routing-policies.evaluate",
            format!("/tenants/{tenant}/call-routing-policies/{policy}/evaluate"),
            json!({"did": "q-did", "caller_id": "q-caller", "time": "2036-12-25T09:00:00Z", "metadata": {"q-key": "q-value"}}),
        ),
        new(
            "broadcasting.auth",
            "/broadcasting/auth".to_owned(),
            json!({"socket_id": "1.2", "channel_name": format!("private-tenant.{tenant}.calls")}),
        ),
        new(
            "calls.originate",
            format!("/tenants/{tenant}/calls/originate"),
            json!({"extension": "7001", "destination": "7002", "caller_id_name": "q-name", "caller_id_number": "7003"}),
        ),
        of_call("calls.hangup", json!({"cause": "USER_BUSY"})),
        of_call("calls.transfer", json!({"destination": "7002", "leg": "both"})),
        of_call("calls.hold", json!({"action": "hold"})),
        of_call("calls.recording", json!({"action": "start"})),
        of_call("calls.park", json!({})),
        of_call("calls.dtmf", json!({"digits": "12#"})),
        of_call("calls.bridge", json!({"other_uuid": channel})),
        of_call("calls.eavesdrop", json!({"extension": "7001"})),
        new(
            "routes.explain",
            format!("/tenants/{tenant}/routes/explain"),
            json!({"from": "7001", "to": "q-to", "at": "2036-12-25T09:00:00Z", "context": "public", "registered": ["7002"]}),
        ),
    ]
}

/// Those about a webhook.
pub(crate) async fn webhooks(site: &Site, town: &Town) -> Vec<Form> {
    let tenant = &town.tenant;
    let webhook = json!({"url": "https://hooks.example.org/x", "events": ["call.hangup"]});
    let webhook = site.make(&format!("/tenants/{tenant}/webhooks"), webhook).await;
    let new =
        |operation: &'static str, path: String, body: Value| Form::new(town, operation, path, body).unread();
    vec![
        new(
            "webhooks.rotate-secret",
            format!("/tenants/{tenant}/webhooks/{webhook}/rotate-secret"),
            json!({"secret": "q-secret-q-secret-q"}),
        ),
        new(
            "webhooks.redeliver",
            format!("/tenants/{tenant}/webhooks/{webhook}/redeliver"),
            json!({"event_id": webhook}),
        ),
        new(
            "webhooks.redrive",
            format!("/tenants/{tenant}/webhooks/{webhook}/redrive"),
            json!({"from": "2036-12-24T09:00:00Z", "to": "2036-12-25T09:00:00Z"}),
        ),
    ]
}
