//! pusher-js and laravel-echo from npm, unchanged, with the real program: they hear, are refused what is not theirs, and miss nothing although
//! nizamd is killed.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nizam_test_postgres::Database;
use serde_json::{Value, json};

use crate::events::{spool, tell};
use crate::needs::{skip, there_is};
use crate::site::Site;

/// Puts the programs into a directory of their own, with what they need from npm; what npm complains of, if it does.
fn install(place: &Path) -> String {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/pusher");
    fs::create_dir_all(place).unwrap();
    for name in ["package.json", "package-lock.json", "run.mjs"] {
        fs::copy(sources.join(name), place.join(name)).unwrap();
    }
    let (lock, done) = (place.join("package-lock.json"), place.join("installed.json"));
    if fs::read(&done).is_ok_and(|installed| installed == fs::read(&lock).unwrap()) {
        return String::new();
    }
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    let npm = Command::new("npm").args(arguments).current_dir(place).output().unwrap();
    if !npm.status.success() {
        return format!("npm ci fails: {}", String::from_utf8_lossy(&npm.stderr).replace('\n', " "));
    }
    fs::copy(lock, done).unwrap();
    String::new()
}

#[test]
fn pusher_js_and_laravel_echo_miss_nothing() {
    if !there_is("node", "node", "nodejs") || !there_is("node", "npm", "npm") {
        return;
    }
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pusher");
    let complaint = install(&place);
    if !complaint.is_empty() {
        return skip("node", &complaint);
    }
    let site = Site::new(|path| Database::chosen().fresh(path), &[], "correct horse");
    let mut daemon = site.serve();
    let tenant = site.make("/tenants", &json!({"name": "events", "domain": "events.example"}));
    let other = site.make("/tenants", &json!({"name": "other", "domain": "other.example"}));
    let (email, password) = ("m@example.org", "correct horse battery");
    let user =
        json!({"name": "M", "email": email, "password": password, "role": "user", "tenant_id": tenant});
    site.post("/users", &user).is(201);
    let signed_in = site.post("/auth/login", &json!({"email": email, "password": password})).is(200).json();
    let token = signed_in["token"].as_str().unwrap();
    let spool = Arc::new(spool());
    let address = site.url("");
    let address = address.strip_prefix("http://").unwrap().split('/').next().unwrap();
    let (host, port) = address.split_once(':').unwrap();
    let mut node = Command::new("node")
        .arg("run.mjs")
        .current_dir(&place)
        .env("HOST", host)
        .env("PORT", port)
        .env("TOKEN", token)
        .env("TENANT", &tenant)
        .env("OTHER", &other)
        .env("EVENTS", spool.len().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(node.stdout.take().unwrap()).lines();
    let mut said = || -> Value {
        let line = lines.next().expect("node says something").unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let refused = json!({
        format!("private-tenant.{other}.calls"): 403,
        format!("presence-tenant.{tenant}.calls"): 403,
        "client": 4301,
    });
    assert_eq!(said()["refused"], refused);

    let (acknowledged, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let module = {
        let (socket, spool) = (site.socket(), Arc::clone(&spool));
        let (acknowledged, over) = (Arc::clone(&acknowledged), Arc::clone(&over));
        std::thread::spawn(move || {
            while tell(&socket, &spool, &acknowledged, false).is_none() && !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
            }
        })
    };
    let mut kills = 0;
    for part in [1, 2] {
        let began = Instant::now();
        while acknowledged.load(Ordering::Relaxed) < part * spool.len() / 3 {
            assert!(began.elapsed() < Duration::from_mins(1), "it does not come to an end");
            std::thread::sleep(Duration::from_millis(1));
        }
        daemon.child.kill().unwrap();
        daemon.child.wait().unwrap();
        daemon = site.serve();
        kills += 1;
    }
    let ended = said();
    over.store(true, Ordering::Relaxed);
    module.join().unwrap();
    assert!(node.wait().unwrap().success());
    let events = site.all(&format!("/tenants/{tenant}/call-events"));
    let mut want: Vec<i64> = events.iter().map(|event| event["sequence"].as_i64().unwrap()).collect();
    want.sort_unstable();
    assert_eq!(want.len(), spool.len());
    let sequences = |name: &str| -> Vec<i64> {
        ended[name].as_array().unwrap().iter().map(|value| value.as_i64().unwrap()).collect()
    };
    assert!(sequences("heard") == want, "pusher-js: each once and in order");
    let mut listened = sequences("listened");
    // What came between the subscription and `pusher:resume` was told before what is earlier.
    listened.sort_unstable();
    assert!(listened == want, "laravel-echo: each once");
    println!(
        "pusher-js and laravel-echo: {} events each, nizamd killed {kills} times, laravel-echo subscribed {} times: none missed, none twice",
        want.len(),
        ended["times"]
    );
}
