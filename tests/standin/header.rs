//! The headers of an event: a list of name and value, where a value may be a list in turn
//! (`switch_event_base_add_header`).

use crate::memory;
use freeswitch_sys::{switch_event, switch_event_flag_t, switch_event_header};
use libc::{c_char, c_int, c_ulong};
use std::ptr::{self, NonNull};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Front,
    End,
    /// A further element of the header's list.
    Element,
}

type Header = NonNull<switch_event_header>;

/// Adds a header. An empty value deletes the header instead; parameters of lookups have each name once; a value that
/// begins with `ARRAY::` is a list.
pub(crate) fn add(event: &mut switch_event, place: Place, name: &[u8], value: Option<&[u8]>) {
    if place == Place::Element
        && let Some(header) = find(event, name)
    {
        push_element(header, value);
        return;
    }
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        delete(event, name);
        return;
    };
    if event.flags & c_int::try_from(switch_event_flag_t::EF_UNIQ_HEADERS.0).unwrap_or_default() != 0 {
        delete(event, name);
    }
    if let Some(list) = value.strip_prefix(b"ARRAY::") {
        for element in split(list) {
            add(event, Place::Element, name, Some(element));
        }
        return;
    }
    let mut header = make(name);
    if place == Place::Element {
        push_element(header, Some(value));
    } else {
        // SAFETY: just made, and not yet linked.
        unsafe { header.as_mut() }.value = memory::string(value);
    }
    link(event, header, place);
}

fn split(list: &[u8]) -> Vec<&[u8]> {
    let mut elements = Vec::new();
    let mut rest = list;
    while let Some(at) = rest.windows(2).position(|window| window == b"|:") {
        elements.push(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    elements.push(rest);
    elements
}

fn make(name: &[u8]) -> Header {
    let raw: *mut switch_event_header = memory::zeroed(1);
    let mut header = NonNull::new(raw).unwrap_or(NonNull::dangling());
    // SAFETY: a fresh block.
    let fields = unsafe { header.as_mut() };
    fields.name = memory::string(name);
    fields.hash = hash(name);
    header
}

/// `switch_ci_hashfunc_default`: 32 bits, case folded.
fn hash(name: &[u8]) -> c_ulong {
    let hash = name
        .iter()
        .fold(0_u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(u32::from(byte.to_ascii_lowercase())));
    hash.into()
}

fn link(event: &mut switch_event, mut header: Header, place: Place) {
    if place == Place::Front {
        // SAFETY: the header is ours until it is linked.
        unsafe { header.as_mut() }.next = event.headers;
        event.headers = header.as_ptr();
        if event.last_header.is_null() {
            event.last_header = header.as_ptr();
        }
        return;
    }
    // SAFETY: the last header of an event is one of its own.
    match unsafe { event.last_header.as_mut() } {
        Some(last) => last.next = header.as_ptr(),
        None => event.headers = header.as_ptr(),
    }
    event.last_header = header.as_ptr();
}

fn all(event: &switch_event) -> impl Iterator<Item = Header> + use<> {
    // SAFETY: the headers of a living event are linked, and a step is taken before its header may be freed.
    std::iter::successors(NonNull::new(event.headers), |header| NonNull::new(unsafe { header.as_ref() }.next))
}

fn find(event: &switch_event, name: &[u8]) -> Option<Header> {
    all(event).find(|header| {
        // SAFETY: a header of a living event, whose name is a C string.
        unsafe { memory::bytes(header.as_ref().name) }.eq_ignore_ascii_case(name)
    })
}

/// The value of the first header of that name, in any case.
pub(crate) fn value<'a>(event: &'a switch_event, name: &[u8]) -> Option<&'a [u8]> {
    // SAFETY: a header of a living event; its value is null or a C string.
    find(event, name).and_then(|header| unsafe { memory::bytes_or_none(header.as_ref().value) })
}

fn delete(event: &mut switch_event, name: &[u8]) {
    let headers: Vec<Header> = all(event).collect();
    event.headers = ptr::null_mut();
    event.last_header = ptr::null_mut();
    for mut header in headers {
        // SAFETY: it was in the list, and is either linked again or released.
        let fields = unsafe { header.as_mut() };
        fields.next = ptr::null_mut();
        // SAFETY: a name is a C string.
        if unsafe { memory::bytes(fields.name) }.eq_ignore_ascii_case(name) {
            release(header);
        } else {
            link(event, header, Place::End);
        }
    }
}

/// The elements of a list header; they may be null.
fn elements(header: &switch_event_header) -> Vec<*mut c_char> {
    let count = usize::try_from(header.idx).unwrap_or_default();
    // SAFETY: `idx` is the length of the array.
    (0..count).map(|index| unsafe { *header.array.add(index) }).collect()
}

fn push_element(mut header: Header, value: Option<&[u8]>) {
    // SAFETY: a header of the caller's event.
    let header = unsafe { header.as_mut() };
    let mut list = elements(header);
    if list.is_empty() && !header.value.is_null() {
        list.push(header.value);
        header.value = ptr::null_mut();
    }
    list.push(value.map_or(ptr::null_mut(), memory::string));
    // SAFETY: the old array and the old joined value are the header's own and are replaced here.
    unsafe { (memory::release(header.array), memory::release(header.value)) };
    header.array = memory::zeroed(list.len());
    header.idx = c_int::try_from(list.len()).unwrap_or_default();
    let mut joined = if list.len() > 1 { b"ARRAY::".to_vec() } else { Vec::new() };
    for (index, element) in list.into_iter().enumerate() {
        if index > 0 {
            joined.extend_from_slice(b"|:");
        }
        // SAFETY: null or a C string of the list.
        joined.extend_from_slice(unsafe { memory::bytes(element) });
        // SAFETY: the array has room for the whole list.
        unsafe { header.array.add(index).write(element) };
    }
    header.value = memory::string(&joined);
}

/// Frees a header that is in no list.
pub(crate) fn release(header: Header) {
    // SAFETY: given away by its event.
    let fields = unsafe { header.as_ref() };
    for element in elements(fields) {
        // SAFETY: the header owns its elements.
        unsafe { memory::release(element) };
    }
    // SAFETY: the header owns these.
    unsafe { (memory::release(fields.array), memory::release(fields.name), memory::release(fields.value)) };
    // SAFETY: nothing leads to it any more.
    unsafe { memory::release(header.as_ptr()) };
}

#[cfg(test)]
mod tests {
    use crate::event::{Caller, Event};
    use crate::header;
    use std::ffi::CStr;

    fn values(event: &Event, name: &str) -> Vec<String> {
        let named = |header: &super::Header| {
            // SAFETY: a header of a living event.
            let header = unsafe { header.as_ref() };
            // SAFETY: names and values here are C strings.
            let (found, value) = unsafe { (CStr::from_ptr(header.name), CStr::from_ptr(header.value)) };
            (found.to_str().unwrap() == name).then(|| value.to_str().unwrap().to_owned())
        };
        super::all(event.get()).filter_map(|header| named(&header)).collect()
    }

    #[test]
    fn parameters_have_each_name_once_and_other_events_do_not() {
        let caller = Caller::new("a.c", "f");
        let mut params = Event::new("REQUEST_PARAMS", &caller).unwrap();
        let mut general = Event::new("GENERAL", &caller).unwrap();
        for event in [&mut params, &mut general] {
            event.add("user", b"1");
            event.add("user", b"2");
        }
        assert_eq!(values(&params, "user"), ["2"]);
        assert_eq!(values(&general, "user"), ["1", "2"]);
        assert_eq!(header::value(general.get(), b"USER"), Some(&b"1"[..]));
        general.add("user", b"");
        assert!(values(&general, "user").is_empty());
        assert_eq!(values(&general, "Event-Calling-Function"), ["f"]);
    }

    #[test]
    fn lists_may_have_null_elements() {
        let mut event = Event::new("GENERAL", &Caller::new("a.c", "f")).unwrap();
        event.add_given(b"list[]", Some(b"a"));
        event.add_given(b"list[]", None);
        event.add_given(b"list[]", Some(b"c"));
        event.add("other", b"ARRAY::x|:y");
        assert_eq!(values(&event, "list"), ["ARRAY::a|:|:c"]);
        assert_eq!(values(&event, "other"), ["ARRAY::x|:y"]);
        let list = super::find(event.get(), b"list").unwrap();
        // SAFETY: a header of a living event.
        assert!(super::elements(unsafe { list.as_ref() })[1].is_null());
    }
}
