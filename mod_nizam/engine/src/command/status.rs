//! `nizam status`, for people and for programs.

use super::{Facts, spool};
use crate::counters::{BOUNDS, Tally};
use crate::{Engine, Origin};
use serde_json::{Map, Value, json};

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Nothing => "nothing",
        Origin::Snapshot => "snapshot",
        Origin::Daemon => "daemon",
    }
}

pub(super) fn text(engine: &Engine, facts: &Facts) -> String {
    let layers = engine.live.load();
    let link = engine.link.lock().clone();
    let counts = |tally: &Tally| tally.read().map(|(name, count)| format!("{name} {count}")).join(", ");
    let mut lines = vec![
        format!("+OK mod_nizam {} in FreeSWITCH {}", facts.module_version, facts.freeswitch_version),
        format!("mode        {}, loaded for {} s, debug {}", facts.mode, facts.uptime.as_secs(), facts.debug),
        format!(
            "answering   generation {} from {}: {} images, {} records, {} bytes",
            layers.generation(),
            origin(layers.origin()),
            layers.images().len(),
            layers.images().iter().map(|image| image.header().record_count).sum::<u64>(),
            layers.bytes()
        ),
        format!(
            "link        {} for {} s at {}, nizamd {}, {} connections, {} stacks applied, {} refused",
            link.state.as_str(),
            link.since.elapsed().as_secs(),
            facts.socket,
            if link.daemon_version.is_empty() { "unknown" } else { &link.daemon_version },
            link.connections,
            link.applied,
            link.refused
        ),
        format!("directory   {}", counts(&engine.counters.directory)),
        format!("dialplan    {}", counts(&engine.counters.dialplan)),
        spool::line(engine),
        format!("panics      {}", facts.panics),
    ];
    if let Some(said) = engine.snapshot.lock().as_ref() {
        lines.push(format!("at start    {said}"));
    }
    if let Some(error) = link.last_error {
        lines.push(format!("link error  {error}"));
    }
    if let Some(refusal) = link.last_refusal {
        lines.push(format!("refused     {refusal}"));
    }
    lines.join("\n") + "\n"
}

pub(super) fn json(engine: &Engine, facts: &Facts) -> String {
    let layers = engine.live.load();
    let link = engine.link.lock().clone();
    let counts = |tally: &Tally| {
        let (classes, sum) = tally.latency.read();
        let mut counts: Map<String, Value> =
            tally.read().into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
        counts.insert("latency".to_owned(), json!({ "bounds_ns": BOUNDS, "counts": classes, "sum_ns": sum }));
        Value::Object(counts)
    };
    let images: Vec<Value> = layers
        .images()
        .iter()
        .map(|image| {
            json!({
                "id": format!("{:016x}", image.id()),
                "generation": image.header().generation,
                "overlay": image.header().overlay,
                "records": image.header().record_count,
                "bytes": image.bytes().len(),
            })
        })
        .collect();
    let status = json!({
        "module_version": facts.module_version,
        "freeswitch_version": facts.freeswitch_version,
        "switch_name": facts.switch_name,
        "mode": facts.mode,
        "uptime_seconds": facts.uptime.as_secs(),
        "debug": facts.debug,
        "panics": facts.panics,
        "generation": layers.generation(),
        "origin": origin(layers.origin()),
        "images": images,
        "snapshot": { "directory": facts.snapshot, "at_start": *engine.snapshot.lock() },
        "link": {
            "state": link.state.as_str(),
            "since_seconds": link.since.elapsed().as_secs(),
            "socket": facts.socket,
            "daemon_version": link.daemon_version,
            "connections": link.connections,
            "applied": link.applied,
            "refused": link.refused,
            "last_error": link.last_error,
            "last_refusal": link.last_refusal,
        },
        "spool": spool::json(engine),
        "lookups": { "directory": counts(&engine.counters.directory), "dialplan": counts(&engine.counters.dialplan) },
    });
    format!("{status}\n")
}
