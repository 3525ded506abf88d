//! Many clients of one tenant at once, some of which never read: those that do miss nothing, and the daemon's memory has its bounds.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use nizam_test_postgres::Database;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::events::{spool, tell};
use crate::site::Site;

/// Clients, unless `NIZAM_CROWD` says otherwise.
const CLIENTS: usize = 300;
/// Clients that connect at the same time.
const TOGETHER: usize = 50;
/// What an idle client may cost, and what all that is told to clients may, in bytes.
const IDLE: usize = 64 << 10;
const BUSY: usize = 128 << 20;
const LONG: Duration = Duration::from_mins(5);

/// What a client needs to know.
struct Place {
    address: String,
    token: String,
    tenant: String,
    http: reqwest::Client,
    gate: Semaphore,
}

type Socket = WebSocketStream<TcpStream>;

impl Place {
    fn channel(&self) -> String {
        format!("private-tenant.{}.events", self.tenant)
    }

    /// A socket that hears the events. One that will not read has little room.
    async fn socket(&self, reads: bool) -> Socket {
        let _together = self.gate.acquire().await.unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        if !reads {
            socket.set_recv_buffer_size(4096).unwrap();
        }
        let stream = socket.connect(self.address.parse().unwrap()).await.unwrap();
        let url = format!("ws://{}/app/nizam?protocol=7", self.address);
        let (mut stream, _) = client_async(url, stream).await.unwrap();
        let welcome = message(&mut stream).await;
        let data: Value = serde_json::from_str(welcome["data"].as_str().unwrap()).unwrap();
        let body = json!({"socket_id": data["socket_id"], "channel_name": self.channel()});
        let request = self.http.post(format!("http://{}/broadcasting/auth", self.address));
        let answer = request.bearer_auth(&self.token).json(&body).send().await.unwrap();
        let mut data: Value = answer.error_for_status().unwrap().json().await.unwrap();
        data["channel"] = json!(self.channel());
        let text = json!({"event": "pusher:subscribe", "data": data}).to_string();
        stream.send(Message::text(text)).await.unwrap();
        assert_eq!(message(&mut stream).await["event"], "pusher_internal:subscription_succeeded");
        stream
    }

    /// A stream that has begun.
    async fn stream(&self) -> reqwest::Response {
        let _together = self.gate.acquire().await.unwrap();
        let url = format!("http://{}/api/v1/tenants/{}/call-events/stream", self.address, self.tenant);
        let mut response =
            self.http.get(url).bearer_auth(&self.token).send().await.unwrap().error_for_status().unwrap();
        response.chunk().await.unwrap().expect("a welcome");
        response
    }
}

async fn message(stream: &mut Socket) -> Value {
    loop {
        if let Message::Text(text) = stream.next().await.unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

/// The number behind a word; without reading all of the JSON, of which there is much.
fn number(text: &str, word: &str) -> Option<i64> {
    let (_, rest) = text.split_once(word)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

async fn read_socket(mut stream: Socket, events: usize) -> Vec<i64> {
    let mut seen = Vec::new();
    while seen.len() < events {
        let Message::Text(text) = stream.next().await.expect("it is not closed").unwrap() else { continue };
        if text.starts_with("{\"event\":\"pusher:ping\"") {
            stream.send(Message::text("{\"event\":\"pusher:pong\",\"data\":{}}")).await.unwrap();
        } else {
            seen.push(number(&text, "\\\"sequence\\\":").unwrap());
        }
    }
    seen
}

async fn read_stream(mut response: reqwest::Response, events: usize) -> Vec<i64> {
    let (mut seen, mut text) = (Vec::new(), String::new());
    while seen.len() < events {
        text.push_str(&String::from_utf8_lossy(&response.chunk().await.unwrap().expect("it is not closed")));
        while let Some((line, rest)) = text.split_once('\n') {
            seen.extend(line.strip_prefix("id: ").map(|id| id.parse::<i64>().unwrap()));
            text = rest.to_owned();
        }
    }
    seen
}

/// What a process has in memory, in bytes.
fn memory(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    usize::try_from(number(&status.replace([' ', '\t'], ""), "VmRSS:").unwrap()).unwrap() << 10
}

/// Each client is a descriptor here, too.
fn raise_descriptors(clients: usize) {
    let mut limit = getrlimit(Resource::Nofile);
    let need = u64::try_from(2 * clients + 500).unwrap();
    if limit.current.is_some_and(|current| current < need) {
        limit.current = Some(limit.maximum.map_or(need, |maximum| maximum.min(need)));
        setrlimit(Resource::Nofile, limit).unwrap();
    }
}

#[test]
fn many_hear_everything_and_memory_has_its_bounds() {
    let clients = std::env::var("NIZAM_CROWD").map_or(CLIENTS, |text| text.parse().unwrap());
    raise_descriptors(clients);
    let (many, all) = (clients.to_string(), (2 * clients + 200).to_string());
    let environment = [
        ("NIZAM_CONNECTIONS", &*all),
        ("NIZAM_CONNECTIONS_PER_ADDRESS", "0"),
        ("NIZAM_STREAMS_PER_TENANT", &*many),
        ("NIZAM_SOCKETS_PER_TENANT", &*many),
    ];
    let site = Site::new(|path| Database::chosen().fresh(path), &environment, "correct horse");
    let daemon = site.serve();
    let tenant = site.make("/tenants", &json!({"name": "events", "domain": "events.example"}));
    let address = site.url("").strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let place = Arc::new(Place {
        address,
        token: site.token.clone(),
        tenant,
        http: reqwest::Client::new(),
        gate: Semaphore::new(TOGETHER),
    });
    // As many as the time allows; with 300 clients more than the kernel holds for one that does not read.
    let mut spool = spool();
    spool.truncate((540_000 / clients / 30 * 30).clamp(60, spool.len()));
    let events = spool.len();
    let (streams, unread) = (clients / 5, clients / 50);
    let sockets = clients - streams - unread;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let empty = memory(daemon.child.id());
    let (readers, deaf) = runtime.block_on(async {
        let opening = |reads| {
            let place = Arc::clone(&place);
            tokio::spawn(async move { place.socket(reads).await })
        };
        let deaf: Vec<_> = (0..unread).map(|_| opening(false)).collect();
        let opened: Vec<_> = (0..sockets).map(|_| opening(true)).collect();
        let begun: Vec<_> = (0..streams)
            .map(|_| {
                let place = Arc::clone(&place);
                tokio::spawn(async move { place.stream().await })
            })
            .collect();
        let (mut readers, mut unread) = (Vec::new(), Vec::new());
        for one in deaf {
            unread.push(one.await.unwrap());
        }
        for one in opened {
            readers.push(tokio::spawn(read_socket(one.await.unwrap(), events)));
        }
        for one in begun {
            readers.push(tokio::spawn(read_stream(one.await.unwrap(), events)));
        }
        (readers, unread)
    });
    let idle = memory(daemon.child.id());
    let each = idle.saturating_sub(empty) / clients;
    let began = Instant::now();
    let telling = {
        let socket = site.socket();
        std::thread::spawn(move || tell(&socket, &spool, &AtomicUsize::new(0), false).is_some())
    };
    let seen = runtime.block_on(async {
        let mut seen = Vec::new();
        for reader in readers {
            seen.push(tokio::time::timeout(LONG, reader).await.expect("it comes to an end").unwrap());
        }
        seen
    });
    let took = began.elapsed();
    assert!(telling.join().unwrap());
    let busy = memory(daemon.child.id());
    println!(
        "crowd: {sockets} sockets, {streams} streams and {unread} sockets that never read, {events} events told to each in {took:.1?}; \
         resident memory {} KiB empty, {} KiB with all of them idle ({} KiB each), {} KiB after all was told",
        empty >> 10,
        idle >> 10,
        each >> 10,
        busy >> 10
    );
    let mut want: Vec<i64> = site
        .all(&format!("/tenants/{}/call-events", place.tenant))
        .iter()
        .map(|event| event["sequence"].as_i64().unwrap())
        .collect();
    want.sort_unstable();
    assert_eq!(want.len(), events);
    for one in &seen {
        assert!(*one == want, "each once and in order: {} of {events}", one.len());
    }
    assert!(each < IDLE, "an idle client costs {each} bytes");
    assert!(busy < idle + BUSY, "{busy} bytes after {idle}");
    drop(deaf);
}
