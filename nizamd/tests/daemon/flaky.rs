//! Receivers of webhooks that fail at random, and one that never answers.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What was received, in the order in which it was.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The path: which webhook.
    pub(crate) path: String,
    pub(crate) body: Value,
    /// Whether it was answered with success, though who asked may be dead by then.
    pub(crate) success: bool,
    pub(crate) at: Instant,
}

/// One that keeps what it receives, and while it is `failing` answers a third of it with 5xx, nothing, half an answer, or slowly.
pub(crate) struct Flaky {
    pub(crate) port: u16,
    pub(crate) failing: Arc<AtomicBool>,
    pub(crate) received: Arc<Mutex<Vec<Received>>>,
}

impl Flaky {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let flaky = Self {
            port: listener.local_addr().unwrap().port(),
            failing: Arc::default(),
            received: Arc::default(),
        };
        let (failing, received) = (Arc::clone(&flaky.failing), Arc::clone(&flaky.received));
        let chance = Arc::new(AtomicU64::new(0x2545_f491_4f6c_dd1d));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (failing, received, chance) =
                    (Arc::clone(&failing), Arc::clone(&received), Arc::clone(&chance));
                // It ends when nizamd goes, or when this one does.
                std::thread::spawn(move || serve(&mut stream.unwrap(), &failing, &received, &chance));
            }
        });
        flaky
    }
}

/// A port where connections are taken, and nothing is ever answered.
pub(crate) fn dead() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            kept.push(stream);
        }
    });
    port
}

/// A number below a hundred, the same ones in every run.
fn draw(chance: &AtomicU64) -> u64 {
    let state = chance.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)) % 100
}

fn serve(
    stream: &mut TcpStream,
    failing: &AtomicBool,
    received: &Mutex<Vec<Received>>,
    chance: &AtomicU64,
) -> Option<()> {
    let mut bytes = Vec::new();
    loop {
        let (path, body) = request(stream, &mut bytes)?;
        let fate = if failing.load(Ordering::Relaxed) { draw(chance) } else { 99 };
        let success = fate >= 25;
        received.lock().unwrap().push(Received { path, body, success, at: Instant::now() });
        match fate {
            0..15 => stream.write_all(b"HTTP/1.1 503 Later\r\ncontent-length: 5\r\n\r\nlater").ok()?,
            // The connection goes, without a word or after half of one.
            15..20 => return None,
            20..25 => return stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").ok(),
            25..29 => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nslow").ok()?;
                std::thread::sleep(Duration::from_millis(700));
                stream.write_all(b"ness").ok()?;
            }
            _ => stream.write_all(b"HTTP/1.1 204 Done\r\n\r\n").ok()?,
        }
    }
}

/// The path and the body of the next request of a connection.
fn request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<(String, Value)> {
    loop {
        if let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "))?;
            let end = head + 4 + length.parse::<usize>().unwrap();
            if bytes.len() >= end {
                let body = serde_json::from_slice(&bytes[head + 4..end]).unwrap();
                bytes.drain(..end);
                return Some((text.split(' ').nth(1)?.to_owned(), body));
            }
        }
        let mut chunk = [0; 4096];
        let length = stream.read(&mut chunk).ok().filter(|&length| length > 0)?;
        bytes.extend_from_slice(&chunk[..length]);
    }
}
