//! What routing needs to know: fields, settings, and what must be true between rows.

use nizam_core::model::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::operations::upload;
use crate::resources::{World, id, path};
use crate::support::{Answer, Api, Person, answer, extension};

async fn world(api: &Api, name: &str) -> (Person, World) {
    let admin = api.admin().await;
    let world = World::new(api, &admin, name).await;
    (admin, world)
}

#[track_caller]
fn taken(answer: &Answer, field: &str) {
    answer.names(&[field]);
    let want = format!("The {field} has already been taken for this tenant.");
    assert_eq!(answer.json()["message"], want);
}

#[tokio::test]
async fn what_an_extension_may_dial() {
    let api = Api::new().await;
    let (admin, world) = world(&api, "acme").await;
    let all = path(world.tenant, "extensions");
    let mut body = extension("2001");
    body["toll_allow"] = json!(["local", "premium", "local"]);
    body["max_channels"] = json!("2");
    body["ring_timeout"] = json!(25);
    let made = api.post(&all, &admin, body.clone()).await.is(201).json();
    assert_eq!(made["data"]["toll_allow"], json!(["local", "premium"]));
    assert_eq!((&made["data"]["max_channels"], &made["data"]["ring_timeout"]), (&json!(2), &json!(25)));
    let one = format!("{all}/{}", id(&made));
    let kept = api.put(&one, &admin, extension("2001")).await.is(200).json();
    assert_eq!(kept["data"]["toll_allow"], json!(["local", "premium"]), "what is left out stays");
    let mut change = extension("2001");
    change["toll_allow"] = Value::Null;
    change["ring_timeout"] = Value::Null;
    let changed = api.put(&one, &admin, change).await.is(200).json();
    assert_eq!(
        (&changed["data"]["toll_allow"], &changed["data"]["ring_timeout"]),
        (&Value::Null, &Value::Null)
    );
    let nothing = api.post(&all, &admin, extension("2002")).await.is(201).json();
    let data = &nothing["data"];
    assert_eq!(
        (&data["toll_allow"], &data["max_channels"], &data["ring_timeout"]),
        (&Value::Null, &json!(0), &Value::Null)
    );
    for (field, value, named) in [
        ("toll_allow", json!(["moon"]), "toll_allow.0"),
        ("toll_allow", json!(7), "toll_allow"),
        ("max_channels", json!(1001), "max_channels"),
        ("max_channels", json!(-1), "max_channels"),
        ("max_channels", json!(null), "max_channels"),
        ("ring_timeout", json!(4), "ring_timeout"),
        ("ring_timeout", json!("soon"), "ring_timeout"),
    ] {
        let mut body = extension("2003");
        body[field] = value;
        api.post(&all, &admin, body).await.names(&[named]);
    }
}

#[tokio::test]
async fn what_an_extension_may_dial_in_files() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let (one, two) = (World::new(&api, &admin, "one").await, World::new(&api, &admin, "two").await);
    let send = async |tenant: Uuid, file: String| {
        let request = api.client.post(api.url(&path(tenant, "extensions/import"))).bearer_auth(&admin.token);
        answer(request.header("content-type", "text/csv").body(file)).await
    };
    let file = "extension,password,directory_first_name,directory_last_name,toll_allow,max_channels,ring_timeout\n\
                3001,secret-3001,A,B,\"local, mobile\",3,20\n3002,secret-3002,A,B,[],,\n3003,secret-3003,A,B,,0,\n";
    let refused = send(one.tenant, file.to_owned()).await;
    refused.names(&["extensions.1.max_channels"]);
    send(one.tenant, file.replace("[],,", "[],0,")).await.is(201);
    let export = async |tenant: Uuid| {
        let text = api.get(&path(tenant, "extensions/export"), &admin).await.is(200).text.clone();
        text.lines().filter(|line| line.starts_with('3')).map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = export(one.tenant).await;
    assert!(lines[0].ends_with(",\"local,mobile\",3,20,1"), "{lines:?}");
    assert!(lines[1].ends_with(",[],0,,1") && lines[2].ends_with(",,0,,1"), "{lines:?}");
    let head = api.get(&path(one.tenant, "extensions/export"), &admin).await.text;
    let file = format!("{}\n{}\n", head.lines().next().unwrap(), lines.join("\n"));
    send(two.tenant, file).await.is(201);
    assert_eq!(export(two.tenant).await, lines, "what was written is read");
}

#[tokio::test]
async fn an_internal_number_is_one_things_only() {
    let api = Api::new().await;
    let (admin, world) = world(&api, "acme").await;
    let option = json!({"digit": "1", "destination_type": "extension", "destination_id": world.extension});
    let nodes = json!([{"id": "a", "type": "hangup", "data": {"cause": "USER_BUSY"}}]);
    let bodies = [
        ("ring-groups", json!({"name": "g", "members": [world.extension]})),
        ("ivrs", json!({"name": "i", "options": [option]})),
        ("call-flows", json!({"name": "f", "nodes": nodes})),
    ];
    let extensions = path(world.tenant, "extensions");
    for (i, (name, body)) in bodies.iter().enumerate() {
        let all = path(world.tenant, name);
        let with = |number: &str| {
            let mut body = body.clone();
            body["number"] = json!(number);
            body
        };
        let own = format!("6A{i}");
        let made = api.post(&all, &admin, with(&own)).await.is(201).json();
        assert_eq!(made["data"]["number"], own);
        let one = format!("{all}/{}", id(&made));
        // As an extension's, in any case, it is taken by all of them.
        taken(&api.post(&extensions, &admin, extension(&own.to_lowercase())).await, "extension");
        let bulk = json!({"extensions": [extension("4001"), extension(&own.to_lowercase())]});
        let refused = api.post(&format!("{extensions}/bulk"), &admin, bulk).await;
        refused.names(&["extensions.1.extension"]);
        for (other, body) in &bodies {
            let mut body = body.clone();
            body["number"] = json!(own.to_lowercase());
            taken(&api.post(&path(world.tenant, other), &admin, body).await, "number");
        }
        taken(&api.post(&all, &admin, with("1001")).await, "number");
        taken(&api.put(&one, &admin, with("1001")).await, "number");
        api.put(&one, &admin, with(&own.to_lowercase())).await.is(200);
        let mut change = extension(&own);
        change["password"] = json!("another-pass");
        let at = format!("{extensions}/{}", world.extension);
        taken(&api.put(&at, &admin, change).await, "extension");
        api.post(&all, &admin, with("6 0")).await.names(&["number"]);
        api.post(&all, &admin, with("nizam:ivr:x")).await.names(&["number"]);
        // Any number of rows have none, and a number that is free again can be taken.
        for _ in 0..2 {
            let bare = api.post(&all, &admin, body.clone()).await.is(201).json();
            assert_eq!(bare["data"]["number"], Value::Null);
        }
        api.put(&one, &admin, with("")).await.is(200);
        let made = api.post(&extensions, &admin, extension(&own)).await.is(201).json();
        api.delete(&format!("{extensions}/{}", id(&made)), &admin).await.is(204);
    }
    let elsewhere = World::new(&api, &admin, "other").await;
    let body = json!({"name": "g", "members": [elsewhere.extension], "number": "6000"});
    api.post(&path(elsewhere.tenant, "ring-groups"), &admin, body).await.is(201);
    let body = json!({"name": "g", "members": [world.extension], "number": "6000"});
    api.post(&path(world.tenant, "ring-groups"), &admin, body).await.is(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_want_a_number_at_once_one_gets_it() {
    let api = std::sync::Arc::new(Api::new().await);
    let (admin, world) = world(&api, "acme").await;
    for round in 0..5 {
        let number = format!("7{round}");
        let tasks: Vec<_> = (0..12)
            .map(|n| {
                let (api, admin, number) = (api.clone(), admin.clone(), number.clone());
                let option =
                    json!({"digit": "1", "destination_type": "extension", "destination_id": world.extension});
                let nodes = json!([{"id": "a", "type": "hangup", "data": {"cause": "USER_BUSY"}}]);
                let (name, body) = match n % 4 {
                    0 => ("extensions", extension(&number)),
                    1 => {
                        ("ring-groups", json!({"name": "g", "members": [world.extension], "number": number}))
                    }
                    2 => ("ivrs", json!({"name": "i", "options": [option], "number": number})),
                    _ => ("call-flows", json!({"name": "f", "nodes": nodes, "number": number})),
                };
                let all = path(world.tenant, name);
                tokio::spawn(async move { api.post(&all, &admin, body).await.status.as_u16() })
            })
            .collect();
        let mut statuses = Vec::new();
        for task in tasks {
            statuses.push(task.await.unwrap());
        }
        let made = statuses.iter().filter(|status| **status == 201).count();
        assert_eq!(made, 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 201 | 422)), "{statuses:?}");
    }
}

#[tokio::test]
async fn only_an_administrator_shares_a_gateway() {
    let api = Api::new().await;
    let (admin, world) = world(&api, "acme").await;
    let user = api.person(Role::User, Some(world.tenant)).await;
    let all = path(world.tenant, "gateways");
    let gateway = |name: &str, shared: Value| json!({"name": name, "host": "192.0.2.7", "shared": shared});
    let refused = api.post(&all, &user, gateway("a", json!(true))).await;
    refused.names(&["shared"]);
    assert_eq!(refused.json()["message"], "The shared field may only be set by an administrator.");
    let made = api.post(&all, &user, gateway("a", json!(false))).await.is(201).json();
    let one = format!("{all}/{}", id(&made));
    api.put(&one, &user, json!({"shared": true})).await.names(&["shared"]);
    api.put(&one, &user, json!({"shared": 0, "port": 5070})).await.is(200);
    let shared = api.put(&one, &admin, json!({"shared": true})).await.is(200).json();
    assert_eq!(shared["data"]["shared"], true);
    api.put(&one, &user, json!({"shared": false})).await.is(403);
    let kept = api.put(&one, &admin, json!({"shared": "1", "name": "b"})).await.is(200).json();
    assert_eq!((&kept["data"]["shared"], &kept["data"]["name"]), (&json!(true), &json!("b")));

    // Everybody's outbound routes may name it, and only what is shared; what its owner calls it stays with the owner.
    let other = World::new(&api, &admin, "other").await;
    let routes = path(other.tenant, "outbound-routes");
    let route = |gateway: Uuid| json!({"name": "r", "patterns": ["9."], "gateways": [gateway]});
    let made = api.post(&routes, &admin, route(id(&kept))).await.is(201).json();
    assert_eq!(made.get("warnings"), None, "{made}");
    api.put(&one, &admin, json!({"is_active": false, "name": "secret name"})).await.is(200);
    let made = api.post(&routes, &admin, route(id(&kept))).await.is(201).json();
    assert_eq!(made["warnings"][0]["code"], "inactive");
    assert!(!made.to_string().contains("secret name"), "{made}");
    api.put(&one, &admin, json!({"shared": false})).await.is(200);
    api.post(&routes, &admin, route(id(&kept))).await.names(&["gateways.0"]);
    api.get(&path(other.tenant, &format!("gateways/{}", id(&kept))), &admin).await.is(404);
}

#[tokio::test]
async fn the_addresses_of_a_gateway() {
    let api = Api::new().await;
    let (admin, world) = world(&api, "acme").await;
    let all = path(world.tenant, "gateways");
    let with = |addresses: Value| json!({"name": "x", "host": "sip.example", "addresses": addresses});
    let made = api.post(&all, &admin, with(json!(["192.0.2.1", "2001:DB8::1", "::ffff:192.0.2.2"]))).await;
    assert_eq!(made.is(201).json()["data"]["addresses"], json!(["192.0.2.1", "2001:db8::1", "192.0.2.2"]));
    assert_eq!(made.json()["data"]["register"], true);
    api.post(&all, &admin, with(json!(["192.0.2.1/32"]))).await.names(&["addresses.0"]);
    api.post(&all, &admin, with(json!(vec!["192.0.2.1"; 51]))).await.names(&["addresses"]);
    api.post(&all, &admin, with(json!("192.0.2.1"))).await.names(&["addresses"]);
}

#[tokio::test]
async fn only_an_administrator_says_where_calls_come_from() {
    let api = Api::new().await;
    let (admin, world) = world(&api, "acme").await;
    let all = path(world.tenant, "gateways");
    let with =
        |name: &str, addresses: Value| json!({"name": name, "host": "192.0.2.9", "addresses": addresses});
    let carrier = api.post(&all, &admin, with("of acme", json!(["192.0.2.7"]))).await.is(201).json();

    // Somebody of another tenant wants the calls of that carrier.
    let other = World::new(&api, &admin, "other").await;
    let user = api.person(Role::User, Some(other.tenant)).await;
    let theirs = path(other.tenant, "gateways");
    let refused = api.post(&theirs, &user, with("a", json!(["192.0.2.7"]))).await;
    refused.names(&["addresses"]);
    assert_eq!(refused.json()["message"], "The addresses field may only be set by an administrator.");
    api.post(&theirs, &user, with("a", json!(["not an address"]))).await.names(&["addresses.0"]);
    let made = api.post(&theirs, &user, with("a", json!([]))).await.is(201).json();
    assert_eq!(made["data"]["addresses"], Value::Null);
    let one = format!("{theirs}/{}", id(&made));
    for addresses in [json!(["192.0.2.7"]), json!(["::ffff:192.0.2.7"]), json!(["198.51.100.1"])] {
        api.put(&one, &user, json!({"addresses": addresses})).await.names(&["addresses"]);
    }
    for addresses in [json!(null), json!([])] {
        api.put(&one, &user, json!({"addresses": addresses, "port": 5070})).await.is(200);
    }

    // What an administrator has set may be sent back as it is, and neither taken away nor added to.
    let set = json!(["198.51.100.1", "2001:db8::1"]);
    api.put(&one, &admin, json!({"addresses": set})).await.is(200);
    let spelled = json!(["::ffff:198.51.100.1", "2001:DB8::1"]);
    for same in [&set, &spelled] {
        let kept = api.put(&one, &user, json!({"addresses": same, "name": "b"})).await.is(200).json();
        assert_eq!((&kept["data"]["addresses"], &kept["data"]["name"]), (&set, &json!("b")));
    }
    for other in [json!(null), json!([]), json!(["198.51.100.1"])] {
        api.put(&one, &user, json!({"addresses": other})).await.names(&["addresses"]);
    }
    let kept = api.put(&one, &user, json!({"port": 5080})).await.is(200).json();
    assert_eq!(kept["data"]["addresses"], set);
    let carrier = api.get(&format!("{all}/{}", id(&carrier)), &admin).await.json();
    assert_eq!(carrier["data"]["addresses"], json!(["192.0.2.7"]));
}

#[tokio::test]
async fn only_an_administrator_confirms_a_number() {
    let api = Api::new().await;
    let (admin, world) = world(&api, "acme").await;
    let other = World::new(&api, &admin, "other").await;
    let user = api.person(Role::User, Some(world.tenant)).await;
    let number = "+4930123456";
    let did = |world: &World, number: &str, confirmed: Value| {
        let mut body =
            json!({"number": number, "destination_type": "extension", "destination_id": world.extension});
        if !confirmed.is_null() {
            body["confirmed"] = confirmed;
        }
        body
    };
    let (all, theirs) = (path(world.tenant, "dids"), path(other.tenant, "dids"));
    api.post(&all, &user, did(&world, number, json!(true))).await.names(&["confirmed"]);
    let made = api.post(&all, &user, did(&world, number, json!(false))).await.is(201).json();
    assert_eq!(made["data"]["confirmed"], false);
    let one = format!("{all}/{}", id(&made));
    let ours = |number: &str, confirmed: Value| did(&world, number, confirmed);
    api.put(&one, &user, ours(number, json!(true))).await.names(&["confirmed"]);

    // An administrator who does not say so confirms nothing either; the first of two confirmations counts.
    let made = api.post(&theirs, &admin, did(&other, "0049 30 123456", Value::Null)).await.is(201).json();
    assert_eq!(made["data"]["confirmed"], false);
    let another = format!("{theirs}/{}", id(&made));
    api.put(&one, &admin, ours(number, json!(true))).await.is(200);
    let refused = api.put(&another, &admin, did(&other, number, json!(true))).await;
    refused.names(&["confirmed"]);
    assert_eq!(refused.json()["message"], "The number has already been confirmed for another DID.");
    api.post(&theirs, &admin, did(&other, number, json!(true))).await.names(&["confirmed"]);

    // It may be sent back as it is, and goes with the number that was confirmed.
    let kept = api.put(&one, &user, ours(number, json!(1))).await.is(200).json();
    assert_eq!(kept["data"]["confirmed"], true);
    api.put(&one, &user, ours(number, json!(false))).await.names(&["confirmed"]);
    let kept = api.put(&one, &user, ours("+49 (30) 123456", Value::Null)).await.is(200).json();
    assert_eq!(kept["data"]["confirmed"], true);
    let lost = api.put(&one, &user, ours("+4930999999", json!(true))).await.is(200).json();
    assert_eq!(lost["data"]["confirmed"], false);
    api.put(&one, &user, ours(number, Value::Null)).await.is(200);
    let lost = api.get(&one, &user).await.json();
    assert_eq!(lost["data"]["confirmed"], false, "not by the way back either");
    api.put(&another, &admin, did(&other, number, json!(true))).await.is(200);

    // A file is no way around it.
    let file = |confirmed: &str| {
        let head = "number,destination_type,destination_id,confirmed";
        format!("{head}\n+49301,extension,{0},0\n+49302,extension,{0},{confirmed}\n", world.extension)
    };
    let import = async |file: String| {
        let request = api.client.post(api.url(&format!("{all}/import"))).bearer_auth(&user.token);
        answer(request.header("content-type", "text/csv").body(file)).await
    };
    import(file("1")).await.names(&["dids.1.confirmed"]);
    import(file("0")).await.is(201);
}

#[tokio::test]
async fn there_is_an_end_to_outbound_routes() {
    let api = Api::new().await;
    let (admin, world) = world(&api, "acme").await;
    let all = path(world.tenant, "outbound-routes");
    let gateway = api.get(&path(world.tenant, "gateways"), &admin).await.json()["data"][0]["id"].clone();
    let rows: Vec<_> = (0..499)
        .map(|n| {
            let body =
                json!({"name": format!("r{n}"), "patterns": [format!("9{n}.")], "gateways": [gateway]});
            nizam_core::resource::OUTBOUND_ROUTE
                .read(
                    nizam_core::resource::Purpose::Create,
                    &mut nizam_core::validate::Fields::new(&nizam_core::validate::Input::of(
                        body.as_object().unwrap().clone(),
                    )),
                )
                .unwrap()
        })
        .collect();
    let resource = &nizam_core::resource::OUTBOUND_ROUTE;
    let actor = nizam_store::Actor::default();
    let _made = api.store.create_records(&actor, resource, world.tenant, "routes", rows).await.unwrap();
    let body = json!({"name": "r", "patterns": ["0."], "gateways": [gateway]});
    let last = api.post(&all, &admin, body.clone()).await.is(201).json();
    let message = "Outbound route quota exceeded. Maximum allowed: 500";
    api.post(&all, &admin, body.clone()).await.says(422, message);
    api.delete(&format!("{all}/{}", id(&last)), &admin).await.is(204);
    api.post(&all, &admin, body).await.is(201);
}

#[tokio::test]
async fn prompts_are_listed_renamed_and_deleted() {
    let api = Api::new().await;
    let (admin, world) = world(&api, "acme").await;
    let all = path(world.tenant, "prompts");
    let (first, second) = (upload(&api, world.tenant).await, upload(&api, world.tenant).await);
    let listed = api.get(&all, &admin).await.is(200).json();
    assert_eq!(listed["meta"]["total"], 2);
    let data = &listed["data"][0];
    assert_eq!((&data["size"], &data["duration_ms"]), (&json!(4), &json!(1500)));
    assert_eq!((&data["file_name"], data.get("content")), (&json!("welcome.wav"), None));
    let one = format!("{all}/{first}");
    let renamed = api.put(&one, &admin, json!({"name": "Hello", "size": 9})).await;
    assert_eq!(renamed.is(200).header("x-nizam-ignored-fields"), "size");
    assert_eq!(renamed.json()["data"]["name"], "Hello");
    let clash = api.put(&format!("{all}/{second}"), &admin, json!({"name": "HELLO"})).await;
    clash.names(&["name"]);
    assert_eq!(clash.json()["message"], "A prompt with this name already exists for this tenant.");
    api.post(&all, &admin, json!({"name": "x"})).await.names(&["content"]);
    api.post(&all, &admin, json!({"name": "x", "content": "SUQz"})).await.names(&["content"]);
    let file = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQIAAAAAAA==";
    let made = api.post(&all, &admin, json!({"name": "x", "content": file})).await.is(201).json();
    assert_eq!(made["data"]["size"], 46);
    let content = api.get(&format!("{all}/{}/content", made["data"]["id"].as_str().unwrap()), &admin).await;
    assert_eq!(content.is(200).header("content-type"), "audio/wav");
    let other = World::new(&api, &admin, "other").await;
    api.get(&path(other.tenant, &format!("prompts/{first}")), &admin).await.is(404);
    assert!(api.store.prompt_content(other.tenant, first).await.unwrap().is_none());
    assert_eq!(api.store.prompt_content(world.tenant, first).await.unwrap().as_deref(), Some(&b"RIFF"[..]));
    api.delete(&one, &admin).await.is(204);
    assert!(api.store.prompt_content(world.tenant, first).await.unwrap().is_none());
}

#[tokio::test]
async fn a_prompt_that_nobody_hears_is_told() {
    let api = Api::new().await;
    let (admin, world) = world(&api, "acme").await;
    let option = json!({"digit": "1", "destination_type": "extension", "destination_id": world.extension});
    let body =
        json!({"name": "i", "options": [option], "greet_long": "/etc/passwd", "greet_short": "say:Hi"});
    let made = api.post(&path(world.tenant, "ivrs"), &admin, body).await.is(201).json();
    assert_eq!(made["data"]["direct_dial"], false);
    assert_eq!(
        (&made["warnings"][0]["path"], &made["warnings"][0]["code"]),
        (&json!("greet_long"), &json!("prompt"))
    );
    assert_eq!(made["warnings"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_number_of_a_terminated_tenant_is_free() {
    let api = Api::new().await;
    let (admin, world) = world(&api, "gone").await;
    let other = World::new(&api, &admin, "heir").await;
    let did = |world: &World| {
        json!({
            "number": "+4930123457", "destination_type": "extension", "destination_id": world.extension, "confirmed": true,
        })
    };
    let made = api.post(&path(world.tenant, "dids"), &admin, did(&world)).await.is(201).json();
    let tenant = format!("/tenants/{}", world.tenant);
    let mut row = api.get(&tenant, &admin).await.is(200).json()["data"].clone();
    row["status"] = json!("suspended");
    api.put(&tenant, &admin, row.clone()).await.is(200);
    api.post(&path(other.tenant, "dids"), &admin, did(&other)).await.names(&["confirmed"]);
    row["status"] = json!("terminated");
    api.put(&tenant, &admin, row.clone()).await.is(200);
    api.post(&path(other.tenant, "dids"), &admin, did(&other)).await.is(201);
    row["status"] = json!("active");
    api.put(&tenant, &admin, row).await.is(200);
    let one = format!("{}/{}", path(world.tenant, "dids"), id(&made));
    assert_eq!(api.get(&one, &admin).await.is(200).json()["data"]["confirmed"], false);
}

#[tokio::test]
async fn a_shared_gateway_is_an_administrators_alone() {
    let api = Api::new().await;
    let (admin, world) = world(&api, "carrier").await;
    let user = api.person(Role::User, Some(world.tenant)).await;
    let gateway = |host: &str, shared: bool| json!({"name": "trunk", "host": host, "shared": shared});
    let all = path(world.tenant, "gateways");
    let made = api.post(&all, &admin, gateway("sip.carrier.example", true)).await.is(201).json();
    let one = format!("{all}/{}", id(&made));
    let text = "Gateway is shared: only an administrator may change or delete it.";
    api.put(&one, &user, gateway("evil.example", true)).await.says(403, text);
    api.send(Method::DELETE, &one, Some(&user.token), None).await.says(403, text);
    let shown = api.get(&one, &user).await.is(200).json();
    assert_eq!(shown["data"]["host"], "sip.carrier.example");
    api.put(&one, &admin, gateway("sip.carrier.example", false)).await.is(200);
    api.put(&one, &user, gateway("other.example", false)).await.is(200);
    api.send(Method::DELETE, &one, Some(&user.token), None).await.is(204);
}
