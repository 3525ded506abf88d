//! The stream that a command writes its answer to: it grows, and may be written by bytes or by format.

use crate::memory;
use freeswitch_sys::{switch_status_t, switch_stream_handle, switch_stream_handle_t};
use libc::{c_char, c_void};
use std::{ptr, slice};

const CHUNK: usize = 1024;

unsafe extern "C" {
    /// In `variadic.c`.
    fn switch_console_stream_write(
        handle: *mut switch_stream_handle_t,
        fmt: *const c_char,
        ...
    ) -> switch_status_t;
}

/// A stream that owns its buffer.
pub(crate) struct Stream(switch_stream_handle);

impl Stream {
    pub(crate) fn new() -> Self {
        let data: *mut c_void = memory::zeroed::<u8>(CHUNK).cast();
        Self(switch_stream_handle {
            read_function: None,
            write_function: Some(switch_console_stream_write),
            raw_write_function: Some(switch_console_stream_raw_write),
            data,
            end: data,
            data_size: CHUNK,
            data_len: 0,
            alloc_len: CHUNK,
            alloc_chunk: CHUNK,
            param_event: ptr::null_mut(),
        })
    }

    pub(crate) fn as_ptr(&mut self) -> *mut switch_stream_handle_t {
        &raw mut self.0
    }

    pub(crate) fn written(&self) -> Vec<u8> {
        // SAFETY: the write functions keep `data_len` initialised bytes at `data`.
        unsafe { slice::from_raw_parts(self.0.data.cast::<u8>(), self.0.data_len) }.to_vec()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: the buffer is the stream's own, from the C heap.
        unsafe { memory::release(self.0.data) };
    }
}

/// Writes a text to the stream of whoever runs a command.
///
/// # Safety
/// `stream` is alive.
pub(crate) unsafe fn print(stream: *mut switch_stream_handle_t, text: &str) {
    // SAFETY: given by the caller.
    let write = unsafe { (*stream).raw_write_function };
    if let Some(write) = write {
        // SAFETY: given by the caller; the bytes are copied.
        unsafe { write(stream, text.as_ptr().cast_mut(), text.len()) };
    }
}

/// Appends bytes; the buffer grows by what is needed and one chunk, as in `switch_console.c`.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_console_stream_raw_write(
    handle: *mut switch_stream_handle_t,
    data: *mut u8,
    len: usize,
) -> switch_status_t {
    // SAFETY: the handle is one that `Stream::as_ptr` gave to a command that is still running.
    let Some(stream) = (unsafe { handle.as_mut() }) else {
        return switch_status_t::SWITCH_STATUS_FALSE;
    };
    let Some(used) = stream.data_len.checked_add(len) else {
        return switch_status_t::SWITCH_STATUS_MEMERR;
    };
    if used >= stream.data_size {
        let need = used.saturating_add(stream.alloc_chunk);
        // SAFETY: `data` is a block of the C heap that only this stream knows.
        let grown = unsafe { libc::realloc(stream.data, need) };
        if grown.is_null() {
            return switch_status_t::SWITCH_STATUS_MEMERR;
        }
        stream.data = grown;
        stream.data_size = need;
    }
    let target = stream.data.cast::<u8>();
    if len > 0 {
        // SAFETY: the buffer has more than `used` bytes.
        let end = unsafe { target.add(stream.data_len) };
        // SAFETY: the caller promises `len` bytes at `data`, which is no part of our buffer.
        unsafe { end.copy_from_nonoverlapping(data, len) };
    }
    stream.data_len = used;
    // SAFETY: `used` is less than the size of the buffer.
    let end = unsafe { target.add(used) };
    // SAFETY: as above.
    unsafe { end.write(0) };
    stream.end = end.cast();
    switch_status_t::SWITCH_STATUS_SUCCESS
}
