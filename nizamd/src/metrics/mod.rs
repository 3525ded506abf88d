//! What is counted, for Prometheus: what this process does, and what the modules say of themselves when somebody asks.

mod module;
mod switches;

pub(crate) use module::spools;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use nizam_store::{Store, Stored};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::publisher::Publisher;
use crate::webhook::Verdict;

/// The media type of what is written (`OpenMetrics` 1.0, which Prometheus reads).
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The beginning of every name.
const PREFIX: &str = "nizam";

/// Upper bounds of times of requests and transactions, in seconds.
const TIMES: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    operation: String,
    status: u16,
}

/// A histogram of [`TIMES`].
#[derive(Clone)]
struct Times;

impl prometheus_client::metrics::family::MetricConstructor<Histogram> for Times {
    fn new_metric(&self) -> Histogram {
        Histogram::new(TIMES)
    }
}

/// Upper bounds of the time from an event to the receiver that has it, in seconds: to the last attempt of the schedule.
const LAGS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 600.0, 14_400.0, 345_600.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempted {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: String,
}

/// What this process counts.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Operation, Histogram, Times>,
    events: Counter,
    repeated: Counter,
    quarantined: Counter,
    strays: Counter,
    cdrs: Counter,
    ingest: Histogram,
    retries: Counter,
    deliveries: Family<Attempted, Counter>,
    lag: Histogram,
    left_alone: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            durations: Family::new_with_constructor(Times),
            events: Counter::default(),
            repeated: Counter::default(),
            quarantined: Counter::default(),
            strays: Counter::default(),
            cdrs: Counter::default(),
            ingest: Histogram::new(TIMES),
            retries: Counter::default(),
            deliveries: Family::default(),
            lag: Histogram::new(LAGS),
            left_alone: Gauge::default(),
        };
        let mut counter = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        counter("events_stored", "Events of tenants that were stored", &metrics.events);
        counter("events_repeated", "Events that came again and were left out", &metrics.repeated);
        counter(
            "events_quarantined",
            "Events that could not be stored as what they are",
            &metrics.quarantined,
        );
        counter("events_stray", "Events of no tenant", &metrics.strays);
        counter("cdrs", "CDRs that were written, one for each leg", &metrics.cdrs);
        counter(
            "ingest_retries",
            "Batches of events that the database did not take at first",
            &metrics.retries,
        );
        registry.register(
            "ingest_seconds",
            "Time of the transaction that stores a batch of events",
            metrics.ingest.clone(),
        );
        registry.register("api_requests", "Requests by operation and status", metrics.requests.clone());
        registry.register(
            "api_request_seconds",
            "Time from a request to its answer by operation",
            metrics.durations.clone(),
        );
        registry.register(
            "webhook_deliveries",
            "Attempts to tell webhooks by what became of them",
            metrics.deliveries.clone(),
        );
        registry.register(
            "webhook_lag_seconds",
            "Time from the event to the webhook that has it",
            metrics.lag.clone(),
        );
        registry.register(
            "webhook_breakers_open",
            "Webhooks that cannot be reached and are tried seldom",
            metrics.left_alone.clone(),
        );
        Self { registry, ..metrics }
    }
}

impl Metrics {
    /// Notes a request that was answered.
    pub(crate) fn answered(&self, operation: &str, status: u16, took: Duration) {
        let operation = operation.to_owned();
        self.durations.get_or_create(&Operation { operation: operation.clone() }).observe(took.as_secs_f64());
        self.requests.get_or_create(&Answered { operation, status }).inc();
    }

    /// Notes a batch of events that was stored.
    pub(crate) fn stored(&self, stored: &Stored, took: Duration) {
        self.events.inc_by(stored.events);
        self.repeated.inc_by(stored.repeated);
        self.quarantined.inc_by(stored.quarantined);
        self.strays.inc_by(stored.strays);
        self.cdrs.inc_by(stored.cdrs);
        self.ingest.observe(took.as_secs_f64());
    }

    /// Notes what became of an attempt to tell a webhook of an event that was stored at that time, microseconds since 1970.
    pub(crate) fn told(&self, verdict: &Verdict, stored: i64) {
        let result = match verdict {
            Verdict::Delivered => "delivered",
            Verdict::Again(_) => "retried",
            Verdict::Dead => "dead",
            Verdict::Gone => "gone",
        };
        self.deliveries.get_or_create(&Attempted { result }).inc();
        if *verdict == Verdict::Delivered {
            let lag = jiff::Timestamp::now().as_microsecond().saturating_sub(stored);
            self.lag.observe(Duration::from_micros(u64::try_from(lag).unwrap_or(0)).as_secs_f64());
        }
    }

    /// Notes how many webhooks are left alone.
    pub(crate) fn left_alone(&self, webhooks: usize) {
        self.left_alone.set(i64::try_from(webhooks).unwrap_or(i64::MAX));
    }

    /// Notes that the database did not take a batch.
    pub(crate) fn refused(&self) {
        self.retries.inc();
    }

    /// Everything, as Prometheus reads it: what was counted here, and what database and switches say now.
    pub async fn write(&self, store: &Store, publisher: &Arc<dyn Publisher>) -> Result<String, fmt::Error> {
        let mut now = Registry::with_prefix(PREFIX);
        let generation = store.generation().await;
        now.register("database_up", "1 if the database answers", gauge(i64::from(generation.is_ok())));
        if let Ok(generation) = generation {
            now.register(
                "generation",
                "The newest generation of the configuration",
                gauge(whole(generation)),
            );
        }
        if let Ok(registered) = store.registered(None).await {
            now.register(
                "registrations",
                "Phones that are registered, of all tenants",
                gauge(whole(registered)),
            );
        }
        if let Ok(waiting) = store.deliveries_waiting().await {
            now.register(
                "webhook_waiting",
                "Deliveries that wait or are under way, of all tenants",
                gauge(whole(waiting)),
            );
        }
        switches::register(&mut now, &publisher.switches());
        module::register(&mut now, publisher).await;
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &now)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

fn gauge(value: i64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(value);
    gauge
}

/// A count as a gauge has it.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
