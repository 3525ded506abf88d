//! The thread that runs commands of other modules: what takes its time, and what no callback and not the link may wait for.

use crate::config::Mode;
use crate::host::{self, Command, Level, log};
use nizam_engine::gateways::{self, Told};
use nizam_engine::link::Backoff;
use nizam_engine::{Element, Engine};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What mod_sofia was told. It outlives an unload, as mod_sofia does. Never locked while a command runs: the command may lead
/// to a lookup of ours.
static TOLD: Mutex<Told> = Mutex::new(Told::nothing());

/// So many attempts may fail in silence: mod_sofia comes up after this module.
const PATIENCE: u32 = 5;

/// What the thread is asked for.
#[derive(Default)]
struct Asked {
    /// The gateways may be others, or mod_sofia may not know them. Asked several times, it is one thing to do.
    gateways: bool,
    stop: bool,
}

/// Leads from those who ask to the thread.
#[derive(Default)]
pub(crate) struct Worker {
    asked: Mutex<Asked>,
    changed: Condvar,
}

impl Worker {
    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, what: impl FnOnce(&mut Asked)) {
        what(&mut self.asked());
        self.changed.notify_all();
    }

    /// Has mod_sofia's gateways compared with those of the images.
    pub(crate) fn gateways(&self) {
        self.ask(|asked| asked.gateways = true);
    }

    /// Ends [`Worker::run`], after the command that runs.
    pub(crate) fn stop(&self) {
        self.ask(|asked| asked.stop = true);
    }

    fn is_stopping(&self) -> bool {
        self.asked().stop
    }

    /// Works until [`Worker::stop`]. `mode` is asked each time.
    pub(crate) fn run(&self, engine: &Engine, profile: &str, mode: impl Fn() -> Mode) {
        told().doubt();
        let mut attempts = Attempts::new();
        let mut again = None;
        while self.wait(again) {
            again = match self.compare(engine, profile, mode()) {
                Ok(()) => {
                    attempts = Attempts::new();
                    None
                }
                Err(error) => Some(attempts.failed(&error)),
            };
        }
    }

    /// Waits until there is something to do, at most so long. False: stop.
    fn wait(&self, most: Option<Duration>) -> bool {
        let mut asked = self.asked();
        loop {
            if asked.stop {
                return false;
            }
            if std::mem::take(&mut asked.gateways) {
                return true;
            }
            let Some(most) = most else {
                asked = self.changed.wait(asked).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let (woken, timeout) =
                self.changed.wait_timeout(asked, most).unwrap_or_else(PoisonError::into_inner);
            asked = woken;
            if timeout.timed_out() {
                return !asked.stop;
            }
        }
    }

    /// Tells mod_sofia what has changed. An error is worth another attempt.
    fn compare(&self, engine: &Engine, profile: &str, mode: Mode) -> Result<(), String> {
        if mode == Mode::Shadow {
            // Nobody gets gateways from us meanwhile.
            told().doubt();
            return Ok(());
        }
        let wanted = gateways::names(&engine.live.load());
        let steps = told().steps(&wanted);
        let mut failed = Ok(());
        for step in steps {
            if self.is_stopping() {
                break;
            }
            let command = step.argument(profile);
            let name = Command::Sofia.name();
            match host::run(Command::Sofia, &command) {
                Ok(printed) if step.is_done(&printed) => {
                    log(Level::Info, &format!("{name} {command}"));
                    told().take(&step, &wanted);
                }
                Ok(printed) => failed = failed.and(Err(format!("{name} {command}: {}", printed.trim_end()))),
                // There is no such command: none of the others will run.
                Err(printed) => return Err(format!("{name} {command}: {}", printed.trim_end())),
            }
        }
        failed
    }
}

/// Notes the gateways that an answer of the directory gives away.
pub(crate) fn given(answer: &Element) {
    told().give(gateways::named_in(answer));
}

fn told() -> MutexGuard<'static, Told> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Attempts that failed one after the other.
struct Attempts {
    failed: u32,
    backoff: Backoff,
}

impl Attempts {
    fn new() -> Self {
        Self { failed: 0, backoff: Backoff::new(u64::from(std::process::id())) }
    }

    /// How long to wait before the next one.
    fn failed(&mut self, error: &str) -> Duration {
        self.failed = self.failed.saturating_add(1);
        if self.failed == PATIENCE {
            log(Level::Warning, &format!("mod_sofia has not all gateways as they are configured: {error}"));
        }
        self.backoff.wait()
    }
}
