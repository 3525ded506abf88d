//! Completion on the console: words that were added, and functions that name further ones.

use crate::lock::HostLock;
use crate::log;
use crate::memory;
use freeswitch_sys::{
    switch_console_callback_match_node, switch_console_callback_match_t, switch_console_complete_callback_t,
    switch_status_t,
};
use libc::{c_char, c_int};
use std::collections::BTreeSet;
use std::ffi::CString;
use std::ptr;

/// Rows of up to ten words, as FreeSWITCH keeps them in its table `complete`; an empty word stands for any.
static ROWS: HostLock<Vec<Vec<String>>> = HostLock::new(Vec::new());
static FUNCTIONS: HostLock<Vec<(String, switch_console_complete_callback_t)>> = HostLock::new(Vec::new());

/// FreeSWITCH hands completion functions a variable that it never set (`switch_console.c:comp_callback`). Here it
/// holds the address of this, and a function that uses it before setting it is found out.
static UNSET: u8 = 0;

fn unset() -> *mut switch_console_callback_match_t {
    ptr::from_ref(&UNSET).cast_mut().cast()
}

/// How many rows and functions there are.
pub(crate) fn counts() -> (usize, usize) {
    (ROWS.read().len(), FUNCTIONS.read().len())
}

/// What could stand in place of the last word of a line, sorted.
pub(crate) fn complete(line: &str) -> BTreeSet<String> {
    let mut words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    let last = if line.is_empty() || line.ends_with(' ') { "" } else { words.pop().unwrap_or_default() };
    let mut matches = BTreeSet::new();
    let mut functions = BTreeSet::new();
    for row in ROWS.read().iter() {
        let fits = |(index, word): (usize, &&str)| {
            row.get(index).is_some_and(|own| own.is_empty() || own.starts_with("::") || own == word)
        };
        if !words.iter().enumerate().all(fits) {
            continue;
        }
        match row.get(words.len()) {
            Some(word) if word.starts_with("::") => {
                functions.insert(word.clone());
            }
            Some(word) if !word.is_empty() && word.starts_with(last) => {
                matches.insert(word.clone());
            }
            _ => {}
        }
    }
    for function in functions {
        matches.extend(run(&function, line, last).into_iter().filter(|word| word.starts_with(last)));
    }
    matches
}

/// `switch_console_run_complete_func`: empty texts are passed as null.
fn run(function: &str, line: &str, last: &str) -> Vec<String> {
    let functions = FUNCTIONS.read();
    let Some(callback) =
        functions.iter().find(|(name, _)| name == function).and_then(|(_, callback)| *callback)
    else {
        return Vec::new();
    };
    let line = CString::new(line).ok().filter(|text| !text.is_empty());
    let last = CString::new(last).ok().filter(|text| !text.is_empty());
    let pointer = |text: &Option<CString>| text.as_ref().map_or(ptr::null(), |text| text.as_ptr());
    let mut matches = unset();
    // SAFETY: the module keeps its function callable until it has removed it, which waits for this lock.
    let status = unsafe { callback(pointer(&line), pointer(&last), &raw mut matches) };
    if status != switch_status_t::SWITCH_STATUS_SUCCESS || matches.is_null() {
        return Vec::new();
    }
    if matches == unset() {
        log::line(
            log::ERR,
            &format!("{function} says it succeeded, but did not set the matches: FreeSWITCH crashes"),
        );
        return Vec::new();
    }
    // SAFETY: made by `switch_console_push_match`, and given to us.
    unsafe { take(matches) }
}

/// # Safety
/// `matches` was made by `switch_console_push_match` and is given away.
unsafe fn take(matches: *mut switch_console_callback_match_t) -> Vec<String> {
    let mut found = Vec::new();
    // SAFETY: given by the caller.
    let mut at = unsafe { (*matches).head };
    while !at.is_null() {
        // SAFETY: a node of the list; it is read once and then freed.
        let node = unsafe { at.read() };
        // SAFETY: the value of a node is a C string.
        found.push(String::from_utf8_lossy(unsafe { memory::bytes(node.val) }).into_owned());
        // SAFETY: both were made for this list.
        unsafe { (memory::release(node.val), memory::release(at)) };
        at = node.next;
    }
    // SAFETY: given away by the caller.
    unsafe { memory::release(matches) };
    found
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_console_push_match(
    matches: *mut *mut switch_console_callback_match_t,
    new_val: *const c_char,
) {
    // SAFETY: the caller's variable.
    let mut list = unsafe { matches.read() };
    if list == unset() {
        log::line(log::ERR, "a completion function uses matches that nobody set: FreeSWITCH crashes");
        return;
    }
    if list.is_null() {
        list = memory::zeroed(1);
        // SAFETY: a fresh block.
        unsafe { (*list).dynamic = 1 };
        // SAFETY: the caller's variable.
        unsafe { matches.write(list) };
    }
    let node: *mut switch_console_callback_match_node = memory::zeroed(1);
    // SAFETY: a C string of the caller, and a fresh block.
    unsafe { (*node).val = memory::string(memory::bytes(new_val)) };
    // SAFETY: null was replaced above, so this is a list made here.
    let list = unsafe { &mut *list };
    // SAFETY: the last node of a list is its own.
    match unsafe { list.end.as_mut() } {
        Some(tail) => tail.next = node,
        None => list.head = node,
    }
    list.end = node;
    list.count = list.count.saturating_add(c_int::from(true));
}

/// `add WORDS`, `stickyadd WORDS`, `del WORDS`; the word `_any_` fits every word.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_console_set_complete(string: *const c_char) -> switch_status_t {
    // SAFETY: a C string of the caller.
    let text = String::from_utf8_lossy(unsafe { memory::bytes(string) });
    let mut words = text.split(' ').filter(|word| !word.is_empty());
    let command = words.next().unwrap_or_default().to_ascii_lowercase();
    let words: Vec<String> = words
        .take(10)
        .map(|word| if word.eq_ignore_ascii_case("_any_") { String::new() } else { word.to_owned() })
        .collect();
    match (command.as_str(), words.first().map(String::as_str)) {
        ("add" | "stickyadd", Some(_)) => ROWS.write().push(words),
        ("del", Some("*")) => ROWS.write().clear(),
        ("del", Some(_)) => ROWS.write().retain(|row| !row.starts_with(&words)),
        _ => return switch_status_t::SWITCH_STATUS_FALSE,
    }
    switch_status_t::SWITCH_STATUS_SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_console_add_complete_func(
    name: *const c_char,
    cb: switch_console_complete_callback_t,
) -> switch_status_t {
    // SAFETY: a C string of the caller.
    let name = String::from_utf8_lossy(unsafe { memory::bytes(name) }).into_owned();
    let mut functions = FUNCTIONS.write();
    functions.retain(|(known, _)| *known != name);
    functions.push((name, cb));
    switch_status_t::SWITCH_STATUS_SUCCESS
}

/// Returns when the function is not running any more.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_console_del_complete_func(name: *const c_char) -> switch_status_t {
    // SAFETY: a C string of the caller.
    let name = String::from_utf8_lossy(unsafe { memory::bytes(name) });
    FUNCTIONS.write().retain(|(known, _)| *known != name);
    switch_status_t::SWITCH_STATUS_SUCCESS
}
