//! What the modules say of themselves: `nizam status json`, asked over the link.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use nizam_wire::link::Api;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::switches::Switch;
use super::whole;
use crate::publisher::Publisher;

/// How long a module may take. Who collects waits ten seconds, as a rule.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Status {
    uptime_seconds: u64,
    panics: u64,
    lookups: Lookups,
    images: Vec<Image>,
    /// `None`: the module keeps no events.
    spool: Option<Spool>,
}

#[derive(Deserialize)]
struct Image {
    bytes: u64,
}

#[derive(Deserialize)]
struct Lookups {
    directory: Tally,
    dialplan: Tally,
}

#[derive(Deserialize)]
struct Tally {
    found: u64,
    unknown: u64,
    passed: u64,
    refused: u64,
    latency: Latency,
}

/// Times of lookups: how many were in each class.
#[derive(Deserialize)]
struct Latency {
    bounds_ns: Vec<u64>,
    counts: Vec<u64>,
    sum_ns: u64,
}

#[derive(Deserialize)]
struct Spool {
    lag: u64,
    details: Details,
}

#[derive(Deserialize)]
struct Details {
    lag_ms: u64,
    ring_used: u64,
    disk_used: u64,
    disk_limit: u64,
    ring_dropped: Drops,
    disk_dropped: Drops,
    trouble: Option<String>,
}

#[derive(Deserialize)]
struct Drops {
    traces: u64,
    finals: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Lookup {
    switch: String,
    section: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Section {
    switch: String,
    section: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Dropped {
    switch: String,
    place: &'static str,
    kind: &'static str,
}

/// Asks every connected switch for its figures.
pub(super) async fn register(registry: &mut Registry, publisher: &Arc<dyn Publisher>) {
    let told = ask(publisher, PATIENCE).await;
    write(registry, told);
}

/// What the spools of the connected switches say, by the switch's name. One that does not answer within a second is left out.
pub(crate) async fn spools(publisher: &Arc<dyn Publisher>) -> HashMap<String, Value> {
    let spool = |(name, status): (String, Option<Status>)| {
        let Spool { lag, details } = status?.spool?;
        let dropped = [&details.ring_dropped, &details.disk_dropped];
        let spool = json!({
            "lag": lag,
            "lag_ms": details.lag_ms,
            "dropped_traces": dropped.iter().map(|dropped| dropped.traces).sum::<u64>(),
            "dropped_finals": dropped.iter().map(|dropped| dropped.finals).sum::<u64>(),
            "trouble": details.trouble,
        });
        Some((name, spool))
    };
    ask(publisher, Duration::from_secs(1)).await.into_iter().filter_map(spool).collect()
}

/// Asks every connected switch at once.
async fn ask(publisher: &Arc<dyn Publisher>, patience: Duration) -> Vec<(String, Option<Status>)> {
    let mut asked = JoinSet::new();
    for switch in publisher.switches().into_iter().filter(|switch| switch.connected) {
        let publisher = Arc::clone(publisher);
        asked.spawn(async move {
            let answer =
                publisher.command(Some(switch.name.clone()), Api::Nizam, "status json".to_owned(), patience);
            let status = answer.await.ok().and_then(|text| serde_json::from_str::<Status>(&text).ok());
            (switch.name, status)
        });
    }
    let mut told = Vec::new();
    while let Some(answer) = asked.join_next().await {
        // A panic was logged; the others' figures are no less good.
        told.extend(answer.ok());
    }
    told
}

fn write(registry: &mut Registry, told: Vec<(String, Option<Status>)>) {
    let gauges = || Family::<Switch, Gauge>::default();
    let (up, uptime, images, lag, age) = (gauges(), gauges(), gauges(), gauges(), gauges());
    let (ring, disk, limit, trouble) = (gauges(), gauges(), gauges(), gauges());
    let panics = Family::<Switch, Counter>::default();
    let lookups = Family::<Lookup, Counter>::default();
    let dropped = Family::<Dropped, Counter>::default();
    let mut times = Vec::new();
    for (name, status) in told {
        let switch = Switch { switch: name.clone() };
        up.get_or_create(&switch).set(i64::from(status.is_some()));
        let Some(status) = status else { continue };
        uptime.get_or_create(&switch).set(whole(status.uptime_seconds));
        panics.get_or_create(&switch).inc_by(status.panics);
        let bytes = status.images.iter().map(|image| image.bytes).sum();
        images.get_or_create(&switch).set(whole(bytes));
        for (section, tally) in
            [("directory", status.lookups.directory), ("dialplan", status.lookups.dialplan)]
        {
            for (result, count) in [
                ("found", tally.found),
                ("unknown", tally.unknown),
                ("passed", tally.passed),
                ("refused", tally.refused),
            ] {
                lookups.get_or_create(&Lookup { switch: name.clone(), section, result }).inc_by(count);
            }
            times.push((Section { switch: name.clone(), section }, tally.latency));
        }
        let Some(spool) = status.spool else { continue };
        lag.get_or_create(&switch).set(whole(spool.lag));
        age.get_or_create(&switch).set(whole(spool.details.lag_ms));
        ring.get_or_create(&switch).set(whole(spool.details.ring_used));
        disk.get_or_create(&switch).set(whole(spool.details.disk_used));
        limit.get_or_create(&switch).set(whole(spool.details.disk_limit));
        trouble.get_or_create(&switch).set(i64::from(spool.details.trouble.is_some()));
        for (place, drops) in [("memory", spool.details.ring_dropped), ("disk", spool.details.disk_dropped)] {
            for (kind, count) in [("trace", drops.traces), ("final", drops.finals)] {
                dropped.get_or_create(&Dropped { switch: name.clone(), place, kind }).inc_by(count);
            }
        }
    }
    registry.register("module_up", "1 if the module said how it is", up);
    registry.register_with_unit("module_uptime", "Since the module was loaded", Unit::Seconds, uptime);
    registry.register("module_panics", "Panics that were stopped at the border to FreeSWITCH", panics);
    registry.register_with_unit("image", "Size of all images that answer", Unit::Bytes, images);
    registry.register("lookups", "Lookups by section and what became of them", lookups);
    registry.register_collector(Box::new(Times(times)));
    registry.register("spool_lag_events", "Events that nizamd has not acknowledged", lag);
    registry.register("spool_lag_milliseconds", "Age of the oldest of them", age);
    registry.register_with_unit("spool_ring", "Events in memory", Unit::Bytes, ring);
    registry.register_with_unit("spool_disk", "Events on disk", Unit::Bytes, disk);
    registry.register_with_unit("spool_disk_limit", "Most that may be on disk", Unit::Bytes, limit);
    registry.register("spool_trouble", "1 while events cannot be written to disk", trouble);
    registry.register("spool_dropped", "Events that there was no room for", dropped);
}

/// How long lookups took, on every switch.
struct Times(Vec<(Section, Latency)>);

impl fmt::Debug for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Times").field(&self.0.len()).finish()
    }
}

impl Collector for Times {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut family = encoder.encode_descriptor(
            "lookup",
            "Time from FreeSWITCH's question to the answer",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for (section, latency) in &self.0 {
            let buckets: Vec<(f64, u64)> = latency
                .bounds_ns
                .iter()
                .map(|&bound| seconds(bound))
                .chain([f64::INFINITY])
                .zip(latency.counts.iter().copied())
                .collect();
            let count = latency.counts.iter().sum();
            let mut one = family.encode_family(section)?;
            one.encode_histogram::<Section>(seconds(latency.sum_ns), count, &buckets, None)?;
        }
        Ok(())
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;

    #[test]
    fn what_a_module_says_is_written_for_prometheus() {
        let tally = |found| {
            json!({"found": found, "unknown": 1, "passed": 0, "refused": 0,
            "latency": {"bounds_ns": [500, 1000], "counts": [3, 4, 1], "sum_ns": 9_000}})
        };
        let status = json!({
            "uptime_seconds": 5, "panics": 0, "images": [{"bytes": 100}, {"bytes": 20}],
            "lookups": {"directory": tally(7), "dialplan": tally(2)},
            "spool": {"lag": 3, "dropped": 4, "details": {"lag_ms": 12, "ring_used": 1, "disk_used": 2, "disk_limit": 9,
                "ring_dropped": {"traces": 4, "finals": 0}, "disk_dropped": {"traces": 0, "finals": 0}, "trouble": null}},
        });
        let mut registry = Registry::with_prefix("nizam");
        let status = serde_json::from_value(status).unwrap();
        write(&mut registry, vec![("fs1".to_owned(), Some(status)), ("fs2".to_owned(), None)]);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "nizam_module_up{switch=\"fs1\"} 1",
            "nizam_module_up{switch=\"fs2\"} 0",
            "nizam_image_bytes{switch=\"fs1\"} 120",
            "nizam_lookups_total{switch=\"fs1\",section=\"directory\",result=\"found\"} 7",
            "nizam_lookup_seconds_bucket{le=\"0.000001\",switch=\"fs1\",section=\"dialplan\"} 7",
            "nizam_lookup_seconds_bucket{le=\"+Inf\",switch=\"fs1\",section=\"dialplan\"} 8",
            "nizam_lookup_seconds_count{switch=\"fs1\",section=\"directory\"} 8",
            "nizam_spool_lag_events{switch=\"fs1\"} 3",
            "nizam_spool_dropped_total{switch=\"fs1\",place=\"memory\",kind=\"trace\"} 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
