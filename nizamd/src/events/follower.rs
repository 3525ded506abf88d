//! One who follows a tenant.

use std::future::Future;
use std::sync::Arc;

use nizam_core::model::CallEvent;
use nizam_store::{Store, StoreResult};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

/// Events that are told at once.
const TOGETHER: u64 = 100;

/// What a follower comes to.
pub(crate) enum Next {
    /// Events in their order, at least one.
    Events(Vec<Arc<CallEvent>>),
    /// This process ends.
    Closing,
}

/// One who follows a tenant, and has everything until an event.
pub(crate) struct Follower {
    store: Arc<Store>,
    tenant_id: Uuid,
    position: i64,
    live: broadcast::Receiver<Arc<CallEvent>>,
    closing: watch::Receiver<bool>,
    /// Whether the database may have events that did not come live.
    behind: bool,
}

impl Follower {
    pub(super) fn new(
        store: Arc<Store>,
        tenant_id: Uuid,
        after: i64,
        live: broadcast::Receiver<Arc<CallEvent>>,
        closing: watch::Receiver<bool>,
    ) -> Self {
        Self { store, tenant_id, position: after, live, closing, behind: true }
    }

    /// What comes next; waits for it. It may be given up while it waits, and nothing is lost.
    pub(crate) async fn next(&mut self) -> StoreResult<Next> {
        if self.is_closing() {
            return Ok(Next::Closing);
        }
        if let Some(events) = self.stored().await? {
            return Ok(Next::Events(events));
        }
        loop {
            let received = tokio::select! {
                received = self.live.recv() => received,
                _ = self.closing.wait_for(|closing| *closing) => return Ok(Next::Closing),
            };
            match received {
                Ok(event) if event.sequence <= self.position => {}
                Ok(event) => {
                    let mut events = vec![event];
                    while (events.len() as u64) < TOGETHER {
                        match self.live.try_recv() {
                            // What is read anew after an error comes again.
                            Ok(event)
                                if events.last().is_some_and(|last| event.sequence <= last.sequence) => {}
                            Ok(event) => events.push(event),
                            Err(TryRecvError::Lagged(_)) => {
                                self.behind = true;
                                break;
                            }
                            Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                        }
                    }
                    self.position = events.last().map_or(self.position, |event| event.sequence);
                    return Ok(Next::Events(events));
                }
                // What was not kept for it is in the database.
                Err(RecvError::Lagged(_)) => {
                    self.behind = true;
                    if let Some(events) = self.stored().await? {
                        return Ok(Next::Events(events));
                    }
                }
                Err(RecvError::Closed) => return Ok(Next::Closing),
            }
        }
    }

    /// The number of the last event that was handed out.
    pub(crate) fn position(&self) -> i64 {
        self.position
    }

    /// Whether this process ends.
    pub(crate) fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Waits until this process ends.
    pub(crate) fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut closing = self.closing.clone();
        async move {
            // An error means that the hub is gone, which is an end as well.
            let _closing = closing.wait_for(|closing| *closing).await;
        }
    }

    /// What the database has beyond the position, as long as it may have something that does not come live.
    pub(crate) async fn stored(&mut self) -> StoreResult<Option<Vec<Arc<CallEvent>>>> {
        if !self.behind {
            return Ok(None);
        }
        let events = self.store.events_stored_after(self.tenant_id, self.position, TOGETHER).await?;
        self.behind = events.len() as u64 == TOGETHER;
        let Some(last) = events.last() else { return Ok(None) };
        self.position = last.sequence;
        Ok(Some(events.into_iter().map(Arc::new).collect()))
    }
}
