//! Whether three accounts of the same calls agree: sipp's ledger, FreeSWITCH's own CDRs, our tables.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    cdr_csv::Row,
    figures::Figures,
    ledger::{Ledger, Seen},
    tables::{Cdr, Event, Tables},
};

/// What FreeSWITCH had in hand when it was killed may be on its way from one thread to another: so long before the kill.
const IN_HAND: i64 = 3_000_000;

/// So many of them at one death at most: what is told is in the ring a moment later. More would be a ring that was not drained.
const IN_HAND_AT_ONCE: usize = 3;

/// A death of FreeSWITCH.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Death {
    /// Microseconds since 1970.
    pub(crate) at: i64,
    /// When it was there again.
    pub(crate) back: i64,
}

/// Whether FreeSWITCH was killed just after that moment.
fn in_hand(at: i64, deaths: &[Death]) -> bool {
    deaths.iter().any(|death| (at..=at + IN_HAND).contains(&death.at))
}

/// Whether FreeSWITCH was about to come back between two moments: when it was asked, and when its answer came. Until it is ready, it
/// answers all calls with 503, and makes no channel of them (`sofia.c`, where it asks `switch_core_ready_inbound`). A channel that it did
/// make is in `mod_cdr_csv`'s account, with which ours is compared as well.
fn starting(from: i64, to: i64, deaths: &[Death]) -> bool {
    deaths.iter().any(|death| death.at <= to && from <= death.back)
}

/// Whether FreeSWITCH was killed between two moments.
fn died(from: i64, to: i64, deaths: &[Death]) -> bool {
    deaths.iter().any(|death| (from..=to).contains(&death.at))
}

/// Compares them.
pub(crate) fn compare(
    ledger: &Ledger,
    csv: &BTreeMap<String, Row>,
    csv_twice: usize,
    tables: &Tables,
    deaths: &[Death],
) -> Figures {
    let mut figures = Figures::default();
    of_sipp(&mut figures, ledger, tables, deaths);
    of_freeswitch(&mut figures, csv, csv_twice, tables, deaths);
    of_events(&mut figures, tables);
    figures.note("lives of the module", tables.incarnations);
    figures.equal("of them over", tables.over, tables.incarnations - 1);
    figures.equal("events dropped", tables.dropped, 0);
    figures.none("channels left open", &tables.channels);
    let (died, strays): (Vec<_>, Vec<_>) = tables.strays.iter().partition(|(_, at)| in_hand(*at, deaths));
    figures.note(
        "events of channels that died before it was known whose they are, kept for the operator",
        died.len(),
    );
    figures.none("other events of no tenant", &strays.iter().map(|(event, _)| event).collect::<Vec<_>>());
    figures.none("events in quarantine", &tables.quarantined);
    figures
}

/// Each call of sipp has one CDR, that tells what the caller saw.
fn of_sipp(figures: &mut Figures, ledger: &Ledger, tables: &Tables, deaths: &[Death]) {
    let mut cdrs: BTreeMap<&str, Vec<&Cdr>> = BTreeMap::new();
    for cdr in tables.cdrs.values().filter(|cdr| cdr.leg_a) {
        cdrs.entry(&cdr.caller_name).or_default().push(cdr);
    }
    let (mut lost, mut doubled, mut other) = (Vec::new(), Vec::new(), Vec::new());
    let (mut ended, mut refused, mut cut, mut unseen) = (0, 0, 0, 0);
    let (mut never, mut too_early, mut untold) = (0, 0, 0);
    for (id, call) in ledger {
        let found = cdrs.remove(&**id).unwrap_or_default();
        if found.len() > 1 {
            doubled.push(format!("{id} {call:?} {found:?}"));
        }
        let seen = call.ended.is_some()
            || call.answered.is_some()
            || call.refused.is_some_and(|(status, _)| status != 407);
        match found.first() {
            None if call
                .refused
                .is_some_and(|(status, at)| status == 503 && starting(call.begun, at, deaths)) =>
            {
                too_early += 1;
            }
            None if told_last(call).is_some_and(|at| in_hand(at, deaths)) => untold += 1,
            None if seen => lost.push(format!("{id} {call:?}")),
            None => never += 1,
            Some(cdr) => {
                if call.ended.is_some() {
                    ended += 1;
                } else if call.answered.is_some() {
                    cut += 1;
                } else if seen {
                    refused += 1;
                } else {
                    unseen += 1;
                }
                if let Some(why) = differs(call, cdr, deaths) {
                    other.push(format!("{id}: {why}: {call:?} {cdr:?}"));
                }
            }
        }
    }
    figures.note("sipp: calls answered and ended, with a CDR", ended);
    figures.note("sipp: calls refused, with a CDR", refused);
    figures.note("sipp: calls answered, whose switch died, with a CDR", cut);
    figures.note("sipp: calls that got no answer, of which FreeSWITCH knew", unseen);
    figures.note("sipp: calls that got no answer, which FreeSWITCH never had", never);
    figures.note("sipp: calls refused with 503 by a FreeSWITCH that was about to start", too_early);
    let most = deaths.len() * IN_HAND_AT_ONCE;
    figures.at_most("sipp: calls of which FreeSWITCH was killed before it told anything", untold, most);
    figures.none("calls lost", &lost);
    figures.none("calls doubled", &doubled);
    figures.none("calls whose CDR tells something else", &other);
    let strange: Vec<&&str> = cdrs.keys().collect();
    figures.none("CDRs of no call of sipp", &strange);
}

/// When its caller was told how it ended; that it should log in once more is no end.
fn told_at(call: &Seen) -> Option<i64> {
    call.ended.or(call.refused.filter(|(status, _)| *status != 407).map(|(_, at)| at))
}

/// When its caller was told anything last.
fn told_last(call: &Seen) -> Option<i64> {
    told_at(call).or(call.answered)
}

/// What is wrong in a CDR.
fn differs(call: &Seen, cdr: &Cdr, deaths: &[Death]) -> Option<&'static str> {
    if !cdr.own_word() {
        // It died with FreeSWITCH, as far as the caller can tell.
        let possible = match told_at(call) {
            Some(at) => in_hand(at, deaths),
            None => died(call.begun, i64::MAX, deaths),
        };
        return (!possible).then_some("closed by the reconciler, and FreeSWITCH did not die then");
    }
    match call {
        Seen { ended: Some(_), .. } if cdr.answered.is_none() => Some("it was answered"),
        Seen { ended: Some(_), .. } if cdr.cause != "NORMAL_CLEARING" => Some("it was ended by its caller"),
        Seen { ended: Some(ended), answered: Some(answered), .. } => {
            let talked = (ended - answered) / 1_000_000;
            // The exact number is compared with FreeSWITCH's; a busy sipp sees things late.
            (talked - cdr.billsec).abs().gt(&3).then_some("it was as long as that")
        }
        Seen { refused: Some((status, _)), .. } => {
            let causes: &[&str] = match status {
                486 => &["USER_BUSY"],
                404 => &["NO_ROUTE_DESTINATION", "UNALLOCATED_NUMBER"],
                480 => &["USER_NOT_REGISTERED", "NO_ANSWER", "NORMAL_TEMPORARY_FAILURE"],
                _ => return None,
            };
            (cdr.billsec != 0 || !causes.contains(&&*cdr.cause)).then_some("it was refused with that status")
        }
        _ => None,
    }
}

/// Each channel of which FreeSWITCH itself wrote a CDR has one of ours, with the same in it; and the other way round.
fn of_freeswitch(
    figures: &mut Figures,
    csv: &BTreeMap<String, Row>,
    csv_twice: usize,
    tables: &Tables,
    deaths: &[Death],
) {
    let (mut same, mut in_the_act, mut unrouted, mut untold) = (0, 0, 0, 0);
    let (mut lost, mut other) = (Vec::new(), Vec::new());
    for (uuid, row) in csv {
        match tables.cdrs.get(uuid) {
            None if !row.routed && row.billsec == 0 => unrouted += 1,
            None if in_hand(row.ended, deaths) && !tables.events.contains_key(uuid) => untold += 1,
            None => lost.push(format!("{uuid} {row:?}")),
            Some(cdr) if !cdr.own_word() && in_hand(row.ended, deaths) => in_the_act += 1,
            Some(cdr) if !cdr.own_word() || cdr.cause != row.cause || cdr.billsec != row.billsec => {
                other.push(format!("{uuid} {row:?} {cdr:?}"));
            }
            Some(_) => same += 1,
        }
    }
    let own_word = tables.cdrs.iter().filter(|(_, cdr)| cdr.own_word());
    let invented: Vec<&String> =
        own_word.filter(|(uuid, _)| !csv.contains_key(*uuid)).map(|(uuid, _)| uuid).collect();
    let reconciled: Vec<&Cdr> = tables.cdrs.values().filter(|cdr| !cdr.own_word()).collect();
    let alive: Vec<String> = reconciled
        .iter()
        .filter(|cdr| !died(cdr.started, i64::MAX, deaths))
        .map(|cdr| format!("{cdr:?}"))
        .collect();
    let unmarked: Vec<String> = reconciled
        .iter()
        .filter(|cdr| cdr.closed_by != "reconciler" || cdr.billsec != 0 || !cdr.cause.is_empty())
        .map(|cdr| format!("{cdr:?}"))
        .collect();
    figures.note("mod_cdr_csv: channels with the same CDR in our tables", same);
    let most = deaths.len() * IN_HAND_AT_ONCE;
    figures.at_most(
        "mod_cdr_csv: channels that FreeSWITCH was killed in before it told of their end",
        in_the_act,
        most,
    );
    figures.at_most(
        "mod_cdr_csv: channels of which FreeSWITCH was killed before it told anything",
        untold,
        most,
    );
    figures.note("mod_cdr_csv: INVITEs that were asked for a password, and are no calls", unrouted);
    figures.equal("mod_cdr_csv: channels twice", csv_twice, 0);
    figures.note("CDRs", tables.cdrs.len());
    figures.note("CDRs of channels that died with FreeSWITCH, closed and marked", reconciled.len());
    figures.none("CDRs lost", &lost);
    figures.none("CDRs doubled", &tables.doubled);
    figures.none("CDRs that differ from mod_cdr_csv's", &other);
    figures.none("CDRs of which mod_cdr_csv knows nothing", &invented);
    figures.none("CDRs of channels that did not die, closed by the reconciler", &alive);
    figures.none("CDRs closed by the reconciler and not marked so", &unmarked);
    let billed = tables.cdrs.values().filter(|cdr| cdr.leg_a && cdr.billsec > 0).count();
    figures.equal("calls whose minutes are counted", tables.metered, billed);
}

/// The events of each channel are there once and in order.
fn of_events(figures: &mut Figures, tables: &Tables) {
    let mut wrong: BTreeSet<String> = BTreeSet::new();
    for (uuid, events) in &tables.events {
        if let Some(why) = disorder(events) {
            wrong.insert(format!("{uuid}: {why}: {events:?}"));
        }
    }
    let with: BTreeSet<&String> = tables.events.keys().collect();
    let of: BTreeSet<&String> = tables.cdrs.keys().collect();
    let without: Vec<&&String> = with.symmetric_difference(&of).collect();
    figures.note("events", tables.events.values().map(Vec::len).sum::<usize>());
    figures.none("channels with events and no CDR, or the other way round", &without);
    figures.none("channels whose events are doubled or out of order", &wrong.into_iter().collect::<Vec<_>>());
}

/// What is wrong in the order of a channel's events.
pub(crate) fn disorder(events: &[Event]) -> Option<&'static str> {
    let count = |name: &str| events.iter().filter(|(kind, _)| kind == name).count();
    if events.first()?.0 != "call.created" || count("call.created") != 1 {
        return Some("it does not begin once");
    }
    if count("call.hangup") != 1 || count("call.answered") > 1 {
        return Some("something is doubled");
    }
    let last = events.iter().rev().find(|(kind, _)| kind != "call.missed")?;
    if last.0 != "call.hangup" {
        return Some("it does not end with its end");
    }
    (!events.is_sorted_by_key(|(_, at)| *at)).then_some("times go back")
}
