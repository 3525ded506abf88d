//! Tab completion in `fs_cli`.

use super::guard::guard;
use super::text::c_string;
use crate::module;
use freeswitch_sys::{
    switch_console_add_complete_func, switch_console_callback_match_t, switch_console_del_complete_func,
    switch_console_push_match, switch_console_set_complete, switch_status_t,
};
use nizam_engine::command::{COMPLETIONS, TENANTS};
use std::ffi::c_char;
use std::ptr;

/// The completions of `nizam …`, while they are registered.
pub(crate) struct Completions(());

impl Completions {
    /// Registers them. Without a core database FreeSWITCH completes nothing; that is no error of ours.
    pub(crate) fn new() -> Self {
        let set = |line: &str| {
            let line = c_string(line);
            // SAFETY: a NUL-terminated line, copied into the core database.
            unsafe { switch_console_set_complete(line.as_ptr()) };
        };
        // Lines that a process which was killed may have left in the database.
        set("del nizam");
        for line in COMPLETIONS {
            set(&format!("add nizam {line}"));
        }
        let name = c_string(TENANTS);
        // SAFETY: the name is copied; `domains` has the right type and stays mapped.
        unsafe { switch_console_add_complete_func(name.as_ptr(), Some(domains)) };
        Self(())
    }

    /// Takes them back.
    pub(crate) fn remove(self) {
        let Self(()) = self;
        let (name, line) = (c_string(TENANTS), c_string("del nizam"));
        // SAFETY: a NUL-terminated name.
        unsafe { switch_console_del_complete_func(name.as_ptr()) };
        // SAFETY: a NUL-terminated line.
        unsafe { switch_console_set_complete(line.as_ptr()) };
    }
}

unsafe extern "C" fn domains(
    _line: *const c_char,
    _last_word: *const c_char,
    matches: *mut *mut switch_console_callback_match_t,
) -> switch_status_t {
    guard("completion", switch_status_t::SWITCH_STATUS_FALSE, || {
        let mut found: *mut switch_console_callback_match_t = ptr::null_mut();
        for domain in module::domains() {
            let domain = c_string(&domain);
            // SAFETY: the list grows in FreeSWITCH's memory; the text is copied.
            unsafe { switch_console_push_match(&raw mut found, domain.as_ptr()) };
        }
        if found.is_null() || matches.is_null() {
            return switch_status_t::SWITCH_STATUS_FALSE;
        }
        // SAFETY: a place for the list, which the caller frees.
        unsafe { *matches = found };
        switch_status_t::SWITCH_STATUS_SUCCESS
    })
}
