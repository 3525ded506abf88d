//! Who presents which token, and which tenant is which: every request asks both, and the answers seldom change.
//!
//! What is kept is good for a second at most, and only until this process commits anything or hears that another did:
//! whatever a write changes is in force for the very next request. Only another process on the same database may be noticed
//! a second late.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nizam_core::model::Tenant;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::tokens::Authentic;

/// How long an answer is good.
const GOOD: Duration = Duration::from_secs(1);
/// Answers of a kind that are kept.
const MOST: usize = 10_000;

/// A token as it was presented: id and hash of the secret.
pub(crate) type TokenKey = (Option<i64>, [u8; 32]);

/// Answers that are good for a moment.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// Counts the commits of this process.
    epoch: AtomicU64,
    tokens: Kept<TokenKey, Arc<Authentic>>,
    tokens_in_force: Kept<i64, Arc<Authentic>>,
    tenants: Kept<Uuid, Tenant>,
}

/// A moment in the life of the database, as this process sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch(u64);

impl Epoch {
    /// The moment after the next commit.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

#[derive(Debug)]
struct Kept<K, V>(Mutex<HashMap<K, (V, Epoch, Instant)>>);

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone> Kept<K, V> {
    fn get(&self, key: &K, now: Epoch) -> Option<V> {
        let kept = self.0.lock();
        let (value, epoch, read) = kept.get(key)?;
        (*epoch == now && read.elapsed() < GOOD).then(|| value.clone())
    }

    fn put(&self, key: K, value: V, epoch: Epoch, read: Instant) {
        let mut kept = self.0.lock();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(key, (value, epoch, read));
    }
}

impl Identities {
    /// The moment before a read: what is read then may be kept under it.
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::SeqCst))
    }

    /// Something was committed, and nobody has been answered yet.
    pub(crate) fn forget(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn token(&self, key: &TokenKey) -> Option<Arc<Authentic>> {
        self.tokens.get(key, self.epoch())
    }

    pub(crate) fn keep_token(&self, key: TokenKey, value: &Arc<Authentic>, epoch: Epoch, read: Instant) {
        self.tokens.put(key, Arc::clone(value), epoch, read);
    }

    pub(crate) fn token_in_force(&self, id: i64) -> Option<Arc<Authentic>> {
        self.tokens_in_force.get(&id, self.epoch())
    }

    pub(crate) fn keep_token_in_force(&self, value: &Arc<Authentic>, epoch: Epoch, read: Instant) {
        self.tokens_in_force.put(value.token.id, Arc::clone(value), epoch, read);
    }

    pub(crate) fn tenant(&self, id: Uuid) -> Option<Tenant> {
        self.tenants.get(&id, self.epoch())
    }

    pub(crate) fn keep_tenant(&self, value: &Tenant, epoch: Epoch, read: Instant) {
        self.tenants.put(value.id, value.clone(), epoch, read);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_began_before_a_commit_is_not_kept() {
        let kept: Kept<u8, u8> = Kept::default();
        let now = Instant::now();
        let identities = Identities::default();
        let before = identities.epoch();
        identities.forget();
        kept.put(1, 1, before, now);
        assert_eq!(kept.get(&1, identities.epoch()), None);
        kept.put(1, 2, identities.epoch(), now);
        assert_eq!(kept.get(&1, identities.epoch()), Some(2));
        kept.put(1, 3, identities.epoch(), now.checked_sub(GOOD).unwrap());
        assert_eq!(kept.get(&1, identities.epoch()), None, "a second is over");
    }

    #[test]
    fn there_is_an_end_to_it() {
        let kept: Kept<usize, ()> = Kept::default();
        for key in 0..=MOST {
            kept.put(key, (), Epoch(0), Instant::now());
        }
        assert!(kept.0.lock().len() <= MOST);
    }
}
