//! Makes the attempts that are due.

use std::collections::HashMap;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use nizam_store::{Delivery, DueWebhook, NewAttempt, Store, StoreError};
use tokio::runtime::{self, Runtime};
use tokio::sync::{Notify, watch};
use tokio::task::{self, JoinSet};
use tokio::time::MissedTickBehavior;

use super::attempt::{Answer, Courier, PATIENCE};
use super::gone;
use super::places::Places;
use super::verdict::Verdict;
use crate::fatal::Fatal;

/// How often it is looked for what is due, if nobody says that something is.
const LOOK: Duration = Duration::from_secs(1);
/// How long an attempt that was claimed is left alone: it takes less, and what comes of it has to be noted.
const CLAIM: Duration = PATIENCE.saturating_mul(3);
/// How long receivers may still take when it is to stop.
const LAST: Duration = Duration::from_secs(2);
/// How long a webhook is left alone that cannot be read.
const UNREADABLE: Duration = Duration::from_mins(5);

/// Makes the attempts that are due.
#[derive(Debug)]
pub struct Deliverer {
    store: Arc<Store>,
    courier: Arc<Courier>,
    wake: Arc<Notify>,
    receivers: Receivers,
}

/// Threads of their own: what receivers send costs nobody else a turn, however they send it.
#[derive(Debug)]
struct Receivers(Option<Runtime>);

impl Receivers {
    fn new() -> Result<Self, Fatal> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("nizam-webhooks")
            .enable_all()
            .build()
            .map_err(|error| Fatal::new(format!("cannot start threads: {error}")))?;
        Ok(Self(Some(runtime)))
    }

    /// One attempt. Given up, it is made no further.
    async fn tell(&self, courier: Arc<Courier>, delivery: Arc<Delivery>) -> Answer {
        let Some(runtime) = &self.0 else { return Answer::default() };
        let task = AbortOnDrop(runtime.spawn(async move { courier.tell(&delivery).await }));
        // A receiver that is quick enough keeps the attempt from looking at the clock.
        match tokio::time::timeout(PATIENCE + Duration::from_secs(5), task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Answer::failed(format!("the attempt ended out of turn: {error}")),
            Err(_) => Answer::failed(format!("no answer within {} seconds", PATIENCE.as_secs())),
        }
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

struct AbortOnDrop<T>(task::JoinHandle<T>);

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, task::JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The attempts that are under way.
#[derive(Debug, Default)]
struct Running {
    places: Places,
    set: JoinSet<()>,
    claims: HashMap<task::Id, (DueWebhook, Arc<Delivery>)>,
}

impl Running {
    fn begin(
        &mut self,
        webhook: DueWebhook,
        claim: Arc<Delivery>,
        attempt: impl Future<Output = ()> + Send + 'static,
    ) {
        self.places.take(webhook);
        self.claims.insert(self.set.spawn(attempt).id(), (webhook, claim));
    }

    async fn all_ended(&mut self) {
        while !self.set.is_empty() {
            self.ended().await;
        }
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
            if let Some((webhook, _)) = self.claims.remove(&id) {
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
    pub fn new(store: Arc<Store>, courier: Arc<Courier>, wake: Arc<Notify>) -> Result<Self, Fatal> {
        Ok(Self { store, courier, wake, receivers: Receivers::new()? })
    }

    /// Makes attempts until it is to stop, and gives those back that do not end soon then.
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
        if tokio::time::timeout(LAST, running.all_ended()).await.is_err() {
            running.set.shutdown().await;
            for (_, claim) in running.claims.into_values() {
                if let Err(error) = this.store.give_back_delivery(claim.id, claim.attempt, claim.until).await
                {
                    tracing::warn!(%error, webhook = %claim.webhook.id, "a delivery is not given back; it is due again in a minute or two");
                }
            }
        }
    }

    /// Begins as many of the attempts that are due as may be under way.
    async fn begin(self: &Arc<Self>, running: &mut Running) -> Result<(), StoreError> {
        let mut due = self.store.webhooks_due().await?;
        while let Some(webhook) = running.places.next(&due) {
            match self.store.claim_delivery(webhook, later(CLAIM)).await {
                Ok(Some(delivery)) => {
                    let (this, delivery) = (Arc::clone(self), Arc::new(delivery));
                    running.begin(
                        webhook,
                        Arc::clone(&delivery),
                        async move { this.attempt(delivery).await },
                    );
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

    async fn attempt(&self, delivery: Arc<Delivery>) {
        let began = Instant::now();
        let answer = self.receivers.tell(Arc::clone(&self.courier), Arc::clone(&delivery)).await;
        let took = began.elapsed().as_secs_f64() * 1000.0;
        // Without chance they are told together, and that is all.
        let chance = getrandom::u32().unwrap_or_default();
        let verdict = self.courier.judge(&answer, delivery.attempt, chance);
        let next = match verdict {
            Verdict::Again(after) => Some(later(after)),
            Verdict::Delivered | Verdict::Dead | Verdict::Gone => None,
        };
        let error = message(&answer, next.is_none());
        let attempt = NewAttempt {
            webhook_id: delivery.webhook.id,
            event_id: Some(delivery.event.id),
            event_type: &delivery.event_type,
            payload: &delivery.event.payload,
            response_status: answer.status.map(|status| status.as_u16()),
            response_body: answer.body.as_deref(),
            attempt: delivery.attempt,
            latency_ms: answer.status.map(|_| (took * 100.0).round() / 100.0),
            error_message: error.as_deref(),
        };
        if let Err(error) = self.store.attempted(&delivery, &attempt, next).await {
            tracing::warn!(
                %error, webhook = %delivery.webhook.id, event = %delivery.event.id,
                "what became of a delivery cannot be noted: it is made once more"
            );
        }
        if verdict == Verdict::Gone {
            gone::disable(&self.store, &delivery.webhook).await;
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
