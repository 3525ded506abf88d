//! A request on its way through an operation.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use nizam_core::validate::{Errors, Fields, Input};
use nizam_store::{Actor, Authentic, Committed};
use uuid::Uuid;

use super::failure::Failure;
use super::reply::Reply;
use super::request::Request;
use crate::app::App;

/// Longest wait for the switches. The write is committed; a switch that hangs must not hang the client.
const LIVE: Duration = Duration::from_secs(8);

/// A request that has found its operation.
pub(super) struct Call {
    pub(super) app: Arc<App>,
    pub(super) request: Arc<Request>,
    /// Who presents a good token. Handlers see it through a proof only.
    pub(super) authentic: Option<Arc<Authentic>>,
    pub(super) input: Input,
    pub(super) parameters: BTreeMap<&'static str, String>,
    pub(super) writes: bool,
    /// Fields of the body that the operation does not know.
    pub(super) ignored: Arc<OnceLock<Vec<String>>>,
}

impl Call {
    /// Reads the fields of the operation.
    pub(super) fn read<F>(&self, form: fn(&mut Fields<'_>) -> Result<F, Errors>) -> Result<F, Failure> {
        let mut fields = Fields::new(&self.input);
        let form = form(&mut fields);
        let ignored = fields.ignored().map(str::to_owned).collect();
        // Set once: an operation reads its fields once.
        let _first = self.ignored.set(ignored);
        Ok(form?)
    }

    /// A part of the path, as it was sent.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// A part of the path that must be a UUID.
    pub(super) fn id(&self, name: &str, model: &str) -> Result<Uuid, Failure> {
        let text = self.parameter(name);
        // The hyphenated form only: one row has one address.
        let id = Some(text).filter(|text| text.len() == 36).and_then(|text| Uuid::try_parse(text).ok());
        id.ok_or_else(|| Failure::no_model(model, text))
    }

    /// Who does it, for the audit trail.
    pub(super) fn actor(&self) -> Actor {
        Actor {
            user_id: self.authentic.as_ref().map(|who| who.user.id),
            ip_address: Some(self.request.peer.to_canonical().to_string()),
            user_agent: self.request.header("user-agent").map(str::to_owned),
        }
    }

    /// Waits until the switches answer with what was committed, and says so in the reply.
    pub(super) async fn written<T>(&self, mut reply: Reply, committed: Committed<T>) -> Reply {
        reply.header("x-nizam-generation", &committed.generation.to_string());
        if committed.touched.is_empty() {
            return reply;
        }
        self.app.own.note(committed.generation);
        let committed_at = Instant::now();
        let live = self.app.publisher.live(committed.generation, committed.touched);
        if !tokio::time::timeout(LIVE, live).await.unwrap_or(false) {
            reply.header("x-nizam-live", "no");
        }
        // From commit to live, in milliseconds (W3C Server Timing): the promise that `make bench` measures.
        let took = committed_at.elapsed().as_secs_f64() * 1000.0;
        reply.header("server-timing", &format!("live;dur={took:.3}"));
        reply
    }
}
