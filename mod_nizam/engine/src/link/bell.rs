//! Wakes the link's thread (`eventfd(2)`).

use rustix::event::{EventfdFlags, eventfd};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Something that any thread rings, and one waits for.
#[derive(Debug)]
pub(super) struct Bell(Option<OwnedFd>);

impl Default for Bell {
    /// Without a descriptor left in the process it rings in vain, and the thread looks up by itself now and then.
    fn default() -> Self {
        Self(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok())
    }
}

impl Bell {
    /// Wakes the thread, now or as soon as it waits.
    pub(super) fn ring(&self) {
        if let Some(fd) = &self.0 {
            // The one error is a counter at its end, which wakes as well.
            let _ = rustix::io::write(fd, &1_u64.to_ne_bytes());
        }
    }

    /// Makes it silent again.
    pub(super) fn hear(&self) {
        if let Some(fd) = &self.0 {
            let _ = rustix::io::read(fd, &mut [0_u8; 8]);
        }
    }

    /// What to wait for.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_ref().map(AsFd::as_fd)
    }
}
