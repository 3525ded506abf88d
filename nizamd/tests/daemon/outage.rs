//! PostgreSQL goes away under a running daemon and comes back.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nizam_test_postgres::{Server, there_is_postgres};
use serde_json::json;

use crate::site::{Answer, Site, answer};

/// A server that is stopped and started on request, by a thread that lives as long as the test: the kernel ends the server
/// with the thread that started it.
struct Switchable {
    server: std::sync::Arc<Server>,
    orders: mpsc::Sender<mpsc::Sender<()>>,
}

impl Switchable {
    fn start() -> Self {
        let (orders, taken) = mpsc::channel::<mpsc::Sender<()>>();
        let (send, started) = mpsc::channel();
        thread::spawn(move || {
            let (server, mut child) = Server::start(false);
            let server = std::sync::Arc::new(server);
            send.send(std::sync::Arc::clone(&server)).unwrap();
            let mut runs = true;
            for done in taken {
                if runs {
                    // As a machine that loses its power.
                    child.kill().unwrap();
                    child.wait().unwrap();
                } else {
                    child = server.run(false);
                }
                runs = !runs;
                done.send(()).unwrap();
            }
            // The test is over, or has failed.
            let _gone = child.kill();
            let _reaped = child.wait();
        });
        Self { server: started.recv().unwrap(), orders }
    }

    /// Kills it where it runs, starts it where it does not.
    fn toggle(&self) {
        let (done, told) = mpsc::channel();
        self.orders.send(done).unwrap();
        told.recv().unwrap();
    }
}

/// What a client is told while the database is away: to come again.
#[track_caller]
fn says_come_again(answer: &Answer) {
    answer.is(503);
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    assert_eq!(answer.json()["status"], 503);
}

#[test]
fn postgres_restarts_under_a_running_daemon() {
    if !there_is_postgres() {
        return;
    }
    let postgres = Switchable::start();
    let site = Site::new(|_| postgres.server.database(), &[], "correct horse");
    let daemon = site.serve();
    let tenant = site.make("/tenants", &json!({"name": "outage", "domain": "outage.example"}));
    let all = format!("/tenants/{tenant}/holidays");
    let holiday = |name: &str| json!({"name": name, "dates": ["12-25"]});
    let mut made = vec![site.make(&all, &holiday("before"))];
    for round in 0..2 {
        postgres.toggle();
        // What is kept for a moment may still be said; then nothing is made up.
        thread::sleep(Duration::from_millis(1100));
        let began = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| says_come_again(&site.get(&all)));
            scope.spawn(|| says_come_again(&site.post(&all, &holiday("lost"))));
            scope.spawn(|| answer(site.client.get(site.url("/health"))).is(503).status);
        });
        assert!(began.elapsed() < Duration::from_secs(5), "a client waits {:?}", began.elapsed());
        postgres.toggle();
        // By itself, and soon.
        let began = Instant::now();
        while site.get(&all).status != 200 {
            assert!(began.elapsed() < Duration::from_secs(10), "{}", daemon.log.lock().unwrap());
            thread::sleep(Duration::from_millis(50));
        }
        made.push(site.make(&all, &holiday(&format!("after {round}"))));
        let mut there: Vec<String> =
            site.all(&all).iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        there.sort();
        made.sort();
        assert_eq!(there, made, "what was answered is there, and nothing else");
    }
    let log = daemon.log.lock().unwrap();
    assert!(!log.contains("panicked"), "{log}");
}
