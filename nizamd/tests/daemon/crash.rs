//! nizamd is killed again and again while it writes: what it has answered is there, nothing is half there, nothing twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nizam_test_postgres::Database;
use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Site, answer};

/// Threads that write.
const WRITERS: u64 = 3;

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
                let request = site.request(Method::POST, &list).header("Idempotency-Key", &number);
                let Ok(answer) = request.json(&body(&number, &text)).send() else {
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
                let request = site.request(Method::PUT, &one);
                let Ok(answer) = request.json(&body(number, &text)).send() else { return };
                assert_eq!(answer.status().as_u16(), 200);
                ledger.lock().unwrap().get_mut(number).unwrap().names = vec![text];
                true
            }
            _ => {
                let (number, known) = &mine[usize::try_from(random(&mut state)).unwrap() % mine.len()];
                ledger.lock().unwrap().get_mut(number).unwrap().maybe_deleted = true;
                let one = format!("{list}/{}", known.id.as_deref().unwrap());
                let Ok(answer) = site.request(Method::DELETE, &one).send() else {
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
        let request = site.request(Method::POST, &format!("/tenants/{tenant}/dids"));
        let answer = answer(request.header("Idempotency-Key", &number).json(&body));
        let status = answer.status.as_u16();
        // 409: it was done, and its answer was lost with the daemon.
        assert!(matches!(status, 201 | 409), "{answer:?}");
        sent += 1;
        let mut ledger = ledger.lock().unwrap();
        let known = ledger.get_mut(&number).unwrap();
        known.answered = true;
        if status == 201 {
            known.id = answer.json()["data"]["id"].as_str().map(str::to_owned);
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

    let stats = site.get(&format!("/tenants/{tenant}/stats")).is(200).json();
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
    let generation = site.get("/health").json()["generation"].as_u64().unwrap();
    assert_eq!(generation, trail.len() as u64 + 1, "generation and audit agree");
}

#[test]
fn killed_while_it_writes() {
    let default = if Database::chosen() == Database::Sqlite { 200 } else { 50 };
    let kills: u64 = std::env::var("NIZAM_KILLS").map_or(default, |text| text.parse().unwrap());
    let site = Site::new(|directory| Database::chosen().fresh(directory), &[], "correct horse");
    let mut daemon = site.serve();
    let tenant = site.make("/tenants", &json!({"name": "crash", "domain": "crash.example"}));
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
            daemon.child.kill().unwrap();
            daemon.child.wait().unwrap();
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
