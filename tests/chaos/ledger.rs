//! What sipp saw of its calls: `tests/sip/call-load.xml` writes it down.

use std::collections::BTreeMap;

/// One call, as its caller saw it. Times are microseconds since 1970.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) number: String,
    pub(crate) begun: i64,
    pub(crate) answered: Option<i64>,
    /// The status that it was refused with.
    pub(crate) refused: Option<(u16, i64)>,
    /// When its BYE was answered.
    pub(crate) ended: Option<i64>,
    /// When its BYE was answered by a switch that knew nothing of it.
    pub(crate) gone: Option<i64>,
}

/// Calls by their Call-ID.
pub(crate) type Ledger = BTreeMap<String, Seen>;

/// Reads a ledger.
pub(crate) fn read(text: &str) -> Ledger {
    let mut calls = Ledger::new();
    // sipp may have been killed in the middle of the last line.
    for line in text.lines() {
        let mut fields = line.splitn(4, ';');
        let mut next = || fields.next().unwrap_or_default();
        let (time, id, number, what) = (next(), next(), next(), next());
        let at = microseconds(time).unwrap_or_else(|| panic!("no time: {line}"));
        let call = calls.entry(id.to_owned()).or_default();
        match what.split_once(' ').unwrap_or((what, "")) {
            ("begun", _) => {
                call.begun = at;
                number.clone_into(&mut call.number);
            }
            ("answered", _) => call.answered = Some(at),
            ("refused", status) => call.refused = Some((status.parse().unwrap(), at)),
            ("ended", _) => call.ended = Some(at),
            ("gone", _) => call.gone = Some(at),
            _ => panic!("no such line in a ledger: {line}"),
        }
    }
    calls
}

/// sipp's `[timestamp]`: `2026-11-26 08:10:27.123456 1795680627.123456`, with tabs; the last one counts from 1970.
fn microseconds(time: &str) -> Option<i64> {
    let (seconds, fraction) = time.split_whitespace().last()?.split_once('.')?;
    Some(seconds.parse::<i64>().ok()? * 1_000_000 + fraction.get(..6)?.parse::<i64>().ok()?)
}
