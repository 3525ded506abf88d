//! What is answered when something is not as it should be. Nothing of the inside gets out.

use nizam_core::model::TenantStatus;
use nizam_core::validate::Errors;
use nizam_store::StoreError;
use serde::Serialize;
use warp::http::StatusCode;
use warp::http::header::RETRY_AFTER;

use super::reply::Reply;
use crate::password::HashingFailed;

/// An answer other than the one that was hoped for.
#[derive(Debug)]
pub(super) enum Failure {
    /// Wrong fields.
    Invalid(Errors),
    /// Something that was asked for is not there.
    NotFound(&'static str),
    /// Anything else with a text for the client.
    Answer(StatusCode, String),
    /// Something broke; the text is for the log only.
    Broken(String),
}

impl Failure {
    pub(super) fn unauthenticated() -> Self {
        Self::Answer(StatusCode::UNAUTHORIZED, "Unauthenticated.".to_owned())
    }

    pub(super) fn unauthorized() -> Self {
        Self::Answer(StatusCode::FORBIDDEN, "This action is unauthorized.".to_owned())
    }

    pub(super) fn forbidden() -> Self {
        Self::Answer(StatusCode::FORBIDDEN, "Forbidden.".to_owned())
    }

    pub(super) fn not_operational(status: TenantStatus) -> Self {
        Self::Answer(StatusCode::FORBIDDEN, format!("Tenant is {}.", status.as_str()))
    }

    /// The text that clients know for an id that is none, or that no row has.
    pub(super) fn no_model(model: &str, id: &str) -> Self {
        let id: String = id.chars().filter(|c| !c.is_control()).take(64).collect();
        Self::Answer(StatusCode::NOT_FOUND, format!("No query results for model [App\\Models\\{model}] {id}"))
    }

    pub(super) fn bad_request(text: &str) -> Self {
        Self::Answer(StatusCode::BAD_REQUEST, text.to_owned())
    }

    pub(super) fn unsupported_media_type() -> Self {
        let text = "The body must be application/json or application/x-www-form-urlencoded.";
        Self::Answer(StatusCode::UNSUPPORTED_MEDIA_TYPE, text.to_owned())
    }

    pub(super) fn too_many() -> Self {
        Self::Answer(StatusCode::TOO_MANY_REQUESTS, "Too Many Attempts.".to_owned())
    }

    pub(super) fn stale() -> Self {
        let text = "The row has changed since: read it again, and send its new entity tag.";
        Self::Answer(StatusCode::PRECONDITION_FAILED, text.to_owned())
    }

    /// The answer. What broke goes to the log.
    pub(super) fn into_reply(self) -> Reply {
        match self {
            Self::Invalid(errors) => {
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                let problem = Problem::new(status, errors.message());
                Reply::json(status, &Invalid { errors: errors.by_field(), problem })
            }
            Self::NotFound(thing) => problem(StatusCode::NOT_FOUND, format!("{thing} not found.")),
            Self::Answer(status, text) => {
                let mut reply = problem(status, text);
                if status == StatusCode::SERVICE_UNAVAILABLE {
                    reply.header(RETRY_AFTER, "1");
                }
                reply
            }
            Self::Broken(error) => {
                tracing::error!(%error, "a request failed");
                problem(StatusCode::INTERNAL_SERVER_ERROR, "Server Error".to_owned())
            }
        }
    }
}

/// What clients of both worlds read: `message` those of Laravel, the rest those of RFC 9457.
#[derive(Serialize)]
pub(super) struct Problem {
    message: String,
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
}

/// Wrong fields.
#[derive(Serialize)]
struct Invalid<E> {
    #[serde(flatten)]
    problem: Problem,
    errors: E,
}

impl Problem {
    fn new(status: StatusCode, message: String) -> Self {
        // No pages describe kinds of problems; then the title is that of the status (RFC 9457, 4.2.1).
        let title = status.canonical_reason().unwrap_or("Error");
        Self { detail: message.clone(), message, r#type: "about:blank", title, status: status.as_u16() }
    }
}

/// An answer that says what is wrong.
pub(super) fn problem(status: StatusCode, message: String) -> Reply {
    Reply::json(status, &Problem::new(status, message))
}

impl From<Errors> for Failure {
    fn from(errors: Errors) -> Self {
        Self::Invalid(errors)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Invalid(errors) => Self::Invalid(errors),
            quota @ StoreError::Quota { .. } => {
                Self::Answer(StatusCode::UNPROCESSABLE_ENTITY, quota.to_string())
            }
            // Gone since the gate has seen it.
            StoreError::NotFound => Self::NotFound("Resource"),
            StoreError::Stale => Self::stale(),
            StoreError::Underway => Self::Answer(
                StatusCode::CONFLICT,
                "A request with this Idempotency-Key is under way. Try again.".to_owned(),
            ),
            StoreError::Busy => {
                Self::Answer(StatusCode::SERVICE_UNAVAILABLE, "The database is busy. Try again.".to_owned())
            }
            other => Self::Broken(other.to_string()),
        }
    }
}

impl From<HashingFailed> for Failure {
    fn from(error: HashingFailed) -> Self {
        Self::Broken(error.to_string())
    }
}
