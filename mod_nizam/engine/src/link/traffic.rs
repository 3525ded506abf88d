//! What goes out over one connection: answers first, events when nothing else waits and the daemon reads.

use super::Connection;
use super::bell::Bell;
use super::client::{SILENCE, TICK};
use crate::spool::{Outgoing, Sender, Spool};
use nizam_wire::link::{Incarnation, ModuleSession};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Batches sent before it is looked whether the daemon has said something.
const TURN: usize = 4;

/// The outgoing side of one connection. It never waits for the daemon to read.
#[derive(Default)]
pub(super) struct Traffic {
    sender: Sender,
    /// A chunk on its way, and how much of it is sent.
    chunk: Option<(Vec<u8>, usize)>,
    /// Since when the daemon has read nothing.
    stuck: Option<Instant>,
}

impl Traffic {
    /// Notes an acknowledgement.
    pub(super) fn ack(&mut self, spool: &Spool, incarnation: Incarnation, sequence: u64) {
        self.sender.ack(spool, incarnation, sequence);
    }

    /// Sends what goes: what the session has to say, and then events. The answer is whether there may be more right away.
    pub(super) fn send(
        &mut self,
        connection: &Connection,
        session: &mut ModuleSession<OwnedFd>,
        spool: Option<&Spool>,
    ) -> Result<bool, String> {
        for _ in 0..TURN {
            if !self.flush(connection, session)? {
                return Ok(false);
            }
            let next = spool.filter(|_| session.is_up()).and_then(|spool| self.sender.next(spool));
            match next {
                None => return Ok(false),
                Some(Outgoing::Events(batch)) => session.events(batch),
                Some(Outgoing::Ended(incarnation)) => session.ended(incarnation),
            }
        }
        self.flush(connection, session)
    }

    /// Whether all of it went.
    fn flush(
        &mut self,
        connection: &Connection,
        session: &mut ModuleSession<OwnedFd>,
    ) -> Result<bool, String> {
        loop {
            let (bytes, sent) = match &mut self.chunk {
                Some(chunk) => chunk,
                None => match session.outbox().take() {
                    // The module sends no descriptors.
                    Some(chunk) => self.chunk.insert((chunk.bytes, 0)),
                    None => return Ok(true),
                },
            };
            let rest = bytes.get(*sent..).unwrap_or_default();
            if rest.is_empty() {
                self.chunk = None;
                continue;
            }
            match connection.send_some(rest) {
                Ok(Some(more)) => {
                    *sent += more;
                    self.stuck = None;
                }
                Ok(None) if self.stuck.get_or_insert_with(Instant::now).elapsed() > SILENCE => {
                    return Err(format!("nizamd has read nothing for {SILENCE:?}"));
                }
                Ok(None) => return Ok(false),
                Err(error) => return Err(why(connection, session, &error)),
            }
        }
    }

    /// Waits until there is something to do. The answer is whether something came.
    pub(super) fn wait(&self, connection: &Connection, bell: &Bell, more: bool) -> io::Result<bool> {
        let mut wanted = PollFlags::IN;
        wanted.set(PollFlags::OUT, self.chunk.is_some());
        let mut fds = vec![PollFd::new(connection.stream(), wanted)];
        let bell_fd = bell.fd();
        fds.extend(bell_fd.as_ref().map(|fd| PollFd::new(fd, PollFlags::IN)));
        let most = Timespec::try_from(if more { Duration::ZERO } else { TICK }).ok();
        match poll(&mut fds, most.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let came = |at: usize| fds.get(at).map_or(PollFlags::empty(), PollFd::revents);
        if !came(1).is_empty() {
            bell.hear();
        }
        Ok(!(came(0) - PollFlags::OUT).is_empty())
    }
}

/// Where sending fails, the daemon may have said why before it closed.
fn why(connection: &Connection, session: &mut ModuleSession<OwnedFd>, error: &io::Error) -> String {
    let mut buffer = [0; 4096];
    if let Ok(Some(length)) = connection.receive(&mut buffer, &mut Vec::new()) {
        session.input(buffer.get(..length).unwrap_or_default(), []);
        if let Err(reason) = session.poll() {
            return reason.to_string();
        }
    }
    error.to_string()
}
