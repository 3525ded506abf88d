//! Accepting connections, with bounds on how long and how many may say nothing.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::crowd::Crowd;

/// How long a client may take for the head of a request, and how long a connection may lie idle between two.
const HEAD_TIME: Duration = Duration::from_secs(15);
/// Connections at once. Further ones wait in the listener's queue; descriptors stay for the database and the switches.
pub const CONNECTIONS: usize = 700;
/// How long to wait after a connection could not be accepted, which means that descriptors have run out.
const PAUSE: Duration = Duration::from_millis(100);

/// Where a request came from; in its extensions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Serves connections with `service` until `stop` is done, then finishes the requests that run.
pub(super) async fn serve<S, B>(
    listener: TcpListener,
    crowd: Arc<Crowd>,
    service: S,
    stop: impl Future<Output = ()>,
) where
    S: Service<Request<Incoming>, Response = hyper::Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let graceful = GracefulShutdown::new();
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).half_close(false);
    let mut stop = std::pin::pin!(stop);
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
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            // `CONNECT host:port` has no path, and warp's filters panic on that.
            if request.uri().path_and_query().is_none() {
                *request.uri_mut() = Uri::from_static("/");
            }
            service.call(request)
        });
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A client that goes away, or is too slow, is no event.
            let _ended = connection.await;
            drop((place, seat));
        });
    }
    drop(listener);
    graceful.shutdown().await;
}
