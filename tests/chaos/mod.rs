//! What the suites share in which things die: a link that breaks, and the accounts of what happened, which must agree.
#![allow(dead_code, reason = "each suite is a crate of its own and uses a part of this")]

pub(crate) mod cdr_csv;
pub(crate) mod cutter;
pub(crate) mod database;
#[path = "../explain/dice.rs"]
pub(crate) mod dice;
pub(crate) mod figures;
pub(crate) mod ledger;
pub(crate) mod nizamd;
pub(crate) mod stage;
pub(crate) mod tables;
pub(crate) mod verdict;

/// A number from the environment, or the usual one.
pub(crate) fn setting<T: std::str::FromStr>(name: &str, usual: T) -> T {
    let set = std::env::var(name).unwrap_or_default();
    if set.is_empty() { usual } else { set.parse().unwrap_or_else(|_| panic!("{name}={set} is no number")) }
}

/// Microseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_micros()).unwrap()
}
