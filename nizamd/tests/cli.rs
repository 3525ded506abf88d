//! The program itself: commands, exit codes, signals.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A state directory, and a program that works in it.
struct Place {
    directory: TempDir,
    listen: String,
}

/// A daemon that runs until it is dropped.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Place {
    fn new() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { directory: tempfile::tempdir().unwrap(), listen: format!("127.0.0.1:{port}") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nizamd"));
        command
            .args(arguments)
            .env_clear()
            .env("NIZAM_STATE_DIR", self.path("state"))
            .env("NIZAM_SOCKET", self.path("nizam.sock"))
            .env("NIZAM_LISTEN", &self.listen)
            .env("NIZAM_RATE_LIMIT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts it, and waits until it says that it is ready.
    fn serve(&self) -> Daemon {
        let mut daemon = Daemon(self.command(&["serve"]).spawn().unwrap());
        let mut lines = BufReader::new(daemon.0.stderr.take().unwrap()).lines();
        let mut seen = String::new();
        loop {
            match lines.next() {
                Some(Ok(line)) if line.contains("nizamd is ready") => break,
                Some(Ok(line)) => seen.push_str(&line),
                other => panic!("nizamd did not start: {other:?} {seen}"),
            }
        }
        // Somebody must read on, or the pipe fills up.
        std::thread::spawn(move || lines.for_each(drop));
        daemon
    }

    fn get(&self, path: &str, token: &str) -> Value {
        let url = format!("http://{}/api/v1{path}", self.listen);
        client().get(url).bearer_auth(token).send().unwrap().json().unwrap()
    }
}

fn client() -> Client {
    nizamd::tls::provide();
    Client::new()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// The one line of an error.
#[track_caller]
fn error(output: &Output, code: i32) -> String {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    let line = stderr.lines().last().unwrap().to_owned();
    assert!(line.starts_with("nizamd: "), "{stderr}");
    line
}

fn write(path: &Path, text: &str) -> String {
    std::fs::write(path, text).unwrap();
    path.display().to_string()
}

#[test]
fn a_key_that_does_not_exist_is_named() {
    let place = Place::new();
    let file = write(&place.path("nizamd.toml"), "listen = \"127.0.0.1:1\"\nstate_dri = \"/x\"\n");
    for command in ["check-config", "serve", "migrate", "seed-demo"] {
        let line = error(&place.run(&[command, "--config", &file]), 2);
        assert!(line.contains(&format!("{file}:2: unknown key `state_dri`")), "{line}");
    }
    let missing = place.path("missing.toml").display().to_string();
    assert!(error(&place.run(&["check-config", "--config", &missing]), 2).contains("missing.toml"));
    let good = write(&place.path("good.toml"), "rate_limit = 7\n[link]\nallow_users = [\"a\", \"b\"]\n");
    let output = place.run(&["check-config", "--config", &good]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("link.allow_users = a, b"));
    // A variable with a typing error is a warning.
    let output = place.command(&["check-config"]).env("NIZAM_LISTN", "x").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).contains("NIZAM_LISTN"));
    assert_eq!(place.run(&["no-such-command"]).status.code(), Some(2));
}

#[test]
fn what_is_in_the_way_is_one_line() {
    let place = Place::new();
    let taken = TcpListener::bind(&place.listen).unwrap();
    let line = error(&place.run(&["serve"]), 1);
    assert!(line.contains("another program uses it") && line.contains("NIZAM_LISTEN"), "{line}");
    drop(taken);

    // Root may write everywhere, so a file stands where the directory should be.
    let file = write(&place.path("file"), "");
    let output = place.command(&["serve"]).env("NIZAM_STATE_DIR", format!("{file}/state")).output().unwrap();
    let line = error(&output, 1);
    assert!(
        line.contains("cannot write to the state directory") && line.contains("NIZAM_STATE_DIR"),
        "{line}"
    );

    let output = place.command(&["migrate"]).env("NIZAM_DATABASE_URL", "mysql://x").output().unwrap();
    assert!(error(&output, 2).contains("NIZAM_DATABASE_URL"));
    let output = place.command(&["migrate"]).env("NIZAM_APP_KEY", "short").output().unwrap();
    assert!(error(&output, 1).contains("32 bytes in base64"));
    write(&place.path("state/nizam.db"), &"no database".repeat(500));
    assert!(error(&place.run(&["migrate"]), 1).contains("cannot open the database"));
}

#[test]
fn a_lost_key_is_not_replaced() {
    let place = Place::new();
    assert_eq!(place.run(&["migrate"]).status.code(), Some(0));
    let key = place.path("state/app.key");
    let kept = std::fs::read_to_string(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let line = error(&place.run(&["migrate"]), 1);
    assert!(line.contains("restore the app.key"), "{line}");
    assert!(!key.exists(), "a new key would hide that the right one is missing");
    write(&key, "nonsense");
    assert!(error(&place.run(&["migrate"]), 1).contains("app.key"));
    let output = place.command(&["migrate"]).env("NIZAM_APP_KEY", kept.trim()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let credentials = tempfile::tempdir().unwrap();
    write(&credentials.path().join("app-key"), &kept);
    let output =
        place.command(&["migrate"]).env("CREDENTIALS_DIRECTORY", credentials.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn from_the_first_admin_to_the_end() {
    let place = Place::new();
    let create = ["admin", "create", "--email", "admin@example.org", "--password", "correct horse"];
    let token = text(&place.run(&create).stdout);
    assert!(token.split_once('|').is_some_and(|(_, secret)| secret.len() == 48), "{token}");
    assert!(error(&place.run(&create), 1).contains("The email has already been taken."));
    let short = ["admin", "create", "--email", "b@example.org", "--password", "short"];
    assert!(error(&place.run(&short), 1).contains("at least 8 characters"));
    let nobody = ["token", "create", "--email", "nobody@example.org"];
    assert!(error(&place.run(&nobody), 1).contains("there is no user"));
    let second = text(&place.run(&["token", "create", "--email", "ADMIN@example.org"]).stdout);

    let mut daemon = place.serve();
    assert_eq!(place.get("/auth/me", &token)["user"]["role"], "admin");
    assert_eq!(place.get("/auth/me", &second)["user"]["email"], "admin@example.org");

    let seeded = place.run(&["seed-demo"]);
    assert_eq!(seeded.status.code(), Some(0), "{}", text(&seeded.stderr));
    let printed = text(&seeded.stdout);
    assert_eq!(text(&place.run(&["seed-demo"]).stdout), printed, "seeding again changes nothing");
    let tenants = place.get("/tenants", &token);
    let id = tenants["data"][0]["id"].as_str().unwrap();
    assert_eq!(tenants["data"][0]["domain"], "demo.nizam.local");
    let extensions = place.get(&format!("/tenants/{id}/extensions"), &token);
    let extensions = extensions["data"].as_array().unwrap();
    assert_eq!(extensions.len(), 5);
    for extension in extensions {
        let (password, pin) =
            (extension["password"].as_str().unwrap(), extension["voicemail_pin"].as_str().unwrap());
        let number = extension["extension"].as_str().unwrap();
        assert_eq!((password.len(), pin.len()), (20, 6));
        assert!(printed.contains(&format!("extension {number} password {password} pin {pin}")));
        assert_eq!(extension["voicemail_enabled"], json!(true));
    }

    // SIGTERM ends it in order, and what it had is there for the next one.
    let process = rustix::process::Pid::from_child(&daemon.0);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let status = loop {
        if let Some(status) = daemon.0.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(0));
    assert!(!place.path("nizam.sock").exists());
    let _again = place.serve();
    assert_eq!(place.get("/tenants", &token)["meta"]["total"], 1);
}

#[test]
fn logs_hold_no_secrets() {
    let place = Place::new();
    let token = text(
        &place.run(&["admin", "create", "--email", "a@example.org", "--password", "correct horse"]).stdout,
    );
    let mut command = place.command(&["serve"]);
    command.env("NIZAM_LOG", "trace").env("NIZAM_LOG_FORMAT", "json");
    let mut daemon = Daemon(command.spawn().unwrap());
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::net::TcpStream::connect(&place.listen).is_err() {
        assert!(Instant::now() < deadline, "it does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Read beside it: at this level it fills a pipe.
    let mut stderr = daemon.0.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut log = String::new();
        stderr.read_to_string(&mut log).map(|_| log)
    });
    let client = client();
    let url = |path: &str| format!("http://{}/api/v1{path}", place.listen);
    let body = json!({"name": "a", "domain": "a.example"});
    let tenant: Value =
        client.post(url("/tenants")).bearer_auth(&token).json(&body).send().unwrap().json().unwrap();
    let path = format!("/tenants/{}/extensions", tenant["data"]["id"].as_str().unwrap());
    let body = json!({
        "extension": "1001", "password": "Sip-Secret-77", "voicemail_pin": "73519284",
        "directory_first_name": "F", "directory_last_name": "L",
    });
    let made = client.post(url(&path)).bearer_auth(&token).json(&body).send().unwrap();
    assert_eq!(made.status().as_u16(), 201);
    let body = json!({"email": "a@example.org", "password": "correct horse"});
    assert_eq!(client.post(url("/auth/login")).json(&body).send().unwrap().status().as_u16(), 200);
    drop(daemon);
    let log = reader.join().unwrap().unwrap();
    assert!(log.contains("extensions.create"), "{log}");
    let secret = token.split_once('|').unwrap().1;
    for secret in [secret, "Sip-Secret-77", "73519284", "correct horse"] {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}

#[test]
fn a_database_that_is_missing_is_not_replaced_by_an_empty_one() {
    let place = Place::new();
    drop(place.serve());
    for file in std::fs::read_dir(place.path("state")).unwrap() {
        let file = file.unwrap().path();
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("nizam.db")) {
            std::fs::remove_file(file).unwrap();
        }
    }
    let output = place.run(&["serve"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("nizam.db is missing") && said.contains("nizamd migrate"), "{said}");
    assert!(place.run(&["migrate"]).status.success());
    drop(place.serve());
}

#[test]
fn two_daemons_do_not_share_a_state_directory() {
    let place = Place::new();
    let _first = place.serve();
    let mut second = place.command(&["serve"]);
    second.env("NIZAM_LISTEN", "127.0.0.1:0").env("NIZAM_SOCKET", place.path("other.sock"));
    let output = second.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("another nizamd serves from"), "{said}");
}

/// A request that is never finished must not keep others out.
/// A connection from an address of this machine.
fn connect_from(source: &str, to: &str) -> std::net::TcpStream {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    use std::net::{SocketAddr, SocketAddrV4};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddr::V4(SocketAddrV4::new(source.parse().unwrap(), 0))).unwrap();
    connect(&socket, &to.parse::<SocketAddr>().unwrap()).unwrap();
    socket.into()
}

/// Whether the other end has not closed it: there is nothing to read yet.
fn is_open(stream: &std::net::TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = (&mut &*stream).read(&mut [0; 1]);
    stream.set_nonblocking(false).unwrap();
    read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

#[test]
fn half_open_requests_do_not_keep_others_out() {
    use std::io::Write as _;
    let place = Place::new();
    let _daemon = place.serve();
    // As many as there are places in all, and more, from one address that is not ours.
    let held: Vec<std::net::TcpStream> = (0..1200)
        .map_while(|_| {
            let mut stream = connect_from("127.0.0.2", &place.listen);
            // One that was closed already refuses it.
            let _refused = stream.write_all(b"GET /api/v1/health HTTP/1.1\r\nX-A: ");
            Some(stream)
        })
        .collect();
    let began = Instant::now();
    let health = place.get("/health", "");
    assert_eq!(health["status"], json!("healthy"));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let open = held.iter().filter(|stream| is_open(stream)).count();
    assert_eq!(open, 175, "an address has its places and no more");
    let mut first = &held[0];
    first.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut rest = Vec::new();
    // Closed after the time for a head: an end, an answer 408, or a reset, and not our own patience.
    match first.read_to_end(&mut rest) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
}

#[test]
fn another_key_for_every_secret() {
    let place = Place::new();
    let token = text(
        &place.run(&["admin", "create", "--email", "a@example.org", "--password", "correct horse"]).stdout,
    );
    assert!(place.run(&["seed-demo"]).status.success());
    let key = std::fs::read_to_string(place.path("state/app.key")).unwrap();
    let daemon = place.serve();
    let tenant = place.get("/tenants", &token)["data"][0]["id"].as_str().unwrap().to_owned();
    let extensions = format!("/tenants/{tenant}/extensions");
    let before = place.get(&extensions, &token)["data"].clone();
    let url = |path: &str| format!("http://{}/api/v1/tenants/{tenant}/{path}", place.listen);
    let body = json!({"name": "carrier", "host": "sip.example.org", "password": "trunk-secret"});
    let made = client().post(url("gateways")).bearer_auth(&token).json(&body).send().unwrap();
    assert_eq!(made.status().as_u16(), 201);
    let line = error(&place.run(&["key", "rotate"]), 1);
    assert!(line.contains("another nizamd serves"), "{line}");
    drop(daemon);

    let printed = text(&place.run(&["key", "rotate"]).stdout);
    assert!(printed.contains("there is a new key: 11 secrets are sealed with it"), "{printed}");
    let new = std::fs::read_to_string(place.path("state/app.key")).unwrap();
    assert_eq!((new.lines().count(), new == key), (1, false));
    assert!(!printed.contains(new.trim()) && !printed.contains(key.trim()));
    let daemon = place.serve();
    assert_eq!(place.get(&extensions, &token)["data"], before);
    drop(daemon);

    // A rotation that was interrupted has left both keys; it goes on where it was.
    let third = text(&Command::new("openssl").args(["rand", "-base64", "32"]).output().unwrap().stdout);
    write(&place.path("state/app.key"), &format!("{third}\n{new}"));
    let printed = text(&place.run(&["key", "rotate"]).stdout);
    assert!(printed.contains("the rotation that had begun is done: 11 secrets"), "{printed}");
    assert_eq!(
        std::fs::read_to_string(place.path("state/app.key")).unwrap().trim(),
        format!("base64:{third}")
    );
    let daemon = place.serve();
    assert_eq!(place.get(&extensions, &token)["data"], before);
    drop(daemon);

    // The old key opens nothing any more.
    let mut command = place.command(&["migrate"]);
    let line = error(&command.env("NIZAM_APP_KEY", new.trim()).output().unwrap(), 1);
    assert!(line.contains("the key does not fit the database"), "{line}");
    let mut command = place.command(&["key", "rotate"]);
    let printed = text(&command.env("NIZAM_APP_KEY", &third).output().unwrap().stdout);
    assert!(printed.contains("1. set NIZAM_APP_KEY to base64:"), "{printed}");
}
