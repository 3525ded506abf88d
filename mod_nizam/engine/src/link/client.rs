//! The module's side: connect, take images, swap them in, try again.

use super::bell::Bell;
use super::commands::{Answer, Commands, Replies};
use super::traffic::Traffic;
use super::{Backoff, Connection, LinkState, socket};
use crate::{Engine, Layers, Origin, gateways};
use nizam_wire::image::Image;
use nizam_wire::link::{Hello, ModuleEvent, ModuleSession};
use nizam_wire::memory::Mapping;
use parking_lot::{Condvar, Mutex};
use std::collections::HashMap;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The daemon pings every five seconds; one that has been silent for so long is dead.
pub(super) const SILENCE: Duration = Duration::from_secs(20);

/// How often a quiet connection looks up from its socket.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// Who this switch is.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// FreeSWITCH's switch name.
    pub switch_name: String,
    /// FreeSWITCH's core UUID.
    pub core_uuid: String,
    /// FreeSWITCH's version.
    pub freeswitch_version: String,
    /// The module's version.
    pub module_version: String,
}

/// What happened, for whoever runs the client. Called on its thread, which must not wait.
type Tell = Box<dyn Fn(LinkNote<'_>) + Send + Sync>;

/// Something that happened.
pub enum LinkNote<'a> {
    /// As it should be: a line for the log.
    Info(&'a str),
    /// Somebody should look: a line for the log.
    Warning(&'a str),
    /// The stack that was just swapped in may have other gateways.
    Gateways,
}

/// Keeps one connection to a daemon.
pub struct Client {
    engine: Arc<Engine>,
    socket: PathBuf,
    identity: Identity,
    tell: Tell,
    commands: Option<Arc<dyn Commands>>,
    replies: Arc<Replies>,
    bell: Arc<Bell>,
    connections: AtomicU64,
    stop: Mutex<Stop>,
    stopped: Condvar,
}

#[derive(Default)]
struct Stop {
    asked: bool,
    stream: Option<UnixStream>,
}

impl Client {
    /// A client that is not running yet.
    pub fn new(engine: Arc<Engine>, socket: PathBuf, identity: Identity, tell: Tell) -> Self {
        Self {
            engine,
            socket,
            identity,
            tell,
            commands: None,
            replies: Arc::default(),
            bell: Arc::default(),
            connections: AtomicU64::new(0),
            stop: Mutex::default(),
            stopped: Condvar::new(),
        }
    }

    /// With somebody who runs the daemon's commands; without, they are refused.
    #[must_use]
    pub fn with_commands(mut self, commands: Arc<dyn Commands>) -> Self {
        self.commands = Some(commands);
        self
    }

    /// Has the client look whether there are events to send. For any thread; it does not wait.
    pub fn wake(&self) {
        self.bell.ring();
    }

    /// Runs until [`Client::stop`]. For a thread of its own.
    pub fn run(&self) {
        let mut backoff = Backoff::new(self.seed());
        while !self.stop.lock().asked {
            let (was_up, error) = self.connection();
            if self.stop.lock().asked {
                break;
            }
            if was_up {
                backoff.reset();
            }
            self.down(&error);
            let wait = backoff.wait();
            let mut stop = self.stop.lock();
            if !stop.asked {
                self.stopped.wait_for(&mut stop, wait);
            }
        }
    }

    /// Ends [`Client::run`] from another thread, within moments.
    pub fn stop(&self) {
        let mut stop = self.stop.lock();
        stop.asked = true;
        if let Some(stream) = stop.stream.take() {
            // The receiver wakes with an end of stream; a stream that is gone already needs no waking.
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.stopped.notify_all();
    }

    fn seed(&self) -> u64 {
        self.identity.core_uuid.bytes().fold(u64::from(std::process::id()), |seed, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        })
    }

    fn down(&self, error: &str) {
        let mut status = self.engine.link.lock();
        let news = status.enter(LinkState::Down) || status.last_error.as_deref() != Some(error);
        status.last_error = Some(error.to_owned());
        drop(status);
        if news {
            let generation = self.engine.live.load().generation();
            let serving = if generation == 0 {
                "nothing to answer with yet".to_owned()
            } else {
                format!("answering with generation {generation}")
            };
            (self.tell)(LinkNote::Warning(&format!(
                "no link to nizamd at {}: {error}; {serving}",
                self.socket.display()
            )));
        }
    }

    /// One connection from start to end: whether it came up, and why it ended.
    fn connection(&self) -> (bool, String) {
        let connection = match Connection::connect(&self.socket) {
            Ok(connection) => connection,
            Err(error) => return (false, error.to_string()),
        };
        if let Err(error) = self.check_peer(&connection) {
            return (false, error);
        }
        match connection.stream().try_clone() {
            Ok(stream) => self.stop.lock().stream = Some(stream),
            Err(error) => return (false, error.to_string()),
        }
        let mut up = false;
        let error = match self.converse(&connection, &mut up) {
            Ok(()) => "stopped".to_owned(),
            Err(error) => error,
        };
        self.stop.lock().stream = None;
        (up, error)
    }

    /// The daemon must be root, this process's own user, or the owner of the socket's directory: anybody else has
    /// put a socket where a daemon's should be.
    fn check_peer(&self, connection: &Connection) -> Result<(), String> {
        let peer = socket::peer_uid(connection.stream()).map_err(|error| error.to_string())?;
        let directory = self.socket.parent().unwrap_or_else(|| Path::new("/"));
        let owner = std::fs::metadata(directory).map(|directory| directory.uid()).ok();
        let own = rustix::process::geteuid().as_raw();
        if peer == 0 || peer == own || Some(peer) == owner {
            Ok(())
        } else {
            Err(format!(
                "refused: the process behind the socket runs as user {peer}, which is not root, not user {own} and not \
                 the owner of {}",
                directory.display()
            ))
        }
    }

    fn converse(&self, connection: &Connection, up: &mut bool) -> Result<(), String> {
        let text = |error: std::io::Error| error.to_string();
        connection.set_timeouts(TICK, SILENCE).map_err(text)?;
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        let mut session = ModuleSession::<OwnedFd>::new(self.hello());
        let mut traffic = Traffic::default();
        let mut received: HashMap<u64, Arc<Image>> = HashMap::new();
        let mut refused: HashMap<u64, String> = HashMap::new();
        let mut buffer = vec![0; 64 << 10];
        let mut heard = Instant::now();
        loop {
            for (id, result) in self.replies.take(number) {
                session.reply(id, result);
            }
            let spool = self.engine.spool.load_full();
            let more = traffic.send(connection, &mut session, spool.as_deref())?;
            let readable = traffic.wait(connection, &self.bell, more).map_err(text)?;
            if self.stop.lock().asked {
                return Ok(());
            }
            let mut descriptors = Vec::new();
            if readable {
                if let Some(length) = connection.receive(&mut buffer, &mut descriptors).map_err(text)? {
                    heard = Instant::now();
                    session.input(buffer.get(..length).unwrap_or_default(), descriptors);
                }
            } else if heard.elapsed() > SILENCE {
                return Err(format!("nizamd was silent for {SILENCE:?}"));
            } else if !more {
                self.engine.live.sweep();
            }
            while let Some(event) = session.poll().map_err(|error| error.to_string())? {
                match event {
                    ModuleEvent::Welcome(welcome) => {
                        *up = true;
                        self.up(&welcome.daemon_version);
                    }
                    ModuleEvent::Image { id, memory } => match open(id, &memory) {
                        Ok(image) => {
                            received.insert(id, Arc::new(image));
                        }
                        Err(reason) => {
                            refused.insert(id, reason);
                        }
                    },
                    ModuleEvent::Stack { generation, layers } => {
                        match self.apply(&layers, &mut received, &refused) {
                            Ok(()) => session.applied(generation),
                            Err(reason) => {
                                self.refused(generation, &reason);
                                session.refused(generation, reason);
                            }
                        }
                        received.clear();
                        refused.clear();
                    }
                    ModuleEvent::Ack { incarnation, sequence } => {
                        if let Some(spool) = &spool {
                            traffic.ack(spool, incarnation, sequence);
                        }
                    }
                    ModuleEvent::Command(command) => {
                        let (replies, bell) = (Arc::clone(&self.replies), Arc::clone(&self.bell));
                        let answer = Answer::new(number, command.id, replies, bell);
                        match &self.commands {
                            Some(commands) => commands.take(command, answer),
                            None => answer.give(Err("nobody here runs commands".to_owned())),
                        }
                    }
                }
                // An answer must not wait for the next event: a REST call waits for it.
                traffic.send(connection, &mut session, None)?;
            }
        }
    }

    fn hello(&self) -> Hello {
        let layers = self.engine.live.load();
        let Identity { switch_name, core_uuid, freeswitch_version, module_version } = self.identity.clone();
        Hello {
            switch_name,
            core_uuid,
            freeswitch_version,
            module_version,
            generation: layers.generation(),
            layers: layers.ids(),
        }
    }

    fn up(&self, daemon_version: &str) {
        let mut status = self.engine.link.lock();
        status.enter(LinkState::Up);
        status.connections += 1;
        status.last_error = None;
        daemon_version.clone_into(&mut status.daemon_version);
        drop(status);
        (self.tell)(LinkNote::Info(&format!(
            "linked to nizamd {daemon_version} at {}",
            self.socket.display()
        )));
    }

    fn refused(&self, generation: u64, reason: &str) {
        let mut status = self.engine.link.lock();
        status.refused += 1;
        status.last_refusal = Some(format!("generation {generation}: {reason}"));
        drop(status);
        (self.tell)(LinkNote::Warning(&format!(
            "generation {generation} from nizamd refused, lookups go on with the one before: {reason}"
        )));
    }

    /// Makes lookups answer with these images, some of which are there already.
    fn apply(
        &self,
        ids: &[u64],
        received: &mut HashMap<u64, Arc<Image>>,
        refused: &HashMap<u64, String>,
    ) -> Result<(), String> {
        let current = self.engine.live.load();
        let images: Result<Vec<Arc<Image>>, String> = ids
            .iter()
            .map(|id| {
                let held = || current.images().iter().find(|image| image.id() == *id).cloned();
                received.remove(id).or_else(held).ok_or_else(|| {
                    refused
                        .get(id)
                        .cloned()
                        .unwrap_or_else(|| format!("image {id:016x} is in no one's hands"))
                })
            })
            .collect();
        let images = images?;
        match images.last() {
            None => return Err("a stack without images".into()),
            Some(base) if base.header().overlay => return Err("a stack without a base".into()),
            Some(_) => {}
        }
        let layers = Layers::new(images, Origin::Daemon);
        let others = gateways::may_differ(&current, &layers);
        drop(current);
        self.engine.live.publish(layers);
        self.engine.link.lock().applied += 1;
        if others {
            (self.tell)(LinkNote::Gateways);
        }
        Ok(())
    }
}

fn open(id: u64, memory: &OwnedFd) -> Result<Image, String> {
    let image = Mapping::new(memory).and_then(Image::from_mapping).map(Image::in_large_pages);
    let image = image.map_err(|error| format!("image {id:016x}: {error}"))?;
    if image.id() == id {
        Ok(image)
    } else {
        Err(format!("image {:016x} came under the name {id:016x}", image.id()))
    }
}
