//! An event as a record.

use super::allowed::{ALLOWED, MAIL};
use super::hook::{self, FENCE, Hook};
use super::names::hashes_agree;
use super::text::bytes;
use crate::module;
use freeswitch_sys::{switch_event_header_t, switch_event_t};
use nizam_engine::spool::Class;
use nizam_wire::event::{self, EventWriter};
use std::cell::RefCell;
use std::ffi::c_char;
use std::slice;

/// Headers looked at. Most events have under 400.
const MOST: usize = 4096;

/// Within so many headers FreeSWITCH says when it was (`switch_event.c:switch_event_prep_for_delivery_detailed`).
const FIRST: usize = 16;

/// Elements of a list that are looked at.
const MOST_ELEMENTS: usize = 64;

thread_local! {
    /// Where records are made: FreeSWITCH has few threads that deliver events.
    static RECORD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What became of an event.
#[derive(PartialEq, Eq)]
pub(super) enum Kept {
    /// It is on its way, or was dropped and counted.
    Yes,
    /// It is of no interest.
    No,
    /// It is the one that this module fires to know that all before it were delivered.
    Fence,
}

/// Copies what is kept of an event into the ring.
///
/// # Safety
/// An event as FreeSWITCH gave it to a callback, for the time in which that runs.
pub(super) unsafe fn keep(event: &switch_event_t, hook: &Hook) -> Kept {
    // SAFETY: NULL or NUL-terminated.
    let subclass = unsafe { bytes(event.subclass_name) }.unwrap_or_default();
    let kinds = match hook.kinds {
        0 if subclass == FENCE.to_bytes() => return Kept::Fence,
        0 => hook::custom(subclass),
        kinds => Some(kinds),
    };
    let Some(kinds) = kinds else { return Kept::No };
    module::with_spool(|spool| {
        // No destructor of this thread runs inside an event, and nothing below comes back here.
        let _ = RECORD.try_with(|record| {
            let Ok(mut record) = record.try_borrow_mut() else { return };
            if record.capacity() < event::MOST {
                record.reserve(event::MOST);
            }
            // SAFETY: by the caller's promise.
            unsafe { write(&mut record, event, hook, subclass, kinds) };
            // What has no room is counted there.
            let _ = spool.push(&record, class(&record, kinds, hook));
        });
    });
    Kept::Yes
}

/// A PIN that was chosen by phone is told nowhere else, and goes last like the end of a call.
fn class(record: &[u8], kinds: u16, hook: &Hook) -> Class {
    const PIN: &[u8] = b"VM-User-Password";
    let chosen = kinds & MAIL != 0 && record.windows(PIN.len()).any(|window| window == PIN);
    if chosen { Class::Final } else { hook.class }
}

/// # Safety
/// As for [`keep`].
unsafe fn write(record: &mut Vec<u8>, event: &switch_event_t, hook: &Hook, subclass: &[u8], kinds: u16) {
    // SAFETY: by the caller's promise.
    let time = unsafe { time(event) };
    let mut writer = EventWriter::new(record, time, hook.name.to_bytes(), subclass);
    let hashed = hashes_agree();
    // SAFETY: by the caller's promise.
    for header in unsafe { headers(event) }.take(MOST) {
        // SAFETY: the name is NULL or NUL-terminated.
        let Some(name) = (unsafe { ALLOWED.find(header, kinds, hashed) }) else { continue };
        // SAFETY: by the caller's promise.
        if let Some(value) = unsafe { text(header.value) } {
            writer.named(name, value);
            continue;
        }
        // SAFETY: as above.
        let list = unsafe { elements(header) };
        if !list.is_empty() {
            writer.named(name, &list);
        }
    }
}

/// # Safety
/// As for [`keep`].
unsafe fn headers(event: &switch_event_t) -> impl Iterator<Item = &switch_event_header_t> {
    // SAFETY: a list that ends with NULL and does not change meanwhile (switch_event.c:switch_event_base_add_header builds it).
    let first = unsafe { event.headers.as_ref() };
    // SAFETY: as above.
    std::iter::successors(first, |header| unsafe { header.next.as_ref() })
}

/// When it was, in microseconds since 1970; 0: FreeSWITCH does not say.
///
/// # Safety
/// As for [`keep`].
unsafe fn time(event: &switch_event_t) -> i64 {
    // SAFETY: by the caller's promise.
    for header in unsafe { headers(event) }.take(FIRST) {
        // SAFETY: the name is NULL or NUL-terminated.
        if unsafe { bytes(header.name) } == Some(b"Event-Date-Timestamp") {
            // SAFETY: as above.
            let value = unsafe { text(header.value) }.and_then(|value| std::str::from_utf8(value).ok());
            return value.and_then(|value| value.parse().ok()).unwrap_or(0);
        }
    }
    0
}

/// A value, no more of it than is kept.
///
/// # Safety
/// NULL, or NUL-terminated and unchanged for `'a`.
unsafe fn text<'a>(value: *const c_char) -> Option<&'a [u8]> {
    if value.is_null() {
        return None;
    }
    // SAFETY: reads no further than to the NUL.
    let length = unsafe { libc::strnlen(value, event::MOST_VALUE) };
    // SAFETY: so many bytes are there.
    Some(unsafe { slice::from_raw_parts(value.cast(), length) })
}

/// The elements of a list whose text FreeSWITCH has not made, between `|:` as it writes them. Elements may be NULL.
///
/// # Safety
/// A header of an event as in [`keep`].
unsafe fn elements(header: &switch_event_header_t) -> Vec<u8> {
    let mut joined = Vec::new();
    let count = usize::try_from(header.idx).unwrap_or(0).min(MOST_ELEMENTS);
    if header.array.is_null() {
        return joined;
    }
    // SAFETY: the list has `idx` elements (switch_event.c:switch_event_base_add_header).
    for element in unsafe { slice::from_raw_parts(header.array, count) } {
        // SAFETY: NULL or NUL-terminated.
        let Some(element) = (unsafe { text(*element) }) else { continue };
        if joined.len() + element.len() > event::MOST_VALUE {
            break;
        }
        joined.extend_from_slice(if joined.is_empty() { b"ARRAY::" } else { b"|:" });
        joined.extend_from_slice(element);
    }
    joined
}
