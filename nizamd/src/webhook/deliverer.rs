//! Makes the attempts that are due.

use std::collections::HashMap;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nizam_store::{Delivery, DueWebhook, NewAttempt, Store, StoreError};
use tokio::sync::{Notify, watch};
use tokio::task::{self, JoinSet};
use tokio::time::MissedTickBehavior;

use super::attempt::{Answer, Courier, PATIENCE};
use super::places::Places;
use super::schedule;

/// How often it is looked for what is due, if nobody says that something is.
const LOOK: Duration = Duration::from_secs(1);
/// How long an attempt that was claimed is left alone: it takes less, and what comes of it has to be noted.
const CLAIM: Duration = PATIENCE.saturating_mul(3);
/// How long a webhook is left alone that cannot be read.
const UNREADABLE: Duration = Duration::from_mins(5);

/// Makes the attempts that are due.
#[derive(Debug)]
pub struct Deliverer {
    store: Arc<Store>,
    courier: Courier,
    wake: Arc<Notify>,
}

/// The attempts that are under way.
#[derive(Debug, Default)]
struct Running {
    places: Places,
    set: JoinSet<()>,
    webhooks: HashMap<task::Id, DueWebhook>,
}

impl Running {
    fn begin(&mut self, webhook: DueWebhook, attempt: impl Future<Output = ()> + Send + 'static) {
        self.places.take(webhook);
        self.webhooks.insert(self.set.spawn(attempt).id(), webhook);
    }

    /// Waits until one ends, and gives the places of all that have; without one for ever.
    async fn ended(&mut self) {
        let Some(mut ended) = self.set.join_next_with_id().await else { return pending().await };
        loop {
            let id = match &ended {
                Ok((id, ())) => *id,
                Err(error) => {
                    tracing::error!(%error, "an attempt to tell a webhook ended out of turn; it is made once more");
                    error.id()
                }
            };
            if let Some(webhook) = self.webhooks.remove(&id) {
                self.places.give_back(webhook);
            }
            match self.set.try_join_next_with_id() {
                Some(next) => ended = next,
                None => return,
            }
        }
    }
}

impl Deliverer {
    /// One that looks at once when it is woken.
    pub fn new(store: Arc<Store>, courier: Courier, wake: Arc<Notify>) -> Self {
        Self { store, courier, wake }
    }

    /// Makes attempts until it is to stop, and waits for those that are under way then.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let this = Arc::new(self);
        let mut running = Running::default();
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        while !*stop.borrow() {
            tokio::select! {
                _ = ticks.tick() => {}
                () = this.wake.notified() => {}
                () = running.ended() => {}
                changed = stop.changed() => if changed.is_err() { break },
            }
            match this.begin(&mut running).await {
                Ok(()) => failing = false,
                Err(error) if failing => tracing::debug!(%error, "webhooks still cannot be read"),
                Err(error) => {
                    failing = true;
                    tracing::warn!(%error, "webhooks cannot be read: nobody is told of anything until they can");
                }
            }
        }
        while running.set.join_next().await.is_some() {}
    }

    /// Begins as many of the attempts that are due as may be under way.
    async fn begin(self: &Arc<Self>, running: &mut Running) -> Result<(), StoreError> {
        let mut due = self.store.webhooks_due().await?;
        while let Some(webhook) = running.places.next(&due) {
            match self.store.claim_delivery(webhook, later(CLAIM)).await {
                Ok(Some(delivery)) => {
                    let this = Arc::clone(self);
                    running.begin(webhook, async move { this.attempt(&delivery).await });
                    continue;
                }
                Ok(None) => {}
                Err(error) => {
                    // The others are told all the same; if nothing can be written, that is said of the next list.
                    tracing::warn!(%error, webhook = %webhook.id, "a webhook cannot be read: what is due for it is put off");
                    self.store.postpone_deliveries(webhook, later(UNREADABLE)).await?;
                }
            }
            due.retain(|other| *other != webhook);
        }
        Ok(())
    }

    async fn attempt(&self, delivery: &Delivery) {
        let began = Instant::now();
        let answer = self.courier.tell(delivery).await;
        let took = began.elapsed().as_secs_f64() * 1000.0;
        let next = if answer.success() || answer.status.is_some_and(|status| status.as_u16() == 410) {
            None
        } else {
            // Without chance they are told together, and that is all.
            let chance = getrandom::u32().unwrap_or_default();
            schedule::delay(delivery.attempt, chance).map(later)
        };
        let error = message(&answer, next.is_none());
        let attempt = NewAttempt {
            webhook_id: delivery.webhook.id,
            event_type: &delivery.event_type,
            payload: &delivery.event.payload,
            response_status: answer.status.map(|status| status.as_u16()),
            response_body: answer.body.as_deref(),
            attempt: delivery.attempt,
            latency_ms: answer.status.map(|_| (took * 100.0).round() / 100.0),
            error_message: error.as_deref(),
        };
        if let Err(error) = self.store.attempted(delivery, &attempt, next).await {
            tracing::warn!(
                %error, webhook = %delivery.webhook.id, event = %delivery.event.id,
                "what became of a delivery cannot be noted: it is made once more"
            );
        }
    }
}

/// What the log says of an attempt, beside the status.
fn message(answer: &Answer, last: bool) -> Option<String> {
    match (&answer.error, answer.status) {
        _ if answer.success() => None,
        (Some(error), _) if last => Some(format!("Dead letter: {error}")),
        (None, Some(status)) if last => {
            Some(format!("Dead letter: the receiver answered {}", status.as_u16()))
        }
        (error, _) => error.clone(),
    }
}

/// A time from now on, microseconds since 1970.
fn later(after: Duration) -> i64 {
    let micros = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
    jiff::Timestamp::now().as_microsecond().saturating_add(micros)
}
