//! The module's end of the link.

use super::{
    Batch, Command, Decoder, FromDaemon, FromModule, Hello, Incarnation, LinkError, MAX_LAYERS, Outbox,
    Welcome, frame::MAX_PART,
};
use std::collections::VecDeque;

/// What the module must do.
#[derive(Debug, PartialEq, Eq)]
pub enum ModuleEvent<F> {
    /// The daemon is one of ours.
    Welcome(Welcome),
    /// Keep this image for a later stack.
    Image {
        /// Its checksum.
        id: u64,
        /// Its memory.
        memory: F,
    },
    /// Answer with these images, then call [`ModuleSession::applied`] or [`ModuleSession::refused`].
    Stack {
        /// Generation of the newest.
        generation: u64,
        /// Ids, newest first.
        layers: Vec<u64>,
    },
    /// Events up to this one are stored.
    Ack {
        /// Whose.
        incarnation: Incarnation,
        /// The number of the last one.
        sequence: u64,
    },
    /// Have FreeSWITCH do this, then call [`ModuleSession::reply`].
    Command(Command),
}

/// The protocol as the module sees it. `F` is a descriptor.
#[derive(Debug)]
pub struct ModuleSession<F> {
    decoder: Decoder<FromDaemon>,
    descriptors: VecDeque<F>,
    outbox: Outbox<F>,
    welcomed: bool,
}

impl<F> ModuleSession<F> {
    /// A new connection, which says hello first.
    pub fn new(hello: Hello) -> Self {
        let mut outbox = Outbox::new();
        outbox.put(&FromModule::Hello(hello), None);
        Self { decoder: Decoder::default(), descriptors: VecDeque::new(), outbox, welcomed: false }
    }

    /// Takes what came from the socket.
    pub fn input(&mut self, bytes: &[u8], descriptors: impl IntoIterator<Item = F>) {
        self.decoder.push(bytes);
        self.descriptors.extend(descriptors);
    }

    /// What to do next, `None` until more comes.
    pub fn poll(&mut self) -> Result<Option<ModuleEvent<F>>, LinkError> {
        while let Some(message) = self.decoder.message()? {
            match message {
                FromDaemon::Reject { reason } => return Err(LinkError::Rejected(reason)),
                FromDaemon::Welcome(welcome) if !self.welcomed => {
                    self.welcomed = true;
                    return Ok(Some(ModuleEvent::Welcome(welcome)));
                }
                FromDaemon::Welcome(_) => return Err(LinkError::OutOfOrder("a second welcome")),
                _ if !self.welcomed => return Err(LinkError::OutOfOrder("a message before the welcome")),
                FromDaemon::Image { id } => {
                    let memory = self.descriptors.pop_front().ok_or(LinkError::NoDescriptor)?;
                    return Ok(Some(ModuleEvent::Image { id, memory }));
                }
                FromDaemon::Stack { layers, .. } if layers.len() > MAX_LAYERS => {
                    return Err(LinkError::TooManyLayers(layers.len()));
                }
                FromDaemon::Stack { generation, layers } => {
                    return Ok(Some(ModuleEvent::Stack { generation, layers }));
                }
                FromDaemon::Ack { incarnation, sequence } => {
                    return Ok(Some(ModuleEvent::Ack { incarnation, sequence }));
                }
                FromDaemon::Command(command) => return Ok(Some(ModuleEvent::Command(command))),
                FromDaemon::Ping(number) => self.outbox.put(&FromModule::Pong(number), None),
            }
        }
        Ok(None)
    }

    /// Tells the daemon that lookups are answered with this generation.
    pub fn applied(&mut self, generation: u64) {
        self.outbox.put(&FromModule::Applied { generation }, None);
    }

    /// Tells the daemon why a stack was not taken.
    pub fn refused(&mut self, generation: u64, reason: String) {
        self.outbox.put(&FromModule::Refused { generation, reason }, None);
    }

    /// Whether the daemon has said who it is: before that nothing else is sent.
    pub fn is_up(&self) -> bool {
        self.welcomed
    }

    /// Sends events.
    pub fn events(&mut self, batch: Batch) {
        self.outbox.put(&FromModule::Events(batch), None);
    }

    /// Tells the daemon that no more events of that incarnation will come.
    pub fn ended(&mut self, incarnation: Incarnation) {
        self.outbox.put(&FromModule::Ended { incarnation }, None);
    }

    /// Answers a command, in as many frames as it takes.
    pub fn reply(&mut self, id: u64, result: Result<String, String>) {
        let result = match result {
            Ok(text) => {
                let mut rest = text.as_str();
                while rest.len() > MAX_PART {
                    let (part, behind) = rest.split_at(rest.floor_char_boundary(MAX_PART));
                    self.outbox.put(&FromModule::Part { id, text: part.to_owned() }, None);
                    rest = behind;
                }
                Ok(rest.to_owned())
            }
            Err(mut reason) => {
                reason.truncate(reason.floor_char_boundary(MAX_PART));
                Err(reason)
            }
        };
        self.outbox.put(&FromModule::Reply { id, result }, None);
    }

    /// What to send.
    pub fn outbox(&mut self) -> &mut Outbox<F> {
        &mut self.outbox
    }
}
