//! The attributes of a tag as C has them: name, value, name, value, null, and behind the null one byte a pair that
//! says which of the two the list owns.

use crate::memory;
use freeswitch_sys::switch_xml_flag_t;
use libc::c_char;
use std::ptr;

/// The list of a tag without attributes, `SWITCH_XML_NIL`: shared, never written, never freed.
struct Nil([*mut c_char; 2]);

// SAFETY: it holds null pointers only, and nobody writes it.
unsafe impl Sync for Nil {}

static NIL: Nil = Nil([ptr::null_mut(); 2]);

pub(crate) type Raw = *mut *mut c_char;

pub(crate) fn none() -> Raw {
    NIL.0.as_ptr().cast_mut()
}

struct Pair {
    name: *mut c_char,
    value: *mut c_char,
    owned: u8,
}

const OWNS_NAME: u8 = flag(switch_xml_flag_t::SWITCH_XML_NAMEM);
const OWNS_VALUE: u8 = flag(switch_xml_flag_t::SWITCH_XML_TXTM);

#[expect(
    clippy::cast_possible_truncation,
    reason = "FreeSWITCH keeps these flags in bytes; the assertion holds"
)]
const fn flag(flag: switch_xml_flag_t) -> u8 {
    assert!(flag.0 <= 0xff);
    flag.0 as u8
}

/// The value of an attribute; names are case-sensitive.
///
/// # Safety
/// `raw` is null or a list made here that outlives the result.
pub(crate) unsafe fn find<'a>(raw: Raw, name: &[u8]) -> Option<&'a [u8]> {
    if raw.is_null() {
        return None;
    }
    let mut index = 0;
    loop {
        // SAFETY: a list is readable up to its null, where this ends.
        let candidate = unsafe { memory::bytes_or_none(*raw.add(index)) }?;
        if candidate == name {
            // SAFETY: a value follows its name.
            return Some(unsafe { memory::bytes(*raw.add(index + 1)) });
        }
        index += 2;
    }
}

/// # Safety
/// As of [`find`].
pub(crate) unsafe fn all<'a>(raw: Raw) -> Vec<(&'a [u8], &'a [u8])> {
    // SAFETY: passed on.
    let pairs = unsafe { pairs(raw) };
    // SAFETY: names and values of a list are C strings that live as long as it.
    pairs.iter().map(|pair| unsafe { (memory::bytes(pair.name), memory::bytes(pair.value)) }).collect()
}

/// # Safety
/// As of [`find`].
unsafe fn pairs(raw: Raw) -> Vec<Pair> {
    let mut pairs = Vec::new();
    if raw.is_null() {
        return pairs;
    }
    // SAFETY: a list is readable up to its null.
    let read = |index: usize| unsafe { *raw.add(index) };
    while !read(pairs.len() * 2).is_null() {
        let index = pairs.len() * 2;
        pairs.push(Pair { name: read(index), value: read(index + 1), owned: 0 });
    }
    if !pairs.is_empty() {
        let marks = read(pairs.len() * 2 + 1).cast::<u8>();
        for (index, pair) in pairs.iter_mut().enumerate() {
            // SAFETY: there is one mark a pair.
            pair.owned = unsafe { *marks.add(index) };
        }
    }
    pairs
}

/// A list on its way to or from a node.
#[derive(Default)]
pub(crate) struct List(Vec<Pair>);

impl List {
    /// Takes the list apart; its arrays are freed, its strings now belong to the result.
    ///
    /// # Safety
    /// `raw` is null or a list made here, which its owner replaces or forgets.
    pub(crate) unsafe fn take(raw: Raw) -> Self {
        // SAFETY: passed on.
        let pairs = unsafe { pairs(raw) };
        if !pairs.is_empty() {
            // SAFETY: behind the null is the array of marks.
            let marks = unsafe { *raw.add(pairs.len() * 2 + 1) };
            // SAFETY: both arrays came from `into_raw`, and the caller forgets them.
            unsafe { (memory::release(marks), memory::release(raw)) };
        }
        Self(pairs)
    }

    /// Adds a pair of strings that the document's buffer owns.
    pub(crate) fn push(&mut self, name: *mut c_char, value: *mut c_char) {
        self.0.push(Pair { name, value, owned: 0 });
    }

    pub(crate) fn set(&mut self, name: &[u8], value: &[u8]) {
        // SAFETY: names of a list are C strings.
        let found = self.0.iter_mut().find(|pair| unsafe { memory::bytes(pair.name) } == name);
        let value = memory::string(value);
        if let Some(pair) = found {
            pair.release_value();
            pair.value = value;
            pair.owned |= OWNS_VALUE;
        } else {
            self.0.push(Pair { name: memory::string(name), value, owned: OWNS_NAME | OWNS_VALUE });
        }
    }

    pub(crate) fn into_raw(self) -> Raw {
        let count = self.0.len();
        if count == 0 {
            return none();
        }
        let list: Raw = memory::zeroed(count * 2 + 2);
        let marks: *mut u8 = memory::zeroed(count + 1);
        for (index, pair) in self.0.into_iter().enumerate() {
            // SAFETY: both arrays have room for `count` pairs.
            unsafe {
                list.add(index * 2).write(pair.name);
                list.add(index * 2 + 1).write(pair.value);
                marks.add(index).write(pair.owned);
            }
        }
        // SAFETY: the last of the `count * 2 + 2` elements.
        unsafe { list.add(count * 2 + 1).write(marks.cast()) };
        list
    }

    /// Frees the strings that the list owns.
    pub(crate) fn release(self) {
        for mut pair in self.0 {
            pair.release_value();
            if pair.owned & OWNS_NAME != 0 {
                // SAFETY: the mark says that the list owns the name, and the pair ends here.
                unsafe { memory::release(pair.name) };
            }
        }
    }
}

impl Pair {
    fn release_value(&mut self) {
        if self.owned & OWNS_VALUE != 0 {
            // SAFETY: the mark says that the list owns the value, which is replaced or dropped by the caller.
            unsafe { memory::release(self.value) };
            self.owned &= !OWNS_VALUE;
        }
    }
}
