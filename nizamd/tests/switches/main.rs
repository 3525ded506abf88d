//! Publishing to switches over a real socket, with the module's own client on the other side.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod events;
mod gateways;
mod mailbox;
mod routing;
mod site;

use nizam_core::model::{ExtensionChange, NewExtension, NewTenant, Slug, Tenant, TenantStatus, Touched};
use nizam_engine::link::{Client, Connection, Identity};
use nizam_engine::{DirectoryAnswer, DirectoryQuestion, Engine, Origin};
use nizam_store::{Actor, Committed, Expected, Key, Keyring, Store};
use nizam_test_postgres::Database;
use nizam_wire::link::{Chunk, preamble};
use nizamd::link::{Allowed, Listener, Switches};
use nizamd::publish::Publishing;
use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const ACTOR: Actor = Actor { user_id: None, ip_address: None, user_agent: None, idempotency: None };

/// nizamd without its REST API.
struct Daemon {
    dir: TempDir,
    store: Arc<Store>,
    switches: Arc<Switches>,
    publishing: Publishing,
    listener: Option<Listener>,
    tenant: Tenant,
}

impl Daemon {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = Database::chosen().fresh(dir.path());
        let store = Arc::new(Store::open(&url, Keyring::new(&Key::random().unwrap())).await.unwrap());
        let tenant = store.create_tenant(&ACTOR, new_tenant("acme.example")).await.unwrap().value;
        let switches = Arc::new(Switches::default());
        let publishing = Publishing::start(
            Arc::clone(&store),
            &dir.path().join("snapshot"),
            &dir.path().join("prompts"),
            Arc::clone(&switches),
        )
        .await
        .unwrap();
        let mut daemon = Self { dir, store, switches, publishing, listener: None, tenant };
        daemon.listen();
        daemon
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("nizam.sock")
    }

    fn listen(&mut self) {
        let allowed = Allowed::new(&[]);
        self.listener = Some(Listener::start(&self.socket(), allowed, Arc::clone(&self.switches)).unwrap());
    }

    async fn live<T>(&self, committed: Committed<T>) -> (T, bool) {
        let live = self.publishing.live(committed.generation, committed.touched).await;
        (committed.value, live)
    }

    async fn add(&self, number: &str, password: &str) -> (uuid::Uuid, bool) {
        let new = new_extension(number, password);
        let committed = self.store.create_extension(&ACTOR, self.tenant.id, new).await.unwrap();
        let (extension, live) = self.live(committed).await;
        (extension.id, live)
    }
}

fn new_tenant(domain: &str) -> NewTenant {
    NewTenant {
        name: domain.to_owned(),
        domain: domain.to_owned(),
        slug: Slug::Given(domain.replace('.', "-")),
        status: TenantStatus::Active,
        max_extensions: 0,
        max_concurrent_calls: 0,
        max_dids: 0,
        max_ring_groups: 0,
        max_calls_per_minute: 0,
        is_active: true,
    }
}

fn new_extension(number: &str, password: &str) -> NewExtension {
    NewExtension {
        extension: number.to_owned(),
        password: password.to_owned(),
        directory_first_name: "Ann".to_owned(),
        directory_last_name: "Lee".to_owned(),
        effective_caller_id_name: None,
        effective_caller_id_number: None,
        outbound_caller_id_name: None,
        outbound_caller_id_number: None,
        voicemail_enabled: false,
        voicemail_pin: None,
        cidr: None,
        toll_allow: None,
        max_channels: 0,
        ring_timeout: None,
        is_active: true,
    }
}

/// A switch: the engine and the client that the module runs.
struct Switch {
    engine: Arc<Engine>,
    client: Arc<Client>,
    thread: Option<JoinHandle<()>>,
}

impl Switch {
    fn start(socket: &Path, name: &str) -> Self {
        let engine = Arc::new(Engine::default());
        let identity = Identity { switch_name: name.into(), core_uuid: name.into(), ..Identity::default() };
        let client =
            Arc::new(Client::new(Arc::clone(&engine), socket.to_owned(), identity, Box::new(|_| {})));
        let running = Arc::clone(&client);
        Self { engine, client, thread: Some(std::thread::spawn(move || running.run())) }
    }

    fn answer(&self, user: &str, domain: &str) -> Option<String> {
        let mut question = DirectoryQuestion::user(user.as_bytes(), domain.as_bytes());
        question.action = Some(b"sip_auth");
        let mut out = Vec::new();
        let found = matches!(self.engine.directory(&question, &mut out), DirectoryAnswer::Found);
        found.then(|| String::from_utf8(out).unwrap())
    }
}

impl Drop for Switch {
    fn drop(&mut self) {
        self.client.stop();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Waits for a condition; a test that waits in vain fails.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn connected(daemon: &Daemon) -> usize {
    daemon.switches.standing().iter().filter(|switch| switch.connected && switch.generation > 0).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_was_answered_is_what_every_switch_answers() {
    let daemon = Daemon::start().await;
    let switches = [Switch::start(&daemon.socket(), "fs1"), Switch::start(&daemon.socket(), "fs2")];
    until("both switches", || connected(&daemon) == 2).await;
    let (id, live) = daemon.add("1001", "first-password").await;
    assert!(live);
    for n in 0..200 {
        let change = ExtensionChange { password: format!("password-{n}"), ..change("1001") };
        let committed = daemon
            .store
            .update_extension(&ACTOR, daemon.tenant.id, id, change, &Expected::Anything)
            .await
            .unwrap();
        assert!(daemon.live(committed).await.1);
        for switch in &switches {
            let answer = switch.answer("1001", "acme.example").unwrap();
            assert!(answer.contains(&format!("\"password-{n}\"")), "write {n}: {answer}");
        }
    }
    // Another number: the old one is gone, the new one there.
    let committed = daemon
        .store
        .update_extension(&ACTOR, daemon.tenant.id, id, change("2002"), &Expected::Anything)
        .await
        .unwrap();
    assert!(daemon.live(committed).await.1);
    assert!(switches[0].answer("1001", "acme.example").is_none());
    assert!(switches[0].answer("2002", "acme.example").is_some());
    let committed =
        daemon.store.delete_extension(&ACTOR, daemon.tenant.id, id, &Expected::Anything).await.unwrap();
    assert!(daemon.live(committed).await.1);
    assert!(switches[1].answer("2002", "acme.example").is_none());
    let (_, live) = daemon.add("3003", "third-password").await;
    assert!(live && switches[0].answer("3003", "acme.example").is_some());
    let committed = daemon.store.delete_tenant(&ACTOR, daemon.tenant.id, &Expected::Anything).await.unwrap();
    assert!(daemon.live(committed).await.1);
    assert!(switches[0].answer("3003", "acme.example").is_none());
}

fn change(number: &str) -> ExtensionChange {
    ExtensionChange {
        extension: number.to_owned(),
        password: "some-password".to_owned(),
        directory_first_name: "Ann".to_owned(),
        directory_last_name: "Lee".to_owned(),
        effective_caller_id_name: None,
        effective_caller_id_number: None,
        outbound_caller_id_name: None,
        outbound_caller_id_number: None,
        voicemail_enabled: None,
        voicemail_pin: None,
        cidr: None,
        toll_allow: None,
        max_channels: None,
        ring_timeout: None,
        is_active: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_at_once_and_many_of_them_stay_true_through_merges_and_folds() {
    let daemon = Arc::new(Daemon::start().await);
    let switch = Switch::start(&daemon.socket(), "fs1");
    until("the switch", || connected(&daemon) == 1).await;
    let mut tasks = Vec::new();
    for task in 0..4 {
        let daemon = Arc::clone(&daemon);
        tasks.push(tokio::spawn(async move {
            for n in 0..50 {
                assert!(daemon.add(&format!("{}", 1000 + task * 100 + n), "a-password").await.1);
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let bulk = (5000..11_000).map(|n| new_extension(&n.to_string(), "bulk-password")).collect();
    let committed = daemon.store.insert_extensions(&ACTOR, daemon.tenant.id, bulk).await.unwrap();
    assert!(daemon.live(committed).await.1);
    // So many records are folded into a new base.
    until("a fold", || switch.engine.live.load().images().len() == 1).await;
    for number in ["1000", "1349", "5000", "10999"] {
        assert!(switch.answer(number, "acme.example").is_some(), "{number}");
    }
    assert!(daemon.add("20000", "after-the-fold").await.1);
    assert!(switch.answer("20000", "acme.example").is_some());
    // The snapshot holds the same.
    let engine = Engine::default();
    engine.load_snapshot(&daemon.dir.path().join("snapshot"));
    let (snapshot, live) = (engine.live.load(), switch.engine.live.load());
    assert_eq!(snapshot.generation(), live.generation());
    assert_eq!(snapshot.ids(), live.ids());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_outlives_the_daemon_and_comes_back_to_it() {
    let mut daemon = Daemon::start().await;
    let (id, _) = daemon.add("1001", "first-password").await;
    let switch = Switch::start(&daemon.socket(), "fs1");
    until("the switch", || connected(&daemon) == 1).await;
    daemon.listener = None;
    until("the end of the link", || connected(&daemon) == 0).await;
    assert!(switch.answer("1001", "acme.example").unwrap().contains("first-password"));
    // It is not waited for, but the answer says that somebody does not know yet.
    let committed = daemon
        .store
        .update_extension(&ACTOR, daemon.tenant.id, id, change("1001"), &Expected::Anything)
        .await
        .unwrap();
    assert!(!daemon.live(committed).await.1);
    assert!(switch.answer("1001", "acme.example").unwrap().contains("first-password"));
    daemon.listen();
    until("the new password", || switch.answer("1001", "acme.example").unwrap().contains("some-password"))
        .await;
    assert_eq!(switch.engine.live.load().origin(), Origin::Daemon);
    assert_eq!(daemon.switches.standing().len(), 1, "one line for a switch that came back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_garbage_and_other_versions_are_refused_with_a_reason() {
    let daemon = Daemon::start().await;
    let socket = daemon.socket();
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o660);
    let switch = Switch::start(&socket, "fs1");
    until("the switch", || connected(&daemon) == 1).await;
    let mut frame = preamble().to_vec();
    frame.extend(u32::MAX.to_le_bytes());
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"NIZAML\xff\x00rest", &frame, &[0; 4096]] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(garbage).unwrap();
        let mut said = Vec::new();
        // Closed, by an end of file or a reset, and not by our patience running out.
        if let Err(error) = stream.read_to_end(&mut said) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        }
        assert!(said.len() <= 8, "nothing but the preamble");
    }
    // A connection that says nothing does not keep others waiting.
    let _silent = UnixStream::connect(&socket).unwrap();
    assert!(daemon.add("1001", "first-password").await.1);
    assert!(switch.answer("1001", "acme.example").is_some());
    let second = Listener::start(&socket, Allowed::new(&[]), Arc::clone(&daemon.switches));
    let error = second.err().unwrap().to_string();
    assert!(error.contains("another nizamd listens on") && error.contains("NIZAM_SOCKET"), "{error}");
}

/// Runs in a process of another user, started by the test below.
#[test]
fn as_another_user() {
    let Some(socket) = std::env::var_os("NIZAM_TEST_SOCKET") else { return };
    let engine = Arc::new(Engine::default());
    let identity = Identity { switch_name: "stranger".into(), ..Identity::default() };
    let client = Arc::new(Client::new(Arc::clone(&engine), socket.into(), identity, Box::new(|_| {})));
    let running = Arc::clone(&client);
    let thread = std::thread::spawn(move || running.run());
    let start = Instant::now();
    while engine.link.lock().last_error.is_none() && start.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(10));
    }
    client.stop();
    thread.join().unwrap();
    println!("link error: {:?}", engine.link.lock().last_error);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_of_another_user_is_told_why() {
    if !rustix::process::geteuid().is_root() {
        let why = "a_peer_of_another_user_is_told_why: only root can run a process as another user";
        eprintln!("SKIPPED {why}");
        if let Some(list) = std::env::var_os("NIZAM_SKIPS") {
            let mut list = fs::OpenOptions::new().create(true).append(true).open(list).unwrap();
            // One write, so that lines of tests that run at once do not mix.
            list.write_all(format!("{why}\n").as_bytes()).unwrap();
        }
        return;
    }
    let daemon = Daemon::start().await;
    // So that the kernel lets the stranger come as far as to us.
    fs::set_permissions(daemon.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(daemon.socket(), fs::Permissions::from_mode(0o666)).unwrap();
    // The test program itself may lie where only root may go.
    let program = daemon.dir.path().join("stranger");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let socket = daemon.socket();
    let output = tokio::task::spawn_blocking(move || {
        let mut stranger = Command::new(program);
        stranger
            .args(["--exact", "as_another_user", "--nocapture"])
            .current_dir("/")
            .env("NIZAM_TEST_SOCKET", socket);
        stranger.uid(65_534).gid(65_534).output().unwrap()
    });
    let output = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("user 65534 may not connect: name it in link.allow_users"), "{said}");
    assert_eq!(daemon.switches.standing().len(), 0);
}

/// Two writes that are committed at once may bring a switch to the same generation by two stacks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_waits_for_its_own_stack_even_where_an_earlier_one_has_its_generation() {
    use nizam_wire::link::{Hello, ModuleEvent, ModuleSession};
    const SLOW: Duration = Duration::from_millis(500);
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("nizam.sock");
    let switches = Arc::new(Switches::default());
    let _listener = Listener::start(&socket, Allowed::new(&[]), Arc::clone(&switches)).unwrap();
    assert!(!switches.all_answer(0).await, "a switch may be about to come back");
    let layer = |seed| {
        let image = nizam_wire::Builder::base(5, seed).finish().unwrap();
        nizamd::publish::Layer::new(&image).unwrap()
    };
    switches.want(5, vec![layer(1)]);
    let path = socket.clone();
    std::thread::spawn(move || {
        let connection = Connection::connect(&path).unwrap();
        let mut session =
            ModuleSession::<OwnedFd>::new(Hello { switch_name: "slow".into(), ..Hello::default() });
        let mut stacks = 0;
        let mut buffer = [0; 4096];
        loop {
            while let Some(chunk) = session.outbox().take() {
                connection.send(&chunk).unwrap();
            }
            let mut descriptors = Vec::new();
            let Ok(Some(length)) = connection.receive(&mut buffer, &mut descriptors) else { return };
            session.input(&buffer[..length], descriptors);
            while let Some(event) = session.poll().unwrap() {
                if let ModuleEvent::Stack { generation, .. } = event {
                    stacks += 1;
                    if stacks > 1 {
                        std::thread::sleep(SLOW);
                    }
                    session.applied(generation);
                }
            }
        }
    });
    let waiting = || switches.standing().iter().any(|switch| switch.generation == 5);
    until("the first stack", waiting).await;
    // Before the stack is wanted: on a busy machine it may be with the switch before `want` is back.
    let start = Instant::now();
    let serial = switches.want(5, vec![layer(2)]);
    assert!(switches.all_answer(serial).await);
    assert!(start.elapsed() >= SLOW, "answered by the stack before");
}

/// What a module says of a daemon that is none, or another one.
#[test]
fn a_module_says_what_is_wrong_with_its_daemon_and_tries_again() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("nizam.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let switch = Switch::start(&socket, "fs1");
    let mut huge = preamble().to_vec();
    huge.extend(u32::MAX.to_le_bytes());
    for (sent, said) in [
        (&huge[..], "a frame of 4294967295 bytes was announced"),
        (b"NIZAML\x63\x00", "version 99 of the link protocol"),
        (b"HTTP/1.1 400 Bad Request\r\n", "does not speak this protocol"),
    ] {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(sent).unwrap();
        let start = Instant::now();
        while !switch.engine.link.lock().last_error.as_ref().is_some_and(|error| error.contains(said)) {
            let error = switch.engine.link.lock().last_error.clone();
            assert!(start.elapsed() < Duration::from_secs(20), "{said}: {error:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A daemon of ours that sends a damaged image, as the module's side sees it.
#[test]
fn a_damaged_image_is_refused_and_the_one_before_stays() {
    use nizam_wire::link::{DaemonEvent, DaemonSession, Welcome};
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("nizam.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let switch = Switch::start(&socket, "fs1");
    let connection = Connection::new(listener.accept().unwrap().0);
    connection.set_timeouts(Duration::from_secs(5), Duration::from_secs(5)).unwrap();
    let mut session = DaemonSession::<Arc<OwnedFd>>::new(Welcome::default());
    let next = |session: &mut DaemonSession<Arc<OwnedFd>>| loop {
        while let Some(chunk) = session.outbox().take() {
            let chunk: Chunk<Arc<OwnedFd>> = chunk;
            connection.send(&chunk).unwrap();
        }
        if let Some(event) = session.poll().unwrap() {
            return event;
        }
        let mut buffer = [0; 4096];
        let length = connection.receive(&mut buffer, &mut Vec::new()).unwrap().expect("an answer in time");
        session.input(&buffer[..length]);
    };
    assert!(matches!(next(&mut session), DaemonEvent::Hello(_)));
    let good = nizam_wire::Builder::base(5, 1).finish().unwrap();
    let id = u64::from_le_bytes(good[24..32].try_into().unwrap());
    session.image(id, Arc::new(nizam_wire::memory::seal(&good).unwrap()));
    session.stack(5, vec![id]);
    assert_eq!(next(&mut session), DaemonEvent::Applied { generation: 5 });
    let mut bad = good.clone();
    bad[100] ^= 1;
    session.image(9, Arc::new(nizam_wire::memory::seal(&bad).unwrap()));
    session.stack(6, vec![9]);
    let DaemonEvent::Refused { generation: 6, reason } = next(&mut session) else { panic!("not refused") };
    assert!(reason.contains("damaged"), "{reason}");
    session.stack(7, vec![1234]);
    let DaemonEvent::Refused { generation: 7, reason } = next(&mut session) else { panic!("not refused") };
    assert!(reason.contains("00000000000004d2"), "{reason}");
    session.stack(8, vec![]);
    assert!(matches!(next(&mut session), DaemonEvent::Refused { generation: 8, .. }));
    let unsealed = rustix::fs::memfd_create("x", rustix::fs::MemfdFlags::ALLOW_SEALING).unwrap();
    fs::File::from(unsealed.try_clone().unwrap()).write_all(&good).unwrap();
    session.image(id + 1, Arc::new(unsealed));
    session.stack(9, vec![id + 1]);
    let DaemonEvent::Refused { generation: 9, reason } = next(&mut session) else { panic!("not refused") };
    assert!(reason.contains("not sealed"), "{reason}");
    assert_eq!(switch.engine.live.load().generation(), 5);
    assert!(switch.engine.link.lock().last_refusal.as_ref().unwrap().contains("not sealed"));
    drop(listener);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_a_tenant_reaches_the_switch_under_its_old_and_its_new_domain() {
    let daemon = Daemon::start().await;
    let switch = Switch::start(&daemon.socket(), "fs1");
    until("the switch", || connected(&daemon) == 1).await;
    daemon.add("1001", "first-password").await;
    let committed = daemon.store.create_tenant(&ACTOR, new_tenant("second.example")).await.unwrap();
    assert!(committed.touched.contains(&Touched::Domain("second.example".into())));
    assert!(daemon.live(committed).await.1);
    assert!(switch.answer("1001", "second.example").is_none());
    assert_eq!(switch.engine.domains(10), ["acme.example", "second.example"]);
}
