//! What is promised of the spool, tried on real files.

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

const FULL: Disk = Disk { write: |_, _| Err(no_room()), allocate: |_, _| Err(no_room()) };
const HALF: Disk = Disk {
    write: |file, bytes| {
        file.write_all(&bytes[..bytes.len() / 2])?;
        Err(no_room())
    },
    ..FULL
};

fn no_room() -> io::Error {
    io::Error::from_raw_os_error(28)
}

/// How many bytes a file grows if so many are written where it stands.
fn growth(mut file: &fs::File, bytes: &[u8]) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let appends = rustix::fs::fcntl_getfl(file)?.contains(rustix::fs::OFlags::APPEND);
    let at = if appends { length } else { file.stream_position()? };
    Ok((at + bytes.len() as u64).saturating_sub(length))
}

#[test]
fn all_that_was_pushed_arrives_in_order_over_any_deaths() {
    let seed =
        std::env::var("NIZAM_SPOOL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
            u64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() & 0xffff_ffff)
                .unwrap()
                | 1
        });
    println!("NIZAM_SPOOL_SEED={seed}");
    let mut random = Random(seed);
    for _ in 0..12 {
        let dir = TempDir::new().unwrap();
        let (mut pushed, mut daemon, mut lives) = (Vec::new(), Daemon::default(), Vec::new());
        // No more than are kept as rings.
        for _ in 0..=random.below(4) {
            // With the thread, or dead before it did anything: then all is in the ring.
            let alive = random.below(2) == 0;
            let sudden = random.below(2) == 0;
            let spool = alive.then(|| Running::start(settings(dir.path())));
            let bare = (!alive).then(|| Spool::new(settings(dir.path())).unwrap());
            let it = spool.as_ref().map_or_else(|| bare.as_ref().unwrap(), |running| running.spool.as_ref());
            lives.push(it.incarnation());
            for _ in 0..random.below(400) {
                let event = random.event(pushed.len() as u64);
                let class = if random.below(5) == 0 { Class::Final } else { Class::Trace };
                if it.push(&event, class) {
                    pushed.push(event);
                }
            }
            if let Some(running) = spool {
                if random.below(3) == 0 {
                    daemon.drain(&running.spool, &mut || random.below(4) == 0);
                }
                if sudden {
                    // What the file holds at this moment is what a kill would leave.
                    let copy = dir.path().join("copy");
                    fs::copy(dir.path().join("ring"), &copy).unwrap();
                    running.stop();
                    let _ = fs::remove_file(dir.path().join("ring"));
                    fs::rename(copy, dir.path().join("ring")).unwrap();
                } else {
                    running.stop();
                }
            }
        }
        let last = Running::start(settings(dir.path()));
        daemon.drain(&last.spool, &mut || random.below(4) == 0);
        assert!(daemon.events() == pushed, "seed {seed}: {} of {}", daemon.events().len(), pushed.len());
        let with_events: Vec<_> = lives.iter().filter(|id| daemon.stored.contains_key(id)).copied().collect();
        assert_eq!(daemon.order, with_events, "seed {seed}");
        for id in with_events {
            assert!(daemon.ended.contains(&id), "seed {seed}: {}", hex(id));
        }
        last.stop();
    }
}

#[test]
fn what_was_acknowledged_is_deleted_and_not_sent_again() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(Settings { limit: 8 << 20, ..settings(dir.path()) });
    let mut daemon = Daemon::default();
    for number in 0_u64..3000 {
        until("there is room", || {
            running.spool.push(&[number.to_le_bytes().as_slice(), &[0; 1500]].concat(), Class::Trace)
        });
        if number % 1000 == 999 {
            daemon.drain(&running.spool, &mut || false);
        }
    }
    let status = running.spool.status();
    assert!(status.disk_used < 2 << 20, "{status:?}");
    assert_eq!((status.written, status.lag(), status.disk_dropped.sum()), (status.pushed, 0, 0));
    let first = running.spool.incarnation();
    running.stop();
    assert!(!dir.path().join("ring").exists());
    let running = Running::start(settings(dir.path()));
    let mut again = Daemon::default();
    again.drain(&running.spool, &mut || false);
    assert!(again.stored.is_empty());
    assert_eq!(again.ended, [first]);
    until("it is forgotten", || !dir.path().join(format!("spool/{}.life", hex(first))).exists());
    running.stop();
}

#[test]
fn an_end_is_said_until_it_is_answered() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    let id = running.spool.incarnation();
    assert!(running.spool.push(b"one", Class::Final));
    running.stop();
    for _ in 0..3 {
        let running = Running::start(settings(dir.path()));
        let mut sender = Sender::new();
        // An answer to what was not said is none.
        sender.ack(&running.spool, id, u64::MAX);
        until("the end is said", || match sender.next(&running.spool) {
            Some(Outgoing::Events(batch)) => {
                assert_eq!((batch.incarnation, batch.events), (id, vec![(1, b"one".to_vec())]));
                sender.ack(&running.spool, id, 1);
                false
            }
            Some(Outgoing::Ended(ended)) => ended == id,
            None => false,
        });
        assert_ne!(sender.next(&running.spool), Some(Outgoing::Ended(id)), "once in a connection");
        running.stop();
    }
}

#[test]
fn a_torn_tail_is_cut_at_the_last_whole_record() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    let id = running.spool.incarnation();
    for event in [b"first".as_slice(), b"second event", b"third"] {
        assert!(running.spool.push(event, Class::Trace));
    }
    running.stop();
    let path = dir.path().join(format!("spool/{}-{:020}.seg", hex(id), 1));
    let bytes = fs::read(&path).unwrap();
    let ends = [32, 32 + 32, 32 + 32 + 40, 32 + 32 + 40 + 32];
    assert_eq!(bytes.len(), ends[3]);
    for length in 0..=bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let (found, cut) = segment::recover(&path, id, 1).unwrap();
        let whole = ends.iter().rposition(|end| *end <= length);
        assert_eq!(found.last, whole.map_or(0, |whole| whole as u64), "{length}");
        assert_eq!(cut, (length - whole.map_or(0, |whole| ends[whole])) as u64, "{length}");
        if found.last > 0 {
            assert_eq!(fs::metadata(&path).unwrap().len(), found.bytes);
        }
    }
    for at in 32..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        fs::write(&path, &damaged).unwrap();
        let (found, _) = segment::recover(&path, id, 1).unwrap();
        let record = ends.iter().rposition(|end| *end <= at).unwrap() as u64;
        // Of the zeroes behind an event nothing depends.
        let padding = (61..64).contains(&at) || (100..104).contains(&at) || (133..136).contains(&at);
        assert!(padding || (found.last <= record), "{at}: {found:?}");
    }
    fs::write(&path, b"something else that is long enough").unwrap();
    let running = Running::start(settings(dir.path()));
    until("it is put aside", || path.with_extension("bad").exists());
    running.stop();
}

#[test]
fn a_full_ring_drops_and_counts_and_keeps_room_for_finals() {
    let dir = TempDir::new().unwrap();
    let spool = Spool::new(settings(dir.path())).unwrap();
    let event = vec![7; 10_000];
    let traces = (0..100).filter(|_| spool.push(&event, Class::Trace)).count();
    let finals = (0..100).filter(|_| spool.push(&event, Class::Final)).count();
    assert!((20..=24).contains(&traces) && (2..=4).contains(&finals), "{traces} {finals}");
    let status = spool.status();
    assert_eq!(status.ring_dropped, Drops { traces: 100 - traces as u64, finals: 100 - finals as u64 });
    assert_eq!(status.pushed, 200, "what is dropped has a number");
    assert!(!spool.push(&vec![0; 61 << 10], Class::Final), "too long for anything");
    drop(spool);
    let running = Running::start(settings(dir.path()));
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    assert_eq!(daemon.events().len(), traces + finals);
    assert_eq!(daemon.dropped.values().copied().sum::<u64>(), 201 - (traces + finals) as u64);
    running.stop();
}

#[test]
fn over_the_limit_the_oldest_traces_go_first_and_finals_last() {
    let dir = TempDir::new().unwrap();
    let limit = 2 << 20;
    let running = Running::start(Settings { limit, ..settings(dir.path()) });
    let push = |number: u64, class| {
        let event = [number.to_le_bytes().as_slice(), &[class as u8; 992]].concat();
        until("there is room", || running.spool.push(&event, class) || running.spool.status().ring_used == 0);
    };
    for number in 0..8000 {
        push(number, if number % 10 == 0 { Class::Final } else { Class::Trace });
    }
    until("it is written", || running.spool.status().ring_used == 0);
    let status = running.spool.status();
    assert!(status.disk_used <= limit, "{status:?}");
    assert_eq!(status.disk_dropped.finals, 0, "{status:?}");
    assert!(status.disk_dropped.traces > 5000, "{status:?}");
    until("it is told", || running.warnings() == 1);
    let mut sender = Sender::new();
    let (mut traces, mut finals) = (Vec::new(), 0);
    while let Some(Outgoing::Events(batch)) = sender.next(&running.spool) {
        assert_eq!(batch.dropped, status.disk_dropped.traces + status.ring_dropped.sum());
        for (_, event) in &batch.events {
            match event[8] {
                0 => traces.push(u64::from_le_bytes(*event.first_chunk().unwrap())),
                _ => finals += 1,
            }
        }
    }
    assert!(finals >= 1, "{finals}");
    assert!(traces.iter().all(|number| *number > 4000), "the oldest went: {:?}", traces.first());
    // Now finals alone are more than the limit.
    for number in 8000..12_000 {
        push(number, Class::Final);
    }
    until("it is written", || running.spool.status().ring_used == 0);
    let status = running.spool.status();
    assert!(status.disk_dropped.finals > 0 && status.disk_used <= limit, "{status:?}");
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    let events = daemon.events();
    assert_eq!(events.len() as u64 + status.disk_dropped.sum() + status.ring_dropped.sum(), status.pushed);
    let last = events.last().unwrap();
    assert_eq!(u64::from_le_bytes(*last.first_chunk().unwrap()), 11_999);
    running.stop();
}

#[test]
fn on_a_full_disk_events_wait_in_memory_and_one_line_says_so() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    assert!(running.spool.push(b"before", Class::Trace));
    until("it is written", || running.spool.status().written == 1);
    let mut want = vec![b"before".to_vec()];
    let mut random = Random(99);
    for fault in [FULL, HALF] {
        running.spool.put(fault);
        running.notes.lock().clear();
        for number in 0..100 {
            let event = random.event(number);
            if running.spool.push(&event, Class::Trace) {
                want.push(event);
            }
        }
        until("it is noticed", || running.warnings() > 0);
        assert!(running.spool.status().trouble.is_some_and(|trouble| trouble.contains("No space left")));
        for _ in 0..3 {
            assert!(running.spool.push(b"during", Class::Final));
            want.push(b"during".to_vec());
            thread::sleep(Duration::from_millis(300));
        }
        assert_eq!(running.warnings(), 1, "{:?}", running.notes);
        running.spool.put(Disk::default());
        until("it works again", || running.spool.status().trouble.is_none());
        until("all is written", || running.spool.status().ring_used == 0);
        assert!(running.notes.lock().iter().any(|note| note.contains("again")));
    }
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    assert!(daemon.events() == want);
    running.stop();
}

/// A disk that takes 400,000 bytes of segments, and nothing else anew.
const SMALL: Disk = Disk {
    write: |file, bytes| {
        let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        let is_segment = |path: &Path| path.extension().is_some_and(|end| end == "seg");
        let sizes = fs::read_dir(path.parent().unwrap())?.map(|entry| {
            let path = entry.unwrap().path();
            if is_segment(&path) { fs::metadata(path).unwrap().len() } else { 0 }
        });
        let room = if is_segment(&path) { 400_000_u64.saturating_sub(sizes.sum()) } else { 0 };
        if growth(file, bytes)? > room { Err(no_room()) } else { file.write_all(bytes) }
    },
    ..FULL
};

/// A disk whose other users take each byte that is given back, at once: no file grows. Its user has no share left, which is told as
/// EDQUOT.
const TAKEN: Disk = Disk {
    write: |file, bytes| {
        let room = growth(file, bytes)? == 0;
        if room { file.write_all(bytes) } else { Err(io::Error::from_raw_os_error(122)) }
    },
    ..FULL
};

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

#[test]
fn what_is_given_up_on_a_full_disk_needs_no_room_that_another_could_take() {
    let dir = TempDir::new().unwrap();
    let id = Incarnation([7; 16]);
    let mut store = Store::open(dir.path(), 2 << 20, &mut |_| {}).unwrap();
    store.begin(id, "core", 1, 0);
    for number in 0..10 {
        let (bytes, heads) = records(number * 100 + 1..number * 100 + 101);
        store.append(id, &bytes, &heads, false).unwrap();
    }
    let segments = store.lives[0].segments.len();
    assert!(segments >= 3, "{segments}");
    store.disk = TAKEN;
    for _ in 0..segments {
        assert!(store.shed().unwrap());
    }
    assert!(!store.shed().unwrap(), "no traces are left");
    assert_eq!(store.lives[0].disk_dropped, [900, 0]);
    let left = fs::metadata(dir.path().join("reserve")).unwrap().len();
    // The last one was not full.
    assert!(left > 100_000, "{left}");
    // Those that come now have room where those were, if nobody takes it; where somebody does, finals alone are tried, and wait.
    let (bytes, heads) = records(1001..1101);
    assert!(disk::lacks_room(&store.append(id, &bytes, &heads, true).unwrap_err()));
    drop(store);
    let mut notes = Vec::new();
    let store = Store::open(dir.path(), 2 << 20, &mut |note| notes.push(note)).unwrap();
    assert_eq!((notes, store.lives[0].segments.iter().map(|it| it.counts[1]).sum()), (vec![], 100_u64));
}

#[test]
fn a_kill_while_a_segment_is_written_anew_leaves_the_old_one_or_the_new_one() {
    let id = Incarnation([7; 16]);
    for step in 0..4 {
        let dir = TempDir::new().unwrap();
        let path = |name: &str| dir.path().join(name);
        let mut store = Store::open(dir.path(), 2 << 20, &mut |_| {}).unwrap();
        store.begin(id, "core", 1, 0);
        let (bytes, heads) = records(1..101);
        store.append(id, &bytes, &heads, false).unwrap();
        store.close();
        drop(store);
        let segment = Segment::new(1).path(dir.path(), id);
        let mut new = segment::header(id);
        let (bytes, heads) = records(10..11);
        assert!(heads[0].class == Class::Final);
        new.extend(bytes);
        // Half overwritten; whole and cut; with the segment under a second name; in the segment's place.
        let mut reserve = fs::read(path("reserve")).unwrap();
        let half = new.len() / 2;
        reserve[..half].copy_from_slice(&new[..half]);
        fs::write(path("reserve"), &reserve).unwrap();
        if step > 0 {
            fs::write(path("reserve"), &new).unwrap();
        }
        if step > 1 {
            fs::hard_link(&segment, path("spent")).unwrap();
        }
        if step > 2 {
            fs::rename(path("reserve"), &segment).unwrap();
        }
        let mut store = Store::open(dir.path(), 2 << 20, &mut |note| panic!("{note}")).unwrap();
        let found = store.lives[0].segments[0].counts;
        assert_eq!(found, if step > 2 { [0, 1] } else { [90, 10] }, "{step}");
        assert!(!path("spent").exists());
        assert!(fs::metadata(path("reserve")).unwrap().len() > 500_000, "{step}");
        assert_eq!(store.shed().unwrap(), step < 3);
        let kept = segment::recover(&segment, id, 1).unwrap();
        assert_eq!((kept.0.counts, kept.1), ([0, if step > 2 { 1 } else { 10 }], 0), "{step}");
    }
}

#[test]
fn at_the_limit_traces_of_the_file_that_is_written_to_go_before_finals() {
    let dir = TempDir::new().unwrap();
    let id = Incarnation([7; 16]);
    let mut store = Store::open(dir.path(), 1 << 20, &mut |_| {}).unwrap();
    store.begin(id, "core", 1, 0);
    // Finals fill the limit but for a last segment of traces.
    for number in 0..900 {
        let (bytes, heads) = records(number * 10 + 10..number * 10 + 11);
        store.append(id, &bytes, &heads, false).unwrap();
    }
    store.close();
    for _ in 0..9 {
        let next = store.lives[0].last + 1;
        let (bytes, heads) = records(next..next + 9);
        store.append(id, &bytes, &heads, false).unwrap();
    }
    assert_eq!(store.lives[0].disk_dropped, [0, 0]);
    let next = store.lives[0].last + 1;
    let (bytes, heads) = records(next..next + 60);
    store.append(id, &bytes, &heads, false).unwrap();
    let [traces, finals] = store.lives[0].disk_dropped;
    assert!(traces > 0 && finals == 0, "{traces} {finals}");
}

#[test]
fn a_disk_that_hangs_keeps_nobody_waiting_who_asks() {
    static HANG: Mutex<()> = Mutex::new(());
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    assert!(running.spool.push(b"before", Class::Trace));
    until("it is written", || running.spool.status().written == 1);
    let hang = HANG.lock();
    running.spool.put(Disk {
        write: |file, bytes| {
            let _free = HANG.lock();
            file.write_all(bytes)
        },
        ..Disk::default()
    });
    assert!(running.spool.push(b"during", Class::Trace));
    until("it hangs", || running.spool.with_store(|_| ()).is_none());
    let (tell, told) = std::sync::mpsc::channel();
    let spool = Arc::clone(&running.spool);
    let asks = thread::spawn(move || tell.send(spool.status()).unwrap());
    let status = told.recv_timeout(Duration::from_secs(20)).expect("it is told at once");
    asks.join().unwrap();
    assert_eq!((status.pushed, status.written, status.lag()), (2, 1, 2));
    until("it is told why", || {
        running.spool.status().trouble.is_some_and(|trouble| trouble.contains("not answered"))
    });
    drop(hang);
    until("it is written", || running.spool.status().written == 2);
    running.stop();
}

#[test]
fn lag_is_that_of_all_incarnations() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    for _ in 0..5 {
        assert!(running.spool.push(b"earlier", Class::Trace));
    }
    running.stop();
    let running = Running::start(settings(dir.path()));
    assert!(running.spool.push(b"now", Class::Trace));
    until("it is written", || running.spool.status().written == 1);
    let status = running.spool.status();
    assert_eq!((status.lag(), status.earlier_lag, status.earlier), (6, 5, 1));
    Daemon::default().drain(&running.spool, &mut || false);
    assert_eq!(running.spool.status().lag(), 0);
    running.stop();
}

#[test]
fn what_damage_takes_is_counted_and_told() {
    for sent in [true, false] {
        for at in [40, 32 + 1024 * 60 + 40, 4] {
            let dir = TempDir::new().unwrap();
            let running = Running::start(settings(dir.path()));
            let id = running.spool.incarnation();
            for number in 1..=100 {
                let class = if number % 10 == 0 { Class::Final } else { Class::Trace };
                assert!(running.spool.push(&[7; 1000], class));
            }
            until("it is written", || running.spool.status().written == 100);
            let path = Segment::new(1).path(&dir.path().join("spool"), id);
            let damage = || {
                let mut bytes = fs::read(&path).unwrap();
                bytes[at] ^= 1;
                fs::write(&path, bytes).unwrap();
            };
            // While it is sent, or before the next load.
            let running = if sent {
                damage();
                running
            } else {
                running.stop();
                damage();
                Running::start(settings(dir.path()))
            };
            let left = if at == 32 + 1024 * 60 + 40 { 60 } else { 0 };
            let (mut sender, mut stored, mut dropped) = (Sender::new(), 0, 0);
            until("it is told", || {
                if let Some(Outgoing::Events(batch)) = sender.next(&running.spool) {
                    assert_eq!(batch.incarnation, id);
                    (stored, dropped) = (stored + batch.events.len() as u64, batch.dropped);
                }
                dropped > 0
            });
            assert_eq!((stored, dropped), (left, 100 - left), "{sent} {at}");
            let status = running.spool.status();
            assert_eq!(status.disk_dropped.sum(), 100 - left, "{sent} {at}");
            assert!(status.disk_dropped.finals >= (100 - left) / 10, "{sent} {at}");
            assert!(running.notes.lock().iter().any(|note| note.contains(&format!("{} events", 100 - left))));
            running.stop();
        }
    }
}

#[test]
fn rings_that_are_too_many_are_counted() {
    let dir = TempDir::new().unwrap();
    for _ in 0..5 {
        let spool = Spool::new(settings(dir.path())).unwrap();
        assert!(spool.push(b"trace", Class::Trace) && spool.push(b"final", Class::Final));
    }
    let running = Running::start(settings(dir.path()));
    until("it is open", || running.spool.status().earlier == 5);
    assert_eq!(running.spool.status().disk_dropped, Drops { traces: 1, finals: 1 });
    running.stop();
}

#[test]
fn a_segment_that_cannot_be_written_anew_is_passed_over() {
    let dir = TempDir::new().unwrap();
    let id = Incarnation([7; 16]);
    let mut store = Store::open(dir.path(), 2 << 20, &mut |_| {}).unwrap();
    store.begin(id, "core", 1, 0);
    for number in 0..4 {
        let (bytes, heads) = records(number * 300 + 1..number * 300 + 301);
        store.append(id, &bytes, &heads, false).unwrap();
        store.close();
    }
    fs::remove_file(store.lives[0].segments[0].path(dir.path(), id)).unwrap();
    fs::create_dir(store.lives[0].segments[0].path(dir.path(), id)).unwrap();
    assert!(store.shed().unwrap());
    let traces: Vec<u64> = store.lives[0].segments.iter().map(|it| it.counts[0]).collect();
    assert_eq!(traces, [270, 0, 270, 270]);
}

#[test]
fn damage_is_not_written_away_and_is_counted_when_its_segment_goes() {
    let dir = TempDir::new().unwrap();
    let id = Incarnation([7; 16]);
    let mut store = Store::open(dir.path(), 2 << 20, &mut |_| {}).unwrap();
    store.begin(id, "core", 1, 0);
    for number in 0..2 {
        let (bytes, heads) = records(number * 300 + 1..number * 300 + 301);
        store.append(id, &bytes, &heads, false).unwrap();
        store.close();
    }
    store.ack(id, 20).unwrap();
    let path = store.lives[0].segments[0].path(dir.path(), id);
    let mut bytes = fs::read(&path).unwrap();
    bytes[32 + 1024 * 60 + 40] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(store.shed().unwrap());
    let traces: Vec<u64> = store.lives[0].segments.iter().map(|it| it.counts[0]).collect();
    assert_eq!(traces, [270, 0], "it is passed over, for whoever reads it to find");
    store.make_room(2 << 20).unwrap();
    assert!(store.lives[0].segments.is_empty());
    assert_eq!(store.lives[0].disk_dropped.iter().sum::<u64>(), 600 - 20);
}

#[test]
fn a_segment_that_somebody_deleted_holds_nothing_up() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    for _ in 0..100 {
        assert!(running.spool.push(&[7; 1000], Class::Trace));
    }
    until("it is written", || running.spool.status().written == 100);
    let id = running.spool.incarnation();
    fs::remove_file(Segment::new(1).path(&dir.path().join("spool"), id)).unwrap();
    let (mut sender, mut dropped) = (Sender::new(), 0);
    until("it is told", || {
        if let Some(Outgoing::Events(batch)) = sender.next(&running.spool) {
            dropped = batch.dropped;
        }
        dropped > 0
    });
    assert_eq!(dropped, 100);
    assert!(running.spool.push(b"later", Class::Final));
    let mut later = None;
    until("what comes later is sent", || {
        if let Some(Outgoing::Events(batch)) = sender.next(&running.spool) {
            later = batch.events.first().cloned();
        }
        later.is_some()
    });
    assert_eq!(later, Some((101, b"later".to_vec())));
    sender.ack(&running.spool, id, 101);
    until("it is acknowledged", || running.spool.status().acknowledged == 101);
    running.stop();
}

#[test]
fn on_a_full_disk_the_oldest_traces_go_before_any_final() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    assert!(running.spool.push(&[0; 1000], Class::Trace));
    until("it is written", || running.spool.status().written == 1);
    running.spool.put(SMALL);
    let mut finals = 0;
    for number in 0..4000_u64 {
        let class = if number % 20 == 0 { Class::Final } else { Class::Trace };
        let event = [number.to_le_bytes().as_slice(), &[class as u8; 992]].concat();
        if class == Class::Final {
            finals += 1;
            until("there is room", || {
                running.spool.status().ring_used < running.spool.status().ring_size / 4 * 3
            });
        }
        running.spool.push(&event, class);
    }
    let status = running.spool.status();
    assert_eq!((status.ring_dropped.finals, status.disk_dropped.finals), (0, 0), "{status:?}");
    assert!(status.disk_dropped.traces > 300, "{status:?}");
    running.spool.put(Disk::default());
    until("all is written", || running.spool.status().ring_used == 0);
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    assert_eq!(daemon.events().iter().filter(|event| event.get(8) == Some(&1)).count(), finals);
    running.stop();
}

#[test]
fn a_directory_that_is_not_there_yet_costs_nothing() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("spool"), "in the way").unwrap();
    let running = Running::start(settings(dir.path()));
    assert!(running.spool.push(b"kept", Class::Trace));
    until("it is told", || running.warnings() == 1);
    // Nor does a stop lose anything.
    running.stop();
    fs::remove_file(dir.path().join("spool")).unwrap();
    let running = Running::start(settings(dir.path()));
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    assert_eq!(daemon.events(), [b"kept".to_vec()]);
    running.stop();
}

#[test]
fn two_switches_do_not_share_a_ring_or_a_directory() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    assert!(matches!(Spool::new(settings(dir.path())), Err(SpoolError::InUse(_))));
    until("it is open", || running.spool.with_store(|_| ()).is_some());
    let other = Running::start(Settings { ring: dir.path().join("other"), ..settings(dir.path()) });
    until("it is told", || other.notes.lock().iter().any(|note| note.contains("another FreeSWITCH")));
    other.stop();
    running.stop();
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("link")).unwrap();
    let link = Settings { ring: dir.path().join("link"), ..settings(dir.path()) };
    assert!(Spool::new(link).is_err());
    let names = [("a", "/x"), ("b", "/x"), ("a", "/y"), ("../../etc/x y", "/x")];
    let rings = names.map(|(name, directory)| Settings::usual_ring(name, Path::new(directory)));
    assert!(rings.iter().enumerate().all(|(at, ring)| !rings[..at].contains(ring)));
    assert!(rings.iter().all(|ring| ring.parent() == Some(Path::new("/dev/shm"))));
}

#[test]
fn a_leftover_that_is_no_ring_stops_nothing() {
    let dir = TempDir::new().unwrap();
    for (name, bytes) in
        [("ring", vec![1; 300 << 10]), ("ring.0123456789abcdef0123456789abcdef", vec![0; 100])]
    {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let running = Running::start(settings(dir.path()));
    until("it is told", || running.warnings() == 1);
    assert!(running.spool.push(b"kept", Class::Trace));
    until("it is written", || running.spool.status().written == 1);
    running.stop();
}

#[test]
fn damage_in_a_ring_loses_what_follows_it_only() {
    let dir = TempDir::new().unwrap();
    let spool = Spool::new(settings(dir.path())).unwrap();
    for event in [b"first".as_slice(), b"second", b"third"] {
        assert!(spool.push(event, Class::Trace));
    }
    drop(spool);
    let mut bytes = fs::read(dir.path().join("ring")).unwrap();
    let second = bytes.windows(6).position(|window| window == b"second").unwrap();
    bytes[second] ^= 1;
    fs::write(dir.path().join("ring"), bytes).unwrap();
    let running = Running::start(settings(dir.path()));
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    assert_eq!(daemon.events(), [b"first".to_vec()]);
    assert_eq!(daemon.dropped.values().collect::<Vec<_>>(), [&2]);
    assert!(running.notes.lock().iter().any(|note| note.contains("at least 2 events")));
    running.stop();
}

#[test]
fn an_incarnation_remembers_what_its_file_says() {
    let dir = TempDir::new().unwrap();
    let mut life = Life {
        id: Incarnation([0xab; 16]),
        began: 5,
        core: "core".to_owned(),
        acked: 17,
        last: 20,
        ring_dropped: [1, 2],
        disk_dropped: [3, 4],
        dirty: true,
        ..Life::default()
    };
    life.save(dir.path()).unwrap();
    assert_eq!(Life::load(dir.path(), life.id), life);
    assert_eq!(life.dropped(), 10);
    fs::write(life.path(dir.path()), "nizam-spool 1\nacked x\nring 1\n\nunknown 1\n").unwrap();
    assert_eq!(Life::load(dir.path(), life.id).acked, 0);
}

#[test]
fn lag_is_the_age_of_the_oldest_event_that_is_not_stored() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    let mut event = Vec::new();
    EventWriter::new(&mut event, i64::try_from(now).unwrap() - 90_000_000, b"HEARTBEAT", b"");
    assert!(running.spool.push(&event, Class::Trace));
    until("it is written", || running.spool.status().written == 1);
    let status = running.spool.status();
    assert!((90_000..150_000).contains(&status.lag_ms), "{status:?}");
    assert_eq!(status.lag(), 1);
    running.stop();
}

/// Not a test by itself: what the next one kills.
#[test]
#[ignore = "the child of another test"]
fn child_that_pushes() {
    let Some(dir) = std::env::var_os("NIZAM_SPOOL_CHILD") else { return };
    let running = Running::start(settings(Path::new(&dir)));
    let mut random = Random(4711);
    let mut out = io::stdout().lock();
    writeln!(out, "ready").unwrap();
    for number in 0_u64.. {
        let event = random.event(number);
        until("there is room", || running.spool.push(&event, Class::Trace));
        writeln!(out, "pushed {number}").unwrap();
    }
}

#[test]
fn what_was_pushed_before_a_kill_is_there_after_it() {
    for after in [1, 50, 700, 2000] {
        let dir = TempDir::new().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "spool::tests::child_that_pushes", "--ignored", "--nocapture"])
            .env("NIZAM_SPOOL_CHILD", dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pushed = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let Ok(line) = line else { break };
            if line.starts_with("pushed ") {
                pushed += 1;
                if pushed == after {
                    child.kill().unwrap();
                }
            }
        }
        child.wait().unwrap();
        let running = Running::start(settings(dir.path()));
        let mut daemon = Daemon::default();
        daemon.drain(&running.spool, &mut || false);
        let events = daemon.events();
        assert!(pushed >= after && events.len() >= pushed, "{} of {pushed}", events.len());
        // One more may have been pushed and not told; several dropped ones were pushed again under another number.
        let mut random = Random(4711);
        for (number, event) in events.iter().enumerate() {
            assert!(*event == random.event(number as u64), "{number}");
        }
        running.stop();
    }
}

/// Not a test by itself: it runs where no file may grow beyond a limit.
#[test]
#[ignore = "the child of another test"]
fn child_on_a_full_disk() {
    let Some(dir) = std::env::var_os("NIZAM_SPOOL_CHILD") else { return };
    let running = Running::start(settings(Path::new(&dir)));
    let event = vec![1; 10_000];
    for _ in 0..200 {
        running.spool.push(&event, Class::Trace);
        thread::sleep(Duration::from_millis(2));
    }
    until("it is noticed", || running.spool.status().trouble.is_some());
    let status = running.spool.status();
    assert!(status.ring_used > 0 && status.written > 0 && status.ring_dropped.traces > 0, "{status:?}");
    running.stop();
    println!("written {} dropped {}", status.written, status.ring_dropped.traces);
}

#[test]
fn a_real_error_of_the_disk_is_survived() {
    let dir = TempDir::new().unwrap();
    // SIGXFSZ is ignored, as the child inherits it: writing beyond the limit is the error EFBIG. Blocks of 512 bytes.
    let done = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "spool::tests::child_on_a_full_disk", "--ignored", "--nocapture"])
        .env("NIZAM_SPOOL_CHILD", dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    let running = Running::start(settings(dir.path()));
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    let dropped: u64 = daemon.dropped.values().sum();
    assert_eq!(daemon.events().len() as u64 + dropped, 200, "{said}");
    running.stop();
}

#[test]
fn several_threads_push_at_once() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    let stop = AtomicBool::new(false);
    let mut daemon = Daemon::default();
    let pushed: u64 = thread::scope(|scope| {
        let threads: Vec<_> = (0_u64..4)
            .map(|of| {
                let (spool, stop) = (&running.spool, &stop);
                scope.spawn(move || {
                    let mut count = 0_u64;
                    while count < 5000 && !stop.load(Ordering::Relaxed) {
                        let event = [of.to_le_bytes(), count.to_le_bytes()].concat();
                        if spool.push(&event, Class::Trace) {
                            count += 1;
                        } else {
                            thread::yield_now();
                        }
                    }
                    count
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    daemon.drain(&running.spool, &mut || false);
    let events = daemon.events();
    assert_eq!(events.len() as u64, pushed);
    for of in 0_u64..4 {
        let own = events.iter().filter(|event| event[..8] == of.to_le_bytes());
        assert!(own.enumerate().all(|(at, event)| event[8..] == (at as u64).to_le_bytes()), "{of}");
    }
    running.stop();
}
