//! As much of mod_sofia as gateways need: one profile, which reads them from the directory when it starts and when it is
//! scanned again (`sofia.c:config_sofia`), and forgets one when it is told to (`mod_sofia.c:cmd_profile`).

use crate::dispatch;
use crate::event::{Caller, Event};
use crate::lists;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

struct Profile {
    name: String,
    gateways: BTreeSet<String>,
}

static PROFILE: Mutex<Option<Profile>> = Mutex::new(None);

/// The arguments of all commands so far.
static ASKED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// How long a scan takes, in milliseconds.
static SLOWNESS: AtomicU64 = AtomicU64::new(0);

fn profile() -> MutexGuard<'static, Option<Profile>> {
    PROFILE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Comes up with this profile.
pub(crate) fn start(name: &str) -> String {
    let gateways = read(name);
    *profile() = Some(Profile { name: name.to_owned(), gateways });
    format!("{name} started successfully")
}

/// Goes, and takes its command with it.
pub(crate) fn stop() -> String {
    *profile() = None;
    "stopped".to_owned()
}

/// Makes every scan take so long.
pub(crate) fn slow(milliseconds: u64) -> String {
    SLOWNESS.store(milliseconds, Ordering::SeqCst);
    format!("a scan takes {milliseconds} ms")
}

/// Whether there is the command `sofia`.
pub(crate) fn is_up() -> bool {
    profile().is_some()
}

/// Its gateways, by name.
pub(crate) fn gateways() -> Vec<String> {
    profile().iter().flat_map(|profile| profile.gateways.iter().cloned()).collect()
}

/// The arguments of the commands so far.
pub(crate) fn asked() -> Vec<String> {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Runs the command `sofia`; the answer is what it prints.
pub(crate) fn command(argument: &str) -> String {
    ASKED.lock().unwrap_or_else(PoisonError::into_inner).push(argument.to_owned());
    let words: Vec<&str> = argument.split_whitespace().collect();
    match words.as_slice() {
        ["profile", name, ..] if profile().as_ref().is_none_or(|profile| profile.name != *name) => {
            format!("Invalid Profile [{name}]")
        }
        ["profile", name, "rescan"] => match rescan(name) {
            Ok(()) => "Reload XML [Success]\n+OK scan complete\n".to_owned(),
            Err(error) => format!("Reload XML [Success]\n-ERR {error}\n"),
        },
        ["profile", _, "killgw", "_all_"] => {
            profile().iter_mut().for_each(|profile| profile.gateways.clear());
            "+OK every gateway marked for deletion.\n".to_owned()
        }
        ["profile", _, "killgw", gateway] => {
            if profile().as_mut().is_some_and(|profile| profile.gateways.remove(*gateway)) {
                "+OK gateway marked for deletion.\n".to_owned()
            } else {
                "-ERR no such gateway.\n".to_owned()
            }
        }
        _ => "-ERR Unknown command!\n".to_owned(),
    }
}

/// Not under the lock of the profile: the lookup runs in the module.
fn rescan(name: &str) -> Result<(), String> {
    dispatch::fire(Event::new("RELOADXML", &Caller::new("switch_xml.c", "__switch_xml_open_root"))?);
    thread::sleep(Duration::from_millis(SLOWNESS.load(Ordering::SeqCst)));
    let found = read(name);
    profile().iter_mut().for_each(|profile| profile.gateways.extend(found.iter().cloned()));
    Ok(())
}

/// None where nobody answers.
fn read(name: &str) -> BTreeSet<String> {
    let lines = lists::gateways(c"all", name).unwrap_or_default();
    lines.iter().filter_map(|line| line.split(' ').nth(2)).map(str::to_owned).collect()
}
