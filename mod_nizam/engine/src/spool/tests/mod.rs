//! What is promised of the spool, tried on real files.

mod arrival;
mod damage;
mod room;
mod status;

use super::disk::Disk;
use super::life::{Life, hex};
use super::record::Head;
use super::segment::{self, Segment};
use super::spool::SpoolNote;
use super::store::Store;
use super::*;
use nizam_wire::event::EventWriter;
use nizam_wire::link::Incarnation;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Seek as _, Write as _};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

fn settings(dir: &Path) -> Settings {
    Settings {
        ring: dir.join("ring"),
        ring_size: 256 << 10,
        directory: dir.join("spool"),
        limit: 64 << 20,
        core: "11111111-2222-3333-4444-555555555555".to_owned(),
    }
}

/// A spool with its thread. Dropped without [`Running::stop`] it leaves its ring behind, as a kill does.
struct Running {
    spool: Arc<Spool>,
    thread: Option<JoinHandle<()>>,
    notes: Arc<Mutex<Vec<String>>>,
}

impl Running {
    fn start(settings: Settings) -> Self {
        let spool = Arc::new(Spool::new(settings).unwrap());
        let notes = Arc::<Mutex<Vec<String>>>::default();
        let (running, said) = (Arc::clone(&spool), Arc::clone(&notes));
        let tell = move |note: SpoolNote| {
            said.lock().push(match note {
                SpoolNote::Info(text) => format!("info {text}"),
                SpoolNote::Warning(text) => format!("warning {text}"),
            });
        };
        let thread = thread::spawn(move || running.run(&|| {}, &tell));
        Self { spool, thread: Some(thread), notes }
    }

    fn stop(mut self) {
        self.spool.stop();
        self.thread.take().unwrap().join().unwrap();
    }

    fn warnings(&self) -> usize {
        self.notes.lock().iter().filter(|note| note.starts_with("warning")).count()
    }
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_mins(1), "waited too long until {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A daemon that stores what it is sent, and acknowledges it.
#[derive(Default)]
struct Daemon {
    stored: BTreeMap<Incarnation, BTreeMap<u64, Vec<u8>>>,
    order: Vec<Incarnation>,
    ended: Vec<Incarnation>,
    dropped: BTreeMap<Incarnation, u64>,
}

impl Daemon {
    /// Takes what there is until nothing is left to acknowledge. Some answers go astray, if `random` says so.
    fn drain(&mut self, spool: &Spool, lose: &mut dyn FnMut() -> bool) {
        let mut sender = Sender::new();
        until("the directory is open", || spool.with_store(|_| ()).is_some());
        until("all is sent", || {
            while let Some(outgoing) = sender.next(spool) {
                match outgoing {
                    Outgoing::Ended(id) => {
                        self.ended.push(id);
                        sender.ack(spool, id, u64::MAX);
                    }
                    Outgoing::Events(batch) => {
                        assert!(batch.events.len() <= 500);
                        assert!(batch.events.is_sorted_by(|(a, _), (b, _)| a < b));
                        self.dropped.insert(batch.incarnation, batch.dropped);
                        let Some((last, _)) = batch.events.last().cloned() else { continue };
                        if !self.order.contains(&batch.incarnation) {
                            self.order.push(batch.incarnation);
                        }
                        self.stored.entry(batch.incarnation).or_default().extend(batch.events);
                        if lose() {
                            sender = Sender::new();
                        } else {
                            sender.ack(spool, batch.incarnation, last);
                        }
                    }
                }
            }
            let status = spool.status();
            status.ring_used == 0 && status.acknowledged == status.written && status.earlier == 0
        });
    }

    fn events(&self) -> Vec<Vec<u8>> {
        self.order.iter().flat_map(|id| self.stored[id].values().cloned()).collect()
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    fn event(&mut self, number: u64) -> Vec<u8> {
        let most = if self.below(50) == 0 { 60_000 } else { 700 };
        let mut event = number.to_le_bytes().to_vec();
        let length = self.below(most);
        event.extend((0..length).map(|_| (self.below(256) & 0xff) as u8));
        event
    }
}

/// Heads and bytes of records, of which every tenth is a final.
fn records(numbers: std::ops::Range<u64>) -> (Vec<u8>, Vec<Head>) {
    let (mut bytes, mut heads) = (Vec::new(), Vec::new());
    for number in numbers {
        let class = if number % 10 == 0 { Class::Final } else { Class::Trace };
        let event = vec![class as u8; 1000];
        let head = Head::new(1000, class, number, xxhash_rust::xxh3::xxh3_64(&event));
        bytes.extend(head.words().iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(event);
        heads.push(head);
    }
    (bytes, heads)
}
