//! nizamd, killed again and again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use super::dice::Dice;
use crate::support::Nizamd;

/// Kills nizamd after so many milliseconds, or half as many, and starts it again: how often, and how often it did not start, for want of a database.
pub(crate) fn keep_killing(nizamd: &Nizamd, over: &AtomicBool, every: usize, dice: &mut Dice) -> (u32, u32) {
    let (mut kills, mut vain) = (0, 0);
    while !over.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis((every / 2 + dice.below(every / 2)) as u64));
        nizamd.kill();
        kills += 1;
        while !nizamd.try_serve() {
            vain += 1;
            thread::sleep(Duration::from_millis(100));
        }
    }
    (kills, vain)
}

/// Ends the thread that kills, also by a panic: it would be waited for.
pub(crate) struct Over<'f>(pub(crate) &'f AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
