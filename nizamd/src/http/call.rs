//! A request on its way through an operation.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use nizam_core::validate::{Fields, Input};
use nizam_store::{Actor, Authentic, Committed, Expected, Idempotency};
use uuid::Uuid;
use warp::http::HeaderName;

use super::failure::Failure;
use super::gate::Form;
use super::reply::{Reply, version_of};
use super::request::Request;
use super::router::Parameters;
use crate::app::App;

/// Longest wait for the switches. The write is committed; a switch that hangs must not hang the client.
const WAIT: Duration = Duration::from_secs(8);

const GENERATION: HeaderName = HeaderName::from_static("x-nizam-generation");
const LIVE: HeaderName = HeaderName::from_static("x-nizam-live");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// A request that has found its operation.
pub(super) struct Call {
    pub(super) app: Arc<App>,
    pub(super) request: Arc<Request>,
    /// Who presents a good token. Handlers see it through a proof only.
    pub(super) authentic: Option<Arc<Authentic>>,
    pub(super) input: Input,
    pub(super) parameters: Parameters,
    pub(super) writes: bool,
    /// Whether the body is a text and not fields.
    pub(super) text: bool,
    /// The request that must not be done twice.
    pub(super) idempotency: Option<Idempotency>,
    /// Fields of the body that the operation does not know.
    pub(super) ignored: Arc<OnceLock<Vec<String>>>,
}

impl Call {
    /// Reads the fields of the operation.
    pub(super) fn read<F>(&self, form: impl Form<F>) -> Result<F, Failure> {
        let mut fields = Fields::new(&self.input);
        let form = form(&mut fields);
        let ignored = fields.ignored().map(str::to_owned).collect();
        if !self.text {
            // Set once: an operation reads its fields once.
            let _first = self.ignored.set(ignored);
        }
        Ok(form?)
    }

    /// Notes fields that the operation does not know.
    pub(super) fn ignore(&self, names: Vec<String>) {
        // An operation whose body is a text has no other fields.
        let _first = self.ignored.set(names);
    }

    /// A part of the path, as it was sent.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name)
    }

    /// A part of the path that must be a UUID.
    pub(super) fn id(&self, name: &str, model: &str) -> Result<Uuid, Failure> {
        let text = self.parameter(name);
        // The hyphenated form only: one row has one address.
        let id = Some(text).filter(|text| text.len() == 36).and_then(|text| Uuid::try_parse(text).ok());
        id.ok_or_else(|| Failure::no_model(model, text))
    }

    /// What the client expects of the row that it changes or deletes (RFC 9110, 13.1.1).
    pub(super) fn expected(&self) -> Result<Expected, Failure> {
        let Some(text) = self.request.header("if-match") else {
            let sent = self.request.headers.contains_key("if-match");
            return if sent {
                Err(Failure::bad_request("The If-Match header is not a list of entity tags."))
            } else {
                Ok(Expected::Anything)
            };
        };
        if text.trim() == "*" {
            return Ok(Expected::Anything);
        }
        // A tag that is none of ours, a weak one for instance, matches nothing.
        Ok(Expected::Versions(text.split(',').filter_map(|tag| version_of(tag.trim())).collect()))
    }

    /// Who does it, for the audit trail.
    pub(super) fn actor(&self) -> Actor {
        Actor {
            user_id: self.authentic.as_ref().map(|who| who.user.id),
            ip_address: Some(self.request.peer.to_canonical().to_string()),
            user_agent: self.request.header("user-agent").map(str::to_owned),
            idempotency: self.idempotency.clone(),
        }
    }

    /// Waits until the switches answer with what was committed, and says so in the reply.
    pub(super) async fn written<T>(&self, mut reply: Reply, committed: Committed<T>) -> Reply {
        reply.header(GENERATION, &committed.generation.to_string());
        if committed.touched.is_empty() {
            return reply;
        }
        self.app.own.note(committed.generation);
        let committed_at = Instant::now();
        let live = self.app.publisher.live(committed.generation, committed.touched);
        if !tokio::time::timeout(WAIT, live).await.unwrap_or(false) {
            reply.header(LIVE, "no");
        }
        // From commit to live, in milliseconds (W3C Server Timing): the promise that `make bench` measures.
        let took = committed_at.elapsed().as_secs_f64() * 1000.0;
        reply.header(SERVER_TIMING, &format!("live;dur={took:.3}"));
        reply
    }
}
