//! How many attempts a webhook may have at once, by what became of the last ones. A receiver that cannot be reached is tried with one at
//! a time and ever more seldom, and what else is due for it waits without having used up an attempt; one that takes what it is sent gets more.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::attempt::Answer;

/// So many attempts in a row without an answer are enough.
const FAILURES: u32 = 5;
/// How long a webhook is left alone then, at first and at last.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);
/// Attempts at once of which nothing is known yet: should the receiver hang, so many do.
const BEGINNING: usize = 4;
/// Webhooks of which something is remembered.
const REMEMBERED: usize = 100_000;

/// What an attempt says of its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It takes what it is sent.
    Took,
    /// It answers.
    Answered,
    /// It cannot be reached, or is too slow.
    Away,
}

impl Sign {
    pub(super) fn of(answer: &Answer) -> Self {
        match (answer.success(), &answer.error) {
            (true, _) => Self::Took,
            (false, None) => Self::Answered,
            (false, Some(_)) => Self::Away,
        }
    }
}

/// What is known of a webhook's receiver.
#[derive(Debug)]
struct Breaker {
    failures: u32,
    room: usize,
    open: Option<Open>,
}

impl Breaker {
    /// Whether it is left alone. One that nobody has tried again for long may be deleted, or be told of nothing any more.
    fn is_open(&self, now: Instant) -> bool {
        self.open.is_some_and(|open| now < open.until + LONGEST)
    }
}

#[derive(Clone, Copy, Debug)]
struct Open {
    until: Instant,
    interval: Duration,
}

/// What is known of the receivers.
#[derive(Debug)]
pub(super) struct Breakers {
    /// Attempts at once of a webhook.
    most: usize,
    by: HashMap<Uuid, Breaker>,
}

impl Breakers {
    pub(super) fn new(most: usize) -> Self {
        Self { most, by: HashMap::new() }
    }

    /// How many attempts a webhook may have at once now.
    pub(super) fn room(&self, webhook: Uuid, now: Instant) -> usize {
        match self.by.get(&webhook) {
            None => self.beginning(),
            Some(Breaker { open: None, room, .. }) => *room,
            Some(Breaker { open: Some(open), .. }) => usize::from(now >= open.until),
        }
    }

    /// Notes how an attempt went.
    pub(super) fn note(&mut self, webhook: Uuid, sign: Sign, now: Instant) {
        if self.by.len() >= REMEMBERED && !self.by.contains_key(&webhook) {
            self.by.retain(|_, breaker| breaker.is_open(now));
        }
        let (beginning, most) = (self.beginning(), self.most);
        let breaker = self.by.entry(webhook).or_insert(Breaker { failures: 0, room: beginning, open: None });
        if sign != Sign::Away {
            breaker.failures = 0;
            breaker.room = if breaker.open.take().is_some() { beginning } else { breaker.room };
            breaker.room = most.min(breaker.room + usize::from(sign == Sign::Took));
            return;
        }
        breaker.failures = breaker.failures.saturating_add(1);
        breaker.room = (breaker.room / 2).max(1);
        breaker.open = match breaker.open {
            // One that was begun before it opened says nothing new.
            Some(open) if now < open.until => Some(open),
            Some(open) => {
                let interval = LONGEST.min(open.interval * 2);
                Some(Open { until: now + interval, interval })
            }
            None if breaker.failures >= FAILURES => Some(Open { until: now + FIRST, interval: FIRST }),
            None => None,
        };
    }

    /// How many webhooks are left alone.
    pub(super) fn open(&self, now: Instant) -> usize {
        self.by.values().filter(|breaker| breaker.is_open(now)).count()
    }

    fn beginning(&self) -> usize {
        BEGINNING.min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOOK: Uuid = Uuid::nil();

    #[test]
    fn who_takes_what_it_is_sent_gets_more() {
        let (mut breakers, now) = (Breakers::new(16), Instant::now());
        assert_eq!(breakers.room(HOOK, now), 4);
        breakers.note(HOOK, Sign::Took, now);
        assert_eq!(breakers.room(HOOK, now), 5);
        breakers.note(HOOK, Sign::Answered, now);
        assert_eq!(breakers.room(HOOK, now), 5);
        for _ in 0..20 {
            breakers.note(HOOK, Sign::Took, now);
        }
        assert_eq!(breakers.room(HOOK, now), 16);
        breakers.note(HOOK, Sign::Away, now);
        assert_eq!((breakers.room(HOOK, now), breakers.open(now)), (8, 0));
        assert_eq!(Breakers::new(2).room(HOOK, now), 2);
    }

    #[test]
    fn who_cannot_be_reached_is_tried_ever_more_seldom() {
        let (mut breakers, mut now) = (Breakers::new(16), Instant::now());
        for _ in 0..4 {
            breakers.note(HOOK, Sign::Away, now);
        }
        // An answer, whatever it says, is one.
        breakers.note(HOOK, Sign::Answered, now);
        for _ in 0..5 {
            assert_eq!(breakers.open(now), 0);
            breakers.note(HOOK, Sign::Away, now);
        }
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            // What was under way before ends as well.
            breakers.note(HOOK, Sign::Away, now);
            assert_eq!(breakers.room(HOOK, now + Duration::from_millis(seconds * 1000 - 1)), 0);
            now += Duration::from_secs(seconds);
            assert_eq!((breakers.room(HOOK, now), breakers.open(now)), (1, 1));
            breakers.note(HOOK, Sign::Away, now);
        }
        breakers.note(HOOK, Sign::Took, now);
        assert_eq!((breakers.room(HOOK, now), breakers.open(now)), (5, 0));
    }
}
