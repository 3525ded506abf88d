//! Many lookups: from many threads, without end, and while the module comes and goes.

use crate::dispatch;
use crate::event::{Caller, Event};
use crate::hangup;
use crate::hunt::{self, Whose};
use crate::locate;
use crate::module;
use crate::stack::{self, Thread};
use crate::user::{self, Wanted};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// What came of lookups.
#[derive(Default)]
struct Tally {
    found: AtomicU64,
    missed: AtomicU64,
    /// Somebody else than was asked for.
    wrong: AtomicU64,
    /// Not found although the module was loaded from before the lookup until after it.
    lost: AtomicU64,
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::SeqCst)
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::SeqCst);
}

/// One lookup as a REGISTER makes it; whether it found the user.
fn lookup(wanted: &Wanted, tally: &Tally) -> Result<bool, String> {
    let mut params = Event::new("REQUEST_PARAMS", &Caller::new("sofia_reg.c", "sofia_reg_parse_auth"))?;
    params.add("action", b"sip_auth");
    params.add("sip_profile", b"internal");
    params.add("sip_auth_username", wanted.user.to_bytes());
    params.add("sip_auth_realm", wanted.domain.to_bytes());
    params.add("sip_to_user", wanted.user.to_bytes());
    params.add("sip_to_host", wanted.domain.to_bytes());
    params.add("sip_auth_method", b"REGISTER");
    let Some(merged) = user::locate_merged(wanted, Some(&mut params)) else {
        count(&tally.missed);
        return Ok(false);
    };
    let is_it = |name: &[u8]| {
        merged.0.attr(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted.user.to_bytes()))
    };
    count(if is_it(b"id") || is_it(b"number-alias") { &tally.found } else { &tally.wrong });
    Ok(true)
}

fn report(tally: &Tally, elapsed: Duration, errors: u64) -> String {
    let done = get(&tally.found) + get(&tally.missed) + get(&tally.wrong);
    format!(
        "lookups={done} found={} missed={} wrong={} errors={errors} seconds={:.3}",
        get(&tally.found),
        get(&tally.missed),
        get(&tally.wrong),
        elapsed.as_secs_f64()
    )
}

/// A number of lookups on one thread.
pub(crate) fn lookups(times: u64, wanted: &Wanted) -> Result<String, String> {
    let (tally, errors, start) = (Tally::default(), locate::errors(), Instant::now());
    for _ in 0..times {
        lookup(wanted, &tally)?;
    }
    Ok(report(&tally, start.elapsed(), locate::errors() - errors))
}

/// How long the callbacks of the end of a channel take. The events are made beforehand, as other threads make them.
pub(crate) fn hangups(times: usize, headers: usize) -> Result<String, String> {
    let mut took = Vec::with_capacity(times);
    while took.len() < times {
        let events: Result<Vec<Event>, String> = (0..4).map(|_| hangup::event(headers)).collect();
        for mut event in events? {
            let start = Instant::now();
            dispatch::deliver(&mut event);
            took.push(start.elapsed().as_nanos());
        }
        // Time for whoever takes away what the callbacks left.
        thread::sleep(Duration::from_micros(200));
    }
    took.sort_unstable();
    let part = |of: usize| took.get(took.len() * of / 1000).or(took.last()).copied().unwrap_or(0);
    Ok(format!(
        "events={} headers={headers} p50={}ns p99={}ns max={}ns",
        took.len(),
        part(500),
        part(990),
        part(1000)
    ))
}

/// Lookups from several threads for some time.
pub(crate) fn hammer(threads: usize, seconds: f64, wanted: &Wanted) -> Result<String, String> {
    let duration = Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    let (tally, errors, start) = (Arc::<Tally>::default(), locate::errors(), Instant::now());
    let work = |_| {
        let (tally, wanted) = (Arc::clone(&tally), wanted.clone());
        stack::spawn(move || {
            while start.elapsed() < duration {
                lookup(&wanted, &tally)?;
            }
            Ok::<(), String>(())
        })
    };
    join((0..threads).map(work).collect::<Result<_, _>>()?)?;
    Ok(report(&tally, start.elapsed(), locate::errors() - errors))
}

fn join(threads: Vec<Thread<Result<(), String>>>) -> Result<(), String> {
    threads.into_iter().try_for_each(|thread| thread.join()?)
}

#[derive(Default)]
struct Cycle {
    tally: Tally,
    stop: AtomicBool,
    /// Odd from after a load until before the next unload.
    phase: AtomicU64,
    /// Lookups that the module answered in this phase.
    answered: AtomicU64,
    /// Calls that found their way.
    hunted: AtomicU64,
}

/// Loads and unloads a module while other threads look users up and fire events.
pub(crate) fn cycle(times: u64, threads: usize, path: &Path, wanted: &Wanted) -> Result<String, String> {
    let (shared, errors, start) = (Arc::<Cycle>::default(), locate::errors(), Instant::now());
    let events = dispatch::drain();
    let mut others = Vec::new();
    for _ in 0..threads {
        let (shared, wanted) = (Arc::clone(&shared), wanted.clone());
        others.push(stack::spawn(move || look_up_until_stopped(&shared, &wanted))?);
    }
    let firing = Arc::clone(&shared);
    others.push(stack::spawn(move || fire_until_stopped(&firing))?);
    let (hunting, wanted) = (Arc::clone(&shared), wanted.clone());
    let hunter = stack::spawn(move || hunt_until_stopped(&hunting, &wanted))?;
    let outcome = come_and_go(times, path, &shared);
    shared.stop.store(true, Ordering::SeqCst);
    join(others)?;
    hunter.join()?;
    outcome?;
    let events = dispatch::drain() - events;
    let text = report(&shared.tally, start.elapsed(), locate::errors() - errors);
    let (lost, routed) = (get(&shared.tally.lost), get(&shared.hunted));
    Ok(format!("cycles={times} {text} lost={lost} hunted={routed} events={events}"))
}

fn come_and_go(times: u64, path: &Path, shared: &Cycle) -> Result<(), String> {
    let path = PathBuf::from(path);
    for cycle in 1..=times {
        let opened = path.clone();
        stack::run_on_small_stack(move || module::load(&opened))??;
        shared.answered.store(0, Ordering::SeqCst);
        shared.phase.fetch_add(1, Ordering::SeqCst);
        let deadline = Instant::now() + Duration::from_secs(10);
        while get(&shared.answered) == 0 {
            if Instant::now() > deadline {
                return Err(format!("cycle {cycle}: loaded for 10 s, and no lookup was answered"));
            }
            thread::sleep(Duration::from_micros(100));
        }
        shared.phase.fetch_add(1, Ordering::SeqCst);
        // While a call hunts in it, FreeSWITCH refuses to unload a module; its operator tries again.
        while let Err(error) = stack::run_on_small_stack(module::unload)? {
            if error != module::IN_USE || Instant::now() > deadline {
                return Err(format!("cycle {cycle}: unload: {error}"));
            }
        }
    }
    Ok(())
}

/// With a pause, as long as a lookup takes: the lock prefers readers, and readers without pause would keep the module
/// from binding for ever.
fn look_up_until_stopped(shared: &Cycle, wanted: &Wanted) -> Result<(), String> {
    while !shared.stop.load(Ordering::SeqCst) {
        let before = get(&shared.phase);
        let found = lookup(wanted, &shared.tally)?;
        let was_loaded = before % 2 == 1 && before == get(&shared.phase);
        if was_loaded && found {
            count(&shared.answered);
        } else if was_loaded {
            count(&shared.tally.lost);
        }
        thread::sleep(Duration::from_micros(20));
    }
    Ok(())
}

/// Calls, each with a session of its own.
fn hunt_until_stopped(shared: &Cycle, wanted: &Wanted) {
    let [domain, user] = [&wanted.domain, &wanted.user].map(|text| text.to_string_lossy().into_owned());
    while !shared.stop.load(Ordering::SeqCst) {
        let before = get(&shared.phase);
        let found = hunt::interface(None, Whose::Channel, [&domain, &user], &[]);
        let was_loaded = before % 2 == 1 && before == get(&shared.phase);
        match found {
            Ok(_) => count(&shared.hunted),
            Err(_) if was_loaded => count(&shared.tally.lost),
            Err(_) => {}
        }
        thread::sleep(Duration::from_micros(20));
    }
}

fn fire_until_stopped(shared: &Cycle) -> Result<(), String> {
    const NAMES: [&str; 4] = ["CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE", "CUSTOM"];
    for name in NAMES.into_iter().cycle() {
        if shared.stop.load(Ordering::SeqCst) {
            break;
        }
        let mut event = Event::new(name, &Caller::new("switch_channel.c", "switch_channel_event"))?;
        event.add("Unique-ID", b"5c6aa7b1-0a5c-4cf3-9e0d-000000000001");
        event.add("Caller-Caller-ID-Name", b"\xff not UTF-8");
        event.add_given(b"variable_list[]", Some(b"a"));
        event.add_given(b"variable_list[]", None);
        if name == "CUSTOM" {
            event.set_subclass(b"sofia::register");
        }
        dispatch::fire(event);
        thread::sleep(Duration::from_micros(20));
    }
    Ok(())
}
