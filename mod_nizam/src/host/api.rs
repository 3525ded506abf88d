//! Running commands of other modules.

use super::text::c_string;
use freeswitch_sys::{
    switch_api_execute, switch_console_stream_raw_write, switch_console_stream_write, switch_status_t,
    switch_stream_handle,
};
use nizam_wire::link::Api;
use std::ffi::CString;
use std::{ptr, slice};

/// What can be run. A closed list: `unload` and `reload` of this module would wait for the thread that runs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// mod_sofia's.
    Sofia,
    /// One that the daemon may ask for.
    Daemon(Api),
}

impl Command {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sofia => "sofia",
            Self::Daemon(api) => api.name(),
        }
    }
}

/// Runs a command, and waits until it is done. The answer is what it printed; an error, if FreeSWITCH does not know it or it
/// failed. Only on threads of our own: never where FreeSWITCH called us, whose locks the command may want.
pub(crate) fn run(command: Command, argument: &str) -> Result<String, String> {
    let argument = CString::new(argument).map_err(|_| "the argument holds a NUL".to_owned())?;
    let name = c_string(command.name());
    let mut stream = Stream::new().ok_or("no memory")?;
    // SAFETY: NUL-terminated texts, no session, and a stream that is alive and has memory.
    let status =
        unsafe { switch_api_execute(name.as_ptr(), argument.as_ptr(), ptr::null_mut(), &raw mut stream.0) };
    let printed = stream.text();
    if status == switch_status_t::SWITCH_STATUS_SUCCESS { Ok(printed) } else { Err(printed) }
}

/// A stream that keeps what is written, as `switch_types.h:SWITCH_STANDARD_STREAM` makes it.
struct Stream(switch_stream_handle);

impl Stream {
    const CHUNK: usize = 1024;

    fn new() -> Option<Self> {
        // SAFETY: any size may be asked for; NULL is handled below.
        let data = unsafe { libc::calloc(1, Self::CHUNK) };
        (!data.is_null()).then_some(Self(switch_stream_handle {
            read_function: None,
            write_function: Some(switch_console_stream_write),
            raw_write_function: Some(switch_console_stream_raw_write),
            data,
            end: data,
            data_size: Self::CHUNK,
            data_len: 0,
            alloc_len: Self::CHUNK,
            alloc_chunk: Self::CHUNK,
            // FreeSWITCH makes an event here, fires it, and sets this to NULL again (`switch_api_execute`).
            param_event: ptr::null_mut(),
        }))
    }

    fn text(&self) -> String {
        // SAFETY: the write functions keep `data_len` bytes at `data`, which they let grow.
        let bytes = unsafe { slice::from_raw_parts(self.0.data.cast::<u8>(), self.0.data_len) };
        String::from_utf8_lossy(bytes).into_owned()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // SAFETY: memory of C's heap, which only this stream knows (`switch_console.c`, realloc).
        unsafe { libc::free(self.0.data) };
    }
}
