//! A Unix stream socket that carries descriptors (`unix(7)`, `SCM_RIGHTS`).

use nizam_wire::link::Chunk;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Most descriptors taken from one message.
const DESCRIPTORS: usize = 16;

/// One end of a link.
pub struct Connection {
    stream: UnixStream,
}

/// The user id of the process on the other side, as the kernel knows it.
pub fn peer_uid(stream: &UnixStream) -> io::Result<u32> {
    Ok(rustix::net::sockopt::socket_peercred(stream)?.uid.as_raw())
}

impl Connection {
    /// Connects to a daemon's socket.
    pub fn connect(path: &Path) -> io::Result<Self> {
        Ok(Self { stream: UnixStream::connect(path)? })
    }

    /// A connection over an accepted stream.
    pub fn new(stream: UnixStream) -> Self {
        Self { stream }
    }

    /// The stream, to shut it down from another thread.
    pub fn stream(&self) -> &UnixStream {
        &self.stream
    }

    /// How long [`Connection::receive`] and [`Connection::send`] may take.
    pub fn set_timeouts(&self, receive: Duration, send: Duration) -> io::Result<()> {
        self.stream.set_read_timeout(Some(receive))?;
        self.stream.set_write_timeout(Some(send))
    }

    /// Sends a chunk, its descriptor with the first byte. SIGPIPE is never raised.
    pub fn send<F: AsFd>(&self, chunk: &Chunk<F>) -> io::Result<()> {
        let mut rest = chunk.bytes.as_slice();
        let mut descriptor = chunk.descriptor.as_ref().map(AsFd::as_fd);
        while !rest.is_empty() {
            let descriptors: Vec<_> = descriptor.into_iter().collect();
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            if !descriptors.is_empty() {
                ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
            }
            let sent = rustix::net::sendmsg(
                &self.stream,
                &[IoSlice::new(rest)],
                &mut ancillary,
                SendFlags::NOSIGNAL,
            );
            match sent {
                Ok(sent) => {
                    rest = rest.get(sent..).unwrap_or_default();
                    descriptor = None;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Sends some of these bytes, as many as go without waiting. `Ok(None)`: none.
    pub fn send_some(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        match rustix::net::send(&self.stream, bytes, flags) {
            Ok(sent) => Ok(Some(sent)),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Receives some bytes and the descriptors that came with them. `Ok(None)`: nothing came in time.
    /// An end of the stream is an error.
    pub fn receive(&self, buffer: &mut [u8], descriptors: &mut Vec<OwnedFd>) -> io::Result<Option<usize>> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::net::recvmsg(
            &self.stream,
            &mut [IoSliceMut::new(buffer)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        );
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                descriptors.extend(fds);
            }
        }
        match received {
            Ok(message) if message.bytes == 0 => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the other side closed the connection"))
            }
            Ok(message) => Ok(Some(message.bytes)),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }
}
