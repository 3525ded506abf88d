//! Measuring the lookup alone: key to bytes.

use crate::{DialplanQuestion, DirectoryQuestion, Engine};
use nizam_wire::Kind;
use nizam_wire::image::PLATFORM;
use std::collections::HashMap;
use std::time::Instant;

/// How many different keys are asked for in turn, so that they do not all stay in the processor's caches.
const KEYS: usize = 1 << 16;

/// Times of single lookups, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// How many were timed.
    pub count: usize,
    /// Half took no longer.
    pub p50: u64,
    /// 99 of 100 took no longer.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

impl Measured {
    fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let at = |share: usize| times.get((times.len() * share / 100).min(times.len().saturating_sub(1)));
        Self {
            count: times.len(),
            p50: at(50).copied().unwrap_or(0),
            p99: at(99).copied().unwrap_or(0),
            max: times.last().copied().unwrap_or(0),
        }
    }
}

/// A user and its domain.
type Key = (String, String);

/// Times `count` directory lookups (`sip_auth`) and as many dialplan lookups of users drawn at random from the
/// largest image. `None` where there is no user.
pub fn bench(engine: &Engine, count: usize) -> Option<(Measured, Measured)> {
    let keys = keys(engine);
    if keys.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(4096);
    let mut directory = Vec::with_capacity(count);
    let mut dialplan = Vec::with_capacity(count);
    for (user, domain) in keys.iter().cycle().take(count) {
        let mut question = DirectoryQuestion::user(user.as_bytes(), domain.as_bytes());
        question.action = Some(b"sip_auth");
        out.clear();
        let start = Instant::now();
        std::hint::black_box(engine.directory(&question, &mut out));
        directory.push(elapsed(start));
    }
    for (user, domain) in keys.iter().rev().cycle().take(count) {
        let question = DialplanQuestion {
            context: Some(domain.as_bytes()),
            number: Some(user.as_bytes()),
            ..DialplanQuestion::default()
        };
        out.clear();
        let start = Instant::now();
        if let Some(route) = engine.dialplan(&question) {
            let _ = std::hint::black_box(route.write(&mut out));
        }
        dialplan.push(elapsed(start));
    }
    Some((Measured::of(directory), Measured::of(dialplan)))
}

fn elapsed(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

fn keys(engine: &Engine) -> Vec<Key> {
    let layers = engine.live.load();
    let domains: HashMap<[u8; 16], String> = layers
        .scope(&PLATFORM, Kind::Domain)
        .filter_map(|entry| {
            Some((entry.value?.try_into().ok()?, String::from_utf8_lossy(entry.key).into_owned()))
        })
        .collect();
    let Some(image) = layers.images().iter().max_by_key(|image| image.header().record_count) else {
        return Vec::new();
    };
    let mut state = image.id() | 1;
    (0..KEYS * 2)
        .filter_map(|_| {
            // xorshift64: any spread over the table will do.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let entry = image.sample(state).filter(|entry| entry.kind == Kind::Extension)?;
            let number = std::str::from_utf8(entry.key).ok()?;
            Some((number.to_owned(), domains.get(&entry.scope)?.clone()))
        })
        .take(KEYS)
        .collect()
}
