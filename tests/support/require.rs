//! What a test needs from the machine, and what happens where it is missing.

use std::{io::Write, panic::Location, path::PathBuf};

use super::freeswitch::Installed;

/// Whether everything in `needs` is installed; a test returns at once where this says no.
///
/// A skip is loud: it is printed and appended to the file that `NIZAM_SKIPS` names. Where `NIZAM_REQUIRE` (a comma
/// list) names the thing, a missing one is a failure.
#[track_caller]
pub(crate) fn require(needs: &[&str]) -> bool {
    let missing = needs.iter().find_map(|need| reason(need).err().map(|why| (*need, why)));
    let Some((need, why)) = missing else { return true };
    skip(need, &why);
    false
}

/// Says loudly that a test does not run for want of something, and why.
#[track_caller]
pub(crate) fn skip(need: &str, why: &str) {
    // The harness names a test's thread after it, but runs it on the main one where it has only one.
    let caller = Location::caller();
    let current = std::thread::current();
    let test = match current.name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => format!("{}:{}", caller.file(), caller.line()),
    };
    let demanded = std::env::var("NIZAM_REQUIRE").unwrap_or_default();
    assert!(!demanded.split(',').any(|name| name.trim() == need), "{test}: {why}");
    eprintln!("SKIPPED {test}: {why}");
    if let Some(list) = std::env::var_os("NIZAM_SKIPS") {
        let mut list = std::fs::OpenOptions::new().create(true).append(true).open(list).unwrap();
        // One write, so that lines of tests that run at once do not mix.
        list.write_all(format!("{test}: {why}\n").as_bytes()).unwrap();
    }
}

fn reason(need: &str) -> Result<(), String> {
    match need {
        "freeswitch" => Installed::find().map(|_| ()),
        "sipp" => on_path("sipp", "sip-tester"),
        "baresip" => on_path("baresip", "baresip-core"),
        "node" => on_path("node", "nodejs"),
        "npm" => on_path("npm", "npm"),
        "zoneinfo" => zoneinfo(),
        other => panic!("no test knows how to look for {other}"),
    }
}

fn zoneinfo() -> Result<(), String> {
    on_path("python3", "python3")?;
    let found = std::process::Command::new("python3")
        .args(["-c", "from zoneinfo import ZoneInfo; ZoneInfo('Pacific/Chatham')"])
        .output()
        .is_ok_and(|output| output.status.success());
    if found { Ok(()) } else { Err("no time zones for python3 (apt-get install tzdata)".to_owned()) }
}

fn on_path(program: &str, package: &str) -> Result<(), String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir: PathBuf| dir.join(program)).any(|file| file.is_file());
    if found { Ok(()) } else { Err(format!("no {program} (apt-get install {package})")) }
}
