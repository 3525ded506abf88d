//! The C heap: whatever crosses the border may be freed by the other side.

use libc::{c_char, c_void};
use std::alloc::{Layout, handle_alloc_error};
use std::sync::{Mutex, PoisonError};

/// `calloc`: FreeSWITCH zeroes what it hands out, and modules rely on it.
pub(crate) fn zeroed<T>(count: usize) -> *mut T {
    // SAFETY: any sizes are allowed; the multiplication is checked by calloc.
    let block = unsafe { libc::calloc(count.max(1), size_of::<T>().max(1)) };
    if block.is_null() {
        handle_alloc_error(Layout::new::<T>());
    }
    block.cast()
}

/// A C string with these bytes, from `malloc`.
pub(crate) fn string(bytes: &[u8]) -> *mut c_char {
    let copy = zeroed::<u8>(bytes.len().saturating_add(1));
    // SAFETY: `copy` is a fresh block of one byte more than `bytes`.
    unsafe { copy.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    copy.cast()
}

/// # Safety
/// `block` is null, or from the C heap and not used afterwards.
pub(crate) unsafe fn release<T>(block: *mut T) {
    // SAFETY: passed on to the caller.
    unsafe { libc::free(block.cast()) };
}

/// The bytes of a C string; none for a null pointer.
///
/// # Safety
/// `text` is null or a C string that lives and does not change as long as the result is used.
pub(crate) unsafe fn bytes_or_none<'a>(text: *const c_char) -> Option<&'a [u8]> {
    if text.is_null() {
        return None;
    }
    // SAFETY: passed on to the caller.
    Some(unsafe { std::ffi::CStr::from_ptr(text) }.to_bytes())
}

/// The bytes of a C string; empty for a null pointer.
///
/// # Safety
/// As of [`bytes_or_none`].
pub(crate) unsafe fn bytes<'a>(text: *const c_char) -> &'a [u8] {
    // SAFETY: passed on to the caller.
    unsafe { bytes_or_none(text) }.unwrap_or_default()
}

/// What a module allocates from when it is loaded: blocks live until the pool does not.
#[derive(Default)]
pub(crate) struct Pool {
    blocks: Mutex<Vec<Block>>,
}

struct Block(*mut c_void);

// SAFETY: a block is owned by its pool alone, which only frees it.
unsafe impl Send for Block {}

impl Pool {
    pub(crate) fn alloc<T>(&self) -> *mut T {
        self.keep(zeroed::<T>(1))
    }

    pub(crate) fn string(&self, bytes: &[u8]) -> *mut c_char {
        self.keep(string(bytes))
    }

    fn keep<T>(&self, block: *mut T) -> *mut T {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).push(Block(block.cast()));
        block
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for block in self.blocks.get_mut().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // SAFETY: the block came from `zeroed` or `string`, and the pool was its owner.
            unsafe { release(block.0) };
        }
    }
}
