use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Person, answer, extension};

const TEXTS: [&str; 11] = [
    "extension",
    "password",
    "directory_first_name",
    "directory_last_name",
    "effective_caller_id_name",
    "effective_caller_id_number",
    "outbound_caller_id_name",
    "outbound_caller_id_number",
    "voicemail_pin",
    "cidr",
    "extension",
];

struct World {
    api: Api,
    admin: Person,
    path: String,
}

async fn world() -> World {
    let api = Api::new().await;
    let admin = api.admin().await;
    let tenant = api.tenant(&admin, "a").await;
    World { path: format!("/tenants/{tenant}/extensions"), api, admin }
}

impl World {
    async fn post(&self, body: Value) -> Answer {
        self.api.post(&self.path, &self.admin, body).await
    }

    async fn raw(&self, content_type: Option<&str>, body: impl Into<Vec<u8>>) -> Answer {
        let mut request = self.api.client.post(self.api.url(&self.path)).bearer_auth(&self.admin.token);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        answer(request.body(body.into())).await
    }
}

#[tokio::test]
async fn wrong_types_name_the_field() {
    let world = world().await;
    for field in TEXTS {
        for value in [json!(1001), json!(true), json!({"a": 1}), json!(["x"]), json!(1.5)] {
            let mut body = extension("1001");
            body[field] = value.clone();
            let answer = world.post(body).await;
            answer.names(&[field]);
            let want = format!("The {} field must be a string.", field.replace('_', " "));
            assert_eq!(answer.json()["message"], want, "{value}");
        }
    }
    for field in ["voicemail_enabled", "is_active"] {
        for value in [json!("true"), json!(2), json!(null), json!([]), json!("x")] {
            let mut body = extension("1001");
            body[field] = value;
            world.post(body).await.names(&[field]);
        }
    }
    assert_eq!(world.api.get(&world.path, &world.admin).await.json()["meta"]["total"], 0);
}

#[tokio::test]
async fn texts_that_would_become_something_else() {
    let world = world().await;
    let long = "x".repeat(65_536);
    for field in TEXTS {
        for text in ["<!--#exec-->", "${uuid_kill}", "a\0b12345", "a\nb12345", "a\u{1b}[2J123", &long] {
            let mut body = extension("1001");
            body[field] = json!(text);
            world.post(body).await.names(&[field]);
        }
    }
    for (field, text) in [
        ("effective_caller_id_name", "it\\'s"),
        ("extension", "10 01"),
        ("extension", "1001@x"),
        ("extension", ".."),
        ("password", "short"),
        ("password", "        "),
        ("voicemail_pin", "12"),
        ("voicemail_pin", "123456789"),
        ("voicemail_pin", "12a4"),
        ("cidr", "10.0.0.0"),
        ("cidr", "10.0.0.0/99"),
    ] {
        let mut body = extension("1001");
        body[field] = json!(text);
        world.post(body).await.names(&[field]);
    }
}

#[tokio::test]
async fn texts_that_are_only_odd_come_back_as_they_went() {
    let world = world().await;
    let mut body = extension("*97#a_b-c.d+e");
    let odd = "O'Brien \"<&>\" \\ % $ { } [ ] , ; | ` 日本 😀 \u{202e}";
    for field in ["password", "directory_first_name", "effective_caller_id_name", "outbound_caller_id_name"] {
        body[field] = json!(odd);
    }
    let made = world.post(body).await;
    let data = made.is(201).json()["data"].clone();
    for field in ["password", "directory_first_name", "effective_caller_id_name", "outbound_caller_id_name"] {
        assert_eq!(data[field], odd);
    }
    let one = format!("{}/{}", world.path, data["id"].as_str().unwrap());
    assert_eq!(world.api.get(&one, &world.admin).await.json()["data"], data);
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let world = world().await;
    let json = Some("application/json");
    let good = extension("1001").to_string();
    for body in ["{", "{\"a\":}", "nonsense", "{\"extension\":\"\u{0}\"}", "[1,", "{\"a\":1}x"] {
        world.raw(json, body).await.says(400, "The request body is not valid JSON.");
    }
    world.raw(json, b"{\"extension\":\"\xff\xfe\"}".as_slice()).await.is(400);
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000));
    world.raw(json, deep).await.is(400);
    for body in ["7", "\"text\"", "true", "[1,2]"] {
        world.raw(json, body).await.says(400, "The request body must be a JSON object.");
    }
    for body in ["", "[]", "{}", "null", " {}\r\n"] {
        world.raw(json, body).await.names(&[
            "extension",
            "password",
            "directory_first_name",
            "directory_last_name",
        ]);
    }
    world.raw(Some("text/xml"), good.as_str()).await.is(415);
    world.raw(Some("multipart/form-data; boundary=x"), good.as_str()).await.is(415);
    world.raw(Some("application/x-www-form-urlencoded"), "extension=%ff").await.is(400);
    world.raw(Some("application/x-www-form-urlencoded"), "extension[]=1&password[a][b]=2").await.is(422);
    let huge = format!("{{\"extension\":\"{}\"}}", "x".repeat(1 << 20));
    world.raw(json, huge.as_str()).await.says(413, "The request body is too large.");
    // Without a length, in pieces.
    let client = std::net::TcpStream::connect(world.api.base.strip_prefix("http://").unwrap()).unwrap();
    let (path, token) = (format!("/api/v1{}", world.path), world.admin.token.clone());
    let status = tokio::task::spawn_blocking(move || chunked(client, &path, &token)).await.unwrap();
    assert!(status.starts_with("HTTP/1.1 413"), "{status}");
    world.raw(Some("application/vnd.api+json; charset=utf-8"), good.as_str()).await.is(201);
    world.raw(None, extension("1002").to_string()).await.is(201);
}

/// Sends two megabytes in chunks, gives the first line of the answer.
fn chunked(mut stream: std::net::TcpStream, path: &str, token: &str) -> String {
    use std::io::{Read as _, Write as _};
    stream.set_read_timeout(Some(std::time::Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..32 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).unwrap_or(0);
    String::from_utf8_lossy(&answer[..length]).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_query_cannot_break_anything() {
    let world = world().await;
    for query in
        ["page=%00", "page=%ff", "page[]=1", "page=1&page=2", "&&&", "=", "%", "a%5B%5D=1", "page=9e99"]
    {
        world.api.get(&format!("{}?{query}", world.path), &world.admin).await.is(200);
    }
    let header = world.api.client.get(world.api.url(&world.path)).bearer_auth(&world.admin.token);
    let body = answer(header.header("host", "evil.example/\"><script>")).await;
    assert!(!body.text.contains("script"), "{body:?}");
}

#[tokio::test]
async fn tenants_and_accounts_are_as_hard() {
    let world = world().await;
    let (api, admin) = (&world.api, &world.admin);
    for field in ["name", "domain", "slug"] {
        for value in
            [json!(7), json!(["x"]), json!({}), json!("${x}"), json!("a\0b"), json!("x".repeat(65_536))]
        {
            let mut body = json!({"name": "n", "domain": "b.example", "slug": "s"});
            body[field] = value;
            api.post("/tenants", admin, body).await.names(&[field]);
        }
    }
    for field in
        ["max_extensions", "max_concurrent_calls", "max_dids", "max_ring_groups", "max_calls_per_minute"]
    {
        for value in [
            json!("x"),
            json!(-1),
            json!(1.5),
            json!(null),
            json!([]),
            json!(1e300),
            json!(99_999_999_999_i64),
        ] {
            let mut body = json!({"name": "n", "domain": "b.example"});
            body[field] = value;
            api.post("/tenants", admin, body).await.names(&[field]);
        }
    }
    for value in [json!(["x"]), json!({}), json!("x".repeat(65_536)), json!("a\0@b"), json!("\"@b")] {
        let body =
            json!({"name": "n", "email": value, "password": "12345678", "password_confirmation": "12345678"});
        api.send(Method::POST, "/auth/register", None, Some(body)).await.names(&["email"]);
    }
    let body = json!({"name": "n", "email": "a@b", "password": "x".repeat(100_000)});
    api.send(Method::POST, "/auth/register", None, Some(body)).await.is(422);
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
    let deep: Value = serde_json::from_str(&deep).unwrap();
    api.put(&world.path.replace("/extensions", "/settings"), admin, deep).await.names(&["settings"]);
}
