//! Events in their C layout: parameters of lookups, what is fired, and what callbacks see.

use crate::event_name::Release;
use crate::header;
use crate::memory;
use crate::{identity, options};
use freeswitch_sys::{
    switch_event, switch_event_flag_t, switch_event_header, switch_event_t, switch_event_types_t,
    switch_stack_t, switch_status_t,
};
use libc::{c_char, c_int};
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

static SEQUENCE: AtomicU64 = AtomicU64::new(0);

/// An event of ours; it goes when this goes.
pub(crate) struct Event(NonNull<switch_event>);

// SAFETY: an event has one owner at a time and no state of a thread.
unsafe impl Send for Event {}

/// Who asks: what `__FILE__` and `__func__` are in C.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) file: String,
    pub(crate) function: String,
}

impl Caller {
    pub(crate) fn new(file: &str, function: &str) -> Self {
        Self { file: file.to_owned(), function: function.to_owned() }
    }
}

impl Event {
    /// An event of that name with the headers that every event starts with.
    pub(crate) fn new(name: &str, caller: &Caller) -> Result<Self, String> {
        let id = release().id(name).ok_or_else(|| format!("no event {name} in this release"))?;
        Ok(Self::with_id(id, name, caller, 0))
    }

    fn with_id(id: u32, name: &str, caller: &Caller, line: c_int) -> Self {
        let raw: *mut switch_event = memory::zeroed(1);
        let mut event = Self(NonNull::new(raw).unwrap_or(NonNull::dangling()));
        event.get_mut().event_id = switch_event_types_t(id);
        if matches!(name, "REQUEST_PARAMS" | "CHANNEL_DATA" | "MESSAGE") {
            event.get_mut().flags =
                c_int::try_from(switch_event_flag_t::EF_UNIQ_HEADERS.0).unwrap_or_default();
        }
        if name != "CLONE" {
            event.describe(name, caller, line);
        }
        event
    }

    /// The headers of `switch_event_prep_for_delivery_detailed`, in its order.
    fn describe(&mut self, name: &str, caller: &Caller, line: c_int) {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or_default();
        let file = caller.file.rsplit('/').next().unwrap_or_default();
        let switchname = identity::switchname().to_bytes();
        self.add("Event-Name", name.as_bytes());
        self.add("Core-UUID", identity::core_uuid().to_bytes());
        self.add("FreeSWITCH-Hostname", switchname);
        self.add("FreeSWITCH-Switchname", switchname);
        self.add("FreeSWITCH-IPv4", b"127.0.0.1");
        self.add("FreeSWITCH-IPv6", b"::1");
        self.add("Event-Date-Local", &date(seconds, c"%Y-%m-%d %H:%M:%S", libc::localtime_r));
        self.add("Event-Date-GMT", &date(seconds, c"%a, %d %b %Y %H:%M:%S GMT", libc::gmtime_r));
        self.add("Event-Date-Timestamp", since_epoch.as_micros().to_string().as_bytes());
        self.add("Event-Calling-File", file.as_bytes());
        self.add("Event-Calling-Function", caller.function.as_bytes());
        self.add("Event-Calling-Line-Number", line.to_string().as_bytes());
        let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed) + 1;
        self.add("Event-Sequence", sequence.to_string().as_bytes());
    }

    pub(crate) fn set_subclass(&mut self, subclass: &[u8]) {
        self.get_mut().subclass_name = memory::string(subclass);
        self.add("Event-Subclass", subclass);
    }

    pub(crate) fn add(&mut self, name: &str, value: &[u8]) {
        header::add(self.get_mut(), header::Place::End, name.as_bytes(), Some(value));
    }

    /// Adds any header: `name`, `name[]` for a further element of a list, which may be null.
    pub(crate) fn add_given(&mut self, name: &[u8], value: Option<&[u8]>) {
        match name.strip_suffix(b"[]") {
            Some(list) => header::add(self.get_mut(), header::Place::Element, list, value),
            None => header::add(self.get_mut(), header::Place::End, name, value),
        }
    }

    pub(crate) fn as_ptr(&self) -> *mut switch_event_t {
        self.0.as_ptr()
    }

    pub(crate) fn into_raw(self) -> *mut switch_event_t {
        ManuallyDrop::new(self).as_ptr()
    }

    /// # Safety
    /// `raw` is null or an event made here, given away.
    pub(crate) unsafe fn from_raw(raw: *mut switch_event_t) -> Option<Self> {
        NonNull::new(raw).map(Self)
    }

    pub(crate) fn id(&self) -> u32 {
        self.get().event_id.0
    }

    pub(crate) fn subclass(&self) -> Option<&[u8]> {
        // SAFETY: the event owns the string.
        unsafe { memory::bytes_or_none(self.get().subclass_name) }
    }

    pub(crate) fn get(&self) -> &switch_event {
        // SAFETY: made by `with_id` and owned.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn get_mut(&mut self) -> &mut switch_event {
        // SAFETY: as in `get`.
        unsafe { self.0.as_mut() }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        let mut at: *mut switch_event_header = self.get().headers;
        while let Some(header) = NonNull::new(at) {
            // SAFETY: headers of an event are its own, and live until released below.
            at = unsafe { header.as_ref() }.next;
            header::release(header);
        }
        let event = self.get();
        // SAFETY: the event owns both strings.
        unsafe { (memory::release(event.body), memory::release(event.subclass_name)) };
        // SAFETY: nothing leads to the event any more.
        unsafe { memory::release(self.0.as_ptr()) };
    }
}

fn release() -> Release {
    options::get().release
}

type Calendar = unsafe extern "C" fn(*const libc::time_t, *mut libc::tm) -> *mut libc::tm;

fn date(seconds: i64, format: &std::ffi::CStr, calendar: Calendar) -> Vec<u8> {
    let mut text = [0_u8; 80];
    // SAFETY: an all-zero `tm` is valid.
    let mut time = unsafe { std::mem::zeroed::<libc::tm>() };
    // SAFETY: both pointers are to living values.
    unsafe { calendar(&raw const seconds, &raw mut time) };
    // SAFETY: strftime is told the size of the buffer, and the format is a C string.
    let len =
        unsafe { libc::strftime(text.as_mut_ptr().cast(), text.len(), format.as_ptr(), &raw const time) };
    text.get(..len).unwrap_or_default().to_vec()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_event_create_subclass_detailed(
    file: *const c_char,
    func: *const c_char,
    line: c_int,
    event: *mut *mut switch_event_t,
    event_id: switch_event_types_t,
    subclass_name: *const c_char,
) -> switch_status_t {
    // SAFETY: C strings of the caller.
    let (file, func) = unsafe { (memory::bytes(file), memory::bytes(func)) };
    let caller = Caller::new(&String::from_utf8_lossy(file), &String::from_utf8_lossy(func));
    // SAFETY: the caller's variable for the answer.
    unsafe { event.write(ptr::null_mut()) };
    // SAFETY: null or a C string of the caller.
    let subclass = unsafe { memory::bytes_or_none(subclass_name) };
    let Some(name) = release().name(event_id.0) else {
        return switch_status_t::SWITCH_STATUS_GENERR;
    };
    if subclass.is_some() && !matches!(name, "CUSTOM" | "CLONE") {
        return switch_status_t::SWITCH_STATUS_GENERR;
    }
    let mut made = Event::with_id(event_id.0, name, &caller, line);
    if let Some(subclass) = subclass {
        made.set_subclass(subclass);
    }
    // SAFETY: as above.
    unsafe { event.write(made.into_raw()) };
    switch_status_t::SWITCH_STATUS_SUCCESS
}

/// Only the ends of the list: the bits for list elements were renumbered in 1.10.9.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_event_add_header_string(
    event: *mut switch_event_t,
    stack: switch_stack_t,
    header_name: *const c_char,
    data: *const c_char,
) -> switch_status_t {
    let place = match stack {
        switch_stack_t::SWITCH_STACK_BOTTOM => header::Place::End,
        switch_stack_t::SWITCH_STACK_TOP => header::Place::Front,
        _ => return switch_status_t::SWITCH_STATUS_FALSE,
    };
    // SAFETY: the caller's event, which no other thread uses.
    let Some(event) = (unsafe { event.as_mut() }) else {
        return switch_status_t::SWITCH_STATUS_FALSE;
    };
    // SAFETY: C strings of the caller.
    let (name, value) = unsafe { (memory::bytes(header_name), memory::bytes_or_none(data)) };
    header::add(event, place, name, value);
    switch_status_t::SWITCH_STATUS_SUCCESS
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_event_destroy(event: *mut *mut switch_event_t) {
    // SAFETY: the caller's variable, whose event it gives away.
    let raw = unsafe { event.replace(ptr::null_mut()) };
    // SAFETY: as above.
    drop(unsafe { Event::from_raw(raw) });
}

/// The number of an event, by name.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_name_event(
    name: *const c_char,
    kind: *mut switch_event_types_t,
) -> switch_status_t {
    // SAFETY: a C string of the caller.
    let name = String::from_utf8_lossy(unsafe { memory::bytes(name) });
    let Some(id) = release().id(&name) else {
        return switch_status_t::SWITCH_STATUS_FALSE;
    };
    // SAFETY: the caller's variable for the answer.
    unsafe { kind.write(switch_event_types_t(id)) };
    switch_status_t::SWITCH_STATUS_SUCCESS
}
