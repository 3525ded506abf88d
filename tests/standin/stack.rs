//! Threads as FreeSWITCH makes them: plain pthreads with a stack of 240 KiB (`SWITCH_THREAD_STACKSIZE` in
//! `switch_types.h`) and a guard page below it, so that a module that needs more dies here and not in production.
//!
//! Not std's threads: on those, std has state of its own that a module would not find in FreeSWITCH.

use std::any::Any;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

const STACK_SIZE: usize = 240 * 1024;
const GUARD_SIZE: usize = 4096;

type Outcome<T> = Arc<Mutex<Option<Result<T, String>>>>;

/// A running thread; its result is taken by [`Thread::join`].
pub(crate) struct Thread<T> {
    id: libc::pthread_t,
    outcome: Outcome<T>,
}

struct Start(Box<dyn FnOnce() + Send>);

/// Starts a thread with a small stack.
pub(crate) fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<Thread<T>, String> {
    let outcome: Outcome<T> = Arc::default();
    let shared = Arc::clone(&outcome);
    let start = Start(Box::new(move || {
        let result = catch_unwind(AssertUnwindSafe(work)).map_err(|panic| reason(panic.as_ref()));
        *shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }));
    let attributes = Attributes::small()?;
    let argument = Box::into_raw(Box::new(start));
    let mut id = MaybeUninit::uninit();
    // SAFETY: the attributes are initialised, and `run` takes the box over.
    let result =
        unsafe { libc::pthread_create(id.as_mut_ptr(), &raw const attributes.0, run, argument.cast()) };
    if result != 0 {
        // SAFETY: no thread was started, so the box is still ours.
        drop(unsafe { Box::from_raw(argument) });
        return Err(format!("pthread_create: error {result}"));
    }
    // SAFETY: pthread_create succeeded and wrote the id.
    Ok(Thread { id: unsafe { id.assume_init() }, outcome })
}

/// Runs `work` on a thread with a small stack and waits for it.
pub(crate) fn run_on_small_stack<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    spawn(work)?.join()
}

impl<T> Thread<T> {
    pub(crate) fn join(self) -> Result<T, String> {
        // SAFETY: the id is of a thread that was neither joined nor detached: this takes `self`.
        let result = unsafe { libc::pthread_join(self.id, ptr::null_mut()) };
        if result != 0 {
            return Err(format!("pthread_join: error {result}"));
        }
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        outcome.unwrap_or_else(|| Err("the thread ended without a result".to_owned()))
    }
}

extern "C" fn run(argument: *mut c_void) -> *mut c_void {
    // SAFETY: `spawn` passed a box of this type and gave it away.
    let start = unsafe { Box::from_raw(argument.cast::<Start>()) };
    (start.0)();
    ptr::null_mut()
}

struct Attributes(libc::pthread_attr_t);

impl Attributes {
    fn small() -> Result<Self, String> {
        let mut raw = MaybeUninit::uninit();
        // SAFETY: initialises `raw`.
        check("pthread_attr_init", unsafe { libc::pthread_attr_init(raw.as_mut_ptr()) })?;
        // SAFETY: pthread_attr_init succeeded.
        let mut attributes = Self(unsafe { raw.assume_init() });
        // SAFETY: initialised above.
        check("stack size", unsafe { libc::pthread_attr_setstacksize(&raw mut attributes.0, STACK_SIZE) })?;
        // SAFETY: initialised above.
        check("guard size", unsafe { libc::pthread_attr_setguardsize(&raw mut attributes.0, GUARD_SIZE) })?;
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised in `small`.
        unsafe { libc::pthread_attr_destroy(&raw mut self.0) };
    }
}

fn check(what: &str, result: libc::c_int) -> Result<(), String> {
    if result == 0 { Ok(()) } else { Err(format!("{what}: error {result}")) }
}

fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.unwrap_or_else(|| "without a message".to_owned()))
}
