//! A request for every operation, made from the table of operations: a path with ids that are there, and a good body.

use std::sync::atomic::{AtomicU64, Ordering};

use nizam_core::model::Role;
use nizam_core::resource::{RESOURCES, Resource};
use nizam_core::validate::NewPrompt;
use nizam_core::validate::Presence;
use nizam_store::Actor;
use nizamd::http::Route;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::resources::{World, id, path};
use crate::support::{Api, Person, extension};

/// What a request of an operation consists of.
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    None,
    Json(Value),
    Csv(String),
}

/// A number that no other call has.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The ids that a path may name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    pub(crate) tenant: Uuid,
    pub(crate) user: i64,
    pub(crate) token: i64,
    /// The row that the last part of the path names, and the one before it.
    pub(crate) child: Uuid,
    pub(crate) agent: Uuid,
}

/// The path of an operation with these ids in it.
pub(crate) fn fill(route: &Route, ids: &Ids) -> String {
    let part = |part: &str| match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        None => part.to_owned(),
        Some("tenant") => ids.tenant.to_string(),
        Some("user") => ids.user.to_string(),
        Some("token") => ids.token.to_string(),
        Some("agent") if route.path.contains("{queue}") => ids.agent.to_string(),
        Some(_) => ids.child.to_string(),
    };
    let path = route.path.split('/').map(part).collect::<Vec<_>>().join("/");
    // A stream ends when all is told that is there.
    if route.id.ends_with("events.stream") { path + "?since=0&timeout=0" } else { path }
}

/// The resource that an operation is about, where there is one.
pub(crate) fn resource(route: &Route) -> Option<&'static Resource> {
    RESOURCES.iter().copied().find(|resource| route.path.contains(&format!("/{}", resource.path)))
}

/// A good request for an operation in that world; the row that it is about is new.
pub(crate) async fn call(api: &Api, admin: &Person, world: &World, route: &Route, caller: i64) -> Call {
    let child = child(api, admin, world, route).await;
    let user = api.person(Role::User, None).await.id;
    let token = api.token(caller, &["*"], None).await;
    let token: i64 = token.split('|').next().unwrap().parse().unwrap();
    let ids = Ids { tenant: world.tenant, user, token, child, agent: Uuid::now_v7() };
    Call { path: fill(route, &ids), body: body(api, admin, world, route).await }
}

/// A new row for the path.
async fn child(api: &Api, admin: &Person, world: &World, route: &Route) -> Uuid {
    if route.path.contains("{extension}") {
        let body = extension(&format!("9{}", unique()));
        return id(&api.post(&path(world.tenant, "extensions"), admin, body).await.is(201).json());
    }
    if route.path.contains("{audit_log}") {
        let trail = api.get(&path(world.tenant, "audit-logs"), admin).await.is(200).json();
        return trail["data"][0]["id"].as_str().unwrap().parse().unwrap();
    }
    let found = RESOURCES.iter().copied().find(|r| route.path.contains(&format!("{{{}}}", r.parameter)));
    match found {
        None => Uuid::now_v7(),
        Some(resource) => make(api, admin, world, resource).await,
    }
}

/// Makes a row of a resource.
pub(crate) async fn make(api: &Api, admin: &Person, world: &World, resource: &Resource) -> Uuid {
    if resource.by_upload {
        return upload(api, world.tenant).await;
    }
    let body = fresh(api, admin, world, world.body(resource)).await;
    id(&api.post(&path(world.tenant, resource.path), admin, body).await.is(201).json())
}

/// Makes a prompt.
pub(crate) async fn upload(api: &Api, tenant: Uuid) -> Uuid {
    let new = NewPrompt {
        name: format!("prompt {}", unique()),
        file_name: Some("welcome.wav".to_owned()),
        duration_ms: 1500,
        content: b"RIFF".to_vec(),
    };
    api.store.create_prompt(&Actor::default(), tenant, new).await.unwrap().value.id
}

async fn body(api: &Api, admin: &Person, world: &World, route: &Route) -> Body {
    if route.text {
        let number = unique();
        return Body::Csv(if route.path.contains("dids") {
            format!("number,destination_type,destination_id\n+1777{number},extension,{}\n", world.extension)
        } else {
            format!(
                "extension,password,directory_first_name,directory_last_name\n8{number},secret-pass,A,B\n"
            )
        });
    }
    if route.form.is_empty() {
        return Body::None;
    }
    let body = match resource(route) {
        Some(resource)
            if matches!(route.id.rsplit('.').next(), Some("create" | "update"))
                && !(resource.by_upload && route.id.ends_with(".create")) =>
        {
            world.body(resource)
        }
        _ => {
            let required = route.form.iter().filter(|field| field.presence == Presence::Required);
            Value::Object(
                required.map(|f| (f.name.to_owned(), f.example().cloned().unwrap_or_default())).collect(),
            )
        }
    };
    let mut body = fresh(api, admin, world, body).await;
    let map = body.as_object_mut().unwrap();
    match &*route.id {
        id if id.starts_with("calls.") => {
            map.extend(["uuid", "other_uuid"].map(|name| (name.to_owned(), json!(Uuid::new_v4()))));
        }
        "broadcasting.auth" => {
            let channel = format!("private-tenant.{}.calls", world.tenant);
            map.insert("channel_name".into(), json!(channel));
        }
        "settings.update" => drop(map.insert("settings".into(), json!({"timezone": "UTC"}))),
        "auth.register" => drop(map.insert("password_confirmation".into(), map["password"].clone())),
        "queues.join" => {
            let agent = RESOURCES.iter().copied().find(|r| r.model == "Agent").unwrap();
            map.insert("agent_id".into(), json!(Box::pin(make(api, admin, world, agent)).await));
        }
        "extensions.bulk" => {
            map.insert("extensions".into(), json!([extension(&format!("7{}", unique()))]));
        }
        "auth.login" => {
            let email = format!("login-{}@example.org", unique());
            let user = json!({"name": "L", "email": email, "password": "secret-password"});
            api.post("/users", admin, user).await.is(201);
            *map = object(json!({"email": email, "password": "secret-password"}));
        }
        _ => {}
    }
    Body::Json(body)
}

/// The body with values that no other row has.
async fn fresh(api: &Api, admin: &Person, world: &World, mut body: Value) -> Value {
    let map = body.as_object_mut().unwrap();
    let number = unique();
    for (name, value) in [
        ("name", format!("n{number}")),
        ("number", format!("+1888{number}")),
        ("extension", format!("6{number}")),
        ("email", format!("e{number}@example.org")),
        ("domain", format!("d{number}.example")),
        ("slug", format!("s{number}")),
    ] {
        if map.contains_key(name) {
            map.insert(name.to_owned(), json!(value));
        }
    }
    if map.contains_key("extension_id") {
        let body = extension(&format!("5{number}"));
        let made = api.post(&path(world.tenant, "extensions"), admin, body).await.is(201).json();
        map.insert("extension_id".to_owned(), json!(id(&made)));
    }
    body
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => panic!("no map"),
    }
}
