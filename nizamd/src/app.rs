//! What every request works with.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nizam_core::model::Token;
use nizam_store::Store;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::config::Registration;
use crate::events::Hub;
use crate::follow::Own;
use crate::http::{Bounds, Limits, Proxies};
use crate::ingest::Ingest;
use crate::metrics::Metrics;
use crate::password::Passwords;
use crate::publisher::Publisher;
use crate::webhook::Courier;

/// How often the last use of a token is noted.
const USE_NOTED: Duration = Duration::from_mins(1);
/// Tokens whose last use is in memory.
const USES: usize = 10_000;

/// Streams of a tenant at once, unless something else is said.
pub const FOLLOWERS: usize = 50;

/// What every request works with.
pub struct App {
    /// The database.
    pub store: Arc<Store>,
    /// The way to the switches.
    pub publisher: Arc<dyn Publisher>,
    /// Password hashing.
    pub passwords: Passwords,
    /// Whether anybody may register.
    pub registration: Registration,
    /// How many requests are too many.
    pub limits: Limits,
    /// The proxies whose word on clients counts.
    pub proxies: Proxies,
    /// Connections that one address may have at once; 0: as many as there are.
    pub connections_per_address: u32,
    /// The generations that requests of this process made.
    pub own: Arc<Own>,
    /// Where events are followed.
    pub hub: Arc<Hub>,
    /// Wakes what tells webhooks.
    pub undelivered: Arc<Notify>,
    /// What tells webhooks, where this process does.
    pub courier: Option<Arc<Courier>>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    uses: Mutex<HashMap<i64, Instant>>,
}

impl App {
    /// With that database and those switches.
    pub fn new(
        store: Arc<Store>,
        publisher: Arc<dyn Publisher>,
        bounds: Bounds,
        registration: Registration,
    ) -> Self {
        Self {
            hub: Arc::new(Hub::new(Arc::clone(&store), FOLLOWERS)),
            store,
            publisher,
            passwords: Passwords::default(),
            registration,
            limits: Limits::new(bounds),
            proxies: Proxies::default(),
            connections_per_address: 0,
            own: Arc::default(),
            undelivered: Arc::default(),
            courier: None,
            metrics: Arc::default(),
            uses: Mutex::default(),
        }
    }

    /// The same behind these proxies.
    #[must_use]
    pub fn behind(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    /// The same, where one address may have so many connections at once.
    #[must_use]
    pub fn connected(self, connections_per_address: u32) -> Self {
        Self { connections_per_address, ..self }
    }

    /// The same, where a tenant may have so many streams at once.
    #[must_use]
    pub fn streaming(self, streams: u32) -> Self {
        let streams = usize::try_from(streams).unwrap_or(usize::MAX);
        Self { hub: Arc::new(Hub::new(Arc::clone(&self.store), streams)), ..self }
    }

    /// The same, where webhooks are told by that.
    #[must_use]
    pub fn telling(self, courier: Arc<Courier>) -> Self {
        Self { courier: Some(courier), ..self }
    }

    /// The same, where that is counted which comes in.
    #[must_use]
    pub fn counting(self, ingest: &Ingest) -> Self {
        Self { metrics: ingest.metrics(), ..self }
    }

    /// Notes that a token is used, once a minute at most, without letting the request wait for it.
    pub(crate) fn note_use(&self, token: &Token) {
        let now = Instant::now();
        {
            let mut uses = self.uses.lock();
            if uses.get(&token.id).is_some_and(|&noted| now.duration_since(noted) < USE_NOTED) {
                return;
            }
            if uses.len() >= USES {
                uses.clear();
            }
            uses.insert(token.id, now);
        }
        let (store, id) = (Arc::clone(&self.store), token.id);
        tokio::spawn(async move {
            if let Err(error) = store.touch_token(id).await {
                tracing::warn!(%error, "the last use of a token is not noted");
            }
        });
    }
}
