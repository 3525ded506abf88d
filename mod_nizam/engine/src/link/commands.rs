//! Commands of the daemon on their way to whoever runs them, and the answers on their way back.

use super::bell::Bell;
use nizam_wire::link::{Command, MAX_ANSWER};
use parking_lot::Mutex;
use std::sync::Arc;

/// Runs commands.
pub trait Commands: Send + Sync {
    /// Takes a command, and does not wait for it. It is answered later, from any thread.
    fn take(&self, command: Command, answer: Answer);
}

/// Answers on their way back.
#[derive(Debug, Default)]
pub(super) struct Replies {
    given: Mutex<Vec<Given>>,
}

#[derive(Debug)]
struct Given {
    connection: u64,
    id: u64,
    result: Result<String, String>,
}

impl Replies {
    /// What was given for this connection. Answers of earlier ones are of no use: nobody waits for them.
    pub(super) fn take(&self, connection: u64) -> impl Iterator<Item = (u64, Result<String, String>)> {
        let given = std::mem::take(&mut *self.given.lock());
        given
            .into_iter()
            .filter(move |given| given.connection == connection)
            .map(|given| (given.id, given.result))
    }
}

/// The way back for one command's answer.
#[derive(Debug)]
pub struct Answer {
    connection: u64,
    id: u64,
    replies: Arc<Replies>,
    bell: Arc<Bell>,
}

impl Answer {
    pub(super) fn new(connection: u64, id: u64, replies: Arc<Replies>, bell: Arc<Bell>) -> Self {
        Self { connection, id, replies, bell }
    }

    /// Answers: what FreeSWITCH printed, or why it did not do it.
    pub fn give(self, result: Result<String, String>) {
        let length = match &result {
            Ok(text) | Err(text) => text.len(),
        };
        let result = if length > MAX_ANSWER {
            Err(format!("the answer has {length} bytes, which are too many to be sent"))
        } else {
            result
        };
        self.replies.given.lock().push(Given { connection: self.connection, id: self.id, result });
        self.bell.ring();
    }
}
