//! Random calls through a real FreeSWITCH: what it does with each is what the explanation of that call says.
//!
//! A FreeSWITCH tells of every application that a channel runs, with its argument as it was expanded. For each call these are
//! compared, one by one and in order, with the actions that `nizam explain` prints on the switch and that `POST …/routes/explain`
//! answers for the same caller, number and second. That is enough because applications are all that a dialplan gives FreeSWITCH:
//! a call whose applications are the explained ones has been routed as explained. A call may end before the last of them. Then
//! the step at which it ended must be one at which calls end, for the reason that such a step ends calls, see `compare.rs`: a
//! bridge that was answered, a limit that was reached, a caller who hung up while something was played. After a `transfer` of ours
//! the call is looked up anew, with variables that no explanation is asked with; such numbers are dialled as well, by themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod explain;
mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    thread,
    time::{Duration, Instant, SystemTime},
};

use explain::{Dice, Explained, Question, Town, compare};
use support::{Batch, Caller, Event, Events, Site, require};

/// How many calls where `NIZAM_EXPLAIN_CALLS` does not say it.
const CALLS: usize = 100;

/// Waits until the switch has told of the end of every call: events come behind the calls that they are about.
fn await_ends(site: &mut Site, events: &Events, batches: &[(&str, usize)]) {
    let mut open: BTreeSet<String> =
        batches.iter().flat_map(|(name, count)| (1..=*count).map(move |n| format!("{name}-{n}"))).collect();
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let ended = events
            .all(|event| event.is("CHANNEL_HANGUP_COMPLETE") && event.get("Call-Direction") == "inbound");
        for event in ended {
            open.remove(event.variable("sip_call_id"));
        }
        if open.is_empty() {
            return;
        }
        let mut channels = || site.switch.api("show channels");
        assert!(Instant::now() < deadline, "not ended: {open:?}; on the switch:\n{}", channels());
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn random_calls_do_what_explain_says() {
    if !require(&["freeswitch", "sipp"]) {
        return;
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let count = number("NIZAM_EXPLAIN_CALLS").map_or(CALLS, |count| usize::try_from(count).unwrap());
    let seed =
        number("NIZAM_EXPLAIN_SEED").unwrap_or_else(|| SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs());
    println!("{count} random calls, NIZAM_EXPLAIN_SEED={seed}");
    let mut dice = Dice::new(seed);
    let mut site = Site::start_without_phones();
    let town = Town::build(&site, &mut dice);
    town.await_gateways(&mut site);
    let events = site.switch.events();

    let questions: Vec<Question> = (0..count).map(|_| town.question(&mut dice)).collect();
    let (inside, outside): (Vec<_>, Vec<_>) =
        questions.iter().partition(|question| question.account.is_some());
    let batch = |name: &str, questions: &[&Question], rate: u32| {
        let lines: Vec<(Caller, &str)> =
            questions.iter().map(|question| (question.caller(), question.to.as_str())).collect();
        site.batch(name, &lines, rate)
    };
    let batches: [Batch; 2] = [batch("in", &inside, 9), batch("out", &outside, 4)];
    for batch in batches {
        batch.over();
    }
    await_ends(&mut site, &events, &[("in", inside.len()), ("out", outside.len())]);

    let mut channels: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    let mut calls: BTreeMap<String, String> = BTreeMap::new();
    for event in events.all(|_| true) {
        let (uuid, id) = (event.get("Unique-ID").to_owned(), event.variable("sip_call_id").to_owned());
        if event.get("Call-Direction") == "inbound" && !id.is_empty() {
            calls.entry(id).or_insert_with(|| uuid.clone());
        }
        channels.entry(uuid).or_default().push(event);
    }

    let recordings = site.switch.api("global_getvar recordings_dir").trim().to_owned();
    let (mut differences, mut steps) = (Vec::new(), 0);
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let all = [("in", inside), ("out", outside)];
    for (name, questions) in &all {
        for (question, n) in questions.iter().zip(1..) {
            let events = calls.get(&format!("{name}-{n}")).and_then(|uuid| channels.get(uuid));
            let Some(events) = events else {
                differences.push(format!("{question:?}: no channel"));
                continue;
            };
            // It was routed in the second of its first step, or in the one before. The time of events lags behind the clock
            // where the switch is busy.
            let when = events.iter().find(|event| event.is("CHANNEL_EXECUTE")).unwrap_or(&events[0]);
            let when = when.get("Event-Date-Timestamp").parse::<i64>().unwrap() / 1_000_000;
            let mut found = Err(String::new());
            for at in [when, when - 1, when + 1, when + 2] {
                let printed = Explained::by_switch(&mut site, question, at);
                let answered = Explained::by_rest(&site, question, at);
                // That two tenants have a number is not told to a third.
                if printed.outcome != "ambiguous" || answered.outcome != "not_ours" {
                    assert_eq!(printed, answered, "the two explanations of {question:?} at {at}");
                }
                found = compare(&printed, events, &recordings);
                if found.is_ok() {
                    *outcomes.entry(printed.outcome).or_default() += 1;
                    break;
                }
            }
            match found {
                Ok(compared) => steps += compared,
                Err(difference) => differences.push(format!("{question:?} at {when}: {difference}")),
            }
        }
    }
    let said = format!(
        "{count} random calls (seed {seed}), {steps} steps, {} differences; {outcomes:?}",
        differences.len()
    );
    drop(writeln!(std::io::stdout(), "{said}"));
    assert!(differences.is_empty(), "{said}\n{}", differences.join("\n"));
    assert!(site.switch.api("status").contains("is ready"));
}
