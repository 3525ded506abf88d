//! Commands for FreeSWITCH, and the answers that are waited for.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Why a command has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommandError {
    /// No switch is connected.
    #[error("no switch is connected")]
    NoSwitch,
    /// The switch went away meanwhile: it may have run.
    #[error("the switch was disconnected before it answered")]
    Gone,
    /// It took too long: it may still run.
    #[error("the switch did not answer in time")]
    Late,
    /// The switch did not run it.
    #[error("the switch refused: {0}")]
    Refused(String),
}

/// What a switch says of a command.
type Answer = Result<String, String>;

/// Commands of one switch that have no answer yet.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    next: AtomicU64,
    open: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
}

impl Waiting {
    /// A number for a command, and where its answer comes.
    pub(super) fn begin(
        &self,
        connected: impl FnOnce() -> bool,
    ) -> Result<(u64, oneshot::Receiver<Answer>), CommandError> {
        let (sender, receiver) = oneshot::channel();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut open = self.open.lock();
        // Asked under the lock: whoever disconnects says so first, and then gives up what is open.
        if !connected() {
            return Err(CommandError::NoSwitch);
        }
        open.insert(id, sender);
        Ok((id, receiver))
    }

    /// Waits for the answer.
    pub(super) async fn end(
        &self,
        id: u64,
        answer: oneshot::Receiver<Answer>,
        deadline: Duration,
    ) -> Result<String, CommandError> {
        match timeout(deadline, answer).await {
            Ok(Ok(answer)) => answer.map_err(CommandError::Refused),
            Ok(Err(_)) => Err(CommandError::Gone),
            Err(_) => {
                self.open.lock().remove(&id);
                Err(CommandError::Late)
            }
        }
    }

    /// An answer came. Nobody may wait for it any more.
    pub(super) fn answer(&self, id: u64, answer: Answer) {
        if let Some(waiting) = self.open.lock().remove(&id) {
            let _late = waiting.send(answer);
        }
    }

    /// No answer will come.
    pub(super) fn give_up(&self) {
        self.open.lock().clear();
    }
}
