//! From a request to a WebSocket (RFC 6455, 4.2), at `/app/{key}`, where programs of the Pusher protocol look for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::header::{
    CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use warp::http::{HeaderMap, HeaderValue, Response, StatusCode};
use warp::hyper::body::Bytes;
use warp::path::Tail;

use super::accept::Places;
use super::failure::problem;
use super::line::Line;
use crate::app::App;
use crate::broadcast::{Refusal, Socket};

/// How long the connection may take to become a WebSocket.
const UPGRADING: Duration = Duration::from_secs(10);
/// Bytes that the kernel holds for a client that does not read them: more would be memory that nobody counts.
const HELD: usize = 256 << 10;
/// Versions of the Pusher protocol that differ in nothing that is said here.
const PROTOCOLS: std::ops::RangeInclusive<u32> = 5..=7;

/// Takes the requests for a WebSocket, and no other.
pub(super) fn filter(app: Arc<App>) -> BoxedFilter<(Response<Bytes>,)> {
    warp::get()
        .and(warp::path("app"))
        .and(warp::path::tail())
        .and(warp::query::raw().or(warp::any().map(String::new)).unify())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<OnUpgrade>())
        .and(warp::ext::optional::<Places>())
        .map(move |tail: Tail, query: String, headers: HeaderMap, upgrade, places| {
            let began = Instant::now();
            let refusal = refusal(&app, tail.as_str(), &query);
            let response = answer(&app, &headers, upgrade, places, refusal);
            app.metrics.answered("socket", response.status().as_u16(), began.elapsed());
            response
        })
        .boxed()
}

/// Why it will not be served, if so: a client reads that as a message, not as a status.
fn refusal(app: &App, path: &str, query: &str) -> Option<Refusal> {
    let protocol = query.split('&').find_map(|pair| pair.strip_prefix("protocol="));
    let (key, more) = path.split_once('/').unwrap_or((path, ""));
    if !more.is_empty() {
        return Some(Refusal::Path);
    }
    if !app.broadcaster.is_key(key) {
        return Some(Refusal::Key);
    }
    match protocol {
        None => Some(Refusal::NoProtocol),
        Some(version) if version.parse().is_ok_and(|version| PROTOCOLS.contains(&version)) => None,
        Some(_) => Some(Refusal::Protocol),
    }
}

fn answer(
    app: &Arc<App>,
    headers: &HeaderMap,
    upgrade: Option<OnUpgrade>,
    places: Option<Places>,
    refusal: Option<Refusal>,
) -> Response<Bytes> {
    let has = |name, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|one| one.trim().eq_ignore_ascii_case(word)))
    };
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24);
    let (Some(key), Some(upgrade), true, true, true) = (
        key,
        upgrade,
        has(UPGRADE, "websocket"),
        has(CONNECTION, "upgrade"),
        has(SEC_WEBSOCKET_VERSION, "13"),
    ) else {
        return no_socket();
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) else { return no_socket() };
    response.headers_mut().extend([
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_ACCEPT, accept),
    ]);
    tokio::spawn(serve(Arc::clone(app), upgrade, places, refusal));
    response
}

/// 426 (RFC 6455, 4.4).
fn no_socket() -> Response<Bytes> {
    let text = "This is for WebSockets of version 13.".to_owned();
    let reply = problem(StatusCode::UPGRADE_REQUIRED, text);
    let mut response = Response::new(reply.body);
    *response.status_mut() = reply.status;
    response.headers_mut().extend([
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ]);
    response
}

/// A task of its own, which holds the places of the connection.
async fn serve(app: Arc<App>, upgrade: OnUpgrade, places: Option<Places>, refusal: Option<Refusal>) {
    let Ok(Ok(upgraded)) = tokio::time::timeout(UPGRADING, upgrade).await else { return };
    // Without the layers of HTTP, which would take memory for as long as it lasts.
    let Ok(parts) = upgraded.downcast::<TokioIo<Line>>() else { return };
    let line = parts.io.into_inner();
    line.hold(HELD);
    let socket = Socket::new(app, line, parts.read_buf.to_vec()).await;
    match refusal {
        Some(refusal) => socket.refuse(refusal).await,
        // Boxed: otherwise the task would be as large while it waits for the upgrade, and twice as large afterwards.
        None => Box::pin(socket.run()).await,
    }
    drop(places);
}
