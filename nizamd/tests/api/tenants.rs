use nizam_core::model::Role;
use serde_json::{Value, json};

use crate::support::{Api, is_time};

#[tokio::test]
async fn the_life_of_a_tenant() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let body =
        json!({"name": " Acme & Co. ", "domain": "PBX.Example", "max_extensions": "5", "is_active": 1});
    let made = api.post("/tenants", &admin, body).await;
    let data = made.is(201).json()["data"].clone();
    assert_eq!(made.header("x-nizam-generation"), "1");
    assert_eq!(made.header("x-nizam-live"), "");
    let id = data["id"].as_str().unwrap();
    let fields: Vec<&String> = data.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "created_at",
            "domain",
            "id",
            "is_active",
            "max_calls_per_minute",
            "max_concurrent_calls",
            "max_dids",
            "max_extensions",
            "max_ring_groups",
            "name",
            "settings",
            "slug",
            "status",
            "updated_at"
        ]
    );
    assert_eq!(data["name"], "Acme & Co.");
    assert_eq!(data["domain"], "pbx.example");
    assert_eq!(data["slug"], "acme-co");
    assert_eq!(data["status"], "active");
    assert_eq!(data["settings"], json!([]));
    assert_eq!(
        (&data["max_extensions"], &data["max_dids"], &data["is_active"]),
        (&json!(5), &json!(0), &json!(true))
    );
    assert!(is_time(&data["created_at"]));

    let path = format!("/tenants/{id}");
    assert_eq!(api.get(&path, &admin).await.is(200).json()["data"], data);
    let changed = api.put(&path, &admin, json!({"name": "New", "max_extensions": 7})).await;
    let changed_data = changed.is(200).json()["data"].clone();
    assert_eq!((&changed_data["name"], &changed_data["domain"]), (&json!("New"), &json!("pbx.example")));
    assert_eq!(changed.header("x-nizam-generation"), "2");
    api.send(reqwest::Method::PATCH, &path, Some(&admin.token), Some(json!({"status": "suspended"})))
        .await
        .is(200);
    api.put(&path, &admin, json!([])).await.is(200);
    api.put(&path, &admin, json!({"status": "gone", "name": null, "max_dids": -1}))
        .await
        .names(&["status", "name", "max_dids"]);

    let other = api.tenant(&admin, "other").await;
    let taken = api
        .put(&format!("/tenants/{other}"), &admin, json!({"domain": "PBX.example", "slug": "acme-co"}))
        .await;
    taken.names(&["domain", "slug"]);
    assert_eq!(taken.json()["message"], "The domain has already been taken. (and 1 more error)");

    let gone = api.delete(&path, &admin).await;
    assert_eq!(gone.is(204).text, "");
    assert!(!gone.header("x-nizam-generation").is_empty());
    api.get(&path, &admin).await.is(404);
    api.delete(&path, &admin).await.is(404);
}

#[tokio::test]
async fn a_tenant_without_anything_misses_three() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let answer = api.post("/tenants", &admin, json!([])).await;
    answer.names(&["name", "domain", "slug"]);
    assert_eq!(answer.json()["message"], "The name field is required. (and 2 more errors)");
    for domain in ["a b", "x/y", "..", "1.2.3", "a_b..c", "${x}", "<!x>"] {
        api.post("/tenants", &admin, json!({"name": "n", "domain": domain})).await.names(&["domain"]);
    }
    for domain in ["192.0.2.7", "2001:db8::7", "a-b.c"] {
        api.post("/tenants", &admin, json!({"name": "n", "domain": domain})).await.is(201);
    }
}

#[tokio::test]
async fn settings_of_a_tenant() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "a").await;
    let user = api.person(Role::User, Some(tenant)).await;
    let path = format!("/tenants/{tenant}/settings");
    assert_eq!(api.get(&path, &user).await.is(200).json(), json!({"data": []}));
    let put = api.put(&path, &admin, json!({"settings": {"timezone": "Asia/Riyadh", "x": {"a": 1}}})).await;
    assert_eq!(put.is(200).json()["data"], json!({"timezone": "Asia/Riyadh", "x": {"a": 1}}));
    assert!(!put.header("x-nizam-generation").is_empty());
    let put = api.put(&path, &admin, json!({"x": {"b": 2}, "y": null})).await;
    assert_eq!(put.is(200).json()["data"], json!({"timezone": "Asia/Riyadh", "x": {"b": 2}, "y": null}));
    assert_eq!(put.header("x-nizam-ignored-fields"), "");
    assert_eq!(api.get(&path, &user).await.json(), put.json());
    api.put(&path, &admin, json!([])).await.names(&["settings"]);
    for seconds in [json!(5), json!(300.0), json!("20"), json!(null)] {
        api.put(&path, &admin, json!({"ring_timeout": seconds})).await.is(200);
    }
    for (setting, field) in [
        (json!({"timezone": "Mars/Olympus"}), "settings.timezone"),
        (json!({"settings": {"timezone": 7}}), "settings.timezone"),
        (json!({"ring_timeout": 4}), "settings.ring_timeout"),
        (json!({"ring_timeout": "soon"}), "settings.ring_timeout"),
    ] {
        api.put(&path, &admin, setting).await.names(&[field]);
    }
    let new = json!({"name": "b", "domain": "b.example", "settings": {"timezone": "x"}});
    api.post("/tenants/provision", &admin, new).await.names(&["settings.timezone"]);
    api.put(&path, &admin, json!({"settings": "x"})).await.names(&["settings"]);
    // Here the permission comes before the fields.
    api.put(&path, &user, json!([])).await.says(403, "This action is unauthorized.");
}

#[tokio::test]
async fn lists_have_pages() {
    let api = Api::new().await;
    let admin = api.admin().await;
    for i in 0..17 {
        api.tenant(&admin, &format!("t{i}")).await;
    }
    let first = api.get("/tenants", &admin).await.is(200).json();
    assert_eq!(first["data"].as_array().unwrap().len(), 15);
    assert_eq!(first["meta"]["total"], 17);
    assert_eq!(first["meta"]["per_page"], 15);
    assert_eq!((&first["meta"]["from"], &first["meta"]["to"]), (&json!(1), &json!(15)));
    assert_eq!(first["meta"]["path"], format!("{}/api/v1/tenants", api.base));
    assert_eq!(first["links"]["prev"], Value::Null);
    let next = first["links"]["next"].as_str().unwrap();
    let second = crate::support::answer(api.client.get(next).bearer_auth(&admin.token)).await.json();
    assert_eq!(second["data"].as_array().unwrap().len(), 2);
    assert_eq!(second["meta"]["current_page"], 2);
    assert_eq!(second["links"]["next"], Value::Null);
    let past = api.get("/tenants?page=9&per_page=5", &admin).await.json();
    assert_eq!((&past["data"], &past["meta"]["last_page"]), (&json!([]), &json!(4)));
    let odd = api.get("/tenants?page=-1&per_page=x", &admin).await.json();
    assert_eq!((&odd["meta"]["current_page"], &odd["meta"]["per_page"]), (&json!(1), &json!(15)));
}

#[tokio::test]
async fn people_see_their_own_tenant() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let (a, b) = (api.tenant(&admin, "a").await, api.tenant(&admin, "b").await);
    let user = api.person(Role::User, Some(a)).await;
    let stray = api.person(Role::User, None).await;
    let list = api.get("/tenants", &user).await.is(200).json();
    assert_eq!((list["data"].as_array().unwrap().len(), &list["data"][0]["id"]), (1, &json!(a)));
    assert_eq!(api.get("/tenants", &stray).await.is(200).json()["data"], json!([]));
    assert_eq!(api.get("/tenants", &admin).await.json()["meta"]["total"], 2);
    api.get(&format!("/tenants/{a}"), &user).await.is(200);
    for path in [format!("/tenants/{b}"), format!("/tenants/{b}/settings")] {
        api.get(&path, &user).await.says(403, "This action is unauthorized.");
        api.get(&path, &stray).await.is(403);
    }
    let me = api.get("/auth/me", &user).await.json();
    assert_eq!(me["user"]["tenant"]["id"], json!(a));
    // Only admins change tenants.
    let body = json!({"name": "x", "domain": "a.example"});
    api.post("/tenants", &user, body).await.says(403, "This action is unauthorized.");
    api.put(&format!("/tenants/{a}"), &user, json!({"name": "x"})).await.is(403);
    api.delete(&format!("/tenants/{a}"), &user).await.is(403);
}

#[tokio::test]
async fn lists_have_filters_and_orders() {
    let api = Api::new().await;
    let admin = api.admin().await;
    for name in ["b", "c", "a"] {
        api.tenant(&admin, name).await;
    }
    let names = async |query: &str| {
        let listed = api.get(&format!("/tenants?{query}"), &admin).await.is(200).json();
        let rows = listed["data"].as_array().unwrap().clone();
        assert_eq!(listed["meta"]["total"], rows.len());
        rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["b", "c", "a"], "the oldest first");
    assert_eq!(names("sort=name").await, ["a", "b", "c"]);
    assert_eq!(names("sort=-domain").await, ["c", "b", "a"]);
    assert_eq!(names("name=b").await, ["b"]);
    let all = api.get("/tenants?name=c", &admin).await.json();
    let one = format!("/tenants/{}", all["data"][0]["id"].as_str().unwrap());
    api.put(&one, &admin, json!({"status": "suspended"})).await.is(200);
    assert_eq!(names("status=suspended").await, ["c"]);
    assert_eq!(names("status=suspended&name=b").await, [""; 0]);
    api.get("/tenants?sort=settings&status=odd", &admin).await.names(&["sort", "status"]);
    // Whoever is no admin sees their own, whatever they ask for.
    let own = uuid::Uuid::parse_str(one.rsplit('/').next().unwrap()).unwrap();
    let member = api.person(Role::User, Some(own)).await;
    for (query, total) in [("sort=-name", 1), ("name=b", 0), ("name=c", 1)] {
        let listed = api.get(&format!("/tenants?{query}"), &member).await.is(200).json();
        assert_eq!(listed["meta"]["total"], total, "{query}");
    }
}
