//! Accepting connections, with bounds on how long and how many may say nothing.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::crowd::{Crowd, Seat};
use super::line::Line;

/// How long a client may take for the head of a request, and how long a connection may lie idle between two.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// How long a client may take nothing of an answer while there is more of it.
pub(super) const TAKE_TIME: Duration = Duration::from_mins(1);
/// Connections at once, unless something else is said. Further ones wait in the listener's queue.
pub const CONNECTIONS: usize = 12_000;
/// How long to wait after a connection could not be accepted, which means that descriptors have run out.
const PAUSE: Duration = Duration::from_millis(100);

/// Where a request came from; in its extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// The places that a connection holds; in the extensions of its requests, for one that becomes something else than HTTP and goes on.
#[derive(Clone)]
pub(super) struct Places(
    #[expect(dead_code, reason = "it is held, not read")] Arc<(OwnedSemaphorePermit, Seat)>,
);

/// Serves so many connections at once with `service` until `stop` is done, then finishes the requests that run. A client may leave what it was answered unread
/// for as long as `patience`.
pub(super) async fn serve<S, B>(
    listener: TcpListener,
    connections: usize,
    crowd: Arc<Crowd>,
    service: S,
    stop: impl Future<Output = ()>,
    patience: Duration,
) where
    S: Service<Request<Incoming>, Response = hyper::Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (ending, ended) = watch::channel(false);
    let free = Arc::new(Semaphore::new(connections));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).half_close(false);
    let mut stop = pin!(stop);
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&free).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        // Closed without a word: an answer would have to wait for a client that may not read.
        let Some(seat) = crowd.enter(peer.ip()) else { continue };
        // Small answers must not wait for each other; one that fails is only slower.
        let _slower = stream.set_nodelay(true);
        let service = service.clone();
        let places = Places(Arc::new((place, seat)));
        let held = places.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            request.extensions_mut().insert(held.clone());
            // `CONNECT host:port` has no path, and warp's filters panic on that.
            if request.uri().path_and_query().is_none() {
                *request.uri_mut() = Uri::from_static("/");
            }
            service.call(request)
        });
        let line = TokioIo::new(Line::new(stream, patience));
        let connection = http.serve_connection(line, service).with_upgrades();
        let mut ended = ended.clone();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            // A client that goes away, or is too slow, is no event.
            let over = tokio::select! {
                _ = connection.as_mut() => true,
                // An error means that there is no server any more.
                () = async { drop(ended.wait_for(|ended| *ended).await) } => false,
            };
            if !over {
                connection.as_mut().graceful_shutdown();
                let _ended = connection.await;
            }
            drop(places);
        });
    }
    drop(listener);
    ending.send_replace(true);
    // Those that became something else end by themselves.
    let all = u32::try_from(connections).unwrap_or(u32::MAX);
    let _all_places = free.acquire_many(all).await;
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{self, Poll};

    use hyper::body::{Bytes, Frame};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpSocket, TcpStream};

    use super::super::proxies::Proxies;
    use super::*;

    /// More than the kernel holds for a client.
    const BODY: usize = 32 << 20;
    const PATIENCE: Duration = Duration::from_secs(2);

    /// The beginning of a body of which the rest never comes: less than the kernel holds, and more than a client's does.
    struct Beginning(Option<Bytes>);

    impl hyper::body::Body for Beginning {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut task::Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            self.0.take().map_or(Poll::Pending, |bytes| Poll::Ready(Some(Ok(Frame::data(bytes)))))
        }
    }

    /// A server of an address's one connection at a time, with long answers.
    async fn server() -> SocketAddr {
        answering(|| "x".repeat(BODY)).await
    }

    async fn answering<B>(body: impl Fn() -> B + Clone + Send + 'static) -> SocketAddr
    where
        B: hyper::body::Body<Error = Infallible> + Send + 'static,
        B::Data: Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = service_fn(move |_: Request<Incoming>| {
            std::future::ready(Ok::<_, Infallible>(hyper::Response::new(body())))
        });
        let crowd = Arc::new(Crowd::new(1, Proxies::new(Vec::new())));
        tokio::spawn(serve(listener, 10, crowd, service, std::future::pending(), PATIENCE));
        address
    }

    /// A client that has asked, and whose kernel holds little for it.
    async fn asks(address: SocketAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut client = socket.connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        client
    }

    /// Whether there is an answer: without a place the connection is closed.
    async fn is_answered(address: SocketAddr) -> bool {
        let mut client = asks(address).await;
        matches!(client.read(&mut [0; 1]).await, Ok(1))
    }

    async fn body(mut client: TcpStream) -> usize {
        let mut answer = Vec::new();
        // One that was cut ends in an error.
        let _cut = client.read_to_end(&mut answer).await;
        let head = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        answer.len() - head
    }

    /// Waits until the only place is free.
    async fn until_free(address: SocketAddr) {
        let free = async {
            while !is_answered(address).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), free).await.expect("the place is free again");
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_loses_its_place() {
        let address = server().await;
        let client = asks(address).await;
        client.readable().await.unwrap();
        assert!(!is_answered(address).await, "the place is taken");
        until_free(address).await;
        assert!(body(client).await < BODY, "the rest was never sent");
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_a_stream_loses_its_place() {
        let address = answering(|| Beginning(Some(vec![b'x'; 100_000].into()))).await;
        let client = asks(address).await;
        client.readable().await.unwrap();
        assert!(!is_answered(address).await, "the place is taken");
        until_free(address).await;
        assert!(body(client).await < 100_000, "the rest was never sent");
    }

    #[tokio::test]
    async fn a_client_that_reads_slowly_has_all_of_its_answer() {
        let address = server().await;
        let mut client = asks(address).await;
        // So slowly that the kernel's buffer is never free enough for it to say so.
        let began = tokio::time::Instant::now();
        let mut read = 0;
        while began.elapsed() < PATIENCE * 3 {
            read += client.read(&mut [0; 4096]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(read < 1 << 20, "{read}");
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        assert!(read + rest.len() > BODY, "{read}, {}", rest.len());
    }
}
