//! Real calls on a real FreeSWITCH, heard by pusher-js and laravel-echo from npm, unchanged, also those that were made while nizamd was dead.

#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use support::{Caller, Manner, Site, require, skip, until};

const NEEDS: [&str; 4] = ["freeswitch", "sipp", "node", "npm"];
const SOON: Duration = Duration::from_secs(30);

/// The programs, until they are dropped.
struct Programs {
    node: Child,
    said: Receiver<Value>,
}

impl Drop for Programs {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.node.kill();
        let _reaped = self.node.wait();
    }
}

impl Programs {
    fn start(place: &Path, variables: &[(&str, String)]) -> Self {
        let mut node = Command::new("node")
            .arg("call.mjs")
            .current_dir(place)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, said) = channel();
        let lines = BufReader::new(node.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        Self { node, said }
    }

    fn next(&self, within: Duration) -> Option<Value> {
        self.said.recv_timeout(within).ok()
    }

    /// What both hear until each has heard so many ends of legs, and what comes a moment later.
    fn heard(&self, ends: usize) -> Vec<Value> {
        let mut heard: Vec<Value> = Vec::new();
        let began = Instant::now();
        let ended = |heard: &[Value], by: &str| {
            heard.iter().filter(|event| event["by"] == by && event["name"] == "call.hangup").count()
        };
        while ended(&heard, "pusher-js") < ends || ended(&heard, "laravel-echo") < ends {
            assert!(began.elapsed() < SOON, "they have heard {heard:#?}");
            heard.extend(self.next(Duration::from_millis(200)));
        }
        heard.extend(std::iter::from_fn(|| self.next(Duration::from_secs(1))));
        heard
    }
}

/// Puts the programs into a directory of their own, with what they need from npm; what npm complains of, if it does.
fn install(place: &Path) -> Result<(), String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pusher");
    fs::create_dir_all(place).unwrap();
    for name in ["package.json", "package-lock.json", "call.mjs"] {
        fs::copy(sources.join(name), place.join(name)).unwrap();
    }
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    let npm = Command::new("npm").args(arguments).current_dir(place).output().unwrap();
    if npm.status.success() {
        return Ok(());
    }
    Err(format!("npm ci fails: {}", String::from_utf8_lossy(&npm.stderr).replace('\n', " ")))
}

/// The sequences that one of the two heard, and that they are of that tenant.
fn sequences(heard: &[Value], by: &str, tenant: &str) -> Vec<i64> {
    let of = heard.iter().filter(|event| event["by"] == by);
    of.map(|event| {
        assert_eq!(event["tenant"], tenant, "{event}");
        event["sequence"].as_i64().unwrap()
    })
    .collect()
}

#[test]
fn real_calls_are_heard_by_programs_of_others_and_none_is_missed() {
    if !require(&NEEDS) {
        return;
    }
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pusher-of-calls");
    if let Err(why) = install(&place) {
        return skip("node", &why);
    }
    let mut site = Site::start();
    let tenant = site.tenant("streams.test");
    let other = site.tenant("others.test");
    let [one, two] = ["1001", "1002"].map(|n| site.extension(&tenant, "streams.test", n, false));
    let mut phone = site.phone_that(&two, Manner::AnswerAfter(200));
    let rest = site.nizamd.rest();
    let user = json!({
        "name": "Events", "email": "events@streams.test", "password": "an-e2e-password-2", "role": "user", "tenant_id": tenant,
    });
    let (status, made) = rest.attempt(&Method::POST, "/users", &user);
    assert_eq!(status, 201, "{made}");
    let asked = json!({"email": "events@streams.test", "password": "an-e2e-password-2"});
    let (_, signed_in) = rest.attempt(&Method::POST, "/auth/login", &asked);
    let variables = [
        ("HOST", "127.0.0.1".to_owned()),
        ("PORT", site.nizamd.port().to_string()),
        ("TOKEN", signed_in["token"].as_str().unwrap().to_owned()),
        ("TENANT", tenant.clone()),
        ("OTHER", other),
    ];
    let programs = Programs::start(&place, &variables);
    assert_eq!(programs.next(SOON).expect("they subscribe")["refused"], 403);

    let caller = Caller::phone(&one).holding(300);
    assert_eq!(site.call(&caller, "1002").over(), 200);
    phone.next_call();
    let mut heard = programs.heard(2);
    // Nobody is there to tell: the switch calls on, and keeps what happens.
    site.nizamd.kill();
    assert_eq!(site.call(&caller, "1002").over(), 200);
    phone.next_call();
    site.nizamd.serve();
    site.await_link();
    heard.extend(programs.heard(2));

    let stored = until("all is stored", SOON, || {
        let path = format!("/tenants/{tenant}/call-events?per_page=100");
        let (_, listed) = site.nizamd.rest().attempt(&Method::GET, &path, &json!({}));
        let events = listed["data"].as_array()?.clone();
        (events.iter().filter(|event| event["event_type"] == "call.hangup").count() == 4).then_some(events)
    });
    let mut of_calls: Vec<i64> = Vec::new();
    for event in &stored {
        if event["event_type"].as_str().unwrap().starts_with("call.") {
            of_calls.push(event["sequence"].as_i64().unwrap());
        }
    }
    of_calls.sort_unstable();
    assert!(
        of_calls.len() >= 14,
        "two legs, each made, answered and ended, and their bridge, twice: {stored:#?}"
    );
    let mut pusher = sequences(&heard, "pusher-js", &tenant);
    assert!(pusher.is_sorted_by(|a, b| a < b), "each once and in order: {pusher:?}");
    pusher.retain(|sequence| of_calls.contains(sequence));
    assert_eq!(pusher, of_calls);
    let named = ["call.created", "call.answered", "call.bridged", "call.hangup"];
    let mut of_contract: Vec<i64> = stored
        .iter()
        .filter(|event| named.contains(&event["event_type"].as_str().unwrap()))
        .map(|event| event["sequence"].as_i64().unwrap())
        .collect();
    of_contract.sort_unstable();
    assert_eq!(sequences(&heard, "laravel-echo", &tenant), of_contract);
    println!(
        "pusher-js and laravel-echo: {} and {} events of 2 real calls, one of them while nizamd was dead: none missed, none twice",
        of_calls.len(),
        of_contract.len()
    );
}
