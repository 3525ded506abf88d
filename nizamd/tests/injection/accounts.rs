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
            "routes.explain",
            format!("/tenants/{tenant}/routes/explain"),
            json!({"from": "7001", "to": "q-to", "at": "2036-12-25T09:00:00Z", "context": "public", "registered": ["7002"]}),
        ),
    ]
}
