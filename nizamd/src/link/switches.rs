//! What every connected switch shall answer with, and what it does answer with.

use crate::publish::Layer;
use nizam_wire::link::Hello;
use parking_lot::Mutex;
use std::collections::BTreeMap;
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

/// One switch, connected now or before.
pub(super) struct Known {
    pub(super) hello: Hello,
    pub(super) progress: watch::Sender<Progress>,
    /// It did not answer in time: writes do not wait for it until it has caught up.
    late: AtomicBool,
    /// A byte in it wakes the switch's thread.
    wake: UnixStream,
}

impl Known {
    pub(super) fn new(hello: Hello, wake: UnixStream) -> Self {
        // What it came with does not count: it may be of another database.
        let progress = Progress { connected: true, ..Progress::default() };
        Self { hello, progress: watch::Sender::new(progress), late: AtomicBool::new(false), wake }
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
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            wanted: Mutex::default(),
            known: Mutex::default(),
            next: AtomicU64::new(0),
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
}

impl Switches {
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
                }
            })
            .collect()
    }
}
