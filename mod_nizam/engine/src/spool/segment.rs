//! Segments: files that records are appended to.
//!
//! `NIZAMSEG`, the version as u64, the 16 bytes of the incarnation, then records ([`super::record`]). Named by incarnation and first
//! number: `0123…-00000000000000000001.seg`. A tail that is no whole record was torn when something died, and is cut.

use super::life::hex;
use super::record::{Class, HEAD, Head};
use nizam_wire::link::Incarnation;
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"NIZAMSEG";
const VERSION: u64 = 1;

/// Length of what stands before the records.
pub(super) const HEADER: u64 = HEADER_BYTES as u64;

const HEADER_BYTES: usize = 32;

/// What is known of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment {
    /// The number in its name, no larger than any inside.
    pub(super) name: u64,
    /// The number of its last record; 0: it has none.
    pub(super) last: u64,
    /// How many of each class there are.
    pub(super) counts: [u64; 2],
    /// The bytes up to the end of the last whole record.
    pub(super) bytes: u64,
    /// How often it was written anew: offsets of an earlier form mean nothing.
    pub(super) form: u64,
}

impl Segment {
    /// An empty one.
    pub(super) fn new(name: u64) -> Self {
        Self { name, bytes: HEADER, ..Self::default() }
    }

    /// Notes a record that was appended.
    pub(super) fn take(&mut self, head: &Head) {
        self.last = head.sequence;
        self.bytes += head.bytes();
        if let Some(count) = self.counts.get_mut(head.class.index()) {
            *count += 1;
        }
    }

    /// How many of a class it has.
    pub(super) fn count(&self, class: Class) -> u64 {
        self.counts.get(class.index()).copied().unwrap_or(0)
    }

    /// Its file.
    pub(super) fn path(&self, directory: &Path, incarnation: Incarnation) -> PathBuf {
        directory.join(format!("{}-{:020}.seg", hex(incarnation), self.name))
    }
}

/// Whose segment has this name, and its number.
pub(super) fn parse_name(name: &str) -> Option<(Incarnation, u64)> {
    let (id, number) = name.strip_suffix(".seg")?.split_once('-')?;
    let digits = number.len() == 20 && number.bytes().all(|byte| byte.is_ascii_digit());
    Some((super::life::from_hex(id)?, number.parse().ok().filter(|_| digits)?))
}

/// What a segment begins with.
pub(super) fn header(incarnation: Incarnation) -> Vec<u8> {
    [MAGIC.as_slice(), &VERSION.to_le_bytes(), &incarnation.0].concat()
}

/// Makes a file that is not there, to append to.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

/// Deletes a file. One that is gone already is as good.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Whether it is the file, or the disk under it, that is broken, and will be at the next look as well.
pub(super) fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
        || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// Reads the records of a segment one after the other.
pub(super) struct Records {
    file: BufReader<File>,
    /// Where the next record begins.
    offset: u64,
}

impl Records {
    /// From the first one on. An error of the kind `InvalidData`: not a segment of that incarnation.
    pub(super) fn open(path: &Path, incarnation: Incarnation) -> io::Result<Self> {
        let mut records = Self::at(path, 0)?;
        let mut start = [0; HEADER_BYTES];
        records.file.read_exact(&mut start)?;
        if start.as_slice() != header(incarnation).as_slice() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a segment of this version"));
        }
        records.offset = HEADER;
        Ok(records)
    }

    /// From the record on that begins at this offset.
    pub(super) fn at(path: &Path, offset: u64) -> io::Result<Self> {
        let plain = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).bits().cast_signed();
        let mut file = OpenOptions::new().read(true).custom_flags(plain).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a regular file"));
        }
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self { file: BufReader::with_capacity(128 << 10, file), offset })
    }

    /// The next record, its event in `event`. `None`: the end, or what is no whole record.
    pub(super) fn next(&mut self, event: &mut Vec<u8>) -> io::Result<Option<Head>> {
        let mut bytes = [0; HEAD];
        if !self.fill(&mut bytes)? {
            return Ok(None);
        }
        let Some(head) = Head::read_bytes(&bytes) else { return Ok(None) };
        // At most event::MOST, which `Head::read` saw to.
        let padded = usize::try_from(head.bytes()).unwrap_or(0).saturating_sub(HEAD);
        event.resize(padded, 0);
        if !self.fill(event)? {
            return Ok(None);
        }
        event.truncate(head.length as usize);
        if !head.fits(event) {
            return Ok(None);
        }
        self.offset += head.bytes();
        Ok(Some(head))
    }

    /// Where the next record begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<bool> {
        match self.file.read_exact(bytes) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Looks through a segment, and cuts off what is no whole record. The answer is what is left, and how many bytes were cut.
pub(super) fn recover(path: &Path, incarnation: Incarnation, name: u64) -> io::Result<(Segment, u64)> {
    let mut segment = Segment::new(name);
    let mut event = Vec::new();
    let mut records = match Records::open(path, incarnation) {
        Ok(records) => records,
        // Killed within its first 32 bytes.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            return Ok((Segment { bytes: 0, ..segment }, std::fs::metadata(path)?.len()));
        }
        Err(error) => return Err(error),
    };
    while let Some(head) = records.next(&mut event)? {
        if head.sequence <= segment.last {
            break;
        }
        segment.take(&head);
    }
    let length = std::fs::metadata(path)?.len();
    let cut = length.saturating_sub(segment.bytes);
    if cut > 0 {
        OpenOptions::new().write(true).open(path)?.set_len(segment.bytes)?;
    }
    Ok((segment, cut))
}
