//! nizamd without its REST API and its images, and a module of our own that sends what it likes.

use crate::{ACTOR, new_tenant};
use nizam_engine::link::Connection;
use nizam_store::{CdrFilter, Key, Keyring, Page, Store};
use nizam_test_postgres::Database;
use nizam_wire::event::EventWriter;
use nizam_wire::link::{Api, Batch, Hello, Incarnation, ModuleEvent, ModuleSession};
use nizamd::ingest::Ingest;
use nizamd::link::{Allowed, Listener, Switches};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const LONG: Duration = Duration::from_secs(20);

/// nizamd without its REST API and its images.
pub(crate) struct Site {
    pub(crate) dir: TempDir,
    pub(crate) store: Arc<Store>,
    pub(crate) switches: Arc<Switches>,
    pub(crate) ingest: Arc<Ingest>,
    _listener: Listener,
    pub(crate) tenant: Uuid,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::looking_after(Duration::from_millis(50)).await
    }

    /// With so long a wait before channels are looked for.
    pub(crate) async fn looking_after(look: Duration) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = Database::chosen().fresh(dir.path());
        let store = Arc::new(Store::open(&url, Keyring::new(&Key::random().unwrap())).await.unwrap());
        let tenant = store.create_tenant(&ACTOR, new_tenant("acme.example")).await.unwrap().value.id;
        let ingest = Ingest::start(Arc::clone(&store), look);
        let switches = Arc::new(Switches::storing(Arc::clone(&ingest)));
        let socket = dir.path().join("nizam.sock");
        let listener = Listener::start(&socket, Allowed::new(&[]), Arc::clone(&switches)).unwrap();
        Self { dir, store, switches, ingest, _listener: listener, tenant }
    }

    pub(crate) fn module(&self, name: &str, core: &str) -> Module {
        self.module_showing("{\"row_count\":0}", name, core)
    }

    /// A module of a FreeSWITCH that shows that of its registrations.
    pub(crate) fn module_showing(&self, registrations: &str, name: &str, core: &str) -> Module {
        let mut module = Module::connect(&self.dir.path().join("nizam.sock"), name, core);
        let ModuleEvent::Command(asked) = module.next() else { panic!("no question") };
        assert_eq!((asked.api, &*asked.argument), (Api::Show, "registrations as json"));
        module.session.reply(asked.id, Ok(registrations.to_owned()));
        module.flush();
        module
    }

    pub(crate) async fn types(&self, uuid: &str) -> Vec<String> {
        let events = self.store.events_of_channel(self.tenant, uuid).await.unwrap();
        events.into_iter().map(|event| event.event_type).collect()
    }

    pub(crate) async fn cdrs(&self) -> Vec<nizam_core::model::Cdr> {
        let filter = CdrFilter { legs: true, ..CdrFilter::default() };
        self.store.cdrs(self.tenant, &filter, Page { number: 1, size: 1000 }).await.unwrap().rows
    }
}

/// The module's end of the link, driven by hand.
pub(crate) struct Module {
    connection: Connection,
    pub(crate) session: ModuleSession<OwnedFd>,
}

impl Module {
    pub(crate) fn connect(socket: &Path, name: &str, core: &str) -> Self {
        let connection = Connection::connect(socket).unwrap();
        connection.set_timeouts(LONG, LONG).unwrap();
        let hello = Hello { switch_name: name.into(), core_uuid: core.into(), ..Hello::default() };
        let mut this = Self { connection, session: ModuleSession::new(hello) };
        assert!(matches!(this.next(), ModuleEvent::Welcome(_)));
        this
    }

    pub(crate) fn flush(&mut self) {
        while let Some(chunk) = self.session.outbox().take() {
            self.connection.send(&chunk).unwrap();
        }
    }

    pub(crate) fn send(&mut self, incarnation: Incarnation, events: &[(u64, Vec<u8>)]) {
        self.session.events(Batch { incarnation, events: events.to_vec(), dropped: 0 });
        self.flush();
    }

    pub(crate) fn next(&mut self) -> ModuleEvent<OwnedFd> {
        loop {
            self.flush();
            if let Some(event) = self.session.poll().unwrap() {
                return event;
            }
            let mut buffer = [0; 4096];
            let length = self.connection.receive(&mut buffer, &mut Vec::new()).unwrap().expect("in time");
            self.session.input(&buffer[..length], None);
        }
    }

    /// Waits until that much is acknowledged.
    #[track_caller]
    pub(crate) fn acknowledged(&mut self, of: Incarnation, until: u64) {
        loop {
            match self.next() {
                ModuleEvent::Ack { incarnation, sequence } if incarnation == of && sequence >= until => {
                    assert_eq!(sequence, until);
                    return;
                }
                ModuleEvent::Ack { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

/// An event of a channel of the tenant.
pub(crate) fn record(name: &str, uuid: &str, more: &[(&str, &str)]) -> Vec<u8> {
    record_at(1_785_153_600_000_000, name, uuid, more)
}

/// The same at that time, in microseconds since 1970.
pub(crate) fn record_at(at: i64, name: &str, uuid: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = EventWriter::new(&mut out, at, name.as_bytes(), b"");
    writer.header("Unique-ID", uuid.as_bytes());
    writer.header("Caller-Context", b"acme.example");
    writer.header("Caller-Caller-ID-Name", b"\xff\0odd");
    for (name, value) in more {
        writer.header(name, value.as_bytes());
    }
    out
}

/// An event of an application.
pub(crate) fn record_of(subclass: &str, at: i64, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = EventWriter::new(&mut out, at, b"CUSTOM", subclass.as_bytes());
    for (name, value) in headers {
        writer.header(name, value.as_bytes());
    }
    out
}

/// Events with their numbers.
pub(crate) fn numbered(from: u64, records: impl IntoIterator<Item = Vec<u8>>) -> Vec<(u64, Vec<u8>)> {
    (from..).zip(records).collect()
}

/// The events of a call.
pub(crate) fn call(uuid: &str) -> [Vec<u8>; 3] {
    let end = [
        ("variable_billsec", "60"),
        ("variable_duration", "61"),
        ("variable_hangup_cause", "NORMAL_CLEARING"),
    ];
    [
        record("CHANNEL_CREATE", uuid, &[]),
        record("CHANNEL_ANSWER", uuid, &[]),
        record("CHANNEL_HANGUP_COMPLETE", uuid, &end),
    ]
}
