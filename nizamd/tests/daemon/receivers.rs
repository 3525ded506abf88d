//! The receivers of the documentation, and the library of Standard Webhooks, take what the real program sends, also while a secret is being
//! changed; and nothing that is forged or old.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use nizam_test_postgres::Database;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::needs::{skip, there_is};
use crate::site::{Daemon, Site};

const PATIENCE: Duration = Duration::from_mins(2);
const OLD: &str = "the secret of yesterday";
const NEW: &str = "the secret of today, or so";

/// A daemon with a tenant, that may tell receivers on this machine.
struct Stage {
    site: Site,
    tenant: String,
    _daemon: Daemon,
}

impl Stage {
    fn new() -> Self {
        let environment = [("NIZAM_WEBHOOK_NETWORKS", "127.0.0.0/8")];
        let site = Site::new(|path| Database::chosen().fresh(path), &environment, "correct horse");
        let daemon = site.serve();
        let tenant = site.make("/tenants", &json!({"name": "events", "domain": "events.example"}));
        Self { site, tenant, _daemon: daemon }
    }

    /// Makes a webhook with that secret, gives its path.
    fn webhook(&self, port: u16, secret: &str) -> String {
        let hooks = format!("/tenants/{}/webhooks", self.tenant);
        let body = json!({"url": format!("http://127.0.0.1:{port}/hook"), "events": ["call.hangup"], "secret": secret});
        let id = self.site.make(&hooks, &body);
        format!("{hooks}/{id}")
    }

    /// Tells the receiver, and gives what came of it.
    fn told(&self, webhook: &str) -> Value {
        self.site.post(&format!("{webhook}/test"), &json!([])).is(200).json()["data"].clone()
    }

    fn rotate(&self, webhook: &str, secret: &str) {
        self.site.post(&format!("{webhook}/rotate-secret"), &json!({"secret": secret})).is(200);
    }
}

/// A program that writes lines of JSON.
struct Program {
    child: Child,
    lines: Receiver<Value>,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    fn line(&self) -> Value {
        self.lines.recv_timeout(PATIENCE).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn hex_signature(secret: &str, timestamp: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{timestamp}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Sends a delivery as somebody else would, and gives the status.
fn deliver(port: u16, timestamp: &str, signature: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST /hook HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\nx-nizam-event: call.hangup\r\n\
         x-nizam-timestamp: {timestamp}\r\nx-nizam-signature: {signature}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = Vec::new();
    let _read = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap()
}

/// What a receiver of the documentation takes, and what it refuses.
fn receive(interpreter: &str, file: &str) {
    let program = |secrets: &[&str]| {
        let mut command = Command::new(interpreter);
        let program = Program::start(
            command
                .arg(root().join("docs/receivers").join(file))
                .arg("0")
                // A blank line is no secret: with an empty key anybody could sign.
                .env("NIZAM_WEBHOOK_SECRETS", format!("\n{}\n", secrets.join("\n"))),
        );
        let port = program.line()["listening"].as_u64().unwrap();
        (program, u16::try_from(port).unwrap())
    };
    let stage = Stage::new();
    let (receiver, port) = program(&[OLD]);
    let webhook = stage.webhook(port, OLD);
    let told = stage.told(&webhook);
    assert_eq!(told["response_status"], 204, "{told}");
    let got = receiver.line();
    assert_eq!((&got["id"], &got["event"]), (&told["event_id"], &json!("webhook.test")));
    // While the secret is being changed each of them is good: the receiver that does not know the new one yet goes on.
    stage.rotate(&webhook, NEW);
    assert_eq!(stage.told(&webhook)["response_status"], 204);
    receiver.line();
    for secrets in [&[OLD, NEW][..], &[NEW]] {
        let (receiver, port) = program(secrets);
        let url = json!({"url": format!("http://127.0.0.1:{port}/hook")});
        stage.site.put(&webhook, &url).is(200);
        assert_eq!(stage.told(&webhook)["response_status"], 204, "{secrets:?}");
        receiver.line();
    }
    let strange = stage.webhook(port, "a secret of nobody here");
    let refused = stage.told(&strange);
    assert_eq!(
        (&refused["response_status"], &refused["response_body"]),
        (&json!(401), &json!("no good signature"))
    );

    let now = jiff::Timestamp::now().as_second();
    let body = r#"{"event":"call.hangup","id":"one"}"#;
    let good = hex_signature(OLD, now, body);
    assert_eq!(deliver(port, &now.to_string(), &good, body), 204);
    assert_eq!(receiver.line()["id"], "one");
    for (timestamp, signature, body) in [
        (now.to_string(), good.clone(), r#"{"event":"call.hangup","id":"two"}"#),
        (now.to_string(), String::new(), body),
        (now.to_string(), hex_signature("another secret of theirs", now, body), body),
        (now.to_string(), hex_signature("", now, body), body),
        ((now + 1).to_string(), good.clone(), body),
        ((now - 301).to_string(), hex_signature(OLD, now - 301, body), body),
        ((now + 400).to_string(), hex_signature(OLD, now + 400, body), body),
        ("soon".to_owned(), good.clone(), body),
        (String::new(), good.clone(), body),
    ] {
        assert_eq!(deliver(port, &timestamp, &signature, body), 401, "{timestamp} {signature} {body}");
    }
    // Twice the same is one.
    assert_eq!(deliver(port, &now.to_string(), &good, body), 204);
    let last = r#"{"event":"call.hangup","id":"last"}"#;
    assert_eq!(deliver(port, &now.to_string(), &hex_signature(OLD, now, last), last), 204);
    assert_eq!(receiver.line()["id"], "last");
}

#[test]
fn the_receiver_in_python_takes_what_is_ours_and_fresh() {
    if there_is("python3", "python3", "python3") {
        receive("python3", "receiver.py");
    }
}

#[test]
fn the_receiver_in_node_takes_what_is_ours_and_fresh() {
    if there_is("node", "node", "nodejs") {
        receive("node", "receiver.mjs");
    }
}

/// Answers each request with 204, and gives its head and its body.
fn listener() -> (u16, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, got) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut text, mut chunk) = (String::new(), [0; 4096]);
            loop {
                let read = stream.read(&mut chunk).unwrap();
                text.push_str(std::str::from_utf8(&chunk[..read]).unwrap());
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|line| {
                    line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
                });
                if body.len() >= length.unwrap() {
                    if sender.send((head.to_owned(), body.to_owned())).is_err() {
                        return;
                    }
                    break;
                }
            }
            stream.write_all(b"HTTP/1.1 204 Done\r\nconnection: close\r\n\r\n").unwrap();
        }
    });
    (port, got)
}

/// The library from the registry, in a directory of the build; none where the registry cannot be reached.
fn library() -> Option<PathBuf> {
    let (from, to) =
        (root().join("tests/receivers"), Path::new(env!("CARGO_TARGET_TMPDIR")).join("receivers"));
    std::fs::create_dir_all(&to).unwrap();
    let program = to.join("verify.mjs");
    std::fs::copy(from.join("verify.mjs"), &program).unwrap();
    let installed = to.join("installed.json");
    let locked = std::fs::read(from.join("package-lock.json")).unwrap();
    if std::fs::read(&installed).ok().as_ref() == Some(&locked) {
        return Some(program);
    }
    for file in ["package.json", "package-lock.json"] {
        std::fs::copy(from.join(file), to.join(file)).unwrap();
    }
    let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    let done = Command::new("npm").args(install).current_dir(&to).output().unwrap();
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        skip("node", &format!("npm ci fails: {}", said.lines().next().unwrap_or_default()));
        return None;
    }
    std::fs::write(installed, locked).unwrap();
    Some(program)
}

#[test]
fn the_library_of_standard_webhooks_verifies_what_is_ours_and_fresh() {
    if !there_is("node", "node", "nodejs") || !there_is("node", "npm", "npm") {
        return;
    }
    let Some(library) = library() else { return };
    // As its specification writes secrets, and any other text, whose bytes are the key.
    let (old, plain) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", NEW);
    let encoded = |secret: &str| {
        let bytes = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, secret);
        format!("whsec_{bytes}")
    };
    let mut program = Program::start(Command::new("node").arg(library).stdin(Stdio::piped()));
    let mut verify = |secret: &str, headers: &Value, body: &str| {
        let question = json!({"secret": secret, "headers": headers, "body": body});
        let mut input = program.child.stdin.take().unwrap();
        writeln!(input, "{question}").unwrap();
        program.child.stdin = Some(input);
        program.line()["verified"].as_bool().unwrap()
    };
    let stage = Stage::new();
    let (port, got) = listener();
    let webhook = stage.webhook(port, old);
    let told = || {
        assert_eq!(stage.told(&webhook)["response_status"], 204);
        let (head, body) = got.recv_timeout(PATIENCE).unwrap();
        let headers = head.lines().filter_map(|line| line.split_once(": "));
        let headers: Value = headers.map(|(name, value)| (name.to_lowercase(), json!(value))).collect();
        (headers, body)
    };
    let (headers, body) = told();
    assert!(verify(old, &headers, &body));
    assert!(!verify(&encoded(plain), &headers, &body), "not with another secret");
    stage.rotate(&webhook, plain);
    let (headers, body) = told();
    for secret in [old, &encoded(plain)] {
        assert!(verify(secret, &headers, &body), "{secret}");
        assert!(!verify(secret, &headers, &body.replace("webhook.test", "webhook.best")), "what was changed");
        for (name, value) in [
            ("webhook-timestamp", json!((jiff::Timestamp::now().as_second() - 301).to_string())),
            ("webhook-id", json!("another")),
            ("webhook-signature", json!("v1,AAAA")),
        ] {
            let mut forged = headers.clone();
            forged[name] = value;
            assert!(!verify(secret, &forged, &body), "{name}");
        }
    }
    println!(
        "standard webhooks: verified by its own library with the secret, and with both while it is being changed"
    );
}
