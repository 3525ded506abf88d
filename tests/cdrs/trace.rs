//! A trace, for people: one line an entry.

use std::io::Write as _;

use serde_json::Value;

/// Prints it, past the capture of the test harness: whoever runs the suite shall see it.
pub(super) fn print(name: &str, uuid: &str, trace: &Value) {
    let rows = |list: &str| trace[list].as_array().unwrap().iter();
    let mut lines = vec![format!("\n{name}, call {uuid}")];
    lines.extend(rows("decisions").map(decision));
    lines.extend(rows("timeline").map(moment));
    lines.extend(rows("legs").map(leg));
    lines.push(String::new());
    // One write, so that tests that run at once do not mix.
    drop(std::io::stdout().write_all(lines.join("\n").as_bytes()));
}

fn decision(row: &Value) -> String {
    if row["decision"] == "passed" {
        let [object, id, branch, generation] =
            ["object", "id", "branch", "generation"].map(|field| &row[field]);
        return format!("  passed {object} {id}, branch {branch}, of generation {generation}");
    }
    let [what, number, generation, refused, gateway] =
        ["decision", "destination_number", "generation", "refused", "gateway"].map(|field| &row[field]);
    format!("  {what} {number} by generation {generation}, refused {refused}, gateway {gateway}")
}

fn moment(row: &Value) -> String {
    let [at, leg, kind, uuid] =
        ["at", "leg", "event_type", "call_uuid"].map(|field| row[field].as_str().unwrap_or("-"));
    format!("  {} {leg} {uuid} {kind}", at.get(11..26).unwrap_or(at))
}

fn leg(row: &Value) -> String {
    let [leg, uuid, cause, by, how] =
        ["leg", "uuid", "hangup_cause", "hangup_by", "hangup_disposition"].map(|field| &row[field]);
    let [delay, ring, talk, hold, codec, mos, loss] =
        ["post_dial_delay_ms", "ring_ms", "talk_ms", "hold_ms", "codec", "mos", "packet_loss"]
            .map(|field| &row[field]);
    format!(
        "  leg {leg} {uuid} {cause} by {by} ({how}): first ring after {delay} ms, {ring} ms ringing, {talk} ms talk, \
         {hold} ms on hold, {codec}, MOS {mos}, loss {loss} %"
    )
}
