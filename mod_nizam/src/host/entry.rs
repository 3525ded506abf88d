//! What FreeSWITCH finds in the file: the function table, the API command and the dialplan.

use super::dialplan::hunt;
use super::guard::{guard, install_hook};
use super::log::{Level, log};
use super::names::try_hashes;
use super::text::{c_string, lossy};
use crate::module;
use freeswitch_sys::{
    SWITCH_API_VERSION, switch_api_interface_t, switch_core_session_t, switch_dialplan_interface_t,
    switch_loadable_module_create_interface, switch_loadable_module_create_module_interface,
    switch_loadable_module_function_table, switch_loadable_module_interface_t, switch_memory_pool_t,
    switch_module_interface_name_t, switch_status_t, switch_stream_handle_t,
};
use std::ffi::c_char;

/// Found by `switch_loadable_module.c:switch_loadable_module_load_file` under the file's name.
#[expect(unreachable_pub, reason = "reached by name, from outside")]
#[unsafe(no_mangle)]
pub static mod_nizam_module_interface: switch_loadable_module_function_table =
    switch_loadable_module_function_table {
        switch_api_version: SWITCH_API_VERSION.cast_signed(),
        load: Some(load),
        shutdown: Some(shutdown),
        // FreeSWITCH would call it again and again, and only after all modules are loaded: an own thread is better.
        runtime: None,
        flags: 0,
    };

unsafe extern "C" fn load(
    interface: *mut *mut switch_loadable_module_interface_t,
    pool: *mut switch_memory_pool_t,
) -> switch_status_t {
    install_hook();
    guard("load", switch_status_t::SWITCH_STATUS_GENERR, || {
        // SAFETY: the pool that FreeSWITCH gave; the name is static, as interfaces keep the pointer.
        let created = unsafe { switch_loadable_module_create_module_interface(pool, c"mod_nizam".as_ptr()) };
        if created.is_null() || interface.is_null() {
            return switch_status_t::SWITCH_STATUS_MEMERR;
        }
        // SAFETY: a place for the interface.
        unsafe { *interface = created };
        let kind = switch_module_interface_name_t::SWITCH_API_INTERFACE;
        // SAFETY: the interface was just made.
        let command = unsafe { switch_loadable_module_create_interface(created, kind) };
        // SAFETY: NULL, or zeroed memory of the struct that this kind stands for, known to nobody else yet.
        let command = unsafe { command.cast::<switch_api_interface_t>().as_mut() };
        let Some(command) = command else { return switch_status_t::SWITCH_STATUS_MEMERR };
        command.interface_name = c"nizam".as_ptr();
        command.desc = c"NIZAM: status and lookups of the tenants' images".as_ptr();
        command.syntax =
            c"status [json] | spool | generation | lookup directory USER@DOMAIN | lookup dialplan CONTEXT NUMBER [CALLER] | bench [COUNT] | debug on|off".as_ptr();
        command.function = Some(api);
        let kind = switch_module_interface_name_t::SWITCH_DIALPLAN_INTERFACE;
        // SAFETY: as above.
        let dialplan = unsafe { switch_loadable_module_create_interface(created, kind) };
        // SAFETY: as above.
        let dialplan = unsafe { dialplan.cast::<switch_dialplan_interface_t>().as_mut() };
        let Some(dialplan) = dialplan else { return switch_status_t::SWITCH_STATUS_MEMERR };
        dialplan.interface_name = c"nizam".as_ptr();
        dialplan.hunt_function = Some(hunt);
        try_hashes();
        match module::start() {
            Ok(()) => switch_status_t::SWITCH_STATUS_SUCCESS,
            Err(error) => {
                log(Level::Error, &error);
                switch_status_t::SWITCH_STATUS_GENERR
            }
        }
    })
}

unsafe extern "C" fn shutdown() -> switch_status_t {
    guard("shutdown", (), module::stop);
    // Unload succeeds, but the file stays mapped (SAFETY.md, "Unloading").
    switch_status_t::SWITCH_STATUS_NOUNLOAD
}

unsafe extern "C" fn api(
    command: *const c_char,
    _session: *mut switch_core_session_t,
    stream: *mut switch_stream_handle_t,
) -> switch_status_t {
    guard("command", switch_status_t::SWITCH_STATUS_FALSE, || {
        // SAFETY: NULL or NUL-terminated, for the time of the call.
        let line = unsafe { lossy(command) };
        let text = c_string(&module::command(&line));
        // SAFETY: FreeSWITCH's stream for this call.
        let write = unsafe { stream.as_ref() }.and_then(|stream| stream.write_function);
        if let Some(write) = write {
            // SAFETY: the format takes one string, which is NUL-terminated and copied.
            unsafe { write(stream, c"%s".as_ptr(), text.as_ptr()) };
        }
        // Also for our own errors: FreeSWITCH would print another one over ours.
        switch_status_t::SWITCH_STATUS_SUCCESS
    })
}
