//! Log lines: printed to stderr, and the newest kept for the tests to read.

use crate::memory;
use libc::{c_char, c_int};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

const KEPT: usize = 10_000;

/// The levels of `switch_types.h`, by number.
const LEVELS: [&str; 8] = ["CONSOLE", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG"];

pub(crate) const ERR: c_int = 3;
pub(crate) const WARNING: c_int = 4;
pub(crate) const NOTICE: c_int = 5;
pub(crate) const INFO: c_int = 6;

static LINES: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Notes one line; text of the host itself has no source file.
pub(crate) fn line(level: c_int, text: &str) {
    note(level, "standin", text);
}

fn note(level: c_int, source: &str, text: &str) {
    let level = usize::try_from(level).ok().and_then(|level| LEVELS.get(level)).copied().unwrap_or("DEBUG");
    let line = format!("[{level}] {source} {}", text.trim_end_matches('\n'));
    eprintln!("{line}");
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.len() == KEPT {
        lines.pop_front();
    }
    lines.push_back(line);
}

/// The kept lines, oldest first.
pub(crate) fn kept() -> Vec<String> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
}

/// Forgets the kept lines, and says how many they were.
pub(crate) fn clear() -> usize {
    let mut lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    let count = lines.len();
    lines.clear();
    count
}

/// Called by `switch_log_printf` in `variadic.c`.
#[unsafe(no_mangle)]
unsafe extern "C" fn standin_log_line(
    level: c_int,
    file: *const c_char,
    func: *const c_char,
    line: c_int,
    text: *const c_char,
) {
    // SAFETY: C strings of the caller that live through the call.
    let file = unsafe { memory::bytes(file) };
    // SAFETY: as above.
    let func = unsafe { memory::bytes(func) };
    // SAFETY: as above.
    let text = unsafe { memory::bytes(text) };
    let source = format!("{}:{line} {}", String::from_utf8_lossy(file), String::from_utf8_lossy(func));
    note(level, source.trim(), &String::from_utf8_lossy(text));
}
