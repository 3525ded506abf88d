//! The resources of tenants: what every one of them does.

use nizam_core::model::Role;
use nizam_core::resource::{RESOURCES, Resource};
use nizam_core::validate::{Presence, describe};
use reqwest::Method;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::support::{Api, Person, answer, extension};

/// A tenant with something of everything that rows refer to.
pub(crate) struct World {
    pub(crate) tenant: Uuid,
    pub(crate) extension: Uuid,
    gateway: Uuid,
}

impl World {
    pub(crate) async fn new(api: &Api, admin: &Person, name: &str) -> Self {
        let tenant = api.tenant(admin, name).await;
        let extension =
            id(&api.post(&path(tenant, "extensions"), admin, extension("1001")).await.is(201).json());
        let gateway = json!({"name": "carrier", "host": "sip.carrier.example"});
        let gateway = id(&api.post(&path(tenant, "gateways"), admin, gateway).await.is(201).json());
        Self { tenant, extension, gateway }
    }

    /// A body that makes a row: the example of each field that is needed, with ids of this tenant.
    pub(crate) fn body(&self, resource: &Resource) -> Value {
        let described = describe(|f| drop(resource.read(nizam_core::resource::Purpose::Create, f)));
        let mut body = Map::new();
        for field in described {
            if field.presence == Presence::Required {
                body.insert(field.name.to_owned(), field.example().unwrap().clone());
            }
        }
        for (name, value) in [
            ("destination_id", json!(self.extension)),
            ("extension_id", json!(self.extension)),
            ("members", json!([self.extension])),
            ("gateways", json!([self.gateway])),
            ("vendor", json!("yealink")),
            (
                "options",
                json!([{"digit": "1", "destination_type": "extension", "destination_id": self.extension}]),
            ),
        ] {
            if body.contains_key(name) || (name == "vendor" && resource.model == "DeviceProfile") {
                body.insert(name.to_owned(), value);
            }
        }
        if resource.model == "Gateway" {
            body.insert("name".to_owned(), json!("other carrier"));
        }
        Value::Object(body)
    }
}

pub(crate) fn path(tenant: Uuid, rest: &str) -> String {
    format!("/tenants/{tenant}/{rest}")
}

pub(crate) fn id(body: &Value) -> Uuid {
    body["data"]["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn every_resource_is_made_shown_changed_listed_and_deleted() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let world = World::new(&api, &admin, "acme").await;
    for resource in RESOURCES.iter().filter(|resource| !resource.by_upload) {
        let all = path(world.tenant, resource.path);
        let before = api.get(&all, &admin).await.is(200).json()["meta"]["total"].as_u64().unwrap();
        let body = world.body(resource);
        let made = api.post(&all, &admin, body.clone()).await;
        assert_eq!(made.is(201).header("etag"), "\"1\"", "{}", resource.model);
        assert_eq!(made.header("x-nizam-ignored-fields"), "");
        let data = &made.json()["data"];
        assert_eq!(data["tenant_id"], json!(world.tenant));
        for field in resource.fields {
            assert_eq!(data.get(field.name).is_some(), field.shown, "{} {}", resource.model, field.name);
        }
        let one = format!("{all}/{}", data["id"].as_str().unwrap());
        assert_eq!(&api.get(&one, &admin).await.is(200).json()["data"], data);

        let changed = api.put(&one, &admin, body).await;
        assert_eq!(changed.is(200).header("etag"), "\"2\"");
        let listed = api.get(&all, &admin).await.is(200).json();
        assert_eq!(listed["meta"]["total"], before + 1, "{}", resource.model);

        let nothing = api.post(&all, &admin, json!({})).await;
        nothing.is(422);
        assert!(nothing.json()["errors"].is_object(), "{nothing:?}");
        api.delete(&one, &admin).await.is(204);
        api.get(&one, &admin).await.is(404);
        assert_eq!(api.get(&all, &admin).await.json()["meta"]["total"], before);
        api.get(&format!("{all}/nonsense"), &admin).await.is(404);
    }
    let trail =
        api.store.audit_entries(world.tenant, nizam_store::Page { number: 1, size: 100 }).await.unwrap();
    for resource in RESOURCES.iter().filter(|resource| !resource.by_upload) {
        let model = format!("App\\Models\\{}", resource.model);
        let actions: Vec<&str> =
            trail.rows.iter().filter(|e| e.auditable_type == model).map(|e| e.action.as_str()).collect();
        for action in ["created", "updated", "deleted"] {
            assert!(actions.contains(&action), "{model} {action}");
        }
    }
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let world = World::new(&api, &admin, "acme").await;
    let all = path(world.tenant, "queues");
    for (name, strategy) in [("b", "ring_all"), ("A", "round_robin"), ("c", "ring_all")] {
        api.post(&all, &admin, json!({"name": name, "strategy": strategy})).await.is(201);
    }
    let names = async |query: &str| {
        let body = api.get(&format!("{all}?{query}"), &admin).await.is(200).json();
        let names: Vec<String> =
            body["data"].as_array().unwrap().iter().map(|q| q["name"].as_str().unwrap().to_owned()).collect();
        names.join(" ")
    };
    assert_eq!(names("").await, "A b c");
    assert_eq!(names("sort=-name").await, "c b A");
    assert_eq!(names("sort=created_at").await, "b A c");
    assert_eq!(names("strategy=ring_all").await, "b c");
    assert_eq!(names("name=B").await, "b");
    assert_eq!(names("strategy=ring_all&per_page=1&page=2").await, "c");
    assert_eq!(names("is_active=false").await, "");
    let body = api.get(&format!("{all}?strategy=ring_all&per_page=1"), &admin).await.json();
    assert!(body["links"]["next"].as_str().unwrap().contains("strategy=ring_all"), "{body}");
    api.get(&format!("{all}?sort=secret"), &admin).await.names(&["sort"]);
    api.get(&format!("{all}?strategy=dance&is_active=perhaps"), &admin)
        .await
        .names(&["strategy", "is_active"]);
    api.get(&format!("{all}?name=a%00b"), &admin).await.names(&["name"]);
}

#[tokio::test]
async fn what_a_row_refers_to_is_of_the_same_tenant() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let (ours, theirs) = (World::new(&api, &admin, "ours").await, World::new(&api, &admin, "theirs").await);
    let nowhere = Uuid::now_v7();
    let groups = path(ours.tenant, "ring-groups");
    for foreign in [theirs.extension, nowhere] {
        let body = json!({"name": "x", "members": [ours.extension, foreign]});
        api.post(&groups, &admin, body).await.names(&["members.1"]);
        let agent = json!({"name": "x", "extension_id": foreign});
        api.post(&path(ours.tenant, "agents"), &admin, agent).await.names(&["extension_id"]);
        let option = json!({"digit": "1", "destination_type": "voicemail", "destination_id": foreign});
        let menu = json!({"name": "x", "options": [option]});
        api.post(&path(ours.tenant, "ivrs"), &admin, menu).await.names(&["options.0.destination_id"]);
        let route = json!({"name": "x", "patterns": ["9."], "gateways": [foreign]});
        api.post(&path(ours.tenant, "outbound-routes"), &admin, route).await.names(&["gateways.0"]);
        // A number may lead to what is made later; the answer says that it does not yet.
        let number = foreign.as_u128() % 1_000_000;
        let did =
            json!({"number": format!("+1555{number}"), "destination_type": "ivr", "destination_id": foreign});
        let made = api.post(&path(ours.tenant, "dids"), &admin, did).await.is(201).json();
        assert_eq!(made["warnings"][0]["code"], "missing", "{made}");
        assert_eq!(made["warnings"][0]["path"], "destination_id");
    }
}

#[tokio::test]
async fn what_no_database_holds_is_refused() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let world = World::new(&api, &admin, "acme").await;
    let menu = |label: &str| {
        let to = world.extension;
        let option =
            json!({"digit": "1", "destination_type": "extension", "destination_id": to, "label": label});
        json!({"name": "x", "options": [option]})
    };
    let made = api.post(&path(world.tenant, "ivrs"), &admin, menu("a\nb")).await.is(201).json();
    assert_eq!(made["data"]["options"][0]["label"], "a\nb");
    api.post(&path(world.tenant, "ivrs"), &admin, menu("a\0b")).await.names(&["options"]);
}

#[tokio::test]
async fn loops_and_loose_ends_come_back_as_warnings() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let world = World::new(&api, &admin, "acme").await;
    let hours = path(world.tenant, "time-conditions");
    let made = api.post(&hours, &admin, json!({"name": "Hours", "conditions": [{"wday": "mon-fri"}]})).await;
    let codes: Vec<Value> =
        made.is(201).json()["warnings"].as_array().unwrap().iter().map(|w| w["code"].clone()).collect();
    assert_eq!(codes, [json!("dead_end"), json!("dead_end")]);
    let hours_id = id(&made.json());
    let sales = json!({"name": "Sales", "members": [world.extension],
        "fallback_destination_type": "time_condition", "fallback_destination_id": hours_id});
    let sales = api.post(&path(world.tenant, "ring-groups"), &admin, sales).await;
    let sales_id = id(&sales.is(201).json());
    let body = json!({"name": "Hours", "conditions": [{"wday": "mon-fri"}],
        "match_destination_type": "ring_group", "match_destination_id": sales_id,
        "no_match_destination_type": "extension", "no_match_destination_id": world.extension});
    let changed = api.put(&format!("{hours}/{hours_id}"), &admin, body).await.is(200).json();
    assert_eq!(changed["warnings"][0]["code"], "loop", "{changed}");
    let message = changed["warnings"][0]["message"].as_str().unwrap();
    assert!(message.contains("time condition Hours → ring group Sales → time condition Hours"), "{message}");
}

#[tokio::test]
async fn a_lost_update_is_refused() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let world = World::new(&api, &admin, "acme").await;
    let tenant = format!("/tenants/{}", world.tenant);
    let extension_path = format!("{tenant}/extensions/{}", world.extension);
    let queue = api.post(&format!("{tenant}/queues"), &admin, json!({"name": "q"})).await.is(201).json();
    let queue_path = format!("{tenant}/queues/{}", id(&queue));
    for (one, body) in [
        (&queue_path, json!({"name": "r"})),
        (&extension_path, extension("1002")),
        (&tenant, json!({"name": "Other"})),
    ] {
        let shown = api.get(one, &admin).await;
        let etag = shown.is(200).header("etag").to_owned();
        let send = async |method: Method, tag: &str| {
            let request = api.client.request(method, api.url(one)).bearer_auth(&admin.token);
            answer(request.header("if-match", tag).json(&body)).await
        };
        let changed = send(Method::PUT, &etag).await;
        assert_ne!(changed.is(200).header("etag"), etag);
        send(Method::PUT, &etag).await.is(412);
        send(Method::PUT, "W/\"2\"").await.is(412);
        send(Method::DELETE, &etag).await.is(412);
        send(Method::PATCH, &format!("\"99\", {}", changed.header("etag"))).await.is(200);
        send(Method::PUT, "*").await.is(200);
        let now = api.get(one, &admin).await;
        let request = api.client.get(api.url(one)).bearer_auth(&admin.token);
        let known = answer(request.header("if-none-match", now.header("etag"))).await;
        if one == &queue_path {
            // It shows more than its row.
            known.is(200);
            continue;
        }
        assert_eq!((known.is(304).text.as_str(), known.header("etag")), ("", now.header("etag")));
    }
}

#[tokio::test]
async fn two_writers_of_one_row_lose_nothing() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let world = World::new(&api, &admin, "acme").await;
    let queues = path(world.tenant, "queues");
    let made = api.post(&queues, &admin, json!({"name": "q"})).await.is(201).json();
    let one = format!("{queues}/{}", id(&made));
    let writers = (0..20).map(|n| {
        let (api, admin, one) = (&api, &admin, &one);
        async move {
            // Each writer changes another field, or the same one: every one of them is in the end.
            let body =
                if n % 2 == 0 { json!({"max_wait_time": 100 + n}) } else { json!({"wrapup_seconds": n}) };
            api.put(one, admin, body).await.is(200).header("etag").to_owned()
        }
    });
    let mut etags = Vec::new();
    for writer in futures(writers).await {
        etags.push(writer);
    }
    etags.sort();
    etags.dedup();
    assert_eq!(etags.len(), 20, "every write had a version of its own");
    assert_eq!(api.get(&one, &admin).await.header("etag"), "\"21\"");
}

/// Runs them at once.
async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut open = false;
        for (future, done) in &mut all {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *done = Some(value),
                    std::task::Poll::Pending => open = true,
                }
            }
        }
        if open { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    all.into_iter().map(|(_, done)| done.unwrap()).collect()
}

#[tokio::test]
async fn a_quota_holds_when_many_come_at_once() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let world = World::new(&api, &admin, "acme").await;
    let bounds = json!({"max_dids": 3, "max_ring_groups": 2, "max_extensions": 4});
    api.put(&format!("/tenants/{}", world.tenant), &admin, bounds).await.is(200);
    for (name, most) in [("dids", 3), ("ring-groups", 2), ("extensions", 4)] {
        let all = path(world.tenant, name);
        let makers = (0..10).map(|n| {
            let (api, admin, all, world) = (&api, &admin, &all, &world);
            let body = match name {
                "dids" => json!({"number": format!("+1555100{n}"), "destination_type": "extension",
                    "destination_id": world.extension}),
                "ring-groups" => json!({"name": format!("g{n}"), "members": [world.extension]}),
                _ => extension(&format!("20{n}")),
            };
            async move { api.post(all, admin, body).await }
        });
        let mut refused = 0;
        for made in futures(makers).await {
            if made.status.as_u16() == 422 {
                refused += 1;
                let body = made.json();
                let message = body["message"].as_str().unwrap();
                assert!(message.ends_with(&format!("quota exceeded. Maximum allowed: {most}")), "{message}");
                assert_eq!(body.get("errors"), None);
            } else {
                made.is(201);
            }
        }
        let total = api.get(&all, &admin).await.json()["meta"]["total"].clone();
        let there = i32::from(name == "extensions");
        assert_eq!((total, refused), (json!(most), 10 - most + there), "{name}");
    }
}

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let world = World::new(&api, &admin, "acme").await;
    let send = async |path: &str, key: &str, body: Value| {
        let request = api.client.post(api.url(path)).bearer_auth(&admin.token);
        answer(request.header("idempotency-key", key).json(&body)).await
    };
    let extensions = path(world.tenant, "extensions");
    let first = send(&extensions, "key-1", extension("3001")).await;
    let again = send(&extensions, "key-1", extension("3001")).await;
    assert_eq!((again.is(201).json(), again.header("idempotency-replayed")), (first.is(201).json(), "true"));
    send(&extensions, "key-1", extension("3002")).await.names(&["Idempotency-Key"]);
    send(&path(world.tenant, "queues"), "key-1", json!({"name": "q"})).await.names(&["Idempotency-Key"]);
    send(&extensions, &"x".repeat(256), extension("3002")).await.names(&["Idempotency-Key"]);
    // Another token of the same user learns nothing of it: it may be one that may not see the answer.
    let weak = api.token(admin.id, &["extensions.view"], None).await;
    let request = api.client.post(api.url(&extensions)).bearer_auth(&weak).header("idempotency-key", "key-1");
    answer(request.json(&extension("3001"))).await.names(&["Idempotency-Key"]);
    // What failed was not done, and may be sent again.
    send(&extensions, "key-2", json!({})).await.is(422);
    send(&extensions, "key-2", extension("3003")).await.is(201);
    // A secret that is shown once is shown to whoever sends the same request again, and is sealed in the database.
    let hook = json!({"url": "https://hooks.example.org/x", "events": ["call.hangup"]});
    let hooks = path(world.tenant, "webhooks");
    let made = send(&hooks, "key-3", hook.clone()).await.is(201).json();
    assert_eq!(send(&hooks, "key-3", hook).await.json(), made);
    let both = futures((0..8).map(|_| send(&extensions, "key-4", extension("3004")))).await;
    assert!(both.iter().all(|made| [201, 409].contains(&made.status.as_u16())), "{both:?}");
    assert!(both.iter().any(|made| made.status.as_u16() == 201));
    let total =
        api.get(&format!("{extensions}?extension=3004"), &admin).await.json()["meta"]["total"].clone();
    assert_eq!(total, 1);
    // The key of one user is not that of another.
    let other = api.person(Role::User, Some(world.tenant)).await;
    let again_as_other = async || {
        let request = api.client.post(api.url(&extensions)).bearer_auth(&other.token);
        answer(request.header("idempotency-key", "key-1").json(&extension("3005"))).await
    };
    again_as_other().await.is(201);
    // Whoever may not do it any more is not told again what came of it, which holds a password.
    assert_eq!(again_as_other().await.is(201).header("idempotency-replayed"), "true");
    let grants = format!("/users/{}/permissions", other.id);
    let only = |permission: &str| json!({"permissions": [permission]});
    api.post(&format!("{grants}/grant"), &admin, only("queues.view")).await.is(200);
    let refused = again_as_other().await;
    assert_eq!(refused.is(403).header("idempotency-replayed"), "");
    assert!(!refused.text.contains("3005"), "{refused:?}");
    api.post(&format!("{grants}/grant"), &admin, only("extensions.create")).await.is(200);
    assert_eq!(again_as_other().await.is(201).header("idempotency-replayed"), "true");
    // Neither is somebody whose tenant has come to an end.
    let closed = json!({"status": "terminated"});
    api.put(&format!("/tenants/{}", world.tenant), &admin, closed).await.is(200);
    again_as_other().await.is(403);
}

#[tokio::test]
async fn many_extensions_in_one_request() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let world = World::new(&api, &admin, "acme").await;
    let bulk = path(world.tenant, "extensions/bulk");
    let many: Vec<Value> = (0..2500).map(|n| extension(&format!("{}", 20_000 + n))).collect();
    let made = api.post(&bulk, &admin, json!({"extensions": many})).await;
    assert_eq!(made.is(201).json()["data"].as_array().unwrap().len(), 2500);
    let before = api.get(&path(world.tenant, "extensions"), &admin).await.json()["meta"]["total"].clone();
    let mut bad = vec![extension("1"), extension("20001"), extension("2"), extension("2")];
    bad.push(json!({"extension": "x y"}));
    let refused = api.post(&bulk, &admin, json!({"extensions": bad})).await;
    assert!(refused.is(422).json()["errors"].get("extensions.4.password").is_some());
    bad.pop();
    api.post(&bulk, &admin, json!({"extensions": bad})).await.names(&["extensions.3.extension"]);
    bad.pop();
    api.post(&bulk, &admin, json!({"extensions": bad})).await.names(&["extensions.1.extension"]);
    api.post(&bulk, &admin, json!({"extensions": "x"})).await.names(&["extensions"]);
    api.post(&bulk, &admin, json!({"extensions": []})).await.names(&["extensions"]);
    assert_eq!(api.get(&path(world.tenant, "extensions"), &admin).await.json()["meta"]["total"], before);
}

#[tokio::test]
async fn files_in_and_out() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let (one, two) = (World::new(&api, &admin, "one").await, World::new(&api, &admin, "two").await);
    let send = async |path: &str, kind: &'static str, file: String| {
        let request = api.client.post(api.url(path)).bearer_auth(&admin.token);
        answer(request.header("content-type", kind).body(file)).await
    };
    let file = "extension,password,directory_first_name,directory_last_name,voicemail_enabled,voicemail_pin,mood\n\
                2001,secret-2001,Ann,\"O'Brien, Jr.\",1,4711,good\n2002,secret-2002,Bob,=1+1,0,,\n";
    let made = send(&path(one.tenant, "extensions/import"), "text/csv", file.to_owned()).await;
    assert_eq!(made.is(201).json()["data"][1]["extension"], "2002");
    assert_eq!(made.header("x-nizam-ignored-fields"), "mood");
    let exported = api.get(&path(one.tenant, "extensions/export"), &admin).await;
    assert_eq!(exported.is(200).header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(exported.header("content-disposition"), "attachment; filename=\"extensions.csv\"");
    assert!(exported.text.contains("2002,secret-2002,Bob,'=1+1,"), "{}", exported.text);
    assert_eq!(exported.text.lines().count(), 4);
    // What was written is read: only the number that is there already is refused.
    let rest: Vec<&str> = exported.text.lines().filter(|line| !line.starts_with("1001,")).collect();
    send(&path(two.tenant, "extensions/import"), "text/csv; charset=utf-8", rest.join("\r\n")).await.is(201);
    let again = api.get(&path(two.tenant, "extensions/export"), &admin).await.text;
    let same =
        |text: &str| text.lines().filter(|line| line.starts_with('2')).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(same(&again), same(&exported.text));

    send(&path(one.tenant, "extensions/import"), "application/json", "{}".into()).await.is(415);
    send(&path(one.tenant, "extensions/import"), "text/csv", "extension\n1,2\n".into())
        .await
        .names(&["extensions"]);
    let wrong = send(&path(one.tenant, "extensions/import"), "text/csv", "extension\n7\n".into()).await;
    assert!(wrong.is(422).json()["errors"].get("extensions.0.password").is_some());

    let dids = format!("number,destination_type,destination_id\n+15551001001,extension,{}\n", one.extension);
    send(&path(one.tenant, "dids/import"), "text/csv", dids.clone()).await.is(201);
    let exported = api.get(&path(one.tenant, "dids/export"), &admin).await.text;
    assert!(exported.starts_with(
        "number,description,destination_type,destination_id,confirmed,is_active\n+15551001001,,extension,"
    ));
    send(&path(one.tenant, "dids/import"), "text/csv", dids).await.names(&["dids.0.number"]);
}
