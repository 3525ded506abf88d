//! A client's connection, with a bound on how long nothing can be written to it.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::net::SendFlags;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// A connection whose client has so long to take any of what there is to write: it may be slow, but not stop reading. Without a bound
/// one that never reads its answer would keep its place for ever.
pub(super) struct Line {
    stream: TcpStream,
    patience: Duration,
    /// Runs while something is to be written and cannot.
    waits: Option<Pin<Box<Sleep>>>,
}

impl Line {
    pub(super) fn new(stream: TcpStream, patience: Duration) -> Self {
        // What the kernel has taken is no longer to be written here: of that it keeps the time itself (tcp(7), TCP_USER_TIMEOUT). One where
        // this fails has the other bound.
        let milliseconds = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
        let _other = rustix::net::sockopt::set_tcp_user_timeout(&stream, milliseconds);
        Self { stream, patience, waits: None }
    }

    /// The kernel holds no more than so much of what is not read yet.
    pub(super) fn hold(&self, bytes: usize) {
        // One where this fails holds more.
        let _more = rustix::net::sockopt::set_socket_send_buffer_size(&self.stream, bytes);
    }

    /// What becomes of an attempt to write these bytes.
    fn attempted(
        &mut self,
        context: &mut Context<'_>,
        attempt: Poll<io::Result<usize>>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if attempt.is_ready() {
            self.waits = None;
            return attempt;
        }
        let waits = self.waits.get_or_insert_with(|| Box::pin(sleep(self.patience)));
        if waits.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.waits = None;
        // The kernel wakes a writer when a third of what it holds is gone (`sk_stream_is_writeable`), which are megabytes, but takes more as
        // soon as anything is: that tells a slow client from one that does not read.
        Poll::Ready(match rustix::net::send(&self.stream, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Ok(sent) => Ok(sent),
            Err(rustix::io::Errno::AGAIN) => Err(io::ErrorKind::TimedOut.into()),
            Err(error) => Err(error.into()),
        })
    }
}

impl AsyncRead for Line {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let attempt = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.attempted(context, attempt, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let attempt = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        let first = slices.iter().find(|slice| !slice.is_empty());
        this.attempted(context, attempt, first.map_or(&[], |slice| slice))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
