//! Two daemons on one PostgreSQL.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use nizam_test_postgres::{Database, there_is_postgres};
use serde_json::json;

use crate::site::{Answer, Site};

/// How late one daemon may notice what the other wrote.
const LATE: Duration = Duration::from_secs(2);

#[track_caller]
fn soon(mut ask: impl FnMut() -> Answer, good: impl Fn(&Answer) -> bool) {
    let began = Instant::now();
    loop {
        let answer = ask();
        if good(&answer) {
            return;
        }
        assert!(began.elapsed() < LATE, "{answer:?}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn two_daemons_on_one_postgres() {
    if !there_is_postgres() {
        return;
    }
    let one = Site::new(|directory| Database::Postgres.fresh(directory), &[], "correct horse");
    let (_first, other) = (one.serve(), one.beside());
    let _second = other.serve();
    let tenant = one.make("/tenants", &json!({"name": "pair", "domain": "pair.example", "max_dids": 50}));
    let all = format!("/tenants/{tenant}/dids");
    let did = |number: &str| {
        json!({"number": number, "destination_type": "extension",
            "destination_id": "019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01"})
    };

    // What one writes, the other shows, also what it has just shown.
    let made = one.make(&all, &did("+4930100"));
    let shown = format!("{all}/{made}");
    soon(|| other.get(&shown), |answer| answer.status == 200);
    one.put(
        &shown,
        &json!({"number": "+4930100", "description": "new", "destination_type": "extension",
        "destination_id": "019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01"}),
    )
    .is(200);
    soon(|| other.get(&shown), |answer| answer.json()["data"]["description"] == "new");

    // Of two who write the same row, one is told that the other was first.
    let tag = one.get(&shown).headers["etag"].clone();
    let write = |site: &Site, text: &str| {
        let body = json!({"number": "+4930100", "description": text, "destination_type": "extension",
            "destination_id": "019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01"});
        let request = site.request(reqwest::Method::PUT, &shown).header("if-match", tag.clone());
        crate::site::answer(request.json(&body)).status.as_u16()
    };
    let (a, b) = thread::scope(|scope| {
        let (a, b) = (scope.spawn(|| write(&one, "a")), scope.spawn(|| write(&other, "b")));
        (a.join().unwrap(), b.join().unwrap())
    });
    assert_eq!(BTreeSet::from([a, b]), BTreeSet::from([200, 412]));

    // One number is one row, and a quota is a quota, whoever is asked.
    let statuses: Vec<u16> = thread::scope(|scope| {
        let ask = |site: &'static str| {
            let site = if site == "one" { &one } else { &other };
            (0..40)
                .map(|n| site.post(&all, &did(&format!("+4940{n:03}"))).status.as_u16())
                .collect::<Vec<_>>()
        };
        let (a, b) = (scope.spawn(move || ask("one")), scope.spawn(move || ask("other")));
        [a.join().unwrap(), b.join().unwrap()].concat()
    });
    assert!(statuses.iter().all(|status| matches!(status, 201 | 422)), "{statuses:?}");
    assert_eq!(statuses.iter().filter(|&&status| status == 201).count(), 40, "each number once");
    let statuses: Vec<u16> = (0..20)
        .map(|n| {
            let site = if n % 2 == 0 { &one } else { &other };
            site.post(&all, &did(&format!("+4950{n:03}"))).status.as_u16()
        })
        .collect();
    assert_eq!(statuses.iter().filter(|&&status| status == 201).count(), 9, "{statuses:?}");

    // A token that one daemon ends is nothing to the other.
    let token = one.post("/auth/tokens", &json!({"name": "short"})).is(201).json();
    let token = token["plainTextToken"].as_str().unwrap().to_owned();
    let with = |site: &Site, path: &str, method| {
        crate::site::answer(site.client.request(method, site.url(path)).bearer_auth(&token))
    };
    with(&other, "/auth/me", reqwest::Method::GET).is(200);
    with(&one, "/auth/logout", reqwest::Method::POST).is(204);
    with(&one, "/auth/me", reqwest::Method::GET).is(401);
    soon(|| with(&other, "/auth/me", reqwest::Method::GET), |answer| answer.status == 401);
}
