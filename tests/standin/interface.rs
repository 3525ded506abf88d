//! What modules offer to the switch, the running of commands and the hunting for calls.

use crate::dispatch;
use crate::event::{Caller, Event};
use crate::lock::HostLock;
use crate::log;
use crate::memory::{self, Pool};
use crate::sofia;
use crate::stream::Stream;
use freeswitch_sys::{
    switch_api_interface, switch_application_interface, switch_caller_extension_t, switch_caller_profile_t,
    switch_core_session_t, switch_dialplan_interface, switch_loadable_module_interface,
    switch_loadable_module_interface_t, switch_memory_pool_t, switch_module_interface_name_t,
    switch_status_t, switch_stream_handle_t,
};
use libc::{c_char, c_void};
use std::ffi::CString;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The lock of a module: held for reading while one of its commands runs.
pub(crate) type ModuleLock = HostLock<()>;

/// Something that a loaded module offers under a name.
struct Offer<T> {
    name: String,
    interface: *mut T,
}

// SAFETY: the interface is in the pool of a module, which lives until the offer was withdrawn.
unsafe impl<T> Send for Offer<T> {}

static APIS: Mutex<Vec<Offer<switch_api_interface>>> = Mutex::new(Vec::new());
static DIALPLANS: Mutex<Vec<Offer<switch_dialplan_interface>>> = Mutex::new(Vec::new());

fn offers<T>(offers: &'static Mutex<Vec<Offer<T>>>) -> MutexGuard<'static, Vec<Offer<T>>> {
    offers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Names are told apart without regard to case (`switch_core_hash_init_case`).
fn find<T>(offers: &[Offer<T>], name: &str) -> Option<*mut T> {
    offers.iter().find(|offer| offer.name.eq_ignore_ascii_case(name)).map(|offer| offer.interface)
}

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

/// What a module offers: the names of its commands and of its dialplans.
#[derive(Default)]
pub(crate) struct Offered {
    pub(crate) commands: Vec<String>,
    pub(crate) dialplans: Vec<String>,
}

/// Publishes all interfaces of one kind, and notes their names.
macro_rules! publish {
    ($first:expr, $function:ident, $offers:ident, $names:expr) => {
        let mut at = $first;
        // SAFETY: a list that `append!` made.
        while let Some(interface) = unsafe { at.as_ref() } {
            // SAFETY: modules set C strings that live as long as they are loaded.
            let name = unsafe { memory::bytes(interface.interface_name) };
            let name = String::from_utf8_lossy(name).into_owned();
            if name.is_empty() || interface.$function.is_none() {
                log::line(log::ERR, "an interface without a name or a function is not published");
            } else {
                $names.push(name.clone());
                offers(&$offers).push(Offer { name, interface: at });
            }
            at = interface.next;
        }
    };
}

/// Makes known what a module offers.
///
/// # Safety
/// `module` was filled by a module that stays loaded until [`withdraw`].
pub(crate) unsafe fn publish(module: *mut switch_loadable_module_interface_t) -> Offered {
    let mut offered = Offered::default();
    // SAFETY: given by the caller.
    let (api, dialplan) = unsafe { ((*module).api_interface, (*module).dialplan_interface) };
    publish!(dialplan, hunt_function, DIALPLANS, offered.dialplans);
    publish!(api, function, APIS, offered.commands);
    offered
}

/// Forgets what a module offers.
pub(crate) fn withdraw(module: *mut switch_loadable_module_interface_t) {
    // SAFETY: offers are withdrawn before the pool goes in which their interfaces are.
    offers(&APIS).retain(|api| unsafe { (*api.interface).parent } != module);
    // SAFETY: as above.
    offers(&DIALPLANS).retain(|dialplan| unsafe { (*dialplan.interface).parent } != module);
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
    offers(&APIS).iter().filter(|api| api.name.starts_with(prefix)).map(|api| api.name.clone()).collect()
}

/// Runs a command for somebody at the console: what it printed, or the error.
pub(crate) fn execute(command: &str, argument: &str) -> Result<Vec<u8>, String> {
    let mut stream = Stream::new();
    let [name, given] = [command, argument].map(CString::new);
    let (name, given) = (name.map_err(|error| error.to_string())?, given.map_err(|error| error.to_string())?);
    // SAFETY: C strings and a stream that outlive the call.
    let status =
        unsafe { switch_api_execute(name.as_ptr(), given.as_ptr(), ptr::null_mut(), stream.as_ptr()) };
    if status == switch_status_t::SWITCH_STATUS_SUCCESS {
        Ok(stream.written())
    } else {
        Err(format!("{command}: {}", String::from_utf8_lossy(&stream.written()).trim_end()))
    }
}

/// Runs a command, and fires the event that tells of it.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_api_execute(
    command: *const c_char,
    argument: *const c_char,
    session: *mut switch_core_session_t,
    stream: *mut switch_stream_handle_t,
) -> switch_status_t {
    // SAFETY: null or C strings of the caller.
    let (command, argument) = unsafe { (memory::bytes(command), memory::bytes(argument)) };
    let [command, argument] = [command, argument].map(|text| String::from_utf8_lossy(text).trim().to_owned());
    let params = Event::new("API", &Caller::new("switch_loadable_module.c", "switch_api_execute")).ok();
    let params = params.map(|mut params| {
        params.add("API-Command", command.as_bytes());
        params.add("API-Command-Argument", argument.as_bytes());
        params.into_raw()
    });
    // SAFETY: the caller's stream, alive during the call.
    unsafe { (*stream).param_event = params.unwrap_or(ptr::null_mut()) };
    // SAFETY: as above, and the session is passed on.
    let status = unsafe { call(&command, &argument, session, stream) };
    // SAFETY: as above; the event is given away.
    let event = unsafe { Event::from_raw(std::mem::replace(&mut (*stream).param_event, ptr::null_mut())) };
    if let Some(event) = event {
        dispatch::fire(event);
    }
    status
}

/// Some commands of mod_commands, in a FreeSWITCH without sessions. A call that is made rings for two seconds.
fn sessions(command: &str, argument: &str) -> Option<String> {
    Some(match command {
        "uuid_exists" => "false".to_owned(),
        "uuid_kill" => format!("-ERR No such channel: {argument}\n"),
        "originate" => {
            std::thread::sleep(std::time::Duration::from_secs(2));
            "-ERR NO_ANSWER\n".to_owned()
        }
        _ => return None,
    })
}

/// # Safety
/// `stream` is alive during the call, and `session` is null or alive as well.
unsafe fn call(
    command: &str,
    argument: &str,
    session: *mut switch_core_session_t,
    stream: *mut switch_stream_handle_t,
) -> switch_status_t {
    // SAFETY: given by the caller.
    let print = |text: &str| unsafe { crate::stream::print(stream, text) };
    if command.eq_ignore_ascii_case("sofia") && sofia::is_up() {
        print(&sofia::command(argument));
        return switch_status_t::SWITCH_STATUS_SUCCESS;
    }
    if let Some(printed) = sessions(command, argument) {
        print(&printed);
        return switch_status_t::SWITCH_STATUS_SUCCESS;
    }
    let apis = offers(&APIS);
    let Some(interface) = find(&apis, command) else {
        print("INVALID COMMAND!\n");
        return switch_status_t::SWITCH_STATUS_FALSE;
    };
    // SAFETY: the interface lives until it is withdrawn, which needs the lock that is held.
    let (function, parent) = unsafe { ((*interface).function, (*interface).parent) };
    // SAFETY: as above; while it is read-locked the module is not unloaded. FreeSWITCH waits here for an unload that runs.
    let Some(_in_use) = unsafe { lock(parent) }.and_then(HostLock::try_read) else {
        print("INVALID COMMAND!\n");
        return switch_status_t::SWITCH_STATUS_FALSE;
    };
    drop(apis);
    let given = CString::new(argument).ok().filter(|given| !given.is_empty());
    let given = given.as_ref().map_or(ptr::null(), |given| given.as_ptr());
    let status = match function {
        // SAFETY: the module is loaded and locked; argument and stream outlive the call.
        Some(function) => unsafe { function(given, session, stream) },
        None => switch_status_t::SWITCH_STATUS_FALSE,
    };
    if status != switch_status_t::SWITCH_STATUS_SUCCESS {
        print("COMMAND RETURNED ERROR!\n");
    }
    status
}

/// Has a dialplan hunt for a call, as `switch_core_standard_on_routing` does; without a name the module's first one. Null:
/// it knows no way.
pub(crate) fn hunt(
    dialplan: Option<&str>,
    session: *mut switch_core_session_t,
    profile: *mut switch_caller_profile_t,
) -> Result<*mut switch_caller_extension_t, String> {
    let dialplans = offers(&DIALPLANS);
    let found = match dialplan {
        Some(name) => find(&dialplans, name),
        None => dialplans.first().map(|dialplan| dialplan.interface),
    };
    let interface =
        found.ok_or_else(|| format!("Dialplan [{}] not found, skipping", dialplan.unwrap_or("")))?;
    // SAFETY: the interface lives until it is withdrawn, which needs the lock that is held.
    let (function, parent) = unsafe { ((*interface).hunt_function, (*interface).parent) };
    // SAFETY: as above; while it is read-locked the module is not unloaded. FreeSWITCH waits here for an unload that runs.
    let _in_use =
        unsafe { lock(parent) }.and_then(HostLock::try_read).ok_or("the module is being unloaded")?;
    drop(dialplans);
    // SAFETY: the module is loaded and locked; session and profile outlive the call.
    Ok(function.map_or(ptr::null_mut(), |function| unsafe { function(session, ptr::null_mut(), profile) }))
}
