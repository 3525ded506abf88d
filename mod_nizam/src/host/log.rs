//! FreeSWITCH's log.

use super::text::c_string;
use freeswitch_sys::{switch_log_level_t, switch_log_printf, switch_text_channel_t};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Needs a person.
    Error,
    /// Will need a person.
    Warning,
    /// Happens seldom.
    Notice,
    /// As it should be.
    Info,
    /// For finding faults.
    Debug,
}

impl Level {
    /// The level of that name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "error" => Self::Error,
            "warning" => Self::Warning,
            "notice" => Self::Notice,
            "info" => Self::Info,
            "debug" => Self::Debug,
            _ => return None,
        })
    }

    fn number(self) -> i32 {
        match self {
            Self::Error => 3,
            Self::Warning => 4,
            Self::Notice => 5,
            Self::Info => 6,
            Self::Debug => 7,
        }
    }
}

static MOST: AtomicI32 = AtomicI32::new(6);

/// Lines that matter less than `level` are dropped before they are made.
pub(crate) fn set_level(level: Level) {
    MOST.store(level.number(), Ordering::Relaxed);
}

/// Whether a line of this level would be logged.
pub(crate) fn would_log(level: Level) -> bool {
    level.number() <= MOST.load(Ordering::Relaxed)
}

/// Logs a line. The text is an argument of the format `%s`, never the format itself: it may hold what a phone sent.
pub(crate) fn log(level: Level, text: &str) {
    if !would_log(level) {
        return;
    }
    let text = c_string(text);
    // SAFETY: all strings are NUL-terminated and outlive the call, which copies them; file and function hold no `%`
    // (switch_log.c:switch_log_meta_vprintf makes them part of the format).
    unsafe {
        switch_log_printf(
            switch_text_channel_t::SWITCH_CHANNEL_ID_LOG,
            c"mod_nizam".as_ptr(),
            c"nizam".as_ptr(),
            0,
            ptr::null(),
            switch_log_level_t(level.number()),
            c"%s\n".as_ptr(),
            text.as_ptr(),
        );
    }
}
