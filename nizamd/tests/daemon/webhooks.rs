//! Webhooks over TLS, from the real program; what waits is told after it was killed.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nizam_test_postgres::Database;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use crate::events::{spool, tell};
use crate::site::Site;

/// A receiver with a certificate for `localhost`; it answers 503 while it is to fail.
struct Receiver {
    port: u16,
    failing: Arc<AtomicUsize>,
    bodies: Arc<Mutex<Vec<Value>>>,
}

fn openssl(directory: &Path, arguments: &str) {
    let done = Command::new("openssl").args(arguments.split(' ')).current_dir(directory).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// An authority of our own, `ca.pem`, and what it says of `localhost`.
fn certificates(directory: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(directory, &format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=authority"));
    let more = "-addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE -CA ca.pem -CAkey ca.key";
    openssl(directory, &format!("req -x509 {key} -keyout leaf.key -out leaf.pem -subj /CN=localhost {more}"));
}

impl Receiver {
    fn start(directory: &Path, failing: usize) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_file(directory.join("leaf.pem")).unwrap()],
                PrivateKeyDer::from_pem_file(directory.join("leaf.key")).unwrap(),
            )
            .unwrap();
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let receiver = Self {
            port: listener.local_addr().unwrap().port(),
            failing: Arc::new(AtomicUsize::new(failing)),
            bodies: Arc::default(),
        };
        let (failing, bodies) = (Arc::clone(&receiver.failing), Arc::clone(&receiver.bodies));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut tls = StreamOwned::new(connection, stream.unwrap());
                // One that does not trust us goes away.
                let Some(body) = request(&mut tls) else { continue };
                bodies.lock().unwrap().push(body);
                let left = failing.load(Ordering::SeqCst);
                failing.store(left.saturating_sub(1), Ordering::SeqCst);
                let status = if left > 0 { "503 Later" } else { "204 Done" };
                // It may have gone.
                let _answered =
                    write!(tls, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _flushed = tls.flush();
            }
        });
        receiver
    }
}

fn request(tls: &mut impl std::io::Read) -> Option<Value> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let length = tls.read(&mut chunk).ok().filter(|&length| length > 0)?;
        bytes.extend_from_slice(&chunk[..length]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some(body) = text.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok())
        {
            return Some(body);
        }
    }
}

/// Waits for as many attempts; gives them, the oldest first.
fn attempts(site: &Site, path: &str, count: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let mut found = site.all(&format!("{path}/delivery-attempts"));
        if found.len() >= count {
            found.reverse();
            return found;
        }
        // An attempt that was lost with the daemon is made again after a minute and a half.
        assert!(began.elapsed() < Duration::from_mins(5), "{found:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_receiver_is_told_over_tls_if_it_is_who_it_says_and_what_waits_outlives_the_daemon() {
    let certified = tempfile::tempdir().unwrap();
    certificates(certified.path());
    let authority = certified.path().join("ca.pem");
    let environment =
        [("SSL_CERT_FILE", authority.to_str().unwrap()), ("NIZAM_WEBHOOK_NETWORKS", "127.0.0.0/8, ::1")];
    let site = Site::new(|path| Database::chosen().fresh(path), &environment, "correct horse");
    let mut daemon = site.serve();
    let tenant = site.make("/tenants", &json!({"name": "events", "domain": "events.example"}));
    let told = AtomicUsize::new(0);
    tell(&site.socket(), &spool()[..30], &told, false).unwrap();
    let event = site.get(&format!("/tenants/{tenant}/call-events?event_type=call.answered")).is(200).json();
    let event = event["data"][0]["id"].as_str().unwrap().to_owned();

    let receiver = Receiver::start(certified.path(), 1);
    let make = |host: &str| {
        let url = format!("https://{host}:{}/hook", receiver.port);
        let id = site
            .make(&format!("/tenants/{tenant}/webhooks"), &json!({"url": url, "events": ["call.answered"]}));
        format!("/tenants/{tenant}/webhooks/{id}")
    };
    let (right, wrong) = (make("localhost"), make("127.0.0.1"));
    let answer = site.post(&format!("/tenants/{tenant}/call-events/redispatch/{event}"), &json!([]));
    assert_eq!(answer.is(200).json()["webhooks"], 2);
    let refused = attempts(&site, &wrong, 1).remove(0);
    let why = refused["error_message"].as_str().unwrap();
    assert!(why.starts_with("no connection: ") && why.to_lowercase().contains("certificate"), "{why}");

    // It has failed once, and waits: what waits is not lost with the daemon.
    assert_eq!(attempts(&site, &right, 1)[0]["response_status"], 503);
    daemon.child.kill().unwrap();
    daemon.child.wait().unwrap();
    let mut daemon = site.serve();
    let second = attempts(&site, &right, 2).remove(1);
    assert_eq!((&second["response_status"], &second["success"]), (&json!(204), &json!(true)));
    let bodies = receiver.bodies.lock().unwrap().clone();
    assert!(bodies.len() >= 2 && bodies.iter().all(|body| *body == bodies[0]), "the same, with the same id");
    assert_eq!((&bodies[0]["id"], &bodies[0]["event"]), (&json!(event), &json!("call.answered")));

    // Asked to end, it does not wait for what is due later.
    let began = Instant::now();
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&daemon.child),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    assert!(daemon.child.wait().unwrap().success());
    assert!(began.elapsed() < Duration::from_mins(1), "{:?}", began.elapsed());
}
