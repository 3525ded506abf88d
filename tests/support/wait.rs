//! Waiting for a condition under a deadline, instead of sleeping for as long as it takes on the author's machine.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Asks `look` until it has something, and panics with `what` when it has nothing within `limit`.
pub(crate) fn until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
