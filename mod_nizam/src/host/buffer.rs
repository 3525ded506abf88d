//! Memory that FreeSWITCH will free.

use nizam_engine::Sink;
use std::ffi::c_char;
use std::ptr;

/// Most answers fit; a longer one grows. The largest size that glibc keeps at hand for each thread (malloc.c, `tcache`).
const FIRST: usize = 1032;

/// A text in memory of C's `malloc`, made to be handed to `switch_xml_parse_str_dynamic`.
pub(crate) struct Buffer {
    start: *mut u8,
    length: usize,
    capacity: usize,
    failed: bool,
}

impl Buffer {
    /// An empty buffer.
    pub(crate) fn new() -> Self {
        // SAFETY: any size may be asked for; NULL is handled below.
        let start = unsafe { libc::malloc(FIRST) }.cast::<u8>();
        Self { start, length: 0, capacity: if start.is_null() { 0 } else { FIRST }, failed: start.is_null() }
    }

    /// The length so far.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// The text, NUL-terminated, for the caller to free. `None`: there was no memory for it.
    pub(super) fn into_raw(mut self) -> Option<*mut c_char> {
        self.put(b"\0");
        if self.failed {
            return None;
        }
        Some(std::mem::replace(&mut self.start, ptr::null_mut()).cast())
    }

    fn grow(&mut self, need: usize) {
        let capacity = need.max(self.capacity * 2).max(FIRST);
        // SAFETY: `start` is NULL or came from malloc or realloc, and is not used again if this succeeds.
        let start = unsafe { libc::realloc(self.start.cast(), capacity) }.cast::<u8>();
        if start.is_null() {
            self.failed = true;
        } else {
            self.start = start;
            self.capacity = capacity;
        }
    }
}

impl Sink for Buffer {
    fn put(&mut self, bytes: &[u8]) {
        let need = self.length.saturating_add(bytes.len());
        if need > self.capacity {
            self.grow(need);
        }
        if self.failed {
            return;
        }
        // SAFETY: `length` bytes of `start` are in use, and `need`, which is no less, are there.
        let end = unsafe { self.start.add(self.length) };
        // SAFETY: behind `end` is room for all of `bytes`, which are not in this buffer.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), end, bytes.len()) };
        self.length = need;
    }

    fn clear(&mut self) {
        self.length = 0;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: NULL, or memory of malloc that was not handed on.
        unsafe { libc::free(self.start.cast()) };
    }
}
