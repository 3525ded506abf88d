//! What became of attempts, noted many at a time: what the database has to write to the disk it writes once for all that have ended meanwhile.

use std::sync::Arc;
use std::time::Duration;

use nizam_store::{Delivery, NewAttempt, Outcome, Store};
use tokio::sync::{Notify, mpsc};

use super::attempt::Answer;
use super::gone;
use super::verdict::Verdict;
use crate::metrics::Metrics;

/// Attempts that are noted together.
const TOGETHER: usize = 256;
/// How long it waits before it tries again what the database did not take.
const AGAIN: Duration = Duration::from_millis(200);
/// How often it tries: about as long as the claims last.
const TRIES: u32 = 300;

/// An attempt that was made.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) delivery: Arc<Delivery>,
    pub(super) answer: Answer,
    pub(super) verdict: Verdict,
    /// When the next one is due, microseconds since 1970, if there is one.
    pub(super) next: Option<i64>,
    /// How long it took, milliseconds.
    pub(super) took: f64,
    /// What the log says beside the status.
    pub(super) message: Option<String>,
}

impl Told {
    fn outcome(&self) -> Outcome<'_> {
        Outcome {
            delivery: &self.delivery,
            attempt: NewAttempt {
                webhook_id: self.delivery.webhook.id,
                event_id: Some(self.delivery.event.id),
                event_type: &self.delivery.event_type,
                payload: &self.delivery.event.payload,
                response_status: self.answer.status.map(|status| status.as_u16()),
                response_body: self.answer.body.as_deref(),
                attempt: self.delivery.attempt,
                latency_ms: self.answer.status.map(|_| (self.took * 100.0).round() / 100.0),
                error_message: self.message.as_deref(),
            },
            next: self.next,
        }
    }
}

/// Notes what became of attempts.
#[derive(Debug)]
pub(super) struct Notes {
    pub(super) store: Arc<Store>,
    pub(super) metrics: Arc<Metrics>,
    /// Woken when something was noted: what comes after it in its order can be told now.
    pub(super) noted: Arc<Notify>,
}

impl Notes {
    /// Notes what it is given until nobody is left who could give it anything.
    pub(super) async fn run(self, mut told: mpsc::Receiver<Told>) {
        let mut together = Vec::with_capacity(TOGETHER);
        while told.recv_many(&mut together, TOGETHER).await > 0 {
            for one in together.iter_mut().filter(|one| one.verdict == Verdict::Gone) {
                if !gone::disable(&self.store, &one.delivery.webhook).await {
                    // It was the receiver that the webhook had before, or is not known to be gone: whoever is there now is told.
                    (one.verdict, one.message) = (Verdict::Again(Duration::ZERO), None);
                    one.next = Some(jiff::Timestamp::now().as_microsecond());
                }
            }
            let all: Vec<&Told> = together.iter().collect();
            if !self.note(&all).await {
                // One of them is not as the database wants it: it must not take the others with it.
                for one in all {
                    if !self.note(&[one]).await {
                        tracing::warn!(
                            webhook = %one.delivery.webhook.id, event = %one.delivery.event.id,
                            "what became of a delivery cannot be noted: it is made once more"
                        );
                    }
                }
            }
            for one in together.drain(..) {
                self.metrics.told(&one.verdict, one.delivery.event.created_at);
            }
            self.noted.notify_one();
        }
    }

    /// Notes them, as soon as the database takes them; whether it did.
    async fn note(&self, told: &[&Told]) -> bool {
        let outcomes: Vec<Outcome<'_>> = told.iter().map(|told| told.outcome()).collect();
        for attempt in 0..TRIES {
            match self.store.attempted(&outcomes).await {
                Ok(()) => return true,
                Err(error) if error.passes() => {
                    if attempt == 0 {
                        tracing::warn!(%error, "what became of deliveries is not noted yet");
                    }
                    tokio::time::sleep(AGAIN).await;
                }
                Err(error) => {
                    tracing::warn!(%error, attempts = told.len(), "what became of deliveries is not noted");
                    return false;
                }
            }
        }
        false
    }
}
