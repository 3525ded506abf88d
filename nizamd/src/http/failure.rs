//! What is answered when something is not as it should be. Nothing of the inside gets out.

use nizam_core::model::TenantStatus;
use nizam_core::validate::Errors;
use nizam_store::StoreError;
use serde_json::json;
use warp::http::StatusCode;

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

    /// The answer. What broke goes to the log.
    pub(super) fn into_reply(self) -> Reply {
        match self {
            Self::Invalid(errors) => Reply::json(StatusCode::UNPROCESSABLE_ENTITY, &errors),
            Self::NotFound(thing) => {
                Reply::json(StatusCode::NOT_FOUND, &json!({"message": format!("{thing} not found.")}))
            }
            Self::Answer(status, text) => Reply::json(status, &json!({"message": text})),
            Self::Broken(error) => {
                tracing::error!(%error, "a request failed");
                Reply::json(StatusCode::INTERNAL_SERVER_ERROR, &json!({"message": "Server Error"}))
            }
        }
    }
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
