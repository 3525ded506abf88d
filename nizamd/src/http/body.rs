//! Reading the body of a request, within bounds of size and time.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use warp::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use warp::http::{HeaderMap, StatusCode};
use warp::{Buf, Stream};

use super::failure::Failure;

/// Largest body of most operations.
pub(super) const SMALL: usize = 1 << 20;
/// Largest body of an operation on many rows.
pub(super) const LARGE: usize = 16 << 20;
/// How long a client may take to send it.
const TIME: Duration = Duration::from_secs(30);

/// The whole body, at most so many bytes.
pub(super) async fn read<S, B>(headers: &HeaderMap, body: S, most: usize) -> Result<Vec<u8>, Failure>
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    // Then there is none (RFC 9112, 6.3).
    if !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        return Ok(Vec::new());
    }
    let slow = |_| refuse(StatusCode::REQUEST_TIMEOUT, "The request body took too long.");
    tokio::time::timeout(TIME, all(headers, body, most)).await.map_err(slow)?
}

async fn all<S, B>(headers: &HeaderMap, body: S, most: usize) -> Result<Vec<u8>, Failure>
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    let too_large = || refuse(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large.");
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(announced.unwrap_or(0));
    let mut body = pin!(body);
    while let Some(part) = poll_fn(|context| body.as_mut().poll_next(context)).await {
        let unreadable = |_| refuse(StatusCode::BAD_REQUEST, "The request body cannot be read.");
        let mut part = part.map_err(unreadable)?;
        if bytes.len() + part.remaining() > most {
            return Err(too_large());
        }
        while part.has_remaining() {
            let chunk = part.chunk();
            let length = chunk.len();
            bytes.extend_from_slice(chunk);
            part.advance(length);
        }
    }
    Ok(bytes)
}

fn refuse(status: StatusCode, text: &str) -> Failure {
    Failure::Answer(status, text.to_owned())
}
