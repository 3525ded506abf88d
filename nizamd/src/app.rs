//! What every request works with.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nizam_core::model::Token;
use nizam_store::Store;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::broadcast::{Broadcaster, SOCKETS};
use crate::config::Registration;
use crate::events::{Hub, Most};
use crate::follow::Own;
use crate::http::{Bounds, CONNECTIONS, Limits, ORIGINATES, Proxies, Ringing};
use crate::ingest::Ingest;
use crate::metrics::Metrics;
use crate::password::Passwords;
use crate::publisher::Publisher;
use crate::webhook::Receivers;

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
    /// Calls that are being made for tenants.
    pub ringing: Arc<Ringing>,
    /// The proxies whose word on clients counts.
    pub proxies: Proxies,
    /// Connections at once.
    pub connections: usize,
    /// Connections that one address may have at once; 0: as many as there are.
    pub connections_per_address: u32,
    /// The generations that requests of this process made.
    pub own: Arc<Own>,
    /// Where events are followed.
    pub hub: Arc<Hub>,
    /// What all sockets have in common.
    pub broadcaster: Arc<Broadcaster>,
    /// Wakes what tells webhooks.
    pub undelivered: Arc<Notify>,
    /// What tells webhooks, where this process does.
    pub receivers: Option<Arc<Receivers>>,
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
            hub: Arc::new(Hub::new(Arc::clone(&store), most(FOLLOWERS, SOCKETS, CONNECTIONS))),
            store,
            publisher,
            passwords: Passwords::default(),
            registration,
            limits: Limits::new(bounds),
            ringing: Arc::new(Ringing::new(ORIGINATES)),
            proxies: Proxies::default(),
            connections: CONNECTIONS,
            connections_per_address: 0,
            own: Arc::default(),
            broadcaster: Arc::new(Broadcaster::alone()),
            undelivered: Arc::default(),
            receivers: None,
            metrics: Arc::default(),
            uses: Mutex::default(),
        }
    }

    /// The same behind these proxies.
    #[must_use]
    pub fn behind(self, proxies: Proxies) -> Self {
        Self { proxies, ..self }
    }

    /// The same, with so many connections at once, of one address so many.
    #[must_use]
    pub fn connected(self, connections: usize, connections_per_address: u32) -> Self {
        Self { connections, connections_per_address, ..self }
    }

    /// The same, where a tenant may have so many streams and so many sockets at once, and all tenants together no more than leave half of the
    /// connections to others.
    #[must_use]
    pub fn streaming(self, streams: u32, sockets: u32) -> Self {
        let many = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let most = most(many(streams), many(sockets), self.connections);
        Self { hub: Arc::new(Hub::new(Arc::clone(&self.store), most)), ..self }
    }

    /// The same, where so many calls may be made for a tenant at once.
    #[must_use]
    pub fn originating(self, originates: u32) -> Self {
        let most = usize::try_from(originates).unwrap_or(usize::MAX);
        Self { ringing: Arc::new(Ringing::new(most)), ..self }
    }

    /// The same, with these sockets.
    #[must_use]
    pub fn broadcasting(self, broadcaster: Broadcaster) -> Self {
        Self { broadcaster: Arc::new(broadcaster), ..self }
    }

    /// The same, where webhooks are told by that.
    #[must_use]
    pub fn telling(self, receivers: Arc<Receivers>) -> Self {
        Self { receivers: Some(receivers), ..self }
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

fn most(streams: usize, sockets: usize, connections: usize) -> Most {
    Most { streams, sockets, all: connections / 2 }
}
