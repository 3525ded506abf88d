//! Makes deliveries of what is stored.

use std::sync::Arc;
use std::time::Duration;

use nizam_store::Store;
use tokio::sync::{Notify, watch};
use tokio::time::MissedTickBehavior;

/// How often it is looked for what nobody told of: another daemon may have died while it fed.
const LOOK: Duration = Duration::from_secs(1);

/// What is stored within that time is fed together: on SQLite each transaction waits for the disk.
const TOGETHER: Duration = Duration::from_millis(10);

/// Makes deliveries of what is stored, for the webhooks that want it.
#[derive(Debug)]
pub struct Feeder {
    store: Arc<Store>,
    stored: watch::Receiver<i64>,
    undelivered: Arc<Notify>,
}

impl Feeder {
    /// One that looks when that number changes, and wakes what tells webhooks.
    pub fn new(store: Arc<Store>, stored: watch::Receiver<i64>, undelivered: Arc<Notify>) -> Self {
        Self { store, stored, undelivered }
    }

    /// Feeds until it is to stop. What is not fed then is fed by whoever comes next.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        while !*stop.borrow() {
            tokio::select! {
                _ = ticks.tick() => {}
                // An error means that nobody will tell any more; the ticks go on.
                Ok(()) = self.stored.changed() => tokio::time::sleep(TOGETHER).await,
                changed = stop.changed() => if changed.is_err() { break },
            }
            match self.feed(&stop).await {
                Ok(()) => failing = false,
                Err(error) if failing => {
                    tracing::debug!(%error, "webhooks are still not told of what is stored");
                }
                Err(error) => {
                    failing = true;
                    tracing::warn!(%error, "webhooks are not told of what is stored until the database works again");
                }
            }
        }
    }

    async fn feed(&self, stop: &watch::Receiver<bool>) -> nizam_store::StoreResult<()> {
        while !*stop.borrow() {
            let fed = self.store.feed_webhooks().await?;
            if fed.deliveries > 0 {
                self.undelivered.notify_one();
            }
            if !fed.more {
                break;
            }
        }
        Ok(())
    }
}
