//! The reader-writer lock that FreeSWITCH uses: a plain pthread rwlock with default attributes.
//!
//! Not std's: FreeSWITCH's readers may nest, and glibc's default prefers readers, so that a nested reader never waits
//! for a writer (`libs/apr/locks/unix/thread_rwlock.c`). Modules may come to rely on it.

use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};

/// A value behind such a lock. The lock is boxed by its owner or static: a pthread lock must not move once used.
pub(crate) struct HostLock<T> {
    raw: UnsafeCell<libc::pthread_rwlock_t>,
    value: UnsafeCell<T>,
}

// SAFETY: the pthread lock hands out shared references to many threads, or one exclusive reference to one.
unsafe impl<T: Send + Sync> Sync for HostLock<T> {}
// SAFETY: the lock owns its value.
unsafe impl<T: Send> Send for HostLock<T> {}

impl<T> HostLock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { raw: UnsafeCell::new(libc::PTHREAD_RWLOCK_INITIALIZER), value: UnsafeCell::new(value) }
    }

    pub(crate) fn read(&self) -> Reader<'_, T> {
        // SAFETY: the lock was initialised statically and has not moved.
        let result = unsafe { libc::pthread_rwlock_rdlock(self.raw.get()) };
        assert_eq!(
            result, 0,
            "pthread_rwlock_rdlock: a thread that holds the write lock asks for the read lock"
        );
        Reader(self)
    }

    pub(crate) fn try_read(&self) -> Option<Reader<'_, T>> {
        // SAFETY: as in `read`.
        let result = unsafe { libc::pthread_rwlock_tryrdlock(self.raw.get()) };
        // Made only then: one that is dropped unlocks.
        (result == 0).then(|| Reader(self))
    }

    pub(crate) fn write(&self) -> Writer<'_, T> {
        // SAFETY: as in `read`.
        let result = unsafe { libc::pthread_rwlock_wrlock(self.raw.get()) };
        assert_eq!(result, 0, "pthread_rwlock_wrlock: a thread that holds the write lock asks for it again");
        Writer(self)
    }

    pub(crate) fn try_write(&self) -> Option<Writer<'_, T>> {
        // SAFETY: as in `read`.
        let result = unsafe { libc::pthread_rwlock_trywrlock(self.raw.get()) };
        (result == 0).then(|| Writer(self))
    }

    fn unlock(&self) {
        // SAFETY: only called by a guard, which exists because this thread holds the lock.
        unsafe { libc::pthread_rwlock_unlock(self.raw.get()) };
    }
}

pub(crate) struct Reader<'a, T>(&'a HostLock<T>);

impl<T> Deref for Reader<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: readers hold the lock, so nobody has an exclusive reference.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> Drop for Reader<'_, T> {
    fn drop(&mut self) {
        self.0.unlock();
    }
}

pub(crate) struct Writer<'a, T>(&'a HostLock<T>);

impl<T> Deref for Writer<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the writer is alone.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for Writer<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the writer is alone.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for Writer<'_, T> {
    fn drop(&mut self) {
        self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_that_fails_leaves_the_lock_as_it_was() {
        static LOCK: HostLock<()> = HostLock::new(());
        let reader = LOCK.read();
        assert!(LOCK.try_write().is_none());
        assert!(LOCK.try_write().is_none(), "the first attempt unlocked what it had not locked");
        assert!(LOCK.try_read().is_some());
        drop(reader);
        let writer = LOCK.try_write();
        assert!(writer.is_some());
        assert!(LOCK.try_read().is_none());
        assert!(LOCK.try_write().is_none());
    }
}
