//! Finding headers by name in an event.
//!
//! FreeSWITCH keeps a hash beside each name (`switch_event.c:switch_event_base_add_header`), and a dialplan lookup has
//! hundreds of headers: comparing numbers spares reading their names. Whether this FreeSWITCH hashes as we do is tried
//! once, at load; where it does not, names are compared.

use super::text::bytes;
use freeswitch_sys::{
    switch_event_add_header_string, switch_event_create_subclass_detailed, switch_event_destroy,
    switch_event_header_t, switch_event_t, switch_event_types_t, switch_stack_t, switch_status_t,
};
use nizam_wire::event::Name;
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

static AGREE: AtomicBool = AtomicBool::new(false);

/// Whether the hashes in events are what [`hash`] gives.
pub(super) fn hashes_agree() -> bool {
    AGREE.load(Ordering::Relaxed)
}

/// `switch_apr.c:switch_ci_hashfunc_default`: 32 bits, times 33, letters in lower case.
const fn hash(name: &[u8]) -> u32 {
    let mut rest = name;
    let mut hash = 0_u32;
    while let [byte, behind @ ..] = rest {
        hash = hash.wrapping_mul(33).wrapping_add(byte.to_ascii_lowercase() as u32);
        rest = behind;
    }
    hash
}

/// Names to look for, with their hashes.
pub(super) struct Names<const N: usize> {
    texts: [&'static str; N],
    hashes: [u64; N],
    /// A bit for the last six bits of each hash: most headers are none of ours, and are told by one look.
    some: u64,
}

impl<const N: usize> Names<N> {
    pub(super) const fn new(names: [&'static str; N]) -> Self {
        let mut hashes = [0; N];
        let mut some = 0;
        let mut index = 0;
        while index < N {
            #[expect(clippy::indexing_slicing, reason = "below the length of both arrays")]
            {
                hashes[index] = hash(names[index].as_bytes()) as u64;
                some |= 1 << (hashes[index] & 63);
            }
            index += 1;
        }
        Self { texts: names, hashes, some }
    }

    /// Which of the names this header has.
    ///
    /// # Safety
    /// The header's name is NULL or NUL-terminated.
    pub(super) unsafe fn find(&self, header: &switch_event_header_t, hashed: bool) -> Option<usize> {
        // Zero: FreeSWITCH has not computed it yet.
        if hashed && header.hash != 0 {
            if self.some >> (header.hash & 63) & 1 == 0 {
                return None;
            }
            let index = self.hashes.iter().position(|&hash| hash == header.hash)?;
            // SAFETY: by the caller's promise.
            return unsafe { self.is(header, index) }.then_some(index);
        }
        // SAFETY: by the caller's promise.
        (0..N).find(|&index| unsafe { self.is(header, index) })
    }

    /// # Safety
    /// As for [`Names::find`].
    unsafe fn is(&self, header: &switch_event_header_t, index: usize) -> bool {
        // SAFETY: by the caller's promise.
        let name = unsafe { bytes(header.name) };
        name.zip(self.texts.get(index))
            .is_some_and(|(name, wanted)| name.eq_ignore_ascii_case(wanted.as_bytes()))
    }
}

/// For which kinds of events a header is kept, and its name.
pub(super) type Allowed = (u16, &'static CStr);

/// Many names to look for, each header among hundreds: `S` places, a power of two, several times as many as names.
pub(super) struct Table<const N: usize, const S: usize> {
    list: &'static [Allowed; N],
    names: [Name; N],
    places: [Place; S],
}

/// A name is in the place that [`spread`] says, or in the first free one behind.
#[derive(Clone, Copy)]
struct Place {
    hash: u32,
    kinds: u16,
    /// One more than the index in the list; 0: the place is free.
    entry: u16,
}

/// Hashes of names that differ in a letter are neighbours: spreads them, so that most places say at the first look what is there.
const fn spread(hash: u32) -> usize {
    (hash.wrapping_mul(0x9e37_79b1) >> 16) as usize
}

impl<const N: usize, const S: usize> Table<N, S> {
    #[expect(
        clippy::indexing_slicing,
        reason = "run by the compiler, which refuses an index that is too large"
    )]
    #[expect(clippy::cast_possible_truncation, reason = "fewer names than 65,536")]
    pub(super) const fn new(list: &'static [Allowed; N]) -> Self {
        let mut names = [Name::NONE; N];
        let mut places = [Place { hash: 0, kinds: 0, entry: 0 }; S];
        let mut index = 0;
        while index < N {
            let (kinds, name) = list[index];
            // The compiler refuses a list with a name that is no text, or too long.
            let known = match name.to_str() {
                Ok(text) => Name::new(text),
                Err(_) => None,
            };
            assert!(known.is_some());
            if let Some(name) = known {
                names[index] = name;
            }
            let hash = hash(name.to_bytes());
            let mut place = spread(hash) & (S - 1);
            while places[place].entry != 0 {
                place = (place + 1) & (S - 1);
            }
            places[place] = Place { hash, kinds, entry: index as u16 + 1 };
            index += 1;
        }
        Self { list, names, places }
    }

    /// The name of this header, if it is kept for one of these kinds. In the case of the list: FreeSWITCH writes its names in one.
    ///
    /// # Safety
    /// The header's name is NULL or NUL-terminated.
    #[inline]
    pub(super) unsafe fn find(
        &self,
        header: &switch_event_header_t,
        kinds: u16,
        hashed: bool,
    ) -> Option<&Name> {
        if header.name.is_null() {
            return None;
        }
        // Zero: FreeSWITCH has not computed it yet.
        let sought = if hashed && header.hash != 0 {
            u32::try_from(header.hash).ok()?
        } else {
            // SAFETY: by the caller's promise.
            hash(unsafe { bytes(header.name) }?)
        };
        let mut at = spread(sought) & (S - 1);
        loop {
            let place = self.places.get(at)?;
            if place.entry == 0 {
                return None;
            }
            if place.hash == sought {
                if place.kinds & kinds == 0 {
                    return None;
                }
                let index = usize::from(place.entry) - 1;
                let (_, name) = self.list.get(index)?;
                // Whoever sends SIP headers can make names with any hash.
                // SAFETY: by the caller's promise, and not NULL.
                let differs = unsafe { libc::strcmp(header.name, name.as_ptr()) };
                return self.names.get(index).filter(|_| differs == 0);
            }
            at = (at + 1) & (S - 1);
        }
    }
}

/// Makes an event, as FreeSWITCH does, and looks at what it says of a header's name.
pub(super) fn try_hashes() {
    let name = c"Nizam_Probe-1";
    let mut event: *mut switch_event_t = ptr::null_mut();
    // SAFETY: static strings and a place for the event; the event is not fired. REQUEST_PARAMS has the same number in
    // all releases.
    let made = unsafe {
        switch_event_create_subclass_detailed(
            c"mod_nizam".as_ptr(),
            c"nizam".as_ptr(),
            0,
            &raw mut event,
            switch_event_types_t::SWITCH_EVENT_REQUEST_PARAMS,
            ptr::null(),
        )
    };
    if made != switch_status_t::SWITCH_STATUS_SUCCESS || event.is_null() {
        return;
    }
    let bottom = switch_stack_t::SWITCH_STACK_BOTTOM;
    // SAFETY: the event was just made; both strings are copied.
    unsafe { switch_event_add_header_string(event, bottom, name.as_ptr(), c"1".as_ptr()) };
    // SAFETY: the event was just made and belongs to nobody else.
    let last = unsafe { (*event).last_header };
    // SAFETY: NULL or the header just added.
    let agree =
        unsafe { last.as_ref() }.is_some_and(|header| header.hash == u64::from(hash(name.to_bytes())));
    AGREE.store(agree, Ordering::Relaxed);
    // SAFETY: ours to destroy, and used no more.
    unsafe { switch_event_destroy(&raw mut event) };
}
