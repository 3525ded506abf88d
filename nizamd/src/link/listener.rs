//! The socket that switches connect to.

use super::peer::Allowed;
use super::switch;
use super::switches::Switches;
use nizam_engine::link::{Connection, peer_uid};
use nizam_wire::link::DaemonSession;
use rustix::event::{PollFd, PollFlags, poll};
use std::fs::{self, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use thiserror::Error;
use tracing::{info, warn};

/// Most connections at once; a switch needs one.
const MOST: usize = 64;

/// Why there is no socket.
#[derive(Debug, Error)]
pub enum ListenerError {
    /// Another daemon answers there.
    #[error("another nizamd listens on {}: stop it, or set socket (NIZAM_SOCKET) to another path", .0.display())]
    Taken(PathBuf),
    /// It cannot be made.
    #[error("the socket {} cannot be made: {source}; create its directory for this user, or set socket (NIZAM_SOCKET)", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Accepts switches until it is dropped.
pub struct Listener {
    path: PathBuf,
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Makes the socket, for owner and group only, and starts accepting.
    pub fn start(path: &Path, allowed: Allowed, switches: Arc<Switches>) -> Result<Self, ListenerError> {
        let failed = |source| ListenerError::Io { path: path.to_owned(), source };
        if UnixStream::connect(path).is_ok() {
            return Err(ListenerError::Taken(path.to_owned()));
        }
        // Left behind by a daemon that was killed: nobody answers.
        match fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => fs::remove_file(path).map_err(failed)?,
            Ok(_) => return Err(failed(io::Error::other("something that is no socket is there"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(directory) = path.parent() {
                    fs::create_dir_all(directory).map_err(failed)?;
                }
            }
            Err(error) => return Err(failed(error)),
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        fs::set_permissions(path, Permissions::from_mode(0o660)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let (stop, stopped) = UnixStream::pair().map_err(failed)?;
        let thread = thread::Builder::new()
            .name("link-accept".into())
            .spawn(move || accept(&listener, &stopped, &allowed, &switches))
            .map_err(failed)?;
        info!(socket = %path.display(), "waiting for switches");
        Ok(Self { path: path.to_owned(), stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // The other end sees the close and returns, and with it every connection.
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = fs::remove_file(&self.path);
    }
}

fn accept(listener: &UnixListener, stopped: &UnixStream, allowed: &Allowed, switches: &Arc<Switches>) {
    let mut connections: Vec<(UnixStream, JoinHandle<()>)> = Vec::new();
    loop {
        let mut fds = [PollFd::new(listener, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        if let Err(error) = poll(&mut fds, None)
            && error != rustix::io::Errno::INTR
        {
            warn!(%error, "cannot wait for switches");
            thread::sleep(Duration::from_secs(1));
        }
        if !fds[1].revents().is_empty() {
            break;
        }
        connections.retain(|(_, thread)| !thread.is_finished());
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => {
                // Out of descriptors: the connection stays in the queue, so do not spin on it.
                warn!(%error, "a switch could not be accepted");
                thread::sleep(Duration::from_millis(200));
                continue;
            }
        };
        if let Err(reason) = admit(&stream, allowed, connections.len()) {
            warn!(reason, "a connection to the socket was refused");
            refuse(stream, &reason);
            continue;
        }
        let (Ok(handle), switches) = (stream.try_clone(), Arc::clone(switches)) else { continue };
        match thread::Builder::new()
            .name("link-switch".into())
            .spawn(move || switch::serve(stream, &switches))
        {
            Ok(thread) => connections.push((handle, thread)),
            Err(error) => warn!(%error, "no thread for a switch"),
        }
    }
    for (stream, thread) in connections {
        let _ = stream.shutdown(std::net::Shutdown::Both);
        let _ = thread.join();
    }
}

fn admit(stream: &UnixStream, allowed: &Allowed, connected: usize) -> Result<(), String> {
    stream.set_nonblocking(false).map_err(|error| error.to_string())?;
    let uid = peer_uid(stream).map_err(|error| error.to_string())?;
    if !allowed.contains(uid) {
        return Err(format!(
            "user {uid} may not connect: name it in link.allow_users of nizamd's configuration"
        ));
    }
    if connected >= MOST { Err(format!("{MOST} switches are connected already")) } else { Ok(()) }
}

/// Says why, to whoever listens, and closes.
fn refuse(stream: UnixStream, reason: &str) {
    let connection = Connection::new(stream);
    if connection.set_timeouts(Duration::from_millis(200), Duration::from_millis(200)).is_err() {
        return;
    }
    let mut outbox = DaemonSession::<OwnedFd>::reject(reason);
    while let Some(chunk) = outbox.take() {
        if connection.send(&chunk).is_err() {
            return;
        }
    }
}
