//! No tenant sees another: random requests of one tenant, with ids of another one wherever an id can stand.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nizam_core::model::Role;
use nizam_core::resource::RESOURCES;
use nizamd::http::{Gate, Route, routes};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::operations::{Ids, fill, make, resource};
use crate::resources::{World, path};
use crate::support::{Answer, Api, Person, answer};

/// A word in every row of the other tenant, and in no row of ours.
const MARK: &str = "marigold";

/// Requests, unless `NIZAM_ISOLATION_REQUESTS` says otherwise.
const REQUESTS: usize = 100_000;

/// Everything that has an id in a tenant.
struct Owned {
    tenant: Uuid,
    user: i64,
    token: i64,
    /// Ids, by the parameter of the path; `extension`, `audit_log`, those of the resources.
    rows: Vec<(String, Uuid)>,
}

impl Owned {
    fn row(&self, random: &mut Random, parameter: &str) -> Uuid {
        // Mostly of the right kind; now and then of another.
        let fitting: Vec<Uuid> =
            self.rows.iter().filter(|(name, _)| name == parameter).map(|(_, id)| *id).collect();
        if fitting.is_empty() || random.below(10) == 0 {
            self.rows[random.below(self.rows.len())].1
        } else {
            fitting[random.below(fitting.len())]
        }
    }
}

/// xorshift64*: the same requests for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % most
    }

    fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(
            ((u128::from(self.next()) << 64) | u128::from(self.next())).to_be_bytes(),
        )
        .into_uuid()
    }
}

async fn populate(api: &Api, admin: &Person, name: &str) -> Owned {
    let world = World::new(api, admin, name).await;
    let user = api.person(Role::User, Some(world.tenant)).await;
    let token = user.token.split('|').next().unwrap().parse().unwrap();
    let mut rows = vec![("extension".to_owned(), world.extension)];
    for resource in RESOURCES {
        for _ in 0..2 {
            let id = make(api, admin, &world, resource).await;
            rows.push((resource.parameter.to_owned(), id));
            let one = format!("{}/{id}", path(world.tenant, resource.path));
            let mut body = api.get(&one, admin).await.is(200).json()["data"].clone();
            if body.get("name").is_some() {
                body["name"] = json!(format!("{name} {MARK} {}", crate::operations::unique()));
                api.put(&one, admin, body).await.is(200);
            }
        }
    }
    let trail = api.get(&path(world.tenant, "audit-logs"), admin).await.is(200).json();
    for entry in trail["data"].as_array().unwrap() {
        rows.push(("audit_log".to_owned(), entry["id"].as_str().unwrap().parse().unwrap()));
    }
    Owned { tenant: world.tenant, user: user.id, token, rows }
}

/// All that there is of a tenant, as an admin sees it.
async fn everything(api: &Api, admin: &Person, owned: &Owned) -> Vec<Value> {
    let mut all = Vec::new();
    for name in RESOURCES.iter().map(|r| r.path).chain(["extensions", "audit-logs"]) {
        all.push(api.get(&path(owned.tenant, &format!("{name}?per_page=100")), admin).await.is(200).json());
    }
    all.push(api.get(&format!("/tenants/{}", owned.tenant), admin).await.is(200).json());
    all.push(api.get(&format!("/users/{}", owned.user), admin).await.is(200).json());
    all
}

/// A body with ids of the other tenant wherever an id can stand. `stranger` makes them.
fn body(
    route: &Route,
    random: &mut Random,
    mut stranger: impl FnMut(&mut Random, &str) -> Uuid,
) -> Option<Value> {
    if route.form.is_empty() {
        return None;
    }
    let mut map = serde_json::Map::new();
    for field in &route.form {
        if let Some(example) = field.example() {
            map.insert(field.name.to_owned(), example.clone());
        }
    }
    let kinds = ["extension", "ring_group", "ivr", "time_condition", "voicemail", "call_flow", "queue"];
    let fields: Vec<String> = map.keys().cloned().collect();
    for name in fields {
        if let Some(side) = name.strip_suffix("_type").filter(|side| side.ends_with("destination")) {
            let kind = kinds[random.below(kinds.len())];
            let table = if kind == "voicemail" { "extension" } else { kind };
            let id = stranger(random, table);
            map.insert(name.clone(), json!(kind));
            map.insert(format!("{side}_id"), json!(id));
        }
    }
    for (name, parameter) in
        [("extension_id", "extension"), ("agent_id", "agent"), ("tenant_id", "extension")]
    {
        if route.form.iter().any(|field| field.name == name) {
            map.insert(name.to_owned(), json!(stranger(random, parameter)));
        }
    }
    match resource(route).map(|resource| resource.model) {
        Some("RingGroup") => drop(map.insert("members".into(), json!([stranger(random, "extension")]))),
        Some("OutboundRoute") => drop(map.insert("gateways".into(), json!([stranger(random, "gateway")]))),
        Some("Ivr") => {
            let option = json!({"digit": "1", "destination_type": "extension", "destination_id": stranger(random, "extension")});
            map.insert("options".into(), json!([option]));
        }
        Some("TimeCondition") => {
            map.insert("conditions".into(), json!([{"holiday_id": stranger(random, "holiday")}]));
        }
        Some("CallFlow") => {
            let data = json!({"destination_type": "queue", "destination_id": stranger(random, "queue")});
            map.insert("nodes".into(), json!([{"id": "a", "type": "bridge", "data": data}]));
        }
        _ => {}
    }
    let mut body = Value::Object(map);
    renew(&mut body);
    Some(body)
}

/// Gives what must be different in each row a value that no row has.
fn renew(body: &mut Value) {
    let number = crate::operations::unique();
    for (name, value) in [
        ("name", format!("x{number}")),
        ("number", format!("+1999{number}")),
        ("email", format!("x{number}@example.org")),
        ("extension", format!("x{number}")),
    ] {
        if body.get(name).is_some_and(Value::is_string) {
            body[name] = json!(value);
        }
    }
}

async fn send(api: &Api, who: &Person, route: &Route, path: &str, body: Option<&Value>) -> Answer {
    let request = api.client.request(route.method.clone(), api.url(path)).bearer_auth(&who.token);
    answer(match body {
        Some(body) => request.json(body),
        None if route.text => request.header("content-type", "text/csv").body("extension\n"),
        None => request,
    })
    .await
}

/// What an answer says, without the ids of the request.
fn message(answer: &Answer, ids: &[Uuid]) -> String {
    let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let mut text = format!("{} {}", body["message"], body["errors"]);
    for id in ids {
        text = text.replace(&id.to_string(), "ID");
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_another_tenant_is_seen_changed_or_confirmed() {
    let api = Arc::new(Api::new().await);
    let admin = api.admin().await;
    let ours = Arc::new(populate(&api, &admin, "ours").await);
    let theirs = Arc::new(populate(&api, &admin, "theirs").await);
    let before = everything(&api, &admin, &theirs).await;
    let requests = std::env::var("NIZAM_ISOLATION_REQUESTS").map_or(REQUESTS, |text| text.parse().unwrap());
    let sent = Arc::new(AtomicUsize::new(0));
    let compared = Arc::new(AtomicUsize::new(0));
    let workers = (0..8_u64).map(|n| {
        let (api, ours, theirs) = (api.clone(), ours.clone(), theirs.clone());
        let (sent, compared) = (sent.clone(), compared.clone());
        tokio::spawn(async move {
            let routes: Vec<Route> =
                routes().into_iter().filter(|route| route.gate != Gate::Public).collect();
            let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (n + 1));
            let member = api.person(Role::User, Some(ours.tenant)).await;
            while sent.fetch_add(1, Ordering::Relaxed) < requests {
                one(&api, &member, &ours, &theirs, &routes, &mut random, &compared).await;
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    assert_eq!(everything(&api, &admin, &theirs).await, before, "the other tenant is as it was");
    println!(
        "isolation: {requests} requests, {} of them compared with ids of nothing: nothing of the other tenant seen, \
         changed or confirmed",
        compared.load(Ordering::Relaxed)
    );
}

async fn one(
    api: &Api,
    member: &Person,
    ours: &Owned,
    theirs: &Owned,
    routes: &[Route],
    random: &mut Random,
    compared: &AtomicUsize,
) {
    let route = &routes[random.below(routes.len())];
    // Signing out would end the worker's own token.
    if route.gate == Gate::SignedIn {
        return;
    }
    let parameter = route.path.rsplit('{').next().and_then(|rest| rest.split('}').next()).unwrap_or_default();
    let foreign_tenant = route.path.contains("{tenant}") && random.below(3) == 0;
    let has_child = RESOURCES.iter().any(|r| route.path.contains(&format!("{{{}}}", r.parameter)))
        || route.path.contains("{extension}")
        || route.path.contains("{audit_log}");
    let kind = if route.path.contains("{queue}") { "queue" } else { parameter };
    // With a foreign tenant the rest may be ours: neither opens the other.
    let child_of_theirs = !foreign_tenant || random.below(2) == 0;
    let child = if child_of_theirs { theirs.row(random, kind) } else { ours.row(random, kind) };
    let foreign_child = has_child && child_of_theirs;
    let agent = theirs.row(random, "agent");
    let tenant = if foreign_tenant { theirs.tenant } else { ours.tenant };
    let ids = Ids { tenant, user: theirs.user, token: theirs.token, child, agent };
    let mut strangers = Vec::new();
    let request_body = body(route, random, |random, parameter| {
        let id = theirs.row(random, parameter);
        strangers.push(id);
        id
    });
    let mut address = fill(route, &ids);
    // All that ever happened is read now and then: it is more each time.
    if random.below(20) != 0 {
        address = address.replace("since=0&", "");
    }
    if route.method == reqwest::Method::GET && random.below(4) == 0 {
        let _infallible = write!(
            address,
            "{3}destination_id={0}&extension_id={0}&tenant_id={1}&user_id={2}",
            strangers.first().copied().unwrap_or(child),
            theirs.tenant,
            theirs.user,
            if address.contains('?') { '&' } else { '?' }
        );
    }
    let got = send(api, member, route, &address, request_body.as_ref()).await;
    let status = got.status.as_u16();
    let what = || format!("{} {address} {request_body:?}: {got:?}", route.id);
    // No switch is connected that could be asked.
    let unasked = status == 503 && &*route.id == "calls.status";
    assert!(status < 500 || unasked, "{}", what());
    assert!(!got.text.contains("theirs"), "{}", what());
    if foreign_tenant {
        assert_eq!(status, 403, "{}", what());
        return;
    }
    if foreign_child {
        assert!(matches!(status, 404 | 403), "{}", what());
    }
    if random.below(10) != 0 {
        return;
    }
    // The same with ids of nothing is answered in the same words.
    let unknown = Ids { tenant, user: i64::MAX, token: i64::MAX, child: random.uuid(), agent: random.uuid() };
    let nothing: Vec<Uuid> = strangers.iter().map(|_| random.uuid()).collect();
    let mut text = request_body.as_ref().map(Value::to_string).unwrap_or_default();
    for (id, other) in strangers.iter().zip(&nothing) {
        text = text.replace(&id.to_string(), &other.to_string());
    }
    let mut other_body: Option<Value> = request_body.as_ref().map(|_| serde_json::from_str(&text).unwrap());
    if let Some(body) = &mut other_body {
        renew(body);
    }
    let same = send(api, member, route, &fill(route, &unknown), other_body.as_ref()).await;
    compared.fetch_add(1, Ordering::Relaxed);
    if !(200..300).contains(&status) {
        let known: Vec<Uuid> = strangers.iter().copied().chain([child, agent]).collect();
        let other: Vec<Uuid> = nothing.iter().copied().chain([unknown.child, unknown.agent]).collect();
        assert_eq!(got.status, same.status, "{} {same:?}", what());
        if foreign_child || !strangers.is_empty() {
            assert_eq!(message(&got, &known), message(&same, &other), "{}", what());
        }
    }
}
