//! Clients of one tenant's WebSocket channel, for measurements: `listeners ADDRESS KEY TOKEN TENANT DOMAIN SOCKET CLIENTS RATE SECONDS OUT`.
//!
//! Subscribes CLIENTS sockets to `private-tenant.TENANT.calls` of the nizamd at ADDRESS (KEY: its `broadcast_key`, TOKEN: a bearer token),
//! says `ready` and waits for a line. Then a stand-in switch on SOCKET tells RATE events a second of calls in DOMAIN for SECONDS. OUT gets a
//! line for each frame of an event that a client received: `SEQUENCE MICROSECONDS` since 1970. Says at last how many events each client
//! should have, and how many frames did not come.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement stops at the first surprise"
)]

use std::fs::File;
use std::io::{BufRead as _, BufWriter, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt as _, StreamExt as _};
use nizam_engine::link::Connection;
use nizam_wire::event::EventWriter;
use nizam_wire::link::{Batch, Hello, Incarnation, ModuleEvent, ModuleSession};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Handshakes at once: the backlog of a listening socket is short.
const AT_ONCE: usize = 64;
/// How long the last frames may take after the last event.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longer than any measurement.
const NEVER: Duration = Duration::from_hours(24);
/// Bytes that a client reads at once. The library clears as many at each read: its own 128 KiB for a message of 600 bytes took a quarter of
/// the machine, which the server was to be measured on.
const BUFFER: usize = 4 << 10;

/// What all clients have in common.
struct Site {
    address: String,
    key: String,
    token: String,
    channel: String,
    http: reqwest::Client,
    handshakes: Semaphore,
    subscribed: AtomicUsize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, key, token, tenant, domain, socket, clients, rate, seconds, out] = &arguments[..] else {
        panic!("ADDRESS KEY TOKEN TENANT DOMAIN SOCKET CLIENTS RATE SECONDS OUT");
    };
    let (clients, rate, seconds): (usize, usize, usize) =
        (clients.parse().unwrap(), rate.parse().unwrap(), seconds.parse().unwrap());
    nizamd::tls::provide();
    let site = Arc::new(Site {
        address: address.clone(),
        key: key.clone(),
        token: token.clone(),
        channel: format!("private-tenant.{tenant}.calls"),
        http: reqwest::Client::new(),
        handshakes: Semaphore::new(AT_ONCE),
        subscribed: AtomicUsize::new(0),
    });
    let events = rate * seconds;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let frames = runtime.block_on(async {
        let mut running = JoinSet::new();
        for _ in 0..clients {
            running.spawn(listen(Arc::clone(&site), events, PATIENCE + Duration::from_secs(seconds as u64)));
        }
        while site.subscribed.load(Ordering::Relaxed) < clients {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if let Some(ended) = running.try_join_next() {
                panic!("a client ended before all were there: {ended:?}");
            }
        }
        println!("ready");
        std::io::stdin().lock().read_line(&mut String::new()).unwrap();
        let (domain, socket) = (domain.clone(), socket.clone());
        let switch = std::thread::spawn(move || tell(Path::new(&socket), &domain, events, rate));
        let frames: Vec<Vec<(i64, i64)>> = running.join_all().await;
        switch.join().unwrap();
        frames
    });
    let mut file = BufWriter::new(File::create(out).unwrap());
    let mut missing = 0;
    for client in &frames {
        missing += events.saturating_sub(client.len());
        for (sequence, at) in client {
            writeln!(file, "{sequence} {at}").unwrap();
        }
    }
    file.flush().unwrap();
    println!("{events} events, {missing} frames missing");
}

/// One client: subscribes, and notes when each of so many events came.
async fn listen(site: Arc<Site>, events: usize, patience: Duration) -> Vec<(i64, i64)> {
    let place = site.handshakes.acquire().await.unwrap();
    let url = format!("ws://{}/app/{}?protocol=7&client=js&version=8.4.0", site.address, site.key);
    let connection = TcpStream::connect(&site.address).await.unwrap();
    connection.set_nodelay(true).unwrap();
    let config = WebSocketConfig::default().read_buffer_size(BUFFER);
    let (mut stream, _) =
        tokio_tungstenite::client_async_with_config(url, connection, Some(config)).await.unwrap();
    let established = next(&mut stream).await;
    let data: Value = serde_json::from_str(established["data"].as_str().unwrap()).unwrap();
    let body = json!({"socket_id": data["socket_id"], "channel_name": site.channel}).to_string();
    let answer = site
        .http
        .post(format!("http://{}/broadcasting/auth", site.address))
        .bearer_auth(&site.token)
        .header("content-type", "application/json")
        .header("accept", "application/json")
        .body(body)
        .send()
        .await
        .unwrap();
    let mut wanted: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    wanted["channel"] = json!(site.channel);
    let subscribe = json!({"event": "pusher:subscribe", "data": wanted}).to_string();
    stream.send(Message::text(subscribe)).await.unwrap();
    let confirmed = next(&mut stream).await;
    assert_eq!(confirmed["event"], "pusher_internal:subscription_succeeded", "{confirmed}");
    drop(place);
    site.subscribed.fetch_add(1, Ordering::Relaxed);
    let mut came = Vec::with_capacity(events);
    // Its time begins with the first event: until then nobody knows how long all need to be there. One clock for all messages, because a
    // new one for each would be work of the machine as well.
    let end = tokio::time::sleep(NEVER);
    tokio::pin!(end);
    while came.len() < events {
        let message = tokio::select! {
            biased;
            message = stream.next() => message,
            () = &mut end => break,
        };
        let Some(Ok(message)) = message else { break };
        let Message::Text(text) = message else { continue };
        if text.contains("pusher:ping") {
            stream.send(Message::text(r#"{"event":"pusher:pong","data":{}}"#)).await.unwrap();
            continue;
        }
        if let Some(sequence) = sequence(&text) {
            let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
            if came.is_empty() {
                end.as_mut().reset(tokio::time::Instant::now() + patience);
            }
            came.push((sequence, i64::try_from(at).unwrap()));
        }
    }
    came
}

async fn next<S>(stream: &mut S) -> Value
where
    S: futures_util::Stream<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin,
{
    loop {
        if let Message::Text(text) = stream.next().await.unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

/// The number of an event, without reading all of it: what clients cost on the same machine is not to be measured.
fn sequence(text: &str) -> Option<i64> {
    let (_, behind) = text.rsplit_once(r#"\"sequence\":"#)?;
    let digits = behind.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// A switch that tells of so many new channels, so many a second.
fn tell(socket: &Path, domain: &str, events: usize, rate: usize) {
    let connection = Connection::connect(socket).unwrap();
    connection.set_timeouts(Duration::from_secs(30), Duration::from_secs(30)).unwrap();
    let hello = Hello { switch_name: "bench".into(), core_uuid: "bench".into(), ..Hello::default() };
    let mut session: ModuleSession<OwnedFd> = ModuleSession::new(hello);
    // Another life at each run: what an earlier one told is not told again.
    let life = Incarnation(*uuid::Uuid::now_v7().as_bytes());
    let (mut sent, mut acknowledged) = (0, 0);
    let mut buffer = vec![0; 64 << 10];
    let mut began = None;
    while acknowledged < events {
        if session.is_up() {
            let began = *began.get_or_insert_with(Instant::now);
            let due =
                began + Duration::from_secs(1) * u32::try_from(sent).unwrap() / u32::try_from(rate).unwrap();
            // One at a time: the next one is told when this one is stored and due.
            if sent == acknowledged && sent < events {
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                sent += 1;
                let events = vec![(sent as u64, record(domain, sent))];
                session.events(Batch { incarnation: life, events, dropped: 0 });
            }
        }
        while let Some(chunk) = session.outbox().take() {
            connection.send(&chunk).unwrap();
        }
        let mut descriptors = Vec::new();
        let length = connection.receive(&mut buffer, &mut descriptors).unwrap().expect("nizamd has gone");
        session.input(&buffer[..length], descriptors);
        while let Some(event) = session.poll().unwrap() {
            match event {
                ModuleEvent::Ack { incarnation, sequence } if incarnation == life => {
                    acknowledged = usize::try_from(sequence).unwrap();
                }
                ModuleEvent::Stack { generation, .. } => session.applied(generation),
                _ => {}
            }
        }
    }
}

fn record(domain: &str, call: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let mut writer = EventWriter::new(&mut out, i64::try_from(at).unwrap(), b"CHANNEL_CREATE", b"");
    writer.header("Unique-ID", format!("bench-{}-{call}", std::process::id()).as_bytes());
    writer.header("Caller-Context", domain.as_bytes());
    writer.header("Caller-Caller-ID-Number", b"1001");
    writer.header("Caller-Destination-Number", b"1002");
    out
}
