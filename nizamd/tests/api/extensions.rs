use nizam_core::model::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, Person, answer, extension, is_time};

#[tokio::test]
async fn the_life_of_an_extension() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "a").await;
    let user = api.person(Role::User, Some(tenant)).await;
    let path = format!("/tenants/{tenant}/extensions");
    let mut body = extension("1001");
    body["voicemail_pin"] = json!("4321");
    body["voicemail_enabled"] = json!("1");
    body["outbound_caller_id_number"] = json!("");
    body["colour"] = json!("red");
    let made = api.post(&path, &user, body).await;
    let data = made.is(201).json()["data"].clone();
    assert_eq!(made.header("x-nizam-generation"), "2");
    assert_eq!(made.header("x-nizam-ignored-fields"), "colour");
    let fields: Vec<&String> = data.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "cidr",
            "created_at",
            "directory_first_name",
            "directory_last_name",
            "effective_caller_id_name",
            "effective_caller_id_number",
            "extension",
            "id",
            "is_active",
            "max_channels",
            "outbound_caller_id_name",
            "outbound_caller_id_number",
            "password",
            "ring_timeout",
            "tenant_id",
            "toll_allow",
            "updated_at",
            "voicemail_enabled",
            "voicemail_pin"
        ]
    );
    assert_eq!((&data["password"], &data["voicemail_pin"]), (&json!("secret-pass"), &json!("4321")));
    assert_eq!((&data["voicemail_enabled"], &data["is_active"]), (&json!(true), &json!(true)));
    assert_eq!(data["outbound_caller_id_number"], Value::Null);
    assert_eq!(data["tenant_id"], json!(tenant));
    assert!(is_time(&data["updated_at"]));

    let one = format!("{path}/{}", data["id"].as_str().unwrap());
    assert_eq!(api.get(&one, &user).await.is(200).json()["data"], data);
    api.post(&path, &user, extension("1001")).await.names(&["extension"]);
    let second = api.post(&path, &user, extension("Desk")).await;
    assert_eq!(second.is(201).json()["data"]["extension"], "Desk");
    let taken = api.post(&path, &user, extension("dESK")).await;
    assert_eq!(taken.is(422).json()["message"], "The extension has already been taken for this tenant.");

    api.put(&one, &user, json!({"voicemail_enabled": false})).await.names(&[
        "extension",
        "password",
        "directory_first_name",
        "directory_last_name",
    ]);
    let mut change = extension("1002");
    change["voicemail_pin"] = Value::Null;
    change["is_active"] = json!(0);
    change["cidr"] = json!("2001:DB8::/32");
    let changed = api.send(Method::PATCH, &one, Some(&user.token), Some(change)).await;
    let changed = changed.is(200).json()["data"].clone();
    assert_eq!((&changed["extension"], &changed["voicemail_pin"]), (&json!("1002"), &Value::Null));
    assert_eq!((&changed["is_active"], &changed["voicemail_enabled"]), (&json!(false), &json!(true)));
    assert_eq!(changed["cidr"], "2001:db8::/32");
    let mut clash = extension("DESK");
    clash["is_active"] = json!(true);
    api.put(&one, &user, clash).await.names(&["extension"]);

    let list = api.get(&path, &user).await.is(200).json();
    assert_eq!(list["meta"]["total"], 2);
    let gone = api.delete(&one, &user).await;
    assert_eq!((gone.is(204).text.as_str(), gone.header("x-nizam-generation")), ("", "5"));
    api.get(&one, &user).await.says(404, "Extension not found.");
    assert_eq!(api.get(&path, &user).await.json()["meta"]["total"], 1);
}

#[tokio::test]
async fn a_quota_is_kept() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "a").await;
    api.put(&format!("/tenants/{tenant}"), &admin, json!({"max_extensions": 1})).await.is(200);
    let path = format!("/tenants/{tenant}/extensions");
    let (one, two) =
        tokio::join!(api.post(&path, &admin, extension("1")), api.post(&path, &admin, extension("2")));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    api.post(&path, &admin, extension("3")).await.says(422, "Extension quota exceeded. Maximum allowed: 1");
}

#[tokio::test]
async fn forms_are_read_as_well() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "a").await;
    let form = [
        ("extension", "1001"),
        ("password", "p&=+%ü 12"),
        ("directory_first_name", "Zoë"),
        ("directory_last_name", "x"),
        ("voicemail_enabled", "1"),
    ];
    let request = api.client.post(api.url(&format!("/tenants/{tenant}/extensions")));
    let made = answer(request.bearer_auth(&admin.token).form(&form)).await;
    let data = made.is(201).json()["data"].clone();
    assert_eq!((&data["password"], &data["directory_first_name"]), (&json!("p&=+%ü 12"), &json!("Zoë")));
    assert_eq!(data["voicemail_enabled"], json!(true));
}

#[tokio::test]
async fn every_operation_is_shut_to_other_tenants() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let (a, b) = (api.tenant(&admin, "a").await, api.tenant(&admin, "b").await);
    let user = api.person(Role::User, Some(a)).await;
    let theirs = api.post(&format!("/tenants/{b}/extensions"), &admin, extension("1001")).await.json();
    let theirs = theirs["data"]["id"].as_str().unwrap();
    let missing = uuid::Uuid::now_v7();
    // Their tenant: whether the row is there makes no difference.
    for id in [theirs, &missing.to_string()] {
        let path = format!("/tenants/{b}/extensions/{id}");
        api.get(&path, &user).await.says(403, "Forbidden.");
        api.put(&path, &user, extension("6")).await.says(403, "Forbidden.");
        api.put(&path, &user, json!({})).await.says(403, "Forbidden.");
        api.delete(&path, &user).await.says(403, "Forbidden.");
    }
    api.get(&format!("/tenants/{b}/extensions"), &user).await.says(403, "Forbidden.");
    api.post(&format!("/tenants/{b}/extensions"), &user, extension("7")).await.says(403, "Forbidden.");
    api.post(&format!("/tenants/{b}/extensions"), &user, json!({})).await.says(403, "Forbidden.");
    // Their row in the own tenant, for users and for admins: it is not there, like one that is nowhere.
    for who in [&user, &admin] {
        for id in [theirs, &missing.to_string()] {
            let path = format!("/tenants/{a}/extensions/{id}");
            api.get(&path, who).await.says(404, "Extension not found.");
            api.put(&path, who, extension("6")).await.says(404, "Extension not found.");
            api.put(&path, who, json!({})).await.says(404, "Extension not found.");
            api.delete(&path, who).await.says(404, "Extension not found.");
        }
    }
    // A tenant that is suspended is so for its own people only.
    api.put(&format!("/tenants/{b}"), &admin, json!({"status": "suspended"})).await.is(200);
    api.get(&format!("/tenants/{b}/extensions"), &user).await.says(403, "Forbidden.");
    api.put(&format!("/tenants/{b}"), &admin, json!({"status": "active"})).await.is(200);
    let list = api.get(&format!("/tenants/{b}/extensions"), &admin).await.json();
    assert_eq!(
        (list["meta"]["total"].as_i64(), list["data"][0]["extension"].as_str()),
        (Some(1), Some("1001"))
    );
}

#[tokio::test]
async fn whoever_may_only_write_is_told_no_secrets() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "acme").await;
    let all = format!("/tenants/{tenant}/extensions");
    let body = json!({"voicemail_pin": "4711", "password": "another-secret"});
    let with_pin = |number: &str| {
        let mut new = extension(number);
        new.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        new
    };
    let user = api.person(Role::User, Some(tenant)).await;
    let writer = Person { id: user.id, token: api.token(user.id, &["write"], None).await };
    let made = api.post(&all, &writer, with_pin("1001")).await.is(201).json()["data"].clone();
    assert_eq!((&made["password"], &made["voicemail_pin"]), (&Value::Null, &Value::Null));
    let one = format!("{all}/{}", made["id"].as_str().unwrap());
    api.get(&one, &writer).await.is(403);
    for method in [Method::PUT, Method::PATCH] {
        let changed = api.send(method, &one, Some(&writer.token), Some(extension("1001"))).await;
        let changed = changed.is(200).json()["data"].clone();
        assert_eq!((&changed["password"], &changed["voicemail_pin"]), (&Value::Null, &Value::Null));
        assert_eq!(changed["extension"], "1001");
    }
    // They are there, for those who may view extensions.
    let changed = api.put(&one, &user, with_pin("1001")).await.is(200).json()["data"].clone();
    assert_eq!((&changed["password"], &changed["voicemail_pin"]), (&json!("another-secret"), &json!("4711")));
}

#[tokio::test]
async fn what_goes_with_an_extension_is_in_the_trail() {
    let api = Api::new().await;
    let admin = api.admin().await;
    let here = format!("/tenants/{}", api.tenant(&admin, "acme").await);
    let id = |made: &Value| made["data"]["id"].as_str().unwrap().to_owned();
    let extension_id =
        id(&api.post(&format!("{here}/extensions"), &admin, extension("1001")).await.is(201).json());
    let agent = json!({"name": "Ann", "extension_id": extension_id});
    let agent = id(&api.post(&format!("{here}/agents"), &admin, agent).await.is(201).json());
    let queue = id(&api.post(&format!("{here}/queues"), &admin, json!({"name": "q"})).await.is(201).json());
    let members = format!("{here}/queues/{queue}/members");
    api.post(&members, &admin, json!({"agent_id": agent})).await.is(201);
    let profile = json!({"name": "desk", "vendor": "yealink", "extension_id": extension_id});
    let profile = id(&api.post(&format!("{here}/device-profiles"), &admin, profile).await.is(201).json());
    let phone = format!("{here}/device-profiles/{profile}");
    let before = api.get(&phone, &admin).await;
    api.delete(&format!("{here}/extensions/{extension_id}"), &admin).await.is(204);

    let trail = api.get(&format!("{here}/audit-logs"), &admin).await.is(200).json();
    let entry = |kind: &str, of: &str, action: &str| {
        let of = |entry: &&Value| {
            entry["auditable_type"].as_str().unwrap().ends_with(kind)
                && entry["auditable_id"] == of
                && entry["action"] == action
        };
        trail["data"].as_array().unwrap().iter().find(of).unwrap_or_else(|| panic!("{kind}: {trail}")).clone()
    };
    assert_eq!(entry("Agent", &agent, "deleted")["old_values"]["name"], "Ann");
    let updated = entry("DeviceProfile", &profile, "updated");
    assert_eq!(updated["old_values"]["extension_id"], json!(extension_id));
    assert_eq!(updated["new_values"]["extension_id"], Value::Null);
    let request = api.client.get(api.url(&phone)).bearer_auth(&admin.token);
    let after = answer(request.header("if-none-match", before.header("etag"))).await;
    assert_eq!(after.is(200).json()["data"]["extension_id"], Value::Null, "the phone is another one now");
    assert_eq!(api.get(&members, &admin).await.json()["data"], json!([]));
}
