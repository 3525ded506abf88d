//! nizamd is killed again and again while it writes: what it has answered is there, nothing is half there, nothing twice.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nizam_test_postgres::Database;
use reqwest::blocking::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Threads that write.
const WRITERS: u64 = 3;

struct Site {
    directory: TempDir,
    database: String,
    listen: String,
    token: String,
}

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        // SIGKILL; it may have ended by itself.
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Site {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut site = Self {
            database: Database::chosen().fresh(directory.path()),
            listen: format!("127.0.0.1:{port}"),
            token: String::new(),
            directory,
        };
        let made = site
            .command(&["admin", "create", "--email", "a@example.org", "--password", "correct horse"])
            .output()
            .unwrap();
        String::from_utf8(made.stdout).unwrap().trim().clone_into(&mut site.token);
        assert!(site.token.contains('|'), "{}", String::from_utf8_lossy(&made.stderr));
        site
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nizamd"));
        command
            .args(arguments)
            .env_clear()
            .env("NIZAM_STATE_DIR", self.directory.path().join("state"))
            .env("NIZAM_SOCKET", self.directory.path().join("nizam.sock"))
            .env("NIZAM_DATABASE_URL", &self.database)
            .env("NIZAM_LISTEN", &self.listen)
            .env("NIZAM_RATE_LIMIT", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn serve(&self) -> Daemon {
        let mut daemon = Daemon(self.command(&["serve"]).spawn().unwrap());
        let mut lines = BufReader::new(daemon.0.stderr.take().unwrap()).lines();
        let ready = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("nizamd is ready")));
        ready.expect("nizamd starts").unwrap();
        // Somebody must read on, or the pipe fills up.
        std::thread::spawn(move || lines.for_each(drop));
        daemon
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1{path}", self.listen)
    }

    fn get(&self, path: &str) -> Value {
        let answer = Client::new().get(self.url(path)).bearer_auth(&self.token).send().unwrap();
        let (status, text) = (answer.status(), answer.text().unwrap());
        assert_eq!(status.as_u16(), 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Every row of a list.
    fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        for page in 1.. {
            let separator = if path.contains('?') { '&' } else { '?' };
            let body = self.get(&format!("{path}{separator}per_page=100&page={page}"));
            let data = body["data"].as_array().unwrap().clone();
            let last = body["meta"]["last_page"].as_u64().or_else(|| body["last_page"].as_u64()).unwrap();
            rows.extend(data);
            if page >= last {
                break;
            }
        }
        rows
    }
}

/// What a writer knows of a row: what was answered, and what was sent and not answered.
#[derive(Clone, Debug, Default)]
struct Known {
    id: Option<String>,
    /// The names that the row may have: the last one that was answered, and those that were sent since.
    names: Vec<String>,
    /// Whether it is certain that the row is there.
    answered: bool,
    deleted: bool,
    maybe_deleted: bool,
}

/// All rows that the writers made, by a key that each row carries for ever: its number, its name.
type Ledger = Arc<Mutex<BTreeMap<String, Known>>>;

/// xorshift64*.
fn random(state: &mut u64) -> u64 {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
}

/// Writes until somebody says stop or the daemon is gone. DIDs: the number stays, the description changes.
/// No two lives of the daemon see the same `seed`.
fn write(
    site: &Site,
    tenant: &str,
    (writer, seed): (u64, u64),
    ledger: &Ledger,
    stop: &AtomicBool,
    answered: &AtomicU64,
) {
    let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ (writer + 1) ^ seed.wrapping_mul(0x2545_f491_4f6c_dd1d);
    while !stop.load(Ordering::Relaxed) {
        let mine: Vec<(String, Known)> = ledger
            .lock()
            .unwrap()
            .iter()
            .filter(|(key, known)| {
                key.starts_with(&format!("+{writer}")) && known.id.is_some() && !known.maybe_deleted
            })
            .map(|(key, known)| (key.clone(), known.clone()))
            .collect();
        let list = format!("/tenants/{tenant}/dids");
        let text = format!("t{}", random(&mut state));
        let body = |number: &str, text: &str| {
            json!({"number": number, "description": text, "destination_type": "extension",
                "destination_id": "019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01"})
        };
        let choice = if mine.len() < 5 { 0 } else { random(&mut state) % 10 };
        let done = match choice {
            0..=3 => {
                let number = format!("+{writer}{:015}", random(&mut state));
                ledger.lock().unwrap().entry(number.clone()).or_default().names.push(text.clone());
                let request = client.post(site.url(&list)).header("Idempotency-Key", &number);
                let Ok(answer) = request.bearer_auth(&site.token).json(&body(&number, &text)).send() else {
                    return;
                };
                assert_eq!(answer.status().as_u16(), 201);
                let Ok(made) = answer.json::<Value>() else { return };
                let mut ledger = ledger.lock().unwrap();
                let known = ledger.get_mut(&number).unwrap();
                known.answered = true;
                known.id = made["data"]["id"].as_str().map(str::to_owned);
                true
            }
            4..=7 => {
                let (number, known) = &mine[usize::try_from(random(&mut state)).unwrap() % mine.len()];
                ledger.lock().unwrap().get_mut(number).unwrap().names.push(text.clone());
                let one = format!("{list}/{}", known.id.as_deref().unwrap());
                let request = client.put(site.url(&one)).bearer_auth(&site.token);
                let Ok(answer) = request.json(&body(number, &text)).send() else { return };
                assert_eq!(answer.status().as_u16(), 200);
                ledger.lock().unwrap().get_mut(number).unwrap().names = vec![text];
                true
            }
            _ => {
                let (number, known) = &mine[usize::try_from(random(&mut state)).unwrap() % mine.len()];
                ledger.lock().unwrap().get_mut(number).unwrap().maybe_deleted = true;
                let one = format!("{list}/{}", known.id.as_deref().unwrap());
                let Ok(answer) = client.delete(site.url(&one)).bearer_auth(&site.token).send() else {
                    return;
                };
                assert_eq!(answer.status().as_u16(), 204);
                ledger.lock().unwrap().get_mut(number).unwrap().deleted = true;
                true
            }
        };
        answered.fetch_add(u64::from(done), Ordering::Relaxed);
    }
}

/// Sends again what was not answered, with the same key: it is done now, or it was done and is not done twice.
fn repeat(site: &Site, tenant: &str, ledger: &Ledger) -> u64 {
    let open: Vec<(String, String)> = ledger
        .lock()
        .unwrap()
        .iter()
        .filter(|(_, known)| !known.answered)
        .map(|(number, known)| (number.clone(), known.names[0].clone()))
        .collect();
    let mut sent = 0;
    for (number, text) in open {
        let body = json!({"number": number, "description": text, "destination_type": "extension",
            "destination_id": "019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01"});
        let request = Client::new().post(site.url(&format!("/tenants/{tenant}/dids")));
        let answer =
            request.header("Idempotency-Key", &number).bearer_auth(&site.token).json(&body).send().unwrap();
        let status = answer.status().as_u16();
        // 409: it was done, and its answer was lost with the daemon.
        assert!(matches!(status, 201 | 409), "{status} {}", answer.text().unwrap());
        sent += 1;
        let mut ledger = ledger.lock().unwrap();
        let known = ledger.get_mut(&number).unwrap();
        known.answered = true;
        if status == 201 {
            let made: Value = answer.json().unwrap();
            known.id = made["data"]["id"].as_str().map(str::to_owned);
        }
    }
    sent
}

/// Compares what is there with what was answered.
fn verify(site: &Site, tenant: &str, ledger: &Ledger) {
    let rows = site.all(&format!("/tenants/{tenant}/dids"));
    let mut there: BTreeMap<String, &Value> = BTreeMap::new();
    for row in &rows {
        let twice = there.insert(row["number"].as_str().unwrap().to_owned(), row);
        assert!(twice.is_none(), "twice: {row}");
    }
    let mut ledger = ledger.lock().unwrap();
    for (number, known) in ledger.iter_mut() {
        match there.get(number) {
            None => assert!(
                known.maybe_deleted || !known.answered,
                "{number} was answered and is not there: {known:?}"
            ),
            Some(row) => {
                assert!(!known.deleted, "{number} was deleted and is there");
                let text = row["description"].as_str().unwrap().to_owned();
                assert!(known.names.contains(&text), "{number} is {text}: {known:?}");
                known.names = vec![text];
                known.id = row["id"].as_str().map(str::to_owned);
                known.maybe_deleted = false;
            }
        }
    }
    for number in there.keys() {
        assert!(ledger.contains_key(number), "nobody has sent {number}");
    }
    // A number that is gone is not touched any more.
    ledger.retain(|number, known| there.contains_key(number) || !known.answered);

    let stats = site.get(&format!("/tenants/{tenant}/stats"));
    assert_eq!(stats["data"]["dids_count"], json!(rows.len()), "the count agrees with the rows");
    let trail = site.all(&format!("/tenants/{tenant}/audit-logs?auditable_type=Did"));
    let mut lives: BTreeMap<String, (u64, u64, u64)> = BTreeMap::new();
    for entry in &trail {
        let life = lives.entry(entry["auditable_id"].as_str().unwrap().to_owned()).or_default();
        match entry["action"].as_str().unwrap() {
            "created" => life.0 += 1,
            "updated" => life.1 += 1,
            _ => life.2 += 1,
        }
    }
    for row in &rows {
        let life = lives.remove(row["id"].as_str().unwrap()).expect("a row has an entry");
        assert_eq!((life.0, life.2), (1, 0), "{row}");
    }
    for (id, life) in lives {
        assert_eq!((life.0, life.2), (1, 1), "what is gone was made and deleted once: {id}");
    }
    // Each entry is one write, and each write is one generation; the tenant's own is the first.
    let generation = site.get("/health")["generation"].as_u64().unwrap();
    assert_eq!(generation, trail.len() as u64 + 1, "generation and audit agree");
}

#[test]
fn killed_while_it_writes() {
    let default = if Database::chosen() == Database::Sqlite { 200 } else { 50 };
    let kills: u64 = std::env::var("NIZAM_KILLS").map_or(default, |text| text.parse().unwrap());
    let site = Site::new();
    let mut daemon = site.serve();
    let body = json!({"name": "crash", "domain": "crash.example"});
    let tenant =
        Client::new().post(site.url("/tenants")).bearer_auth(&site.token).json(&body).send().unwrap();
    let tenant = tenant.json::<Value>().unwrap()["data"]["id"].as_str().unwrap().to_owned();
    let ledger = Ledger::default();
    let answered = AtomicU64::new(0);
    let mut repeated = 0;
    let mut state = 42;
    for kill in 0..kills {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for writer in 1..=WRITERS {
                let (site, tenant, ledger, stop, answered) = (&site, &tenant, &ledger, &stop, &answered);
                scope.spawn(move || write(site, tenant, (writer, kill + 1), ledger, stop, answered));
            }
            std::thread::sleep(Duration::from_millis(20 + random(&mut state) % 130));
            daemon.0.kill().unwrap();
            daemon.0.wait().unwrap();
            stop.store(true, Ordering::Relaxed);
        });
        daemon = site.serve();
        repeated += repeat(&site, &tenant, &ledger);
        if kill % 10 == 9 || kill + 1 == kills {
            verify(&site, &tenant, &ledger);
        }
    }
    println!(
        "crash: {kills} kills, {} writes answered, {repeated} sent again, 0 lost, 0 half, 0 twice",
        answered.load(Ordering::Relaxed)
    );
}
