//! Events as they are stored, for those who follow a tenant.
//!
//! One task reads what was stored since it last looked, and hands it to the tenants that somebody follows. Whoever falls behind what is
//! kept in memory reads on from the database, so that nobody who is slow costs memory, and nobody misses anything: the number of an event
//! says where everyone is.

mod follower;
mod seats;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use nizam_core::model::CallEvent;
use nizam_store::{Store, StoreResult};
use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

pub(crate) use follower::{Follower, Next};
pub use seats::Most;
use seats::Seats;
pub(crate) use seats::{Kind, Seat};

/// Events of a tenant that are kept for its followers.
const KEPT: usize = 1024;
/// Events that are read at once.
const TOGETHER: u64 = 1000;
/// How often the database is asked, where nobody tells that something was stored.
const EVERY: Duration = Duration::from_millis(250);

/// Where events are followed.
#[derive(Debug)]
pub struct Hub {
    store: Arc<Store>,
    feeds: Mutex<HashMap<Uuid, broadcast::Sender<Arc<CallEvent>>>>,
    newest: watch::Sender<i64>,
    closing: watch::Sender<bool>,
    seats: Seats,
}

impl Hub {
    /// Over that database, where so many may follow at once.
    pub fn new(store: Arc<Store>, most: Most) -> Self {
        Self {
            store,
            feeds: Mutex::default(),
            newest: watch::Sender::new(0),
            closing: watch::Sender::new(false),
            seats: Seats::new(most),
        }
    }

    /// A place for one more follower of a tenant, unless it has all it may have.
    pub(crate) fn seat(&self, tenant_id: Uuid, kind: Kind) -> Option<Seat> {
        self.seats.take(tenant_id, kind)
    }

    /// Follows a tenant from behind that event on; `None`: from now on.
    pub(crate) async fn follow(&self, tenant_id: Uuid, after: Option<i64>) -> StoreResult<Follower> {
        // Before the database is asked: what is stored meanwhile comes both ways, and by its number once.
        let live = self.feed(tenant_id);
        let after = match after {
            Some(after) => after,
            None => self.store.newest_event().await?,
        };
        Ok(Follower::new(Arc::clone(&self.store), tenant_id, after, live, self.closing.subscribe()))
    }

    fn feed(&self, tenant_id: Uuid) -> broadcast::Receiver<Arc<CallEvent>> {
        self.feeds.lock().entry(tenant_id).or_insert_with(|| broadcast::Sender::new(KEPT)).subscribe()
    }

    /// The number of the newest event that was read or passed over here, whichever process stored it; it changes with each that is.
    pub fn newest(&self) -> watch::Receiver<i64> {
        self.newest.subscribe()
    }

    /// Waits until those that follow are to end.
    pub(crate) fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut closing = self.closing.subscribe();
        async move {
            // An error means that the hub is gone, which is an end as well.
            let _closing = closing.wait_for(|closing| *closing).await;
        }
    }

    /// Ends all that follow, so that their clients go to whoever serves next.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Hands out what is stored, for ever. `stored` is the number of the newest event, and changes when this process has stored something.
    /// To be called before anybody can follow: what is stored from then on is handed out.
    pub fn run(self: Arc<Self>, stored: watch::Receiver<i64>) -> impl Future<Output = ()> + Send {
        let begin = *stored.borrow();
        self.hand_out(stored, begin)
    }

    async fn hand_out(self: Arc<Self>, mut stored: watch::Receiver<i64>, mut read: i64) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut listener, mut failed) = (None, false);
        loop {
            if listener.is_none() {
                // Tried again at every tick; until it works the ticks do.
                listener = self.store.listen_to_events().await.ok().flatten();
            }
            let heard = async {
                match &mut listener {
                    Some(listener) => listener.heard().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = ticks.tick() => {}
                changed = stored.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
                heard = heard => {
                    if heard.is_err() {
                        listener = None;
                    }
                }
            }
            match self.step(&mut read).await {
                Ok(()) => {
                    failed = false;
                    self.newest.send_if_modified(|newest| std::mem::replace(newest, read) != read);
                }
                Err(error) => {
                    if !failed {
                        tracing::warn!(%error, "events that were stored cannot be read; those who follow wait");
                    }
                    failed = true;
                }
            }
        }
    }

    /// Reads on behind that event, and moves it on with what was handed out, or what nobody was there for.
    async fn step(&self, read: &mut i64) -> StoreResult<()> {
        if !self.followed() {
            let newest = self.store.newest_event().await?;
            // Who came meanwhile may have read before the newest one was there; who comes from now on reads it.
            if !self.followed() {
                *read = newest;
                return Ok(());
            }
        }
        loop {
            let events = self.store.all_events_stored_after(*read, TOGETHER).await?;
            let Some(last) = events.last() else { return Ok(()) };
            *read = last.sequence;
            let more = events.len() as u64 == TOGETHER;
            let feeds = self.feeds.lock();
            for event in events {
                if let Some(feed) = feeds.get(&event.tenant_id) {
                    // An error means that nobody listens any more.
                    let _listeners = feed.send(Arc::new(event));
                }
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Whether anybody follows; forgets tenants that nobody follows any more.
    fn followed(&self) -> bool {
        let mut feeds = self.feeds.lock();
        feeds.retain(|_, feed| feed.receiver_count() > 0);
        !feeds.is_empty()
    }
}
