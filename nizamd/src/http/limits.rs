//! How many requests are too many: fixed windows of a minute, for a user, or for an address without one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

const WINDOW: Duration = Duration::from_mins(1);
/// Logins and registrations of an address, and wrong tokens of it, unless somebody says otherwise.
pub const LOGINS: u32 = 5;
/// Windows in memory. When it is full of running ones, newcomers share one: memory stays bounded in a flood.
const MOST: usize = 100_000;

/// Whose requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// Requests of a user.
    User(i64),
    /// Requests of an address without a user.
    Address(IpAddr),
    /// Logins and registrations of an address.
    Login(IpAddr),
    /// Wrong tokens of an address.
    WrongToken(IpAddr),
    /// Everybody for whom there is no place.
    Crowd,
}

/// Where a subject stands in its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// Whether this request is one too many.
    pub(super) exceeded: bool,
    /// Seconds to the next window.
    pub(super) retry_after: u64,
}

/// How many requests a minute are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Requests of a user, or of an address without one; 0 turns every limit off.
    pub requests: u32,
    /// Logins and registrations of an address, and wrong tokens of it.
    pub logins: u32,
    /// Whether admins are limited, too.
    pub admins: bool,
}

impl Bounds {
    /// So many requests; the rest as it is unless somebody says otherwise.
    pub fn requests(requests: u32) -> Self {
        Self { requests, logins: LOGINS, admins: true }
    }
}

/// Counts requests.
#[derive(Debug)]
pub struct Limits {
    bounds: Bounds,
    windows: Mutex<HashMap<Subject, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: Instant,
    count: u32,
}

impl Limits {
    /// Counts against these bounds.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, windows: Mutex::default() }
    }

    /// Whether admins are limited, too.
    pub(super) fn count_admins(&self) -> bool {
        self.bounds.admins
    }

    /// Counts a request; `None` if nothing is limited.
    pub(super) fn hit(&self, subject: Subject) -> Option<Standing> {
        self.count(subject, 1, Instant::now())
    }

    /// Where the subject stands, without counting.
    pub(super) fn peek(&self, subject: Subject) -> Option<Standing> {
        self.count(subject, 0, Instant::now())
    }

    fn count(&self, subject: Subject, add: u32, now: Instant) -> Option<Standing> {
        if self.bounds.requests == 0 {
            return None;
        }
        let subject = network(subject);
        let limit = match subject {
            Subject::Login(_) | Subject::WrongToken(_) => self.bounds.logins,
            _ => self.bounds.requests,
        };
        let mut windows = self.windows.lock();
        let fresh = Window { began: now, count: 0 };
        let running = |window: &Window| now.duration_since(window.began) < WINDOW;
        let found = windows.get(&subject).copied().filter(running);
        let mut window = found.unwrap_or(fresh);
        if add > 0 {
            let mut key = subject;
            if found.is_none() && windows.len() >= MOST {
                windows.retain(|_, window| running(window));
                if windows.len() >= MOST {
                    key = Subject::Crowd;
                    window = windows.get(&key).copied().filter(running).unwrap_or(fresh);
                }
            }
            window.count = window.count.saturating_add(add);
            windows.insert(key, window);
        }
        let left = WINDOW.saturating_sub(now.duration_since(window.began));
        Some(Standing {
            limit,
            remaining: limit.saturating_sub(window.count),
            exceeded: window.count > limit,
            retry_after: left.as_secs().max(1),
        })
    }
}

/// One customer has a whole /64 of IPv6 addresses.
pub(super) fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn network(subject: Subject) -> Subject {
    match subject {
        Subject::Address(a) => Subject::Address(customer(a)),
        Subject::Login(a) => Subject::Login(customer(a)),
        Subject::WrongToken(a) => Subject::WrongToken(customer(a)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends() {
        let limits = Limits::new(Bounds::requests(2));
        let now = Instant::now();
        let hit = |after| limits.count(Subject::User(1), 1, now + Duration::from_secs(after)).unwrap();
        assert_eq!((hit(0).remaining, hit(1).remaining), (1, 0));
        let third = hit(20);
        assert!(third.exceeded);
        assert_eq!(third.retry_after, 40);
        assert!(!hit(60).exceeded);
        assert!(!limits.count(Subject::User(2), 1, now).unwrap().exceeded, "another user");
    }

    #[test]
    fn zero_is_no_limit_and_peeking_counts_nothing() {
        assert_eq!(Limits::new(Bounds::requests(0)).hit(Subject::User(1)), None);
        let limits = Limits::new(Bounds::requests(1));
        let address: IpAddr = "2001:db8::1".parse().unwrap();
        for _ in 0..3 {
            assert_eq!(limits.peek(Subject::Login(address)).unwrap().remaining, 5);
        }
        limits.hit(Subject::Login(address));
        assert_eq!(limits.peek(Subject::Login("2001:db8::2".parse().unwrap())).unwrap().remaining, 4);
        assert_eq!(limits.peek(Subject::Login("2001:db8:1::2".parse().unwrap())).unwrap().remaining, 5);
    }

    #[test]
    fn memory_is_bounded() {
        let limits = Limits::new(Bounds::requests(1000));
        let now = Instant::now();
        for id in 0..100_050 {
            limits.count(Subject::User(id), 1, now);
        }
        assert!(limits.windows.lock().len() <= MOST + 1);
        assert_eq!(limits.windows.lock()[&Subject::Crowd].count, 50);
    }
}
