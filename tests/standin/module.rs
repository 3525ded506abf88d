//! Loading and unloading, step by step as `switch_loadable_module.c` does it.

use crate::dispatch;
use crate::event::{Caller, Event};
use crate::interface;
use crate::lock::HostLock;
use crate::log;
use crate::memory::Pool;
use freeswitch_sys::{
    SWITCH_API_VERSION, switch_loadable_module_function_table, switch_loadable_module_interface_t,
    switch_status_t,
};
use libc::c_void;
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::{Mutex, PoisonError};

/// Why a module is not unloaded while FreeSWITCH runs something of it.
pub(crate) const IN_USE: &str = "Module in use.";

struct Loaded {
    name: String,
    path: String,
    handle: *mut c_void,
    table: *const switch_loadable_module_function_table,
    interface: *mut switch_loadable_module_interface_t,
    pool: Box<Pool>,
    /// The load function asked never to be unloaded.
    permanent: bool,
}

// SAFETY: a module may be loaded by one thread and unloaded by another, as FreeSWITCH does.
unsafe impl Send for Loaded {}

#[derive(Default)]
struct State {
    loaded: Option<Loaded>,
    /// Pools of modules that were shut down but not unmapped: FreeSWITCH never frees these.
    #[expect(clippy::vec_box, reason = "the module may still hold the address")]
    kept: Vec<Box<Pool>>,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

fn with_state<T>(work: impl FnOnce(&mut State) -> T) -> T {
    work(STATE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// Whether a module is loaded.
pub(crate) fn is_loaded() -> bool {
    with_state(|state| state.loaded.is_some())
}

/// Opens a module, runs its load function, publishes what it offers. The answer tells what that is.
pub(crate) fn load(path: &Path) -> Result<String, String> {
    with_state(|state| {
        if state.loaded.is_some() {
            return Err("a module is loaded; the stand-in has one at a time".to_owned());
        }
        let loaded = open(path)?;
        // SAFETY: the module just filled it, and stays loaded until it is withdrawn in `unload`.
        let offered = unsafe { interface::publish(loaded.interface) };
        announce("MODULE_LOAD", &loaded, &offered.commands);
        let [commands, dialplans] = [offered.commands, offered.dialplans].map(|names| names.join(" "));
        let text = format!("{} commands: {commands} dialplans: {dialplans}", loaded.name);
        state.loaded = Some(loaded);
        Ok(text)
    })
}

fn open(path: &Path) -> Result<Loaded, String> {
    // The name up to the first dot; cargo's "lib" before it is overlooked, FreeSWITCH would not.
    let file = path.file_name().and_then(|name| name.to_str()).ok_or("the path names no file")?;
    let name = file.strip_prefix("lib").unwrap_or(file).split('.').next().unwrap_or_default().to_owned();
    let c_path = CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
    let symbol = CString::new(format!("{name}_module_interface")).map_err(|error| error.to_string())?;
    // SAFETY: a C string; the initialisers of a module run here, as they do in FreeSWITCH.
    let handle = unsafe { libc::dlopen(c_path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return Err(last_error());
    }
    // SAFETY: an open handle and a C string.
    let table: *const switch_loadable_module_function_table =
        unsafe { libc::dlsym(handle, symbol.as_ptr()) }.cast();
    let result = start(&name, table);
    match result {
        Ok((interface, pool, permanent)) => {
            Ok(Loaded { name, path: path.display().to_string(), handle, table, interface, pool, permanent })
        }
        Err(error) => {
            // SAFETY: open, and nothing of it is used any more: a module that failed to load has left no trace.
            unsafe { libc::dlclose(handle) };
            Err(error)
        }
    }
}

type Started = (*mut switch_loadable_module_interface_t, Box<Pool>, bool);

fn start(name: &str, table: *const switch_loadable_module_function_table) -> Result<Started, String> {
    // SAFETY: a module exports a table of this type under this name.
    let Some(table) = (unsafe { table.as_ref() }) else {
        return Err(format!("{name}_module_interface: no such symbol"));
    };
    if u32::try_from(table.switch_api_version) != Ok(SWITCH_API_VERSION) {
        return Err(format!("an out of date module: API version {}", table.switch_api_version));
    }
    let load = table.load.ok_or("the module has no load function")?;
    let pool = Box::<Pool>::default();
    let mut interface = ptr::null_mut();
    // SAFETY: the module's own function; pool and variable outlive the call.
    let status = unsafe { load(&raw mut interface, ptr::from_ref(&*pool).cast_mut().cast()) };
    match status {
        switch_status_t::SWITCH_STATUS_SUCCESS | switch_status_t::SWITCH_STATUS_NOUNLOAD
            if interface.is_null() =>
        {
            Err("the module did not initialise its module_interface".to_owned())
        }
        switch_status_t::SWITCH_STATUS_SUCCESS => Ok((interface, pool, false)),
        switch_status_t::SWITCH_STATUS_NOUNLOAD => Ok((interface, pool, true)),
        _ => Err(format!("the load function answered {}", status.0)),
    }
}

fn last_error() -> String {
    // SAFETY: dlerror answers with null or a C string that lives until the next call on this thread.
    let text = unsafe { libc::dlerror() };
    if text.is_null() {
        return "dlopen failed".to_owned();
    }
    // SAFETY: as above.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Withdraws what the module offers and runs its shutdown function; unmaps it unless it asked not to be.
pub(crate) fn unload() -> Result<String, String> {
    with_state(|state| {
        let Some(loaded) = state.loaded.take_if(|loaded| !loaded.permanent) else {
            return Err(
                if state.loaded.is_some() { "Module is not unloadable." } else { "no module" }.to_owned()
            );
        };
        // SAFETY: the module is loaded, so its pool lives.
        let lock = unsafe { interface::lock(loaded.interface) };
        let Some(alone) = lock.map(HostLock::try_write) else {
            return Err("the module has no lock".to_owned());
        };
        if alone.is_none() {
            log::line(log::WARNING, &format!("Module {} is in use, cannot unload.", loaded.name));
            state.loaded = Some(loaded);
            return Err(IN_USE.to_owned());
        }
        interface::withdraw(loaded.interface);
        announce("MODULE_UNLOAD", &loaded, &[]);
        // SAFETY: the table is part of the module, which is still mapped.
        let shutdown = unsafe { (*loaded.table).shutdown };
        // SAFETY: the module's own function, called once.
        let status = shutdown.map(|shutdown| unsafe { shutdown() });
        drop(alone);
        let name = loaded.name;
        if status == Some(switch_status_t::SWITCH_STATUS_NOUNLOAD) {
            state.kept.push(loaded.pool);
            return Ok(format!("{name} shut down, still mapped"));
        }
        // SAFETY: the handle is open, and the module said that it may go.
        unsafe { libc::dlclose(loaded.handle) };
        drop(loaded.pool);
        Ok(format!("{name} unloaded"))
    })
}

fn announce(event: &str, loaded: &Loaded, commands: &[String]) {
    let caller = Caller::new("switch_loadable_module.c", "switch_loadable_module_process");
    for command in commands {
        if let Ok(mut event) = Event::new(event, &caller) {
            event.add("type", b"api");
            event.add("name", command.as_bytes());
            event.add("key", loaded.name.as_bytes());
            event.add("filename", loaded.path.as_bytes());
            dispatch::fire(event);
        }
    }
}

/// What a module has left bound: after an unload all of it must be zero.
pub(crate) fn leftovers() -> String {
    let (rows, functions) = crate::console::counts();
    format!(
        "searches={} events={} subclasses={} completions={} completion-functions={}",
        crate::locate::bound(),
        dispatch::bound(),
        dispatch::reserved(),
        rows,
        functions
    )
}
