//! The one panic guard.
//!
//! A panic that leaves an `extern "C"` function aborts the process, and with it every call on the switch. So every
//! function that FreeSWITCH calls runs its body in [`guard`].

use super::log::{Level, log};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

static PANICS: AtomicU64 = AtomicU64::new(0);
static HOOK: Once = Once::new();

/// How many panics were caught since the module was first loaded.
pub(crate) fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Runs `body`; a panic in it is logged, counted, and answered with `harmless`.
///
/// `AssertUnwindSafe`: what `body` may leave half done is its own buffers, which are dropped, and state behind
/// atomics and locks that do not poison.
pub(super) fn guard<T>(callback: &'static str, harmless: T, body: impl FnOnce() -> T) -> T {
    let guarded = || {
        #[cfg(feature = "fault-injection")]
        inject(callback);
        body()
    };
    match catch_unwind(AssertUnwindSafe(guarded)) {
        Ok(value) => value,
        Err(payload) => {
            PANICS.fetch_add(1, Ordering::Relaxed);
            // A payload's own destructor may panic; the message is in the log already, so it is not worth it.
            let _leaked = std::mem::ManuallyDrop::new(payload);
            log(Level::Error, &format!("panic caught in {callback}: please report it; the call goes on"));
            harmless
        }
    }
}

/// Sends panic messages to FreeSWITCH's log: a daemon's standard error goes nowhere. Only this library's own
/// standard library is affected.
pub(super) fn install_hook() {
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| log(Level::Error, &info.to_string())));
    });
}

/// Panics in the callback that `NIZAM_PANIC_IN` names.
#[cfg(feature = "fault-injection")]
fn inject(callback: &str) {
    if std::env::var("NIZAM_PANIC_IN").is_ok_and(|name| name.split(',').any(|name| name == callback)) {
        std::panic::panic_any(format!("injected into {callback}"));
    }
}
