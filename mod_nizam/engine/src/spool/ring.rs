//! The ring: a file in tmpfs that callbacks write into.
//!
//! 64 words of header, then records ([`super::record`]) one behind the other, over the end and on from the start. A record is there once
//! the head has moved over it, which is one store; so a process that is killed leaves whole records only. The file has all its pages
//! from the start: writing into it cannot fail.

use super::SpoolError;
use super::record::{Class, HEAD, Head, count};
use nizam_wire::event;
use nizam_wire::link::Incarnation;
use nizam_wire::memory::Words;
use parking_lot::Mutex;
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::xxh3_64;

/// `NIZAMRNG`.
const MAGIC: u64 = u64::from_le_bytes(*b"NIZAMRNG");
const VERSION: u64 = 1;

/// Words before the records.
const HEADER: usize = 64;

/// The smallest that holds the longest record, and still has a part that is kept for finals.
pub(super) const LEAST: u64 = 256 << 10;

/// What each word of the header is.
mod place {
    pub(super) const MAGIC: usize = 0;
    pub(super) const VERSION: usize = 1;
    pub(super) const INCARNATION: usize = 2;
    pub(super) const CORE: usize = 4;
    pub(super) const CORE_WORDS: usize = 5;
    pub(super) const BEGAN: usize = 9;
    pub(super) const HEAD: usize = 10;
    pub(super) const TAIL: usize = 11;
    pub(super) const NEXT: usize = 12;
    pub(super) const DROPPED: [usize; 2] = [13, 14];
}

/// A ring, held by this process alone.
pub(super) struct Ring {
    words: Words,
    path: PathBuf,
    /// Its lock goes with it.
    _file: File,
    writing: Mutex<()>,
}

/// Records as they were read from a ring.
pub(super) struct Read {
    /// The records, in bytes as a segment has them.
    pub(super) bytes: Vec<u8>,
    /// The head of each.
    pub(super) heads: Vec<Head>,
    /// The position behind the last one.
    pub(super) end: u64,
    /// What follows is no record, and in the way until [`Ring::cut`].
    pub(super) damaged: bool,
}

impl Ring {
    /// Makes a new, empty one. What was in its place is left alone: see [`super::leftover`].
    pub(super) fn create(
        path: &Path,
        size: u64,
        incarnation: Incarnation,
        core: &str,
        began: u64,
    ) -> Result<Self, SpoolError> {
        let failed = |source: io::Error| SpoolError::Io { path: path.to_owned(), source };
        let file = open(path, true)?;
        file.set_len(size.max(LEAST).next_multiple_of(8)).map_err(failed)?;
        let words = Words::new(&file).map_err(|errno| failed(errno.into()))?;
        let ring = Self { words, path: path.to_owned(), _file: file, writing: Mutex::new(()) };
        for (index, bytes) in incarnation.0.as_chunks::<8>().0.iter().enumerate() {
            ring.set(place::INCARNATION + index, u64::from_le_bytes(*bytes));
        }
        let mut text = [0; place::CORE_WORDS * 8];
        for (place, byte) in text.iter_mut().zip(core.bytes()) {
            *place = byte;
        }
        for (index, bytes) in text.as_chunks::<8>().0.iter().enumerate() {
            ring.set(place::CORE + index, u64::from_le_bytes(*bytes));
        }
        ring.set(place::BEGAN, began);
        ring.set(place::NEXT, 1);
        ring.set(place::VERSION, VERSION);
        // Last: a file without it was never used.
        ring.word(place::MAGIC).store(MAGIC, Ordering::Release);
        Ok(ring)
    }

    /// Opens one that another process left. `None`: it is none, or was never used.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, SpoolError> {
        let file = open(path, false)?;
        let length =
            file.metadata().map_err(|source| SpoolError::Io { path: path.to_owned(), source })?.len();
        if length < LEAST {
            return Ok(None);
        }
        let words = Words::new(&file)
            .map_err(|errno| SpoolError::Io { path: path.to_owned(), source: errno.into() })?;
        let ring = Self { words, path: path.to_owned(), _file: file, writing: Mutex::new(()) };
        let ours = ring.get(place::MAGIC) == MAGIC && ring.get(place::VERSION) == VERSION;
        let (head, tail) = (ring.get(place::HEAD), ring.get(place::TAIL));
        let sound = head.checked_sub(tail).is_some_and(|used| used <= ring.capacity());
        Ok((ours && sound).then_some(ring))
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        // A file of at least LEAST bytes has them all.
        static NONE: AtomicU64 = AtomicU64::new(0);
        self.words.words().get(index).unwrap_or(&NONE)
    }

    fn get(&self, index: usize) -> u64 {
        self.word(index).load(Ordering::Acquire)
    }

    fn set(&self, index: usize, value: u64) {
        self.word(index).store(value, Ordering::Release);
    }

    fn records(&self) -> &[AtomicU64] {
        self.words.words().get(HEADER..).unwrap_or_default()
    }

    /// The words from this position on, to the end of the file and on from its start.
    fn from(&self, position: u64) -> impl Iterator<Item = &AtomicU64> {
        let (before, behind) = self.split(position);
        behind.iter().chain(before)
    }

    /// The words before and behind a position.
    fn split(&self, position: u64) -> (&[AtomicU64], &[AtomicU64]) {
        let records = self.records();
        let start = usize::try_from(position % self.capacity()).unwrap_or(0);
        records.split_at_checked(start).unwrap_or((records, &[]))
    }

    /// How many words of records there is room for.
    fn capacity(&self) -> u64 {
        (self.records().len() as u64).max(1)
    }

    /// Whose it is.
    pub(super) fn incarnation(&self) -> Incarnation {
        let mut id = [0; 16];
        let words = [self.get(place::INCARNATION), self.get(place::INCARNATION + 1)];
        for (place, byte) in id.iter_mut().zip(words.iter().flat_map(|word| word.to_le_bytes())) {
            *place = byte;
        }
        Incarnation(id)
    }

    /// The core UUID of its FreeSWITCH.
    pub(super) fn core(&self) -> String {
        let bytes = (0..place::CORE_WORDS).flat_map(|index| self.get(place::CORE + index).to_le_bytes());
        let bytes: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
        String::from_utf8_lossy(&bytes).chars().filter(char::is_ascii_graphic).collect()
    }

    /// When it began, in microseconds since 1970.
    pub(super) fn began(&self) -> u64 {
        self.get(place::BEGAN)
    }

    /// Its file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes are in use, of how many.
    pub(super) fn fill(&self) -> (u64, u64) {
        let (tail, head) = (self.get(place::TAIL), self.get(place::HEAD));
        (head.saturating_sub(tail) * 8, self.capacity() * 8)
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.fill().0 == 0
    }

    /// The number that the next event gets.
    pub(super) fn next(&self) -> u64 {
        self.get(place::NEXT)
    }

    /// How many traces and finals found no room.
    pub(super) fn dropped(&self) -> [u64; 2] {
        place::DROPPED.map(|index| self.get(index))
    }

    /// Adds an event. False: there was no room, and it was dropped and counted; it has a number all the same.
    ///
    /// An eighth is kept for finals.
    pub(super) fn push(&self, event: &[u8], class: Class) -> bool {
        let hash = xxh3_64(event);
        let length = u32::try_from(event.len()).unwrap_or(u32::MAX);
        let need = count(event.len());
        let capacity = self.capacity();
        let kept = match class {
            Class::Trace => capacity / 8,
            Class::Final => 0,
        };
        let _writing = self.writing.lock();
        let sequence = self.get(place::NEXT);
        self.set(place::NEXT, sequence + 1);
        let head = self.get(place::HEAD);
        let free = capacity.saturating_sub(head.saturating_sub(self.get(place::TAIL)));
        if event.len() > event::MOST || need + kept > free {
            let [traces, finals] = place::DROPPED;
            let place = match class {
                Class::Trace => traces,
                Class::Final => finals,
            };
            self.set(place, self.get(place) + 1);
            return false;
        }
        let position = self.put(head, &Head::new(length, class, sequence, hash).words());
        let (whole, rest) = event.as_chunks::<8>();
        let position = self.put_bytes(position, whole);
        let mut last = [0; 8];
        for (place, byte) in last.iter_mut().zip(rest) {
            *place = *byte;
        }
        if !rest.is_empty() {
            self.put(position, &[u64::from_le_bytes(last)]);
        }
        self.set(place::HEAD, head + need);
        true
    }

    /// Writes words from this position on; the answer is the position behind them.
    fn put(&self, position: u64, words: &[u64]) -> u64 {
        for (place, word) in self.from(position).zip(words) {
            place.store(*word, Ordering::Relaxed);
        }
        position + words.len() as u64
    }

    /// As [`Ring::put`], of many.
    fn put_bytes(&self, position: u64, words: &[[u8; 8]]) -> u64 {
        let (before, behind) = self.split(position);
        let (first, second) = words.split_at_checked(behind.len()).unwrap_or((words, &[]));
        for (places, words) in [(behind, first), (before, second)] {
            for (place, word) in places.iter().zip(words) {
                place.store(u64::from_le_bytes(*word), Ordering::Relaxed);
            }
        }
        position + words.len() as u64
    }

    /// Copies whole records from the tail on, some `most` bytes of them. They stay until [`Ring::release`].
    pub(super) fn read(&self, most: usize) -> Read {
        let (head, mut end) = (self.get(place::HEAD), self.get(place::TAIL));
        let mut read = Read { bytes: Vec::new(), heads: Vec::new(), end, damaged: false };
        while end < head && read.bytes.len() < most {
            let mut words = [0; HEAD / 8];
            for (word, place) in words.iter_mut().zip(self.from(end)) {
                *word = place.load(Ordering::Relaxed);
            }
            let start = read.bytes.len();
            let found = Head::read(words).filter(|found| found.count() <= head - end);
            let whole = found.filter(|found| {
                let count = usize::try_from(found.count()).unwrap_or(0);
                let bytes =
                    self.from(end).take(count).flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes());
                read.bytes.extend(bytes);
                let event = read.bytes.get(start + HEAD..start + HEAD + found.length as usize);
                event.is_some_and(|event| found.fits(event))
            });
            let Some(whole) = whole else {
                read.bytes.truncate(start);
                read.damaged = true;
                break;
            };
            read.heads.push(whole);
            end += whole.count();
        }
        read.end = end;
        read
    }

    /// Gives the room of what was read back to writers.
    pub(super) fn release(&self, end: u64) {
        self.set(place::TAIL, end);
    }

    /// Cuts off what is no record, from this position on, and counts it as dropped finals: nobody knows what it was. `before` is the number of
    /// the last event before it. The answer is how many there were at least: what found no room has a number too.
    pub(super) fn cut(&self, end: u64, before: u64) -> u64 {
        let _writing = self.writing.lock();
        let missing = self.get(place::NEXT).saturating_sub(1).saturating_sub(before);
        let lost = missing.saturating_sub(self.dropped().iter().sum()).max(1);
        let [_, finals] = place::DROPPED;
        self.set(place::HEAD, end);
        self.set(finals, self.get(finals) + lost);
        lost
    }

    /// Removes the file.
    pub(super) fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

/// Opens the file with a lock on it. Others may write where it lies: what is not a plain file of this user's is refused.
fn open(path: &Path, new: bool) -> Result<File, SpoolError> {
    let failed = |source: io::Error| SpoolError::Io { path: path.to_owned(), source };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(new)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.union(OFlags::NONBLOCK).bits().cast_signed())
        .open(path)
        .map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    if !facts.is_file() || facts.uid() != rustix::process::geteuid().as_raw() {
        return Err(SpoolError::Foreign(path.to_owned()));
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SpoolError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
