//! The attempts that are under way.

use std::collections::HashMap;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nizam_store::{Delivery, DueWebhook};
use tokio::task::{self, JoinError, JoinSet};
use uuid::Uuid;

use super::breakers::{Breakers, Sign};
use super::places::Places;

/// An attempt that has lasted for so long hangs.
const HANGS: Duration = Duration::from_millis(250);

/// The attempts that are under way.
#[derive(Debug)]
pub(super) struct Running {
    places: Places,
    breakers: Breakers,
    set: JoinSet<Sign>,
    claims: HashMap<task::Id, Claim>,
}

#[derive(Debug)]
struct Claim {
    webhook: DueWebhook,
    delivery: Arc<Delivery>,
    began: Instant,
    hangs: bool,
}

impl Running {
    /// None yet; of a webhook so many at once.
    pub(super) fn new(most: usize) -> Self {
        let (places, breakers) = (Places::default(), Breakers::new(most));
        Self { places, breakers, set: JoinSet::new(), claims: HashMap::new() }
    }

    /// Takes what places there are for those that something is due for, and gives how many each has now.
    pub(super) fn take(&mut self, due: &[DueWebhook]) -> Vec<(DueWebhook, usize)> {
        let now = Instant::now();
        let mut shares: HashMap<Uuid, (DueWebhook, usize)> = HashMap::new();
        while let Some(next) = self.places.next(due, |webhook| self.breakers.room(webhook, now)) {
            self.places.take(next);
            shares.entry(next.id).or_insert((next, 0)).1 += 1;
        }
        shares.into_values().collect()
    }

    /// Gives places back that were not needed.
    pub(super) fn give_back(&mut self, webhook: DueWebhook, places: usize) {
        for _ in 0..places {
            self.places.give_back(webhook, false);
        }
    }

    /// Begins an attempt, for which a place was taken.
    pub(super) fn begin(
        &mut self,
        delivery: Arc<Delivery>,
        attempt: impl Future<Output = Sign> + Send + 'static,
    ) {
        let webhook = DueWebhook { id: delivery.webhook.id, tenant_id: delivery.webhook.tenant_id };
        let claim = Claim { webhook, delivery, began: Instant::now(), hangs: false };
        self.claims.insert(self.set.spawn(attempt).id(), claim);
    }

    /// Waits until one ends, and gives the places of all that have; without one for ever.
    pub(super) async fn ended(&mut self) {
        let Some(mut ended) = self.set.join_next_with_id().await else { return pending().await };
        loop {
            self.note(ended);
            match self.set.try_join_next_with_id() {
                Some(next) => ended = next,
                None => return,
            }
        }
    }

    pub(super) async fn all_ended(&mut self) {
        while !self.set.is_empty() {
            self.ended().await;
        }
    }

    fn note(&mut self, ended: Result<(task::Id, Sign), JoinError>) {
        let (id, sign) = match ended {
            Ok((id, sign)) => (id, Some(sign)),
            Err(error) => {
                tracing::error!(%error, "an attempt to tell a webhook ended out of turn; it is made once more");
                (error.id(), None)
            }
        };
        let Some(claim) = self.claims.remove(&id) else { return };
        self.places.give_back(claim.webhook, claim.hangs);
        if let Some(sign) = sign {
            self.breakers.note(claim.webhook.id, sign, Instant::now());
        }
    }

    /// Has those that last keep nobody from beginning.
    pub(super) fn look_for_hanging(&mut self) {
        for claim in self.claims.values_mut().filter(|claim| !claim.hangs && claim.began.elapsed() >= HANGS) {
            claim.hangs = self.places.hang(claim.webhook);
        }
    }

    /// How many webhooks are left alone because they cannot be reached.
    pub(super) fn breakers_open(&self) -> usize {
        self.breakers.open(Instant::now())
    }

    /// Gives all up; gives what was claimed.
    pub(super) async fn given_up(mut self) -> Vec<Arc<Delivery>> {
        self.set.shutdown().await;
        self.claims.into_values().map(|claim| claim.delivery).collect()
    }
}
