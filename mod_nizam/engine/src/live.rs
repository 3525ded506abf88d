//! Swapping the stack under running lookups.

use crate::Layers;
use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;
use std::sync::Arc;

/// The current stack. Lookups borrow it without waiting; one writer replaces it in one atomic step.
pub struct Live {
    current: ArcSwap<Layers>,
    /// Stacks that were replaced and may still be borrowed. They are let go here, by a writer: unmapping an image
    /// is a system call that a lookup must not make when it happens to be the last borrower.
    retired: Mutex<Vec<Arc<Layers>>>,
}

impl Default for Live {
    fn default() -> Self {
        Self { current: ArcSwap::from_pointee(Layers::none()), retired: Mutex::default() }
    }
}

impl Live {
    /// The stack of this moment; stays as it is while the guard lives. Keep it no longer than one lookup.
    pub fn load(&self) -> Guard<Arc<Layers>> {
        self.current.load()
    }

    /// Makes lookups answer with `layers` from the next one on.
    pub fn publish(&self, layers: Layers) {
        let old = self.current.swap(Arc::new(layers));
        let mut retired = self.retired.lock();
        retired.push(old);
        retired.retain(|layers| Arc::strong_count(layers) > 1);
    }

    /// Lets go of replaced stacks that no lookup borrows any more. For the writer's idle moments.
    pub fn sweep(&self) {
        self.retired.lock().retain(|layers| Arc::strong_count(layers) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_borrowed_stack_outlives_its_replacement_and_is_swept_by_the_writer() {
        let live = Live::default();
        let borrowed = Guard::into_inner(live.load());
        live.publish(Layers::none());
        assert_eq!(live.retired.lock().len(), 1);
        live.sweep();
        assert_eq!(live.retired.lock().len(), 1, "still borrowed");
        drop(borrowed);
        live.sweep();
        assert_eq!(live.retired.lock().len(), 0);
    }
}
