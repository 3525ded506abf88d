//! Users, and what they may do.

use nizam_core::model::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, answer, extension};

#[tokio::test]
async fn admins_make_change_and_delete_users() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "acme").await;
    api.post("/users", &admin, json!({})).await.names(&["name", "email", "password"]);
    let body = json!({"name": "Ann", "email": "ann@example.org", "password": "secret-password", "tenant_id": tenant});
    let made = api.post("/users", &admin, body.clone()).await.is(201).json();
    assert_eq!((&made["role"], &made["tenant_id"]), (&json!("user"), &json!(tenant)));
    assert!(made.get("password").is_none());
    api.post("/users", &admin, body).await.names(&["email"]);
    let elsewhere = json!({"name": "Bob", "email": "bob@example.org", "password": "secret-password",
        "tenant_id": "019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01"});
    api.post("/users", &admin, elsewhere).await.names(&["tenant_id"]);

    let one = format!("/users/{}", made["id"]);
    let shown = api.get(&one, &admin).await.is(200).json();
    assert_eq!(shown["data"]["tenant"]["domain"], "acme.example");
    let etag = api.get(&one, &admin).await.header("etag").to_owned();
    api.put(&format!("/tenants/{tenant}"), &admin, json!({"name": "Acme & Co."})).await.is(200);
    let request = api.client.get(api.url(&one)).bearer_auth(&admin.token);
    let again = answer(request.header("if-none-match", etag)).await;
    assert_eq!(again.is(200).json()["data"]["tenant"]["name"], "Acme & Co.", "it shows more than its row");
    let login = json!({"email": "ANN@example.org", "password": "secret-password"});
    let token = api.send(Method::POST, "/auth/login", None, Some(login)).await.is(200).json();
    let token = token["token"].as_str().unwrap().to_owned();
    let own = api.send(Method::GET, &one, Some(&token), None).await;
    assert_eq!(own.is(200).json()["data"]["email"], "ann@example.org");
    api.send(Method::GET, &format!("/users/{}", admin.id), Some(&token), None).await.is(403);
    api.send(Method::GET, "/users/999999", Some(&token), None).await.is(403);
    api.get("/users/999999", &admin).await.is(404);
    api.get("/users/x", &admin).await.is(404);
    api.send(Method::GET, "/users", Some(&token), None).await.is(403);

    let changed =
        api.put(&one, &admin, json!({"name": "Anna", "tenant_id": null, "password": "another-secret"})).await;
    assert_eq!(changed.is(200).json()["data"]["tenant"], Value::Null);
    let old = json!({"email": "ann@example.org", "password": "secret-password"});
    api.send(Method::POST, "/auth/login", None, Some(old)).await.is(401);
    let listed = api.get(&format!("/users?tenant_id={tenant}"), &admin).await.is(200).json();
    assert_eq!(listed["meta"]["total"], 0);
    let listed = api.get("/users?role=user", &admin).await.is(200).json();
    assert_eq!(listed["data"][0]["name"], "Anna");
    let names = async |query: &str| {
        let listed = api.get(&format!("/users?{query}"), &admin).await.is(200).json();
        let rows = listed["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("email=ANN%40example.org").await, ["ann@example.org"]);
    let (up, mut down) = (names("sort=email").await, names("sort=-email").await);
    down.reverse();
    assert!(up.len() > 1 && up == down && up.is_sorted(), "{up:?}");
    api.get("/users?sort=password", &admin).await.names(&["sort"]);
    api.get("/users?role=king&tenant_id=x", &admin).await.names(&["role", "tenant_id"]);
    api.delete(&one, &admin).await.is(204);
    api.send(Method::GET, "/auth/me", Some(&token), None).await.is(401);
}

#[tokio::test]
async fn grants_narrow_what_a_user_may_do() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "acme").await;
    let user = api.person(Role::User, Some(tenant)).await;
    let extensions = format!("/tenants/{tenant}/extensions");
    api.post(&extensions, &user, extension("1001")).await.is(201);
    let grants = format!("/users/{}/permissions", user.id);
    assert_eq!(api.get(&grants, &user).await.is(200).json(), json!({"permissions": []}));
    let granted =
        api.post(&format!("{grants}/grant"), &admin, json!({"permissions": ["extensions.view"]})).await;
    assert_eq!(
        granted.is(200).json(),
        json!({"message": "Permissions granted.", "permissions": ["extensions.view"]})
    );
    api.get(&extensions, &user).await.is(200);
    api.post(&extensions, &user, extension("1002")).await.is(403);
    api.post(&format!("{grants}/grant"), &user, json!({"permissions": ["extensions.create"]})).await.is(403);
    let wrong = json!({"permissions": ["extensions.view", "flying"]});
    api.post(&format!("{grants}/grant"), &admin, wrong).await.names(&["permissions.1"]);
    let revoked =
        api.post(&format!("{grants}/revoke"), &admin, json!({"permissions": ["extensions.view"]})).await;
    assert_eq!(revoked.is(200).json()["permissions"], json!([]));
    api.get(&extensions, &user).await.is(403);
    // A name of a module stands for the permissions of the core.
    api.post(&format!("{grants}/grant"), &admin, json!({"permissions": ["ring-groups.view"]})).await.is(200);
    api.get(&format!("/tenants/{tenant}/ring-groups"), &user).await.is(200);
    let all = api.get("/permissions", &admin).await.is(200).json();
    let all = all["permissions"].as_array().unwrap();
    assert_eq!(all.len(), 78);
    assert!(all.contains(&json!({"slug": "dids.view", "description": "View DIDs", "module": "core"})));
}

#[tokio::test]
async fn a_tenant_is_set_up_at_once() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let made = api.post("/tenants/provision", &admin, json!({"name": "Söhne & Co"})).await.is(201).json();
    let tenant = &made["data"]["tenant"];
    assert_eq!((&tenant["status"], &tenant["max_extensions"]), (&json!("trial"), &json!(10)));
    assert_eq!(made["data"]["provisioning_domain"], tenant["domain"]);
    let first = &made["data"]["default_extension"];
    assert_eq!((first["extension"].as_str(), first["password"].as_str().unwrap().len()), (Some("1000"), 16));
    let id = tenant["id"].as_str().unwrap();
    let listed = api.get(&format!("/tenants/{id}/extensions"), &admin).await.is(200).json();
    assert_eq!(listed["meta"]["total"], 1);
    let stats = api.get(&format!("/tenants/{id}/stats"), &admin).await.is(200).json();
    assert_eq!(stats["data"]["extensions_count"], 1);
    assert_eq!(stats["data"]["quotas"]["max_dids"], 5);
    let body = json!({"name": "x", "domain": tenant["domain"], "settings": {"timezone": "Europe/Berlin"}});
    api.post("/tenants/provision", &admin, body).await.names(&["domain"]);
    let user = api.person(Role::User, Some(id.parse().unwrap())).await;
    api.post("/tenants/provision", &user, json!({})).await.is(403);
    api.get("/admin/dashboard", &user).await.is(403);
    let dashboard = api.get("/admin/dashboard", &admin).await.is(200).json();
    assert_eq!(
        dashboard["data"]["tenants_by_status"],
        json!({"trial": 1, "active": 0, "suspended": 0, "terminated": 0})
    );
    assert_eq!(dashboard["data"]["tenants"][0]["extensions_count"], 1);
}

#[tokio::test]
async fn the_trail_and_the_usage_of_a_tenant() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "acme").await;
    for number in 0..120 {
        api.post(&format!("/tenants/{tenant}/extensions"), &admin, extension(&format!("{}", 1000 + number)))
            .await
            .is(201);
    }
    let trail = format!("/tenants/{tenant}/audit-logs");
    let flat = api.get(&trail, &admin).await.is(200).json();
    assert_eq!((&flat["total"], &flat["per_page"], &flat["last_page"]), (&json!(121), &json!(50), &json!(3)));
    let entry = &flat["data"][0];
    assert_eq!(
        (&entry["action"], &entry["auditable_type"]),
        (&json!("created"), &json!("App\\Models\\Extension"))
    );
    assert!(!flat.to_string().contains("secret-pass"));
    let one = api.get(&format!("{trail}/{}", entry["id"].as_str().unwrap()), &admin).await.is(200).json();
    assert_eq!(&one["data"], entry);
    let of = async |query: &str| {
        api.get(&format!("{trail}?{query}"), &admin).await.is(200).json()["total"].clone()
    };
    assert_eq!(of("auditable_type=App%5CModels%5CTenant").await, 1);
    assert_eq!(of("auditable_type=Extension&action=created").await, 120);
    assert_eq!(of(&format!("user_id={}", admin.id)).await, 121);
    assert_eq!(of("from=2999-01-01").await, 0);
    api.get(&format!("{trail}?from=yesterday&user_id=x"), &admin).await.names(&["from", "user_id"]);
    // The same rows, read from place to place.
    let (mut cursor, mut seen) = (String::new(), Vec::new());
    loop {
        let page = api.get(&format!("{trail}?per_page=50&cursor={cursor}"), &admin).await.is(200).json();
        seen.extend(
            page["data"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    assert_eq!(seen.len(), 121);
    assert_eq!(seen.first().map(String::as_str), entry["id"].as_str());
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 121);
    api.get(&format!("{trail}?cursor=x"), &admin).await.names(&["cursor"]);

    let usage = format!("/tenants/{tenant}/usage");
    assert_eq!(api.get(&format!("{usage}/summary"), &admin).await.is(200).json()["data"]["usage"], json!([]));
    let collected = api.post(&format!("{usage}/collect"), &admin, json!([])).await;
    assert_eq!(collected.is(201).json()["data"]["recorded"], 3);
    let summary = api.get(&format!("{usage}/summary"), &admin).await.is(200).json();
    assert_eq!(
        summary["data"]["usage"]["active_extensions"],
        json!({"total": 120, "peak": 120, "average": 120, "count": 1})
    );
    let reconciled =
        api.get(&format!("{usage}/reconcile?from=2026-01-01&to=2026-01-31"), &admin).await.is(200).json();
    assert_eq!(reconciled["data"]["matched"], true);
    api.get(&format!("{usage}/summary?from=x"), &admin).await.names(&["from"]);
    let user = api.person(Role::User, Some(tenant)).await;
    api.post(&format!("{usage}/collect"), &user, json!([])).await.is(403);
}

/// What is kept of tokens and tenants for speed is forgotten with every write.
#[tokio::test]
async fn a_write_is_in_force_for_the_very_next_request() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "acme").await;
    let user = api.person(Role::User, Some(tenant)).await;
    let extensions = format!("/tenants/{tenant}/extensions");
    for _ in 0..20 {
        api.get(&extensions, &user).await.is(200);
        api.put(&format!("/tenants/{tenant}"), &admin, json!({"status": "suspended"})).await.is(200);
        api.get(&extensions, &user).await.says(403, "Tenant is suspended.");
        api.put(&format!("/tenants/{tenant}"), &admin, json!({"status": "active"})).await.is(200);
        api.get(&extensions, &user).await.is(200);

        let grants = format!("/users/{}/permissions", user.id);
        let set = json!({"permissions": ["extensions.view"]});
        api.post(&format!("{grants}/grant"), &admin, set.clone()).await.is(200);
        api.get(&extensions, &user).await.is(200);
        api.post(&format!("{grants}/revoke"), &admin, set.clone()).await.is(200);
        api.get(&extensions, &user).await.is(403);
        api.post(&format!("{grants}/grant"), &admin, set).await.is(200);

        let token = api.token(user.id, &["*"], None).await;
        let send = async |method: Method, path: &str| api.send(method, path, Some(&token), None).await;
        send(Method::GET, "/auth/me").await.is(200);
        send(Method::POST, "/auth/logout").await.is(204);
        send(Method::GET, "/auth/me").await.is(401);
    }
    // A token that was good a moment ago is over in its own time.
    let soon = i64::try_from(
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros(),
    );
    let token = api.token(user.id, &["*"], Some(soon.unwrap() + 2_000_000)).await;
    api.send(Method::GET, "/auth/me", Some(&token), None).await.is(200);
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    api.send(Method::GET, "/auth/me", Some(&token), None).await.is(401);
}
