//! What a test needs from the machine. See `tests/support/require.rs` for what a skip is.

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;

/// Whether a program of what `NIZAM_REQUIRE` may name is there; a test returns at once where this says no. The package of Debian is for the
/// reader.
#[track_caller]
pub(crate) fn there_is(need: &str, program: &str, package: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&path).any(|directory| directory.join(program).is_file()) {
        return true;
    }
    skip(need, &format!("no {program} (apt-get install {package})"));
    false
}

/// Says loudly that a test does not run for want of something, and why.
#[track_caller]
pub(crate) fn skip(need: &str, why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let demanded = env::var("NIZAM_REQUIRE").unwrap_or_default();
    assert!(!demanded.split(',').any(|name| name.trim() == need), "{test}: {why}");
    eprintln!("SKIPPED {test}: {why}");
    if let Some(list) = env::var_os("NIZAM_SKIPS") {
        let mut list = OpenOptions::new().create(true).append(true).open(list).unwrap();
        // One write, so that lines of tests that run at once do not mix.
        list.write_all(format!("{test}: {why}\n").as_bytes()).unwrap();
    }
}
