//! The module's end of the link against a daemon made by hand.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod common;

use common::{ACME, SEED, tenant};
use nizam_engine::Engine;
use nizam_engine::link::{Client, Connection, Identity, Workers};
use nizam_engine::spool::{Class, Settings, Spool};
use nizam_wire::Builder;
use nizam_wire::image::Image;
use nizam_wire::link::{Api, Batch, Command, DaemonEvent, DaemonSession, Incarnation, Welcome};
use nizam_wire::memory::seal;
use nizam_wire::record::State;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A module without FreeSWITCH.
struct Module {
    spool: Arc<Spool>,
    client: Arc<Client>,
    workers: Arc<Workers>,
    threads: Vec<JoinHandle<()>>,
}

impl Module {
    fn start(dir: &Path) -> Self {
        let settings = Settings {
            ring: dir.join("ring"),
            ring_size: 16 << 20,
            directory: dir.join("spool"),
            limit: 64 << 20,
            core: "core".to_owned(),
        };
        let spool = Arc::new(Spool::new(settings).unwrap());
        let engine = Arc::new(Engine::default());
        engine.spool.store(Some(Arc::clone(&spool)));
        let run = |api: Api, argument: &str| match argument {
            "slow" => {
                thread::sleep(Duration::from_secs(3));
                Err("slow".to_owned())
            }
            _ => Ok(format!("{} {argument}", api.name())),
        };
        let workers = Arc::new(Workers::start(Box::new(run)).unwrap());
        let identity = Identity { switch_name: "test".to_owned(), ..Identity::default() };
        let client = Client::new(engine, dir.join("socket"), identity, Box::new(|_| {}));
        let client = Arc::new(client.with_commands(Arc::clone(&workers) as _));
        let (link, drain) = (Arc::clone(&client), (Arc::clone(&client), Arc::clone(&spool)));
        let threads = vec![
            thread::spawn(move || link.run()),
            thread::spawn(move || drain.1.run(&|| drain.0.wake(), &|_| {})),
        ];
        Self { spool, client, workers, threads }
    }

    fn stop(self) {
        self.spool.stop();
        self.client.stop();
        self.workers.stop();
        for thread in self.threads {
            thread.join().unwrap();
        }
    }
}

/// One connection as a daemon has it, which has heard the hello.
struct Daemon {
    connection: Connection,
    session: DaemonSession<OwnedFd>,
    buffer: Vec<u8>,
}

impl Daemon {
    fn accept(listener: &UnixListener) -> Self {
        let (stream, _) = listener.accept().unwrap();
        let connection = Connection::new(stream);
        connection.set_timeouts(Duration::from_millis(50), Duration::from_secs(20)).unwrap();
        let session = DaemonSession::new(Welcome { daemon_version: "0".to_owned() });
        let mut daemon = Self { connection, session, buffer: vec![0; 64 << 10] };
        assert!(matches!(daemon.next(), DaemonEvent::Hello(_)));
        daemon.send();
        daemon
    }

    fn send(&mut self) {
        while let Some(chunk) = self.session.outbox().take() {
            self.connection.send(&chunk).unwrap();
        }
    }

    fn try_next(&mut self, most: Duration) -> Option<DaemonEvent> {
        let start = Instant::now();
        loop {
            if let Some(event) = self.session.poll().unwrap() {
                return Some(event);
            }
            if let Some(length) = self.connection.receive(&mut self.buffer, &mut Vec::new()).unwrap() {
                self.session.input(&self.buffer[..length]);
            } else if start.elapsed() > most {
                return None;
            }
        }
    }

    fn next(&mut self) -> DaemonEvent {
        self.try_next(Duration::from_secs(30)).unwrap()
    }

    fn batch(&mut self) -> Batch {
        match self.next() {
            DaemonEvent::Events(batch) => batch,
            other => panic!("{other:?}"),
        }
    }

    fn ack(&mut self, incarnation: Incarnation, sequence: u64) {
        self.session.ack(incarnation, sequence);
        self.send();
    }
}

fn numbers(batch: &Batch) -> Vec<u64> {
    batch.events.iter().map(|(number, _)| *number).collect()
}

#[test]
fn events_come_at_once_and_again_until_they_are_acknowledged() {
    let dir = TempDir::new().unwrap();
    let listener = UnixListener::bind(dir.path().join("socket")).unwrap();
    let module = Module::start(dir.path());
    let id = module.spool.incarnation();
    let mut daemon = Daemon::accept(&listener);
    for number in 1..=3_u64 {
        assert!(module.spool.push(&number.to_le_bytes(), Class::Trace));
        let batch = daemon.batch();
        assert_eq!((batch.incarnation, batch.dropped), (id, 0));
        assert_eq!(batch.events, [(number, number.to_le_bytes().to_vec())]);
    }
    daemon.ack(id, 2);
    while module.spool.status().acknowledged != 2 {
        thread::sleep(Duration::from_millis(1));
    }
    drop(daemon);
    let mut daemon = Daemon::accept(&listener);
    assert_eq!(numbers(&daemon.batch()), [3]);
    daemon.ack(id, 3);
    while module.spool.status().lag() != 0 {
        thread::sleep(Duration::from_millis(1));
    }
    drop(daemon);
    module.stop();
    // The next life: the end of the one before is said in each connection until it is answered.
    let module = Module::start(dir.path());
    for _ in 0..2 {
        let mut daemon = Daemon::accept(&listener);
        assert_eq!(daemon.next(), DaemonEvent::Ended(id));
    }
    let mut daemon = Daemon::accept(&listener);
    assert_eq!(daemon.next(), DaemonEvent::Ended(id));
    daemon.ack(id, u64::MAX);
    assert!(module.spool.push(b"new", Class::Final));
    assert_eq!(daemon.batch().incarnation, module.spool.incarnation());
    while module.spool.status().earlier != 0 {
        thread::sleep(Duration::from_millis(1));
    }
    module.stop();
}

#[test]
fn a_backlog_delays_neither_an_image_nor_a_command() {
    let dir = TempDir::new().unwrap();
    let listener = UnixListener::bind(dir.path().join("socket")).unwrap();
    let module = Module::start(dir.path());
    for _ in 0..10_000 {
        assert!(module.spool.push(&[7; 1000], Class::Trace));
    }
    while module.spool.status().written != 10_000 {
        thread::sleep(Duration::from_millis(1));
    }
    let mut daemon = Daemon::accept(&listener);
    let mut builder = Builder::base(5, SEED);
    tenant(&mut builder, ACME, "acme.example", State::Open);
    let bytes = builder.finish().unwrap();
    let image = Image::from_vec(bytes.clone()).unwrap();
    daemon.session.command(Command { id: 8, api: Api::Show, argument: "slow".into(), deadline: 9000 });
    daemon.session.command(Command { id: 9, api: Api::Exists, argument: "u".into(), deadline: 9000 });
    daemon.session.image(image.id(), seal(&bytes).unwrap());
    daemon.session.stack(5, vec![image.id()]);
    daemon.send();
    // Nothing is acknowledged: all but what may be on its way waits.
    let (mut batches, mut applied, mut replied) = (0, false, Vec::new());
    while !applied || replied.len() < 2 {
        match daemon.next() {
            DaemonEvent::Events(batch) => {
                batches += 1;
                assert!(batch.events.len() <= 500 && batch.events.len() * 1000 <= (256 << 10) + 1000);
            }
            DaemonEvent::Applied { generation: 5 } => applied = true,
            DaemonEvent::Reply { id, result } => replied.push((id, result)),
            other => panic!("{other:?}"),
        }
    }
    assert!(batches <= 8, "{batches}");
    assert_eq!(replied, [(9, Ok("uuid_exists u".to_owned())), (8, Err("slow".to_owned()))]);
    module.stop();
}

#[test]
fn all_of_a_backlog_arrives_once_with_a_daemon_that_reads_slowly() {
    let dir = TempDir::new().unwrap();
    let listener = UnixListener::bind(dir.path().join("socket")).unwrap();
    let module = Module::start(dir.path());
    let mut daemon = Daemon::accept(&listener);
    for number in 0..5000_u64 {
        assert!(module.spool.push(&[&number.to_le_bytes(), [7; 800].as_slice()].concat(), Class::Trace));
    }
    let mut next = 1_u64;
    while next <= 5000 {
        let batch = daemon.batch();
        for (number, event) in &batch.events {
            assert_eq!((*number, &event[..8]), (next, (next - 1).to_le_bytes().as_slice()));
            next += 1;
        }
        thread::sleep(Duration::from_millis(10));
        daemon.ack(batch.incarnation, next - 1);
    }
    assert_eq!(daemon.try_next(Duration::from_millis(200)), None);
    module.stop();
}
