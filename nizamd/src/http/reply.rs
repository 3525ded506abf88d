//! An answer.

use serde::Serialize;
use serde_json::Value;
use warp::http::header::{CONTENT_TYPE, HeaderName};
use warp::http::{HeaderValue, StatusCode};

use super::failure::Failure;

/// An answer: a JSON body or none.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Vec<u8>,
}

/// What a handler comes to.
pub(super) type Outcome = Result<Reply, Failure>;

impl Reply {
    /// 200 with a body.
    pub(super) fn ok(body: &Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with a body.
    pub(super) fn created(body: &Value) -> Self {
        Self::json(StatusCode::CREATED, body)
    }

    /// 204.
    pub(super) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        // Serialising our own values into memory cannot fail; an empty body would be the worst.
        let body = serde_json::to_vec(body).unwrap_or_default();
        let json = HeaderValue::from_static("application/json");
        Self { status, headers: vec![(CONTENT_TYPE, json)], body }
    }

    /// Adds a header, unless its value cannot be one.
    pub(super) fn header(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
    }
}
