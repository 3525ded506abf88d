//! No tenant sees another: random requests of one tenant, with ids of another one wherever an id can stand.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nizam_core::model::Role;
use nizam_core::resource::RESOURCES;
use nizam_store::{Delivered, Origin};
use nizam_wire::record::DestinationKind;
use nizamd::http::{Gate, Route, routes};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::call_records::{call_of, told};
use crate::operations::{Ids, fill, make, resource, unique};
use crate::redispatch::{YES, receiver};
use crate::resources::{World, path};
use crate::support::{Answer, Api, Person, answer, extension};

/// A word in every row of the other tenant, and in no row of ours.
const MARK: &str = "marigold";

/// Requests, unless `NIZAM_ISOLATION_REQUESTS` says otherwise.
const REQUESTS: usize = 100_000;

/// Everything that has an id in a tenant.
struct Owned {
    tenant: Uuid,
    user: i64,
    token: i64,
    /// Ids, by the parameter of the path; `attempt` and `event` those that a webhook may be told of again, `call` those of channels.
    rows: Vec<(String, Uuid)>,
}

impl Owned {
    fn of(&self, parameter: &str) -> Vec<Uuid> {
        self.rows.iter().filter(|(name, _)| name == parameter).map(|(_, id)| *id).collect()
    }

    fn row(&self, random: &mut Random, parameter: &str) -> Uuid {
        let fitting = self.of(parameter);
        assert!(!fitting.is_empty(), "no {parameter} to ask for");
        // Mostly of the right kind; now and then of another. A number may lead to what is not there, and is shown with it: not to a call, whose
        // id must be nowhere.
        let other = &self.rows[random.below(self.rows.len())];
        if random.below(10) == 0 && other.0 != "call" {
            other.1
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
    // The calls come before the webhooks: nothing is to be delivered when the tenant is looked at.
    rows.extend(call(api, admin, &world, name).await);
    for resource in RESOURCES {
        for _ in 0..2 {
            let id = make(api, admin, &world, resource).await;
            rows.push((resource.parameter.to_owned(), id));
            let one = format!("{}/{id}", path(world.tenant, resource.path));
            let mut body = api.get(&one, admin).await.is(200).json()["data"].clone();
            if body.get("name").is_some() {
                body["name"] = json!(format!("{name} {MARK} {}", unique()));
                api.put(&one, admin, body).await.is(200);
            }
        }
    }
    let mut owned = Owned { tenant: world.tenant, user: user.id, token, rows };
    let more = around(api, admin, &owned).await;
    owned.rows.extend(more);
    owned
}

/// A call that has ended and one that is there now, as a switch told them.
async fn call(api: &Api, admin: &Person, world: &World, name: &str) -> Vec<(String, Uuid)> {
    let domain = format!("{name}.example");
    let channels = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()];
    let [a, b, live] = channels.map(|channel| channel.to_string());
    let mut events = call_of([&a, &b], &domain, None);
    let created = told("CHANNEL_CREATE", "", 9, &[("Unique-ID", &live), ("Caller-Context", &domain)]);
    events.push((events.len() as u64 + 1, created));
    told_by(api, name, &events).await;
    let mut rows: Vec<(String, Uuid)> = channels.map(|id| ("call".to_owned(), id)).into();
    for (list, parameter) in [("cdrs?legs=1", "cdr"), ("call-events?", "call_event")] {
        let listed =
            api.get(&path(world.tenant, &format!("{list}&per_page=100")), admin).await.is(200).json();
        rows.extend(ids(&listed).into_iter().map(|id| (parameter.to_owned(), id)));
    }
    assert!(api.store.channel_switch(world.tenant, channels[2]).await.unwrap().is_some(), "a call is there");
    rows
}

async fn told_by(api: &Api, switch: &str, events: &[(u64, Delivered)]) {
    let origin = Origin { switch, core_uuid: "c", incarnation: [1; 16] };
    api.store.ingest(origin, events, 0).await.unwrap();
}

fn ids(listed: &Value) -> Vec<Uuid> {
    listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap().parse().unwrap())
        .collect()
}

/// What belongs to rows of a tenant: members of queues and their figures, attempts of webhooks, grants; and what else has an id.
async fn around(api: &Api, admin: &Person, owned: &Owned) -> Vec<(String, Uuid)> {
    let mut rows = Vec::new();
    for (queue, agent) in owned.of("queue").into_iter().zip(owned.of("agent")) {
        let queue = path(owned.tenant, &format!("queues/{queue}"));
        api.post(&format!("{queue}/members"), admin, json!({"agent_id": agent})).await.is(201);
        api.post(&format!("{queue}/metrics/aggregate"), admin, json!({"period": "daily"})).await.is(200);
    }
    let (port, _) = receiver(YES).await;
    for webhook in owned.of("webhook") {
        let webhook = path(owned.tenant, &format!("webhooks/{webhook}"));
        api.put(&webhook, admin, json!({"url": format!("http://127.0.0.1:{port}/")})).await.is(200);
        api.post(&format!("{webhook}/test"), admin, json!([])).await.is(200);
        let attempts = api.get(&format!("{webhook}/delivery-attempts"), admin).await.is(200).json();
        rows.extend(ids(&attempts).into_iter().map(|id| ("attempt".to_owned(), id)));
    }
    let grant = json!({"permissions": ["cdrs.view"]});
    api.post(&format!("/users/{}/permissions/grant", owned.user), admin, grant).await.is(200);
    let trail = api.get(&path(owned.tenant, "audit-logs?per_page=100"), admin).await.is(200).json();
    rows.extend(ids(&trail).into_iter().map(|id| ("audit_log".to_owned(), id)));
    let events = api.get(&path(owned.tenant, "events/stream?since=0&timeout=0"), admin).await;
    for data in events.text.lines().filter_map(|line| line.strip_prefix("data:")) {
        let event: Value = serde_json::from_str(data).unwrap();
        rows.extend(event["id"].as_str().map(|id| ("event".to_owned(), id.parse().unwrap())));
    }
    rows
}

/// All that there is of a tenant, as an admin sees it, or as it is in the database.
async fn everything(api: &Api, admin: &Person, owned: &Owned) -> Vec<(String, Value)> {
    let mut paths: Vec<String> = RESOURCES.iter().map(|r| r.path).map(str::to_owned).collect();
    paths.extend(["extensions", "audit-logs", "call-events"].map(str::to_owned));
    paths.extend(["registrations", "gateways/status", "settings", "usage/summary"].map(str::to_owned));
    paths.push("cdrs?legs=1".to_owned());
    for queue in owned.of("queue") {
        paths.extend(["members", "metrics/history"].map(|part| format!("queues/{queue}/{part}")));
    }
    for webhook in owned.of("webhook") {
        paths.extend(["attempts", "stats"].map(|part| format!("webhooks/{webhook}/delivery-{part}")));
    }
    let mut paths: Vec<String> = paths.iter().map(|rest| path(owned.tenant, rest)).collect();
    paths.push(format!("/tenants/{}", owned.tenant));
    paths.extend(["", "/permissions"].map(|rest| format!("/users/{}{rest}", owned.user)));
    let mut all = Vec::new();
    for path in paths {
        let and = if path.contains('?') { '&' } else { '?' };
        let shown = api.get(&format!("{path}{and}per_page=100"), admin).await.is(200).json();
        let total = shown["meta"]["total"].as_u64().or(shown["total"].as_u64()).unwrap_or_default();
        assert!(total <= 100, "{path}: not all of it is on one page");
        all.push((path, shown));
    }
    // These show in no operation that does not change them.
    let tokens = api.store.tokens(owned.user).await.unwrap();
    all.push(("tokens".to_owned(), json!(format!("{tokens:?}"))));
    all.push(("channels".to_owned(), json!(api.store.channels(owned.tenant).await.unwrap())));
    all
}

/// The parameter by which a row of that kind of destination is found.
fn table(kind: &str) -> &str {
    if kind == "voicemail" { "extension" } else { kind }
}

/// Whose id a field of a form is, by its name; none where it is none, or one of a destination.
fn whose(field: &str, random: &mut Random) -> Option<&'static str> {
    Some(match field {
        "extension_id" => "extension",
        "agent_id" => "agent",
        "tenant_id" => "tenant",
        "event_id" => ["call_event", "attempt", "event"][random.below(3)],
        "uuid" | "call_uuid" | "other_uuid" => "call",
        _ => return None,
    })
}

/// A body with ids of the other tenant wherever an id can stand. `stranger` makes them.
fn body(
    route: &Route,
    random: &mut Random,
    mut stranger: impl FnMut(&mut Random, &str) -> Uuid,
) -> Option<Value> {
    if route.text {
        return Some(file(route, random, stranger));
    }
    if route.form.is_empty() {
        return None;
    }
    let mut map = serde_json::Map::new();
    for field in &route.form {
        if let Some(example) = field.example() {
            map.insert(field.name.to_owned(), example.clone());
        }
    }
    let fields: Vec<String> = map.keys().cloned().collect();
    for name in fields {
        if let Some(side) = name.strip_suffix("_type").filter(|side| side.ends_with("destination")) {
            let kind = DestinationKind::ALL[random.below(DestinationKind::ALL.len())].name();
            map.insert(format!("{side}_id"), json!(stranger(random, table(kind))));
            map.insert(name, json!(kind));
        }
    }
    for field in &route.form {
        if let Some(parameter) = whose(field.name, random) {
            map.insert(field.name.to_owned(), json!(stranger(random, parameter)));
        }
        let id = json!("uuid") == field.schema["format"];
        assert!(
            !id || whose(field.name, random).is_some() || field.name.ends_with("destination_id"),
            "{}: whose id is {}?",
            route.id,
            field.name
        );
    }
    match resource(route).map(|resource| resource.model) {
        Some("RingGroup") => drop(map.insert("members".into(), json!([stranger(random, "extension")]))),
        Some("OutboundRoute") => drop(map.insert("gateways".into(), json!([stranger(random, "gateway")]))),
        Some("Ivr") => {
            let kind = DestinationKind::ALL[random.below(DestinationKind::ALL.len())].name();
            let option = json!({"digit": "1", "destination_type": kind, "destination_id": stranger(random, table(kind))});
            map.insert("options".into(), json!([option]));
        }
        Some("TimeCondition") => {
            map.insert("conditions".into(), json!([{"holiday_id": stranger(random, "holiday")}]));
        }
        Some("CallFlow") => {
            let kind = DestinationKind::ALL[random.below(DestinationKind::ALL.len())].name();
            let data = json!({"destination_type": kind, "destination_id": stranger(random, table(kind))});
            map.insert("nodes".into(), json!([{"id": "a", "type": "bridge", "data": data}]));
        }
        _ => {}
    }
    match &*route.id {
        "broadcasting.auth" => {
            let rest = ["events", "calls", "contact-center"][random.below(3)];
            let name = format!("private-tenant.{}.{rest}", stranger(random, "tenant"));
            map.insert("channel_name".into(), json!(name));
        }
        "extensions.bulk" => {
            let mut one = extension("1");
            one["id"] = json!(stranger(random, "extension"));
            one["tenant_id"] = json!(stranger(random, "tenant"));
            map.insert("extensions".into(), json!([one]));
        }
        "routes.explain" => drop(map.insert("context".into(), json!("theirs.example"))),
        _ => {}
    }
    let mut body = Value::Object(map);
    renew(&mut body);
    Some(body)
}

/// A file of one row; `NUMBER` in it becomes another number each time that it is sent.
fn file(route: &Route, random: &mut Random, mut stranger: impl FnMut(&mut Random, &str) -> Uuid) -> Value {
    if route.path.contains("/dids/") {
        let kind = DestinationKind::ALL[random.below(DestinationKind::ALL.len())].name();
        let id = stranger(random, table(kind));
        return json!(format!("number,destination_type,destination_id\n+1777NUMBER,{kind},{id}\n"));
    }
    let (id, tenant) = (stranger(random, "extension"), stranger(random, "tenant"));
    json!(format!(
        "id,tenant_id,extension,password,directory_first_name,directory_last_name\n\
         {id},{tenant},8NUMBER,secret-pass,A,B\n"
    ))
}

/// Gives what must be different in each row a value that no row has.
fn renew(body: &mut Value) {
    let number = unique();
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
    if let Some(row) = body.get_mut("extensions").and_then(|rows| rows.get_mut(0)) {
        row["extension"] = json!(format!("7{number}"));
    }
}

async fn send(api: &Api, who: &Person, route: &Route, path: &str, body: Option<&Value>) -> Answer {
    let request = api.client.request(route.method.clone(), api.url(path)).bearer_auth(&who.token);
    answer(match body {
        Some(Value::String(file)) => {
            let file = file.replace("NUMBER", &unique().to_string());
            request.header("content-type", "text/csv").body(file)
        }
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

/// What an answer says, without the ids of the request.
fn message(answer: &Answer, ids: &[Uuid]) -> String {
    let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let warnings = body["warnings"].as_array().into_iter().flatten();
    let warnings: Vec<Value> = warnings.map(|w| json!([w["code"], w["path"]])).collect();
    let mut text = format!("{} {} {warnings:?}", body["message"], body["errors"]);
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
            // Signing out would end the worker's own token.
            let asked = |route: &Route| route.gate != Gate::Public && &*route.id != "auth.logout";
            let routes: Vec<Route> = routes().into_iter().filter(asked).collect();
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
    for (now, before) in everything(&api, &admin, &theirs).await.iter().zip(&before) {
        assert_eq!(now, before, "the other tenant is as it was");
    }
    println!(
        "isolation: {requests} requests, {} of them compared with ids of nothing: nothing of the other tenant seen, \
         changed or confirmed",
        compared.load(Ordering::Relaxed)
    );
}

/// The parameter of the row that a path is about, if it is about one.
fn parameter(route: &Route) -> Option<&str> {
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.into_iter().find(|name| !matches!(*name, "tenant" | "user" | "token"))
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
    let foreign_tenant = route.path.contains("{tenant}") && random.below(3) == 0;
    let mut strangers = Vec::new();
    let request_body = body(route, random, |random, parameter| {
        let id = if parameter == "tenant" { theirs.tenant } else { theirs.row(random, parameter) };
        strangers.push(id);
        id
    });
    let agent = theirs.row(random, "agent");
    // With a foreign tenant the rest may be ours: neither opens the other. And what is ours may be led to what is theirs.
    let led = !strangers.is_empty() || &*route.id == "queues.leave";
    let of_ours = (foreign_tenant || led) && random.below(2) == 0;
    let parameter = parameter(route);
    let foreign_child = parameter.is_some() && !of_ours;
    let child = match parameter {
        Some(parameter) if of_ours => {
            let fitting = ours.of(parameter);
            fitting[random.below(fitting.len())]
        }
        Some(parameter) => theirs.row(random, parameter),
        None => Uuid::nil(),
    };
    let tenant = if foreign_tenant { theirs.tenant } else { ours.tenant };
    let ids = Ids { tenant, user: theirs.user, token: theirs.token, child, agent };
    let mut address = fill(route, &ids);
    // All that ever happened is read now and then: it is more each time.
    if random.below(20) != 0 {
        address = address.replace("since=0&", "");
    }
    let asked_for = route.method == reqwest::Method::GET && random.below(4) == 0;
    if asked_for {
        let _infallible = write!(
            address,
            "{3}destination_id={0}&extension_id={0}&tenant_id={1}&user_id={2}&uuid={4}&call_uuid={4}",
            theirs.row(random, "extension"),
            theirs.tenant,
            theirs.user,
            if address.contains('?') { '&' } else { '?' },
            theirs.row(random, "call"),
        );
    }
    let got = send(api, member, route, &address, request_body.as_ref()).await;
    let status = got.status.as_u16();
    let what = || format!("{} {address} {request_body:?}: {got:?}", route.id);
    // No switch is connected that could be asked.
    let unasked = status == 503 && &*route.id == "calls.status";
    assert!(status < 500 || unasked, "{}", what());
    assert!(!got.text.contains("theirs"), "{}", what());
    let request = format!("{address} {request_body:?}");
    for id in theirs.of("call").iter().chain([&theirs.tenant]).map(Uuid::to_string) {
        assert!(!got.text.contains(&id) || request.contains(&id), "{id} {}", what());
    }
    if foreign_tenant {
        assert_eq!(status, 403, "{}", what());
        return;
    }
    if asked_for && matches!(&*route.id, "cdrs.list" | "call-events.list") {
        assert_eq!(got.json()["data"], json!([]), "{}", what());
    }
    if let Some(wanted) = wanted(route, foreign_child) {
        assert!(wanted.contains(&status), "{wanted:?}: {}", what());
    }
    tidy(api, member, route, ours, &got).await;
    if random.below(10) != 0 {
        return;
    }
    // The same with ids of nothing is answered in the same words.
    let unknown_child = if foreign_child { random.uuid() } else { child };
    let unknown = Ids { tenant, user: i64::MAX, token: i64::MAX, child: unknown_child, agent: random.uuid() };
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
    tidy(api, member, route, ours, &same).await;
    assert_eq!(got.status, same.status, "{} {same:?}", what());
    if foreign_child || !strangers.is_empty() {
        let known: Vec<Uuid> = strangers.iter().copied().chain([child, agent]).collect();
        let other: Vec<Uuid> = nothing.iter().copied().chain([unknown.child, unknown.agent]).collect();
        assert_eq!(message(&got, &known), message(&same, &other), "{}", what());
    }
}

/// Deletes the numbers that a request has made: with thousands of them every list, and so the test, would take ever longer.
async fn tidy(api: &Api, member: &Person, route: &Route, ours: &Owned, made: &Answer) {
    let kind = ["dids", "extensions"].into_iter().find(|kind| route.path.contains(&format!("/{kind}")));
    let Some(kind) = kind.filter(|_| made.status == 201) else { return };
    let data = &made.json()["data"];
    for row in data.as_array().map_or(std::slice::from_ref(data), Vec::as_slice) {
        let one = format!("{kind}/{}", row["id"].as_str().unwrap());
        api.delete(&path(ours.tenant, &one), member).await.is(204);
    }
}

/// The answers that a request in the own tenant with ids of another one may get, where it may not get every one.
fn wanted(route: &Route, foreign_child: bool) -> Option<&'static [u16]> {
    if foreign_child || route.path.contains("{user}") || route.path.contains("{token}") {
        return Some(&[403, 404]);
    }
    let id = &*route.id;
    match id {
        "webhooks.redeliver" | "routes.explain" => return Some(&[422]),
        "queues.join" => return Some(&[404]),
        "broadcasting.auth" => return Some(&[403]),
        // The channel of another tenant is none. Making a call names none.
        _ if id.starts_with("calls.") && !matches!(id, "calls.originate" | "calls.status") => {
            return Some(&[404]);
        }
        _ => {}
    }
    // A row that may lead to what is made later says that it leads to nothing.
    let written = id.ends_with(".create") || id.ends_with(".update");
    let refers =
        ["RingGroup", "Ivr", "TimeCondition", "CallFlow", "OutboundRoute", "CallRoutingPolicy", "Agent"];
    resource(route).filter(|resource| written && refers.contains(&resource.model)).map(|_| &[422][..])
}
