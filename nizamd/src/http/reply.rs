//! An answer.

use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use warp::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, HeaderName};
use warp::http::{HeaderValue, StatusCode};
use warp::hyper::body::Bytes;

use super::failure::Failure;
use super::request::Request;

/// An answer: a JSON body or none.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    /// What follows the body, part by part, as it is made.
    pub(super) rest: Option<Rest>,
}

/// The parts of a body that is sent as it is made.
pub(super) type Rest = mpsc::Receiver<Result<Vec<u8>, CutShort>>;

/// A body ends before its end; the connection is closed, by which the client sees it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body ends early")]
pub(super) struct CutShort;

/// What a handler comes to.
pub(super) type Outcome = Result<Reply, Failure>;

impl Reply {
    /// 200 with a body.
    pub(super) fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// A row in the envelope that clients know.
    pub(super) fn data(status: StatusCode, data: impl Serialize) -> Self {
        #[derive(Serialize)]
        struct Envelope<D> {
            data: D,
        }
        Self::json(status, &Envelope { data })
    }

    /// 201 with a body.
    pub(super) fn created(body: &Value) -> Self {
        Self::json(StatusCode::CREATED, body)
    }

    /// 204.
    pub(super) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: Bytes::new(), rest: None }
    }

    pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        // Serialising our own values into memory cannot fail; an empty body would be the worst.
        let body = serde_json::to_vec(body).unwrap_or_default();
        let json = HeaderValue::from_static("application/json");
        Self { status, headers: vec![(CONTENT_TYPE, json)], body: body.into(), rest: None }
    }

    /// 200 with a text that is sent as it is made; `name` is the file that a browser saves it in.
    pub(super) fn download(kind: &'static str, name: &str, rest: Rest) -> Self {
        let kind = HeaderValue::from_static(kind);
        let headers = vec![(CONTENT_TYPE, kind)];
        let mut reply = Self { status: StatusCode::OK, headers, body: Bytes::new(), rest: Some(rest) };
        reply.header(CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
        reply
    }

    /// 200 with a text that is sent as it is made, for as long as it lasts.
    pub(super) fn stream(kind: &'static str, rest: Rest) -> Self {
        let headers = vec![(CONTENT_TYPE, HeaderValue::from_static(kind))];
        Self { status: StatusCode::OK, headers, body: Bytes::new(), rest: Some(rest) }
    }

    /// Says which version of a row it shows.
    pub(super) fn etag(mut self, version: i64) -> Self {
        self.header(ETAG, &format!("\"{version}\""));
        self
    }

    /// The same once more; what follows the body can be sent only once.
    pub(super) fn copy(&self) -> Self {
        Self { status: self.status, headers: self.headers.clone(), body: self.body.clone(), rest: None }
    }

    /// 304, if the client has it already (RFC 9110, 13.1.2).
    pub(super) fn unless_known(self, request: &Request) -> Self {
        let etag =
            self.headers.iter().find(|(name, _)| name == ETAG).and_then(|(_, value)| value.to_str().ok());
        let known = |tag: &str| tag == "*" || Some(tag.strip_prefix("W/").unwrap_or(tag)) == etag;
        let known =
            request.header("if-none-match").is_some_and(|tags| tags.split(',').any(|tag| known(tag.trim())));
        if !known || etag.is_none() {
            return self;
        }
        let headers = self.headers.into_iter().filter(|(name, _)| name == ETAG).collect();
        Self { status: StatusCode::NOT_MODIFIED, headers, body: Bytes::new(), rest: None }
    }

    /// Adds a header, unless its value cannot be one.
    pub(super) fn header(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
    }
}

/// The version that a strong entity tag of ours names.
pub(super) fn version_of(tag: &str) -> Option<i64> {
    tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}
