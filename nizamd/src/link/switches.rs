//! What every connected switch shall answer with, and what it does answer with.

use super::command::{CommandError, Waiting};
use crate::ingest::Ingest;
use crate::publish::Layer;
use nizam_wire::link::{Api, Command, Hello, Incarnation};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

/// How long a write waits for a switch to take it. A switch that takes longer is stuck: it will catch up, and its
/// lookups go on meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

/// A switch tries to reconnect every half a minute at least.
const RECONNECT: Duration = Duration::from_secs(35);

/// Switches that are gone are remembered until there are so many of them.
const REMEMBERED: usize = 64;

/// What switches shall answer with.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// Counts stacks. A generation does not: two stacks may bring a switch to the same one, if the second write was
    /// committed before the first one's rows were read.
    pub(super) serial: u64,
    pub(super) generation: u64,
    /// Newest first; none before the first compilation.
    pub(super) layers: Vec<Layer>,
}

/// How far a switch is.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    pub(super) connected: bool,
    /// Serial of the newest stack that it has taken.
    pub(super) serial: u64,
    /// Generation it answers with.
    pub(super) generation: u64,
    /// Why it did not take the last one.
    pub(super) error: Option<String>,
}

/// Something to send to a switch.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// Its events up to this one are stored.
    Ack(Incarnation, u64),
    /// Have FreeSWITCH do this.
    Command(Command),
}

/// How far the events of a switch are, as far as it has sent them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The number of the newest event that came.
    pub received: u64,
    /// The number of the newest event that is stored.
    pub stored: u64,
    /// Events that the switch had no room for.
    pub dropped: u64,
}

/// One switch, connected now or before.
pub(crate) struct Known {
    pub(crate) hello: Hello,
    pub(super) progress: watch::Sender<Progress>,
    /// What its thread sends next.
    outgoing: Mutex<VecDeque<Outgoing>>,
    /// Commands that it has not answered yet.
    pub(super) waiting: Waiting,
    told: Mutex<Told>,
    /// It did not answer in time: writes do not wait for it until it has caught up.
    late: AtomicBool,
    /// A byte in it wakes the switch's thread.
    wake: UnixStream,
}

impl Known {
    pub(super) fn new(hello: Hello, wake: UnixStream) -> Self {
        // What it came with does not count: it may be of another database.
        let progress = Progress { connected: true, ..Progress::default() };
        Self {
            hello,
            progress: watch::Sender::new(progress),
            outgoing: Mutex::default(),
            waiting: Waiting::default(),
            told: Mutex::default(),
            late: AtomicBool::new(false),
            wake,
        }
    }

    /// It answers with this stack now.
    pub(super) fn applied(&self, serial: u64, generation: u64) {
        self.late.store(false, Ordering::Relaxed);
        self.progress.send_modify(|progress| {
            progress.serial = serial;
            progress.generation = generation;
            progress.error = None;
        });
    }

    /// It did not take what it was sent, twice.
    pub(super) fn refused(&self, reason: String) {
        self.progress.send_modify(|progress| progress.error = Some(reason));
    }

    /// Has its thread send something.
    pub(crate) fn send(&self, outgoing: Outgoing) {
        self.outgoing.lock().push_back(outgoing);
        self.wake();
    }

    /// What is to be sent next.
    pub(super) fn next(&self) -> Option<Outgoing> {
        self.outgoing.lock().pop_front()
    }

    /// Notes how far its events are.
    pub(crate) fn tell(&self, note: impl FnOnce(&mut Told)) {
        note(&mut self.told.lock());
    }

    /// Whether it is connected.
    pub(crate) fn is_connected(&self) -> bool {
        self.progress.borrow().connected
    }

    /// It is gone, and so are the answers that it owes.
    pub(super) fn disconnected(&self) {
        self.progress.send_modify(|progress| progress.connected = false);
        self.waiting.give_up();
    }

    /// Has this FreeSWITCH do something, and gives what it printed.
    pub(crate) async fn command(
        &self,
        api: Api,
        argument: &str,
        deadline: Duration,
    ) -> Result<String, CommandError> {
        let (id, answer) = self.waiting.begin(|| self.is_connected())?;
        let milliseconds = u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX);
        self.send(Outgoing::Command(Command {
            id,
            api,
            argument: argument.to_owned(),
            deadline: milliseconds,
        }));
        self.waiting.end(id, answer, deadline).await
    }

    fn wake(&self) {
        // A full pipe wakes it as well.
        let _ = std::io::Write::write(&mut &self.wake, &[1]);
    }
}

/// All switches.
pub struct Switches {
    started: Instant,
    wanted: Mutex<Arc<Wanted>>,
    known: Mutex<BTreeMap<u64, Arc<Known>>>,
    next: AtomicU64,
    /// Where events go; without it none is acknowledged.
    ingest: Option<Arc<Ingest>>,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            wanted: Mutex::default(),
            known: Mutex::default(),
            next: AtomicU64::new(0),
            ingest: None,
        }
    }
}

/// One line about a switch.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What it said of itself.
    pub hello: Hello,
    /// Whether it is connected.
    pub connected: bool,
    /// Generation it answers with, as far as is known.
    pub generation: u64,
    /// Why it did not take the last one.
    pub error: Option<String>,
    /// How far its events are.
    pub told: Told,
}

impl Switches {
    /// Switches whose events are stored.
    pub fn storing(ingest: Arc<Ingest>) -> Self {
        Self { ingest: Some(ingest), ..Self::default() }
    }

    pub(super) fn ingest(&self) -> Option<&Arc<Ingest>> {
        self.ingest.as_ref()
    }

    /// Has a FreeSWITCH that is connected do something, and gives what it printed.
    pub async fn command(
        &self,
        api: Api,
        argument: &str,
        deadline: Duration,
    ) -> Result<String, CommandError> {
        let switch = self.known.lock().values().find(|switch| switch.is_connected()).cloned();
        switch.ok_or(CommandError::NoSwitch)?.command(api, argument, deadline).await
    }

    /// The same of the FreeSWITCH of that name.
    pub async fn command_on(
        &self,
        name: &str,
        api: Api,
        argument: &str,
        deadline: Duration,
    ) -> Result<String, CommandError> {
        let named = |switch: &&Arc<Known>| switch.is_connected() && switch.hello.switch_name == name;
        let switch = self.known.lock().values().find(named).cloned();
        switch.ok_or(CommandError::NoSwitch)?.command(api, argument, deadline).await
    }

    pub(super) fn wanted(&self) -> Arc<Wanted> {
        Arc::clone(&self.wanted.lock())
    }

    pub(super) fn add(&self, switch: Known) -> Arc<Known> {
        let switch = Arc::new(switch);
        let mut known = self.known.lock();
        // One line for a switch that came back.
        known.retain(|_, other| {
            other.progress.borrow().connected || other.hello.switch_name != switch.hello.switch_name
        });
        while known.len() >= REMEMBERED
            && let Some(gone) =
                known.iter().find(|(_, other)| !other.progress.borrow().connected).map(|(id, _)| *id)
        {
            known.remove(&gone);
        }
        known.insert(self.next.fetch_add(1, Ordering::Relaxed), Arc::clone(&switch));
        switch
    }

    /// Tells every switch to answer with these layers, newest first, and gives the number to wait for.
    pub fn want(&self, generation: u64, layers: Vec<Layer>) -> u64 {
        let serial = {
            let mut wanted = self.wanted.lock();
            let serial = wanted.serial + 1;
            *wanted = Arc::new(Wanted { serial, generation, layers });
            serial
        };
        for switch in self.known.lock().values() {
            switch.wake();
        }
        serial
    }

    /// Number of the stack that is wanted now.
    pub fn serial(&self) -> u64 {
        self.wanted.lock().serial
    }

    /// Waits until every connected switch answers with this stack or a newer one. False if one of them did not take
    /// it, or not in time, and while a switch is away that was here, or may be about to come: it answers with what it
    /// had.
    pub async fn all_answer(&self, serial: u64) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let switches: Vec<_> = self.known.lock().values().cloned().collect();
        let mut all = !switches.is_empty() || self.started.elapsed() > RECONNECT;
        for switch in switches {
            let mut progress = switch.progress.subscribe();
            if switch.late.load(Ordering::Relaxed) {
                let progress = progress.borrow();
                all &= progress.connected && progress.serial >= serial;
                continue;
            }
            let done = |progress: &Progress| {
                !progress.connected || progress.serial >= serial || progress.error.is_some()
            };
            let state = timeout_at(deadline, progress.wait_for(done)).await;
            all &= if let Ok(Ok(progress)) = state {
                progress.connected && progress.serial >= serial
            } else {
                // The sender lives in `switch`, so only the time can have run out.
                switch.late.store(true, Ordering::Relaxed);
                let name = switch.hello.switch_name.as_str();
                warn!(switch.name = name, serial, "a switch is late; writes do not wait for it any more");
                false
            };
        }
        all
    }

    /// How every switch stands.
    pub fn standing(&self) -> Vec<Standing> {
        let known = self.known.lock();
        known
            .values()
            .map(|switch| {
                let progress = switch.progress.borrow().clone();
                Standing {
                    hello: switch.hello.clone(),
                    connected: progress.connected,
                    generation: progress.generation,
                    error: progress.error,
                    told: *switch.told.lock(),
                }
            })
            .collect()
    }
}
