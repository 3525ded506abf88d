//! What modules offer to the switch, and the running of commands.

use crate::dispatch;
use crate::event::{Caller, Event};
use crate::lock::HostLock;
use crate::log;
use crate::memory::{self, Pool};
use crate::stream::Stream;
use freeswitch_sys::{
    switch_api_interface, switch_application_interface, switch_dialplan_interface,
    switch_loadable_module_interface, switch_loadable_module_interface_t, switch_memory_pool_t,
    switch_module_interface_name_t, switch_status_t,
};
use libc::{c_char, c_void};
use std::ffi::CString;
use std::ptr;
use std::sync::{Mutex, PoisonError};

/// The lock of a module: held for reading while one of its commands runs.
pub(crate) type ModuleLock = HostLock<()>;

/// A command that a loaded module offers.
struct Api {
    name: String,
    interface: *mut switch_api_interface,
}

// SAFETY: the interface is in the pool of a module, which lives until the command was withdrawn.
unsafe impl Send for Api {}

static APIS: Mutex<Vec<Api>> = Mutex::new(Vec::new());

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_loadable_module_create_module_interface(
    pool: *mut switch_memory_pool_t,
    name: *const c_char,
) -> *mut switch_loadable_module_interface_t {
    // SAFETY: modules pass on the pool that they were loaded with, which is one of ours.
    let Some(memory) = (unsafe { pool.cast::<Pool>().as_ref() }) else {
        return ptr::null_mut();
    };
    let made: *mut switch_loadable_module_interface = memory.alloc();
    // SAFETY: a fresh block, zeroed, which is a valid value of this type.
    let interface = unsafe { &mut *made };
    // SAFETY: a C string of the caller.
    interface.module_name = memory.string(unsafe { memory::bytes(name) });
    let lock: *mut ModuleLock = memory.alloc();
    // SAFETY: a fresh block for this type, which the pool does not move.
    unsafe { lock.write(ModuleLock::new(())) };
    interface.rwlock = lock.cast();
    interface.pool = pool;
    made
}

/// Adds an interface to the end of the module's list of its kind.
macro_rules! append {
    ($module:ident, $field:ident, $kind:ty) => {{
        // SAFETY: the pool of the module is the one that it was made from.
        let Some(pool) = (unsafe { $module.pool.cast::<Pool>().as_ref() }) else {
            return ptr::null_mut();
        };
        let made: *mut $kind = pool.alloc();
        // SAFETY: a fresh block, zeroed, which is a valid value of this type.
        let interface = unsafe { &mut *made };
        interface.parent = ptr::from_mut($module);
        interface.rwlock = $module.rwlock;
        let mut slot: *mut *mut $kind = &raw mut $module.$field;
        // SAFETY: the slot is the field of the module or of one of its interfaces.
        while let Some(known) = unsafe { (*slot).as_mut() } {
            slot = &raw mut known.next;
        }
        // SAFETY: as above.
        unsafe { slot.write(made) };
        made.cast::<c_void>()
    }};
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_loadable_module_create_interface(
    module: *mut switch_loadable_module_interface_t,
    kind: switch_module_interface_name_t,
) -> *mut c_void {
    // SAFETY: modules pass the interface that the function above gave them.
    let Some(module) = (unsafe { module.as_mut() }) else {
        return ptr::null_mut();
    };
    match kind {
        switch_module_interface_name_t::SWITCH_API_INTERFACE => {
            append!(module, api_interface, switch_api_interface)
        }
        switch_module_interface_name_t::SWITCH_APPLICATION_INTERFACE => {
            append!(module, application_interface, switch_application_interface)
        }
        switch_module_interface_name_t::SWITCH_DIALPLAN_INTERFACE => {
            append!(module, dialplan_interface, switch_dialplan_interface)
        }
        _ => {
            log::line(log::WARNING, &format!("the stand-in has no interfaces of kind {}", kind.0));
            ptr::null_mut()
        }
    }
}

/// Makes the commands of a module known; the answer is their names.
///
/// # Safety
/// `module` was filled by a module that stays loaded until [`withdraw`].
pub(crate) unsafe fn publish(module: *mut switch_loadable_module_interface_t) -> Vec<String> {
    let mut names = Vec::new();
    // SAFETY: given by the caller.
    let mut at = unsafe { (*module).api_interface };
    // SAFETY: a list that `append!` made.
    while let Some(interface) = unsafe { at.as_ref() } {
        // SAFETY: modules set C strings that live as long as they are loaded.
        let name = String::from_utf8_lossy(unsafe { memory::bytes(interface.interface_name) }).into_owned();
        if name.is_empty() || interface.function.is_none() {
            log::line(log::ERR, "a command without a name or a function is not published");
        } else {
            names.push(name.clone());
            APIS.lock().unwrap_or_else(PoisonError::into_inner).push(Api { name, interface: at });
        }
        at = interface.next;
    }
    names
}

/// Forgets the commands of a module.
pub(crate) fn withdraw(module: *mut switch_loadable_module_interface_t) {
    // SAFETY: commands are withdrawn before the pool goes in which their interfaces are.
    let is_of_module = |api: &Api| unsafe { (*api.interface).parent } == module;
    APIS.lock().unwrap_or_else(PoisonError::into_inner).retain(|api| !is_of_module(api));
}

/// The lock of a module.
///
/// # Safety
/// `module` was made here, and its pool outlives the result.
pub(crate) unsafe fn lock<'a>(module: *mut switch_loadable_module_interface_t) -> Option<&'a ModuleLock> {
    // SAFETY: given by the caller.
    unsafe { (*module).rwlock.cast::<ModuleLock>().as_ref() }
}

/// The commands that begin so.
pub(crate) fn names(prefix: &str) -> Vec<String> {
    let apis = APIS.lock().unwrap_or_else(PoisonError::into_inner);
    apis.iter().filter(|api| api.name.starts_with(prefix)).map(|api| api.name.clone()).collect()
}

/// Runs a command as `switch_api_execute` does, and fires the event that tells of it.
pub(crate) fn execute(command: &str, argument: &str) -> Result<Vec<u8>, String> {
    let mut params = Event::new("API", &Caller::new("switch_loadable_module.c", "switch_api_execute"))?;
    params.add("API-Command", command.as_bytes());
    params.add("API-Command-Argument", argument.as_bytes());
    let argument = CString::new(argument).map_err(|error| error.to_string())?;
    let mut stream = Stream::new(params);
    let apis = APIS.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(interface) =
        apis.iter().find(|api| api.name.eq_ignore_ascii_case(command)).map(|api| api.interface)
    else {
        return Err(format!("{command}: INVALID COMMAND"));
    };
    // SAFETY: the interface lives until it is withdrawn, which needs the lock that is held.
    let (function, parent) = unsafe { ((*interface).function, (*interface).parent) };
    // SAFETY: as above; while it is read-locked the module is not unloaded.
    let _in_use = unsafe { lock(parent) }.map(HostLock::read);
    drop(apis);
    let given = if argument.is_empty() { ptr::null() } else { argument.as_ptr() };
    let status = match function {
        // SAFETY: the module is loaded and locked; argument and stream outlive the call.
        Some(function) => unsafe { function(given, ptr::null_mut(), stream.as_ptr()) },
        None => switch_status_t::SWITCH_STATUS_FALSE,
    };
    if let Some(event) = stream.take_event() {
        dispatch::fire(event);
    }
    if status == switch_status_t::SWITCH_STATUS_SUCCESS {
        Ok(stream.written())
    } else {
        Err(format!(
            "{command}: COMMAND RETURNED ERROR: {}",
            String::from_utf8_lossy(&stream.written()).trim_end()
        ))
    }
}
