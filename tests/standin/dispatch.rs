//! Firing: a bounded queue, threads that take from it, and callbacks under a read lock (`switch_event_deliver`).

use crate::event::Event;
use crate::lock::HostLock;
use crate::log;
use crate::memory;
use crate::options;
use crate::stack::{self, Thread};
use freeswitch_sys::{
    switch_event_callback_t, switch_event_node_t, switch_event_t, switch_event_types_t, switch_status_t,
};
use libc::{c_char, c_int, c_void};
use std::collections::{BTreeMap, VecDeque};
use std::ptr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What `switch_event_node_t` points to.
struct Node {
    event_id: u32,
    subclass: Option<Vec<u8>>,
    callback: switch_event_callback_t,
    user_data: *mut c_void,
}

// SAFETY: a node is only read after it was bound; its user data is the module's affair, as in FreeSWITCH.
unsafe impl Send for Node {}
// SAFETY: as above.
unsafe impl Sync for Node {}

/// Newest first. Boxed, since the address of a node is the module's handle.
#[expect(clippy::vec_box, reason = "the address is what the module holds")]
static NODES: HostLock<Vec<Box<Node>>> = HostLock::new(Vec::new());

struct Reservation {
    owner: Vec<u8>,
    /// Made by a listener; the real owner may still take it.
    by_listener: bool,
}

static SUBCLASSES: Mutex<Option<BTreeMap<Vec<u8>, Reservation>>> = Mutex::new(None);

#[derive(Default)]
struct Queue {
    events: VecDeque<Event>,
    delivering: usize,
    delivered: u64,
    running: bool,
}

static QUEUE: Mutex<Option<Queue>> = Mutex::new(None);
static CHANGED: Condvar = Condvar::new();

fn queue() -> MutexGuard<'static, Option<Queue>> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The dispatch threads.
pub(crate) struct Dispatch(Vec<Thread<()>>);

/// Starts the threads; events fired before are dropped.
pub(crate) fn start() -> Result<Dispatch, String> {
    *queue() = Some(Queue { running: true, ..Queue::default() });
    let threads = (0..options::get().event_threads).map(|_| stack::spawn(work)).collect::<Result<_, _>>()?;
    Ok(Dispatch(threads))
}

impl Dispatch {
    /// Delivers what is queued and ends the threads.
    pub(crate) fn stop(self) -> Result<(), String> {
        drain();
        if let Some(queue) = queue().as_mut() {
            queue.running = false;
        }
        CHANGED.notify_all();
        self.0.into_iter().try_for_each(Thread::join)
    }
}

fn wait(held: MutexGuard<'static, Option<Queue>>) -> MutexGuard<'static, Option<Queue>> {
    CHANGED.wait(held).unwrap_or_else(PoisonError::into_inner)
}

/// Queues an event; a full queue makes the caller wait, as `switch_queue_push` does.
pub(crate) fn fire(event: Event) {
    let mut held = queue();
    loop {
        match held.as_mut().filter(|queue| queue.running) {
            None => return,
            Some(queue) if queue.events.len() < options::get().event_queue => {
                queue.events.push_back(event);
                break;
            }
            Some(_) => held = wait(held),
        }
    }
    drop(held);
    CHANGED.notify_all();
}

/// Waits until all events fired so far were delivered, and says how many there were ever.
pub(crate) fn drain() -> u64 {
    let mut held = queue();
    loop {
        match held.as_ref() {
            None => return 0,
            Some(queue) if queue.events.is_empty() && queue.delivering == 0 => return queue.delivered,
            Some(_) => held = wait(held),
        }
    }
}

fn work() {
    let mut held = queue();
    while let Some(queue) = held.as_mut() {
        let Some(mut event) = queue.events.pop_front() else {
            if !queue.running {
                return;
            }
            held = wait(held);
            continue;
        };
        queue.delivering += 1;
        drop(held);
        CHANGED.notify_all();
        deliver(&mut event);
        held = self::queue();
        if let Some(queue) = held.as_mut() {
            queue.delivering -= 1;
            queue.delivered += 1;
        }
        CHANGED.notify_all();
    }
}

/// First the nodes of the event's own number, then those of `ALL`.
pub(crate) fn deliver(event: &mut Event) {
    let all = options::get().release.id("ALL").unwrap_or(u32::MAX);
    let nodes = NODES.read();
    for id in [event.id(), all] {
        for node in nodes.iter().filter(|node| node.event_id == id) {
            if let Some(callback) = node.callback.filter(|_| node.matches(event)) {
                event.get_mut().bind_user_data = node.user_data;
                // SAFETY: the module keeps its callback callable until it has unbound it, which waits for this lock.
                unsafe { callback(event.as_ptr()) };
            }
        }
    }
}

impl Node {
    /// A node without a subclass takes all events of its number; one with a subclass only that.
    fn matches(&self, event: &Event) -> bool {
        self.subclass.as_deref().is_none_or(|subclass| event.subclass() == Some(subclass))
    }
}

/// Writes the handle before callbacks can begin.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_event_bind_removable(
    id: *const c_char,
    event: switch_event_types_t,
    subclass_name: *const c_char,
    callback: switch_event_callback_t,
    user_data: *mut c_void,
    node: *mut *mut switch_event_node_t,
) -> switch_status_t {
    // SAFETY: null or C strings of the caller.
    let (owner, subclass) = unsafe { (memory::bytes(id), memory::bytes_or_none(subclass_name)) };
    if let Some(subclass) = subclass {
        with_subclasses(|all| {
            all.entry(subclass.to_vec()).or_insert(Reservation { owner: owner.to_vec(), by_listener: true });
        });
    }
    if usize::try_from(event.0).is_ok_and(|id| id >= options::get().release.count()) {
        return switch_status_t::SWITCH_STATUS_MEMERR;
    }
    let made =
        Box::new(Node { event_id: event.0, subclass: subclass.map(<[u8]>::to_vec), callback, user_data });
    let mut nodes = NODES.write();
    if !node.is_null() {
        // SAFETY: the caller's variable for the handle.
        unsafe { node.write(ptr::from_ref::<Node>(&made).cast_mut().cast()) };
    }
    nodes.insert(0, made);
    switch_status_t::SWITCH_STATUS_SUCCESS
}

/// Returns when no callback is running any more.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_event_unbind(node: *mut *mut switch_event_node_t) -> switch_status_t {
    // SAFETY: the caller's variable.
    let handle = unsafe { node.read() };
    let mut nodes = NODES.write();
    let Some(index) = nodes.iter().position(|known| ptr::addr_eq(ptr::from_ref::<Node>(known), handle))
    else {
        return switch_status_t::SWITCH_STATUS_FALSE;
    };
    nodes.remove(index);
    // SAFETY: the caller's variable.
    unsafe { node.write(ptr::null_mut()) };
    switch_status_t::SWITCH_STATUS_SUCCESS
}

/// How many callbacks are bound.
pub(crate) fn bound() -> usize {
    NODES.read().len()
}

/// How many subclasses of events are reserved by those who fire them.
pub(crate) fn reserved() -> usize {
    with_subclasses(|all| all.values().filter(|reservation| !reservation.by_listener).count())
}

fn with_subclasses<T>(work: impl FnOnce(&mut BTreeMap<Vec<u8>, Reservation>) -> T) -> T {
    work(SUBCLASSES.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_event_fire_detailed(
    _file: *const c_char,
    _func: *const c_char,
    _line: c_int,
    event: *mut *mut switch_event_t,
    user_data: *mut c_void,
) -> switch_status_t {
    // SAFETY: the caller's variable, whose event it gives away.
    let raw = unsafe { event.replace(ptr::null_mut()) };
    // SAFETY: as above.
    let Some(mut event) = (unsafe { Event::from_raw(raw) }) else {
        return switch_status_t::SWITCH_STATUS_FALSE;
    };
    if !user_data.is_null() {
        event.get_mut().event_user_data = user_data;
    }
    fire(event);
    switch_status_t::SWITCH_STATUS_SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_event_reserve_subclass_detailed(
    owner: *const c_char,
    subclass_name: *const c_char,
) -> switch_status_t {
    // SAFETY: C strings of the caller.
    let (owner, subclass) = unsafe { (memory::bytes(owner), memory::bytes(subclass_name)) };
    with_subclasses(|all| match all.get_mut(subclass) {
        Some(reservation) if reservation.by_listener => {
            reservation.by_listener = false;
            switch_status_t::SWITCH_STATUS_SUCCESS
        }
        Some(_) => switch_status_t::SWITCH_STATUS_INUSE,
        None => {
            all.insert(subclass.to_vec(), Reservation { owner: owner.to_vec(), by_listener: false });
            switch_status_t::SWITCH_STATUS_SUCCESS
        }
    })
}

/// Only the owner may free a name; for anybody else it becomes one that a listener reserved.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_event_free_subclass_detailed(
    owner: *const c_char,
    subclass_name: *const c_char,
) -> switch_status_t {
    // SAFETY: C strings of the caller.
    let (owner, subclass) = unsafe { (memory::bytes(owner), memory::bytes(subclass_name)) };
    with_subclasses(|all| match all.get_mut(subclass) {
        Some(reservation) if reservation.owner == owner => {
            let _waits_for_callbacks = NODES.write();
            all.remove(subclass);
            switch_status_t::SWITCH_STATUS_SUCCESS
        }
        Some(reservation) => {
            let name = String::from_utf8_lossy(subclass);
            log::line(log::NOTICE, &format!("Subclass reservation {name} inuse by listeners, detaching.."));
            reservation.by_listener = true;
            switch_status_t::SWITCH_STATUS_FALSE
        }
        None => switch_status_t::SWITCH_STATUS_FALSE,
    })
}
