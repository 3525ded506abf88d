//! Secrets go in by every way that there is; then the log, the database and the audit trail are searched for them.

use std::fs;
use std::process::Command;

use nizam_test_postgres::{Database, Server};
use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Answer, Daemon, Site, answer};

/// Makes secrets, and remembers them.
#[derive(Default)]
struct Secrets(Vec<String>);

impl Secrets {
    fn password(&mut self) -> String {
        self.keep(format!("Xq7zPassword{:03}Vn", self.0.len()))
    }

    /// Eight digits that are part of no time and no counter.
    fn pin(&mut self) -> String {
        self.keep(format!("9{:03}7039", self.0.len()))
    }

    fn keep(&mut self, secret: String) -> String {
        self.0.push(secret.clone());
        secret
    }
}

fn extension(number: &str, secrets: &mut Secrets) -> Value {
    json!({
        "extension": number, "password": secrets.password(), "voicemail_pin": secrets.pin(), "voicemail_enabled": true,
        "directory_first_name": "Zebulon", "directory_last_name": "Quirk",
    })
}

/// The same request twice, with a key: the second answer comes from what is kept.
fn twice(site: &Site, path: &str, body: &Value) -> Answer {
    let send = || answer(site.request(Method::POST, path).header("idempotency-key", path).json(body));
    let first = send();
    let second = send();
    assert_eq!(second.headers["idempotency-replayed"], "true", "{second:?}");
    assert_eq!(first.is(201).text, second.is(201).text);
    first
}

/// Every way in.
fn fill(site: &Site, secrets: &mut Secrets) -> String {
    let tenant = site.make("/tenants", &json!({"name": "vault", "domain": "vault.example"}));
    let here = format!("/tenants/{tenant}");
    let extensions = format!("{here}/extensions");
    let one = twice(site, &extensions, &extension("2001", secrets)).json();
    let one = format!("{extensions}/{}", one["data"]["id"].as_str().unwrap());
    for _ in 0..2 {
        site.put(&one, &extension("2001", secrets)).is(200);
    }
    let shown = site.get(&one).is(200).json();
    assert_eq!(shown["data"]["password"], secrets.0[secrets.0.len() - 2], "who may view extensions sees it");
    let bulk = json!({"extensions": [extension("2002", secrets), extension("2003", secrets)]});
    site.post(&format!("{extensions}/bulk"), &bulk).is(201);
    let csv = format!(
        "extension,password,voicemail_pin,directory_first_name,directory_last_name\n2004,{},{},Zebulon,Quirk\n",
        secrets.password(),
        secrets.pin()
    );
    let import =
        site.request(Method::POST, &format!("{extensions}/import")).header("content-type", "text/csv");
    answer(import.body(csv)).is(201);
    site.get(&format!("{extensions}/export")).is(200);

    // What is refused is no less a secret.
    let mut wrong = extension("no number!", secrets);
    site.post(&extensions, &wrong).is(422);
    wrong["extension"] = json!("2001");
    site.post(&extensions, &wrong).is(422);
    site.post(
        &format!("{extensions}/bulk"),
        &json!({"extensions": [wrong, {"password": secrets.password()}]}),
    )
    .is(422);
    let half = format!("{{\"extension\": \"2009\", \"password\": \"{}\"", secrets.password());
    answer(site.request(Method::POST, &extensions).header("content-type", "application/json").body(half))
        .is(400);
    let short = format!("extension,password\n2010,{}\n", secrets.password());
    let import =
        site.request(Method::POST, &format!("{extensions}/import")).header("content-type", "text/csv");
    answer(import.body(short)).is(422);

    let gateways = format!("{here}/gateways");
    let gateway = |secret: String| json!({"name": "carrier", "host": "sip.example.org", "username": "u", "password": secret});
    let made = twice(site, &gateways, &gateway(secrets.password())).json();
    let trunk = format!("{gateways}/{}", made["data"]["id"].as_str().unwrap());
    site.put(&trunk, &gateway(secrets.password())).is(200);

    let webhooks = format!("{here}/webhooks");
    let webhook = |secret: Option<String>| {
        let mut body = json!({"url": "https://hooks.example.org/x", "events": ["call.hangup"]});
        if let Some(secret) = secret {
            body["secret"] = json!(secret);
        }
        body
    };
    let made = site.post(&webhooks, &webhook(Some(secrets.password() + "LongEnough"))).is(201).json();
    let drawn = site.post(&webhooks, &webhook(None)).is(201).json();
    secrets.keep(text_of(&drawn, "secret").expect("a secret that we make is shown once"));
    if let Some(id) = text_of(&made, "id") {
        site.put(&format!("{webhooks}/{id}"), &webhook(Some(secrets.password() + "LongEnough"))).is(200);
    }
    // A secret that is changed is kept for a while, and was one already.
    let id = drawn["data"]["id"].as_str().unwrap();
    let rotate = format!("{webhooks}/{id}/rotate-secret");
    for body in [json!({"secret": secrets.password() + "LongEnough"}), json!([])] {
        let rotated = site.post(&rotate, &body).is(200).json();
        secrets.keep(text_of(&rotated, "secret").expect("the new secret is shown once"));
    }

    let login = json!({"email": "clerk@example.org", "password": secrets.password()});
    let clerk =
        json!({"name": "clerk", "role": "user", "email": login["email"], "password": login["password"]});
    let user = site.post("/users", &clerk).is(201).json()["id"].clone();
    let token = site.post("/auth/login", &login).is(200).json()["token"].as_str().unwrap().to_owned();
    secrets.keep(token.split_once('|').unwrap().1.to_owned());
    site.post("/auth/login", &json!({"email": "clerk@example.org", "password": secrets.password()})).is(401);
    site.put(&format!("/users/{user}"), &json!({"name": "clerk", "password": secrets.password()})).is(200);
    let register = secrets.password();
    let register = json!({"name": "r", "email": "r@example.org", "password": register, "password_confirmation": register});
    let token = site.post("/auth/register", &register).is(201).json()["token"].as_str().unwrap().to_owned();
    secrets.keep(token.split_once('|').unwrap().1.to_owned());
    let token = site.post("/auth/tokens", &json!({"name": "more"})).is(201).json();
    secrets.keep(token["plainTextToken"].as_str().unwrap().split_once('|').unwrap().1.to_owned());
    let wrong = secrets.password();
    answer(site.client.get(site.url("/auth/me")).bearer_auth(format!("1|{wrong}"))).is(401);

    let provided = json!({"name": "new", "domain": "new.example", "slug": "new"});
    let provided = site.post("/tenants/provision", &provided).is(201).json();
    let password = text_of(&provided["data"]["default_extension"], "password")
        .or_else(|| text_of(&provided["default_extension"], "password"));
    secrets.keep(password.expect("the first extension comes with its password"));

    site.request(Method::DELETE, &one).send().unwrap();
    site.request(Method::DELETE, &trunk).send().unwrap();
    tenant
}

/// The text of that name, wherever it is in an answer.
fn text_of(value: &Value, name: &str) -> Option<String> {
    match value {
        Value::Object(map) => {
            let own = map.get(name).and_then(Value::as_str).map(str::to_owned);
            own.or_else(|| map.values().find_map(|value| text_of(value, name)))
        }
        _ => None,
    }
}

/// All that the database holds, as bytes and as text.
fn dump(site: &Site) -> Vec<u8> {
    match Database::chosen() {
        Database::Sqlite => {
            let path = site.directory.path().join("nizam.db");
            let parts = ["", "-wal", "-shm"]
                .map(|end| fs::read(format!("{}{end}", path.display())).unwrap_or_default());
            parts.concat()
        }
        Database::Postgres => {
            let program = Server::program("pg_dump").unwrap();
            let dump = Command::new(program).arg(&site.database).output().unwrap();
            assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
            dump.stdout
        }
    }
}

fn holds(hay: &[u8], needle: &str) -> bool {
    hay.windows(needle.len()).any(|part| part == needle.as_bytes())
}

/// As `pg_dump` writes bytes.
fn hex(text: &str) -> String {
    text.bytes()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[test]
fn nothing_secret_is_written_down() {
    let password = "Xq7zAdmins own";
    let site =
        Site::new(|directory| Database::chosen().fresh(directory), &[("NIZAM_LOG", "trace")], password);
    let mut secrets = Secrets(vec![password.to_owned(), site.token.split_once('|').unwrap().1.to_owned()]);
    let daemon: Daemon = site.serve();
    let tenant = fill(&site, &mut secrets);
    let trail = site.all(&format!("/tenants/{tenant}/audit-logs"));
    let trail = serde_json::to_string(&trail).unwrap();
    // As the document on operations has it: the daemon rests while the key is changed.
    let mut log = daemon.end();
    let rotated = site.command(&["key", "rotate"]).output().unwrap();
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    let daemon = site.serve();
    assert!(
        site.all(&format!("/tenants/{tenant}/extensions")).len() == 3,
        "the rest is there after the change of keys"
    );
    // Both secrets of a webhook that is changing them can still be read: it could not be told otherwise.
    let hook = site.all(&format!("/tenants/{tenant}/webhooks")).pop().unwrap();
    assert!(hook["previous_secret_until"].is_string(), "{hook}");
    site.post(&format!("/tenants/{tenant}/webhooks/{}/test", hook["id"].as_str().unwrap()), &json!([]))
        .is(200);
    let said = [rotated.stdout, rotated.stderr].concat();
    log.push_str(&daemon.end());
    let rows = dump(&site);

    // What must be there is found by the same search.
    assert!(
        holds(trail.as_bytes(), "Zebulon")
            && holds(&rows, "Zebulon")
            && holds(log.as_bytes(), "extensions.list")
    );
    let mut found = Vec::new();
    for secret in &secrets.0 {
        for (name, place) in
            [("log", log.as_bytes()), ("audit trail", trail.as_bytes()), ("rows", &rows), ("key", &said)]
        {
            if holds(place, secret) || holds(place, &hex(secret)) {
                found.push(format!("{secret} in {name}"));
            }
        }
    }
    assert_eq!(found, Vec::<String>::new());
    println!(
        "secrets: {} searched in {} bytes of log, {} of rows, {} of audit",
        secrets.0.len(),
        log.len(),
        rows.len(),
        trail.len()
    );
}
