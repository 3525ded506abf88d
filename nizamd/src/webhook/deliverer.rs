//! Makes the attempts that are due.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nizam_store::{Claimant, Delivery, Store, StoreError};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::attempt::{Answer, PATIENCE};
use super::breakers::Sign;
use super::notes::{Notes, Told};
use super::receivers::Receivers;
use super::running::Running;
use super::verdict::Verdict;
use crate::metrics::Metrics;

/// How often it is looked for what is due, if nobody says that something is.
const LOOK: Duration = Duration::from_millis(250);
/// How often it is looked for claims of processes that are dead.
const BURY: Duration = Duration::from_secs(1);
/// How long an attempt that was claimed is left alone: it takes less, and what comes of it has to be noted.
const CLAIM: Duration = PATIENCE.saturating_mul(3);
/// How long receivers may still take when it is to stop.
const LAST: Duration = Duration::from_secs(2);
/// Attempts that may wait to be noted.
const UNNOTED: usize = 1024;

/// Attempts of a webhook at once, unless something else is said.
pub const CONCURRENCY: u32 = 16;

/// Makes the attempts that are due.
#[derive(Debug)]
pub struct Deliverer {
    store: Arc<Store>,
    receivers: Arc<Receivers>,
    wake: Arc<Notify>,
    metrics: Arc<Metrics>,
    concurrency: usize,
}

impl Deliverer {
    /// One that looks at once when it is woken.
    pub fn new(store: Arc<Store>, receivers: Arc<Receivers>, wake: Arc<Notify>) -> Self {
        Self { store, receivers, wake, metrics: Arc::default(), concurrency: whole(CONCURRENCY) }
    }

    /// The same, with so many attempts of a webhook at once.
    #[must_use]
    pub fn at_once(self, concurrency: u32) -> Self {
        Self { concurrency: whole(concurrency).max(1), ..self }
    }

    /// The same, where that is counted.
    #[must_use]
    pub fn counting(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Makes attempts until it is to stop, and gives those back that do not end soon then.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let (told, ended) = mpsc::channel(UNNOTED);
        let noted = Arc::new(Notify::new());
        let noting = Notes {
            store: Arc::clone(&self.store),
            metrics: Arc::clone(&self.metrics),
            noted: Arc::clone(&noted),
        };
        let noting = tokio::spawn(noting.run(ended));
        let mut running = Running::new(self.concurrency);
        let mut claimant = Claimant::default();
        let mut buried: Option<Instant> = None;
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        while !*stop.borrow() {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.wake.notified() => {}
                () = noted.notified() => {}
                // There may be more to be told, but not before this is noted.
                () = running.ended() => continue,
                changed = stop.changed() => if changed.is_err() { break },
            }
            running.look_for_hanging();
            self.metrics.left_alone(running.breakers_open());
            let looked = async {
                if buried.is_none_or(|at| at.elapsed() >= BURY) {
                    self.bury(&mut claimant).await?;
                    buried = Some(Instant::now());
                }
                self.begin(&mut running, &told).await
            };
            match looked.await {
                Ok(()) => failing = false,
                Err(error) if failing => tracing::debug!(%error, "webhooks still cannot be read"),
                Err(error) => {
                    failing = true;
                    tracing::warn!(%error, "webhooks cannot be read: nobody is told of anything until they can");
                }
            }
        }
        if tokio::time::timeout(LAST, running.all_ended()).await.is_err() {
            self.give_back(running.given_up().await).await;
        }
        drop(told);
        // It ends when all is noted.
        let _noted = noting.await;
    }

    /// Gives back what dead processes have claimed.
    async fn bury(&self, claimant: &mut Claimant) -> Result<(), StoreError> {
        let given_back = self.store.bury(claimant).await?;
        if given_back > 0 {
            tracing::info!(
                deliveries = given_back,
                "a nizamd that is dead was telling webhooks: they are told again"
            );
        }
        Ok(())
    }

    /// Begins as many of the attempts that are due as may be under way.
    async fn begin(&self, running: &mut Running, told: &mpsc::Sender<Told>) -> Result<(), StoreError> {
        let mut due = self.store.webhooks_due().await?;
        loop {
            let shares = running.take(&due);
            if shares.is_empty() {
                return Ok(());
            }
            let claimed = match self.store.claim_deliveries(&shares, later(CLAIM)).await {
                Ok(claimed) => claimed,
                Err(error) => {
                    for (webhook, places) in shares {
                        running.give_back(webhook, places);
                    }
                    return Err(error);
                }
            };
            let mut got: HashMap<Uuid, usize> = HashMap::new();
            for delivery in claimed {
                *got.entry(delivery.webhook.id).or_default() += 1;
                let delivery = Arc::new(delivery);
                let (receivers, told) = (Arc::clone(&self.receivers), told.clone());
                running.begin(Arc::clone(&delivery), attempt(receivers, delivery, told));
            }
            for (webhook, places) in shares {
                let unneeded = places.saturating_sub(got.get(&webhook.id).copied().unwrap_or_default());
                running.give_back(webhook, unneeded);
                if unneeded > 0 {
                    due.retain(|other| *other != webhook);
                }
            }
        }
    }

    async fn give_back(&self, claims: Vec<Arc<Delivery>>) {
        let mut by_claim: BTreeMap<i64, Vec<Uuid>> = BTreeMap::new();
        for claim in claims {
            by_claim.entry(claim.until).or_default().push(claim.id);
        }
        for (until, ids) in by_claim {
            if let Err(error) = self.store.give_back_deliveries(&ids, until).await {
                tracing::warn!(%error, deliveries = ids.len(), "deliveries are not given back; they are due again in a minute or two");
            }
        }
    }
}

/// One attempt, whose place is free as soon as what became of it is on its way to be noted.
async fn attempt(receivers: Arc<Receivers>, delivery: Arc<Delivery>, told: mpsc::Sender<Told>) -> Sign {
    let began = Instant::now();
    let answer = receivers.tell(Arc::clone(&delivery)).await;
    let took = began.elapsed().as_secs_f64() * 1000.0;
    let sign = Sign::of(&answer);
    // Without chance they are told together, and that is all.
    let chance = getrandom::u32().unwrap_or_default();
    let verdict = receivers.judge(&answer, delivery.attempt, chance);
    let next = match verdict {
        Verdict::Again(after) => Some(later(after)),
        Verdict::Delivered | Verdict::Dead | Verdict::Gone => None,
    };
    let message = message(&answer, next.is_none());
    // Nobody notes it any more: it is made once more.
    let _ended = told.send(Told { delivery, answer, verdict, next, took, message }).await;
    sign
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

fn whole(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
