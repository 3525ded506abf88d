//! The conversation with one switch.

use super::switches::{Known, Outgoing, Switches, Wanted};
use crate::ingest::Intake;
use nizam_engine::link::Connection;
use nizam_wire::link::{DaemonEvent, DaemonSession, Welcome};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::io::Read;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// How often a switch is asked whether it is there.
const PING: Duration = Duration::from_secs(5);

/// A switch that has been silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(20);

/// How long a switch may take to read what it is sent.
const SEND: Duration = Duration::from_secs(5);

/// Serves one connection to its end.
pub(super) fn serve(stream: UnixStream, switches: &Switches) {
    let connection = Connection::new(stream);
    let mut known = None;
    let error = match converse(&connection, switches, &mut known) {
        Ok(never) => match never {},
        Err(error) => error,
    };
    // The listener holds another handle, so the peer would not see an end.
    let _ = connection.stream().shutdown(Shutdown::Both);
    if let Some(switch) = known {
        let name = switch.hello.switch_name.as_str();
        warn!(switch.name = name, error, "switch disconnected; it goes on answering from its last images");
        switch.disconnected();
    } else {
        warn!(error, "a connection ended before it said who it is");
    }
}

enum Never {}

/// What one connection has sent and knows.
struct Sent {
    /// Ids of the images that the switch has.
    held: Vec<u64>,
    /// Serial of the stack sent last.
    stack: Option<u64>,
    /// Serial and generation of the stacks that the switch has not answered yet, in the order in which it will.
    unanswered: VecDeque<(u64, u64)>,
    /// Whether a refused stack was sent again, whole.
    repeated: bool,
}

fn converse(
    connection: &Connection,
    switches: &Switches,
    known: &mut Option<Arc<Known>>,
) -> Result<Never, String> {
    connection.set_timeouts(SEND, SEND).map_err(|error| error.to_string())?;
    let (mut wake, waker) = UnixStream::pair().map_err(|error| error.to_string())?;
    wake.set_nonblocking(true).map_err(|error| error.to_string())?;
    waker.set_nonblocking(true).map_err(|error| error.to_string())?;
    let mut waker = Some(waker);
    let mut session =
        DaemonSession::<Arc<OwnedFd>>::new(Welcome { daemon_version: env!("CARGO_PKG_VERSION").into() });
    let mut sent = Sent { held: Vec::new(), stack: None, unanswered: VecDeque::new(), repeated: false };
    let mut buffer = vec![0; 64 << 10];
    let (mut heard, mut pinged, mut pings) = (Instant::now(), Instant::now(), 0);
    let mut intake: Option<Intake> = None;
    loop {
        if let Some(switch) = &known {
            catch_up(&switches.wanted(), &mut session, &mut sent);
            send_on(switch, &mut session);
        }
        while let Some(chunk) = session.outbox().take() {
            connection.send(&chunk).map_err(|error| format!("it does not read what it is sent: {error}"))?;
        }
        let mut fds = [PollFd::new(connection.stream(), PollFlags::IN), PollFd::new(&wake, PollFlags::IN)];
        let second = Timespec { tv_sec: 1, tv_nsec: 0 };
        match poll(&mut fds, Some(&second)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.to_string()),
        }
        let [socket, woken] = fds.map(|fd| !fd.revents().is_empty());
        if woken {
            while wake.read(&mut [0; 64]).is_ok_and(|length| length == 64) {}
        }
        if socket
            && let Some(length) =
                connection.receive(&mut buffer, &mut Vec::new()).map_err(|e| e.to_string())?
        {
            heard = Instant::now();
            session.input(buffer.get(..length).unwrap_or_default());
        }
        while let Some(event) = session.poll().map_err(|error| error.to_string())? {
            match event {
                DaemonEvent::Hello(hello) => {
                    info!(
                        switch.name = hello.switch_name,
                        freeswitch.version = hello.freeswitch_version,
                        module.version = hello.module_version,
                        generation = hello.generation,
                        "switch connected"
                    );
                    sent.held.clone_from(&hello.layers);
                    let waker = waker.take().ok_or("a second hello")?;
                    let switch = switches.add(Known::new(hello, waker));
                    intake = switches.ingest().map(|ingest| ingest.intake(Arc::clone(&switch)));
                    *known = Some(switch);
                }
                DaemonEvent::Applied { generation } => {
                    let serial = answered(&mut sent, generation)?;
                    sent.repeated = false;
                    if let Some(switch) = &known {
                        switch.applied(serial, generation);
                    }
                }
                DaemonEvent::Refused { generation, reason } => {
                    answered(&mut sent, generation)?;
                    warn!(generation, reason, "a switch did not take a generation");
                    match known {
                        Some(switch) if sent.repeated => switch.refused(reason),
                        // It may have lost an image that it is thought to have: send all of them once.
                        _ => {
                            sent.held.clear();
                            sent.stack = None;
                            sent.repeated = true;
                        }
                    }
                }
                DaemonEvent::Pong(_) => {}
                DaemonEvent::Events(batch) => {
                    if let Some(intake) = &intake {
                        intake.events(batch).map_err(|full| full.to_string())?;
                    }
                }
                DaemonEvent::Ended(incarnation) => {
                    if let Some(intake) = &intake {
                        intake.ended(incarnation);
                    }
                }
                DaemonEvent::Reply { id, result } => {
                    if let Some(switch) = &known {
                        switch.waiting.answer(id, result);
                    }
                }
            }
        }
        if heard.elapsed() > SILENCE {
            return Err(format!("it was silent for {SILENCE:?}"));
        }
        if known.is_some() && pinged.elapsed() >= PING {
            pinged = Instant::now();
            pings += 1;
            session.ping(pings);
        }
    }
}

/// Puts what others have for the switch into the session.
fn send_on(switch: &Known, session: &mut DaemonSession<Arc<OwnedFd>>) {
    while let Some(outgoing) = switch.next() {
        match outgoing {
            Outgoing::Ack(incarnation, sequence) => session.ack(incarnation, sequence),
            Outgoing::Command(command) => session.command(command),
        }
    }
}

/// Which of our stacks a switch's answer is about.
fn answered(sent: &mut Sent, generation: u64) -> Result<u64, String> {
    match sent.unanswered.pop_front() {
        Some((serial, of)) if of == generation => Ok(serial),
        _ => Err(format!("it answered to generation {generation}, which was not sent to it then")),
    }
}

/// Sends what the switch lacks of the wanted stack.
fn catch_up(wanted: &Wanted, session: &mut DaemonSession<Arc<OwnedFd>>, sent: &mut Sent) {
    if wanted.layers.is_empty() || sent.stack == Some(wanted.serial) {
        return;
    }
    let ids: Vec<u64> = wanted.layers.iter().map(|layer| layer.image.id()).collect();
    for layer in &wanted.layers {
        if !sent.held.contains(&layer.image.id()) {
            session.image(layer.image.id(), Arc::clone(&layer.memory));
        }
    }
    session.stack(wanted.generation, ids.clone());
    sent.unanswered.push_back((wanted.serial, wanted.generation));
    sent.held = ids;
    sent.stack = Some(wanted.serial);
}
