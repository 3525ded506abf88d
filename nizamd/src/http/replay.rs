//! Requests that are sent again because their answer was lost (header `Idempotency-Key`): they are done once, and answered
//! with what was answered first.

use nizam_core::validate::Errors;
use nizam_store::{Authentic, Earlier, Idempotency, Store};
use warp::http::header::{CONTENT_TYPE, HeaderName};
use warp::http::{HeaderValue, StatusCode};

use super::failure::Failure;
use super::reply::Reply;
use super::request::Request;

/// What is known of a request.
pub(super) enum Replay {
    /// It was done, and this was the answer.
    Answer(Reply),
    /// It is to be done; with a key, once.
    New(Option<Idempotency>),
}

/// What became of the request when it was sent before.
pub(super) async fn earlier(
    store: &Store,
    who: &Authentic,
    operation: &str,
    request: &Request,
) -> Result<Replay, Failure> {
    if !request.headers.contains_key("idempotency-key") {
        return Ok(Replay::New(None));
    }
    let key = request.header("idempotency-key").unwrap_or_default();
    if !(1..=255).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic()) {
        let message = "The Idempotency-Key header must be 1 to 255 visible ASCII characters, without blanks.";
        return Err(Errors::one("Idempotency-Key", message).into());
    }
    // With the token, because the first answer may hold what another token of the same user may not see.
    let token = who.token.id.to_be_bytes();
    let parts = [
        operation.as_bytes(),
        request.path.as_bytes(),
        request.query.as_bytes(),
        request.body.as_slice(),
        token.as_slice(),
    ];
    let idempotency = Idempotency::new(key, &parts);
    // Boxed: few requests have a key, and the futures of all of them would have room for the query.
    match Box::pin(store.earlier(who.user.id, &idempotency)).await? {
        None => Ok(Replay::New(Some(idempotency))),
        Some(Earlier::Other) => {
            let message = "The Idempotency-Key was used for another request.";
            Err(Errors::one("Idempotency-Key", message).into())
        }
        Some(Earlier::Unanswered) => {
            let text = "The request with this Idempotency-Key is under way, or was done and its answer is lost: look at what it \
                        should have made before you send it with another key.";
            Err(Failure::Answer(StatusCode::CONFLICT, text.to_owned()))
        }
        Some(Earlier::Answered(status, body)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let mut reply = Reply { status, headers: Vec::new(), body: body.into(), rest: None };
            if !reply.body.is_empty() {
                reply.headers.push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
            }
            reply.header(const { HeaderName::from_static("idempotency-replayed") }, "true");
            Ok(Replay::Answer(reply))
        }
    }
}

/// Remembers the answer. What was done is done: if the answer cannot be kept, the client gets it all the same.
pub(super) async fn remember(store: &Store, user: i64, request: &Idempotency, reply: &Reply) {
    let answered = Box::pin(store.answered(user, request, reply.status.as_u16(), &reply.body));
    if let Err(error) = answered.await {
        tracing::warn!(%error, "the answer to a request with an Idempotency-Key is not kept");
    }
}
