//! The daemon's end of the link.

use super::{
    Batch, Command, Decoder, FromDaemon, FromModule, Hello, Incarnation, LinkError, MAX_ANSWER, Outbox,
    Welcome, frame::MAX_PART,
};
use std::collections::BTreeMap;

/// What a switch said.
#[derive(Debug, PartialEq, Eq)]
pub enum DaemonEvent {
    /// Who it is; the session has welcomed it.
    Hello(Hello),
    /// It answers with this generation.
    Applied {
        /// The generation.
        generation: u64,
    },
    /// It did not take this generation.
    Refused {
        /// The generation.
        generation: u64,
        /// Why.
        reason: String,
    },
    /// It is alive.
    Pong(u64),
    /// What happened there; [`DaemonSession::ack`] when it is stored.
    Events(Batch),
    /// No more events of that incarnation will come.
    Ended(Incarnation),
    /// What became of a command.
    Reply {
        /// Its number.
        id: u64,
        /// What FreeSWITCH printed, or why it was not asked.
        result: Result<String, String>,
    },
}

/// The protocol as the daemon sees it, for one switch. `F` is a descriptor.
#[derive(Debug)]
pub struct DaemonSession<F> {
    decoder: Decoder<FromModule>,
    outbox: Outbox<F>,
    welcome: Option<Welcome>,
    /// Answers that have begun.
    begun: BTreeMap<u64, String>,
}

impl<F> DaemonSession<F> {
    /// A new connection.
    pub fn new(welcome: Welcome) -> Self {
        Self {
            decoder: Decoder::default(),
            outbox: Outbox::new(),
            welcome: Some(welcome),
            begun: BTreeMap::new(),
        }
    }

    /// A connection that is refused: what to send before closing it.
    pub fn reject(reason: impl Into<String>) -> Outbox<F> {
        let mut outbox = Outbox::new();
        outbox.put(&FromDaemon::Reject { reason: reason.into() }, None);
        outbox
    }

    /// Takes what came from the socket.
    pub fn input(&mut self, bytes: &[u8]) {
        self.decoder.push(bytes);
    }

    /// What the switch said next, `None` until more comes.
    pub fn poll(&mut self) -> Result<Option<DaemonEvent>, LinkError> {
        loop {
            let Some(message) = self.decoder.message()? else { return Ok(None) };
            if let Some(event) = self.understand(message)? {
                return Ok(Some(event));
            }
        }
    }

    /// Keeps a part of an answer.
    fn part(&mut self, id: u64, text: &str) -> Result<(), LinkError> {
        let kept: usize = self.begun.values().map(String::len).sum();
        // Every part is as long as a frame allows, so that there are few of them.
        if text.len() < MAX_PART - 4 || kept + text.len() > MAX_ANSWER {
            return Err(LinkError::LongAnswer);
        }
        self.begun.entry(id).or_default().push_str(text);
        Ok(())
    }

    /// What a message says; `None`: its rest follows.
    fn understand(&mut self, message: FromModule) -> Result<Option<DaemonEvent>, LinkError> {
        Ok(Some(match (message, self.welcome.take()) {
            (FromModule::Hello(hello), Some(welcome)) => {
                self.outbox.put(&FromDaemon::Welcome(welcome), None);
                DaemonEvent::Hello(hello)
            }
            (FromModule::Hello(_), None) => return Err(LinkError::OutOfOrder("a second hello")),
            (_, Some(_)) => return Err(LinkError::OutOfOrder("a message before the hello")),
            (FromModule::Applied { generation }, None) => DaemonEvent::Applied { generation },
            (FromModule::Refused { generation, reason }, None) => DaemonEvent::Refused { generation, reason },
            (FromModule::Pong(number), None) => DaemonEvent::Pong(number),
            (FromModule::Events(batch), None) => DaemonEvent::Events(batch),
            (FromModule::Ended { incarnation }, None) => DaemonEvent::Ended(incarnation),
            (FromModule::Reply { id, result }, None) => {
                let begun = self.begun.remove(&id).unwrap_or_default();
                DaemonEvent::Reply { id, result: result.map(|last| begun + &last) }
            }
            (FromModule::Part { id, text }, None) => {
                self.part(id, &text)?;
                return Ok(None);
            }
        }))
    }

    /// Sends an image's memory ahead of the stack that names it.
    pub fn image(&mut self, id: u64, memory: F) {
        self.outbox.put(&FromDaemon::Image { id }, Some(memory));
    }

    /// Makes the switch answer with these images, newest first.
    pub fn stack(&mut self, generation: u64, layers: Vec<u64>) {
        self.outbox.put(&FromDaemon::Stack { generation, layers }, None);
    }

    /// Asks whether the switch is there.
    pub fn ping(&mut self, number: u64) {
        self.outbox.put(&FromDaemon::Ping(number), None);
    }

    /// Tells the switch that its events up to this one are stored.
    pub fn ack(&mut self, incarnation: Incarnation, sequence: u64) {
        self.outbox.put(&FromDaemon::Ack { incarnation, sequence }, None);
    }

    /// Has FreeSWITCH do something.
    pub fn command(&mut self, command: Command) {
        self.outbox.put(&FromDaemon::Command(command), None);
    }

    /// What to send.
    pub fn outbox(&mut self) -> &mut Outbox<F> {
        &mut self.outbox
    }
}
