//! `nizam spool`: events on their way to the daemon.

use crate::Engine;
use crate::spool::SpoolStatus;
use serde_json::{Value, json};

/// Why there is nothing to tell.
const NONE: &str = "no event is kept; the log says why, since mod_nizam was loaded";

pub(super) fn text(engine: &Engine) -> String {
    let Some(spool) = engine.spool.load_full() else { return format!("-ERR {NONE}\n") };
    let status = spool.status();
    let mut lines = vec![
        format!("+OK incarnation {}", status.incarnation),
        format!(
            "events      {} pushed, {} written, {} stored by nizamd",
            status.pushed, status.written, status.acknowledged
        ),
        format!("lag         {} events, the oldest {} ms old", status.lag(), status.lag_ms),
        format!("memory      {} of {} bytes", status.ring_used, status.ring_size),
        format!(
            "disk        {} of {} bytes in {} segments; {} earlier incarnations are not done with",
            status.disk_used, status.disk_limit, status.segments, status.earlier
        ),
        format!(
            "dropped     {} traces and {} finals in memory, {} and {} on disk",
            status.ring_dropped.traces,
            status.ring_dropped.finals,
            status.disk_dropped.traces,
            status.disk_dropped.finals
        ),
    ];
    lines.extend(status.trouble.map(|trouble| format!("trouble     {trouble}")));
    lines.join("\n") + "\n"
}

/// The line in `nizam status`.
pub(super) fn line(engine: &Engine) -> String {
    let Some(spool) = engine.spool.load_full() else { return format!("events      {NONE}") };
    let status = spool.status();
    let trouble = status.trouble.as_ref().map_or_else(String::new, |trouble| format!("; {trouble}"));
    format!(
        "events      {} pushed, {} not stored by nizamd, {} dropped, {} bytes on disk{trouble}",
        status.pushed,
        status.lag(),
        dropped(&status),
        status.disk_used
    )
}

/// The part of `nizam status json`.
pub(super) fn json(engine: &Engine) -> Value {
    let Some(spool) = engine.spool.load_full() else { return Value::Null };
    let status = spool.status();
    json!({ "lag": status.lag(), "dropped": dropped(&status), "details": status })
}

fn dropped(status: &SpoolStatus) -> u64 {
    status.ring_dropped.sum() + status.disk_dropped.sum()
}
