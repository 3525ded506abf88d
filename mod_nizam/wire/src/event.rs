//! An event of a switch, as the module keeps it and the daemon reads it.
//!
//! ```text
//! version  u8      1
//! time     i64     microseconds since 1970, as FreeSWITCH stamped the event (0: it did not)
//! name     u8 + bytes      CHANNEL_CREATE
//! subclass u8 + bytes      sofia::register; empty but for CUSTOM events
//! headers  to the end: u8 + bytes (name), u16 + bytes (value)
//! ```
//!
//! Little endian. Values are bytes, since FreeSWITCH passes on what strangers sent; names are text of the module's own list. A record says
//! everything by itself, so that what an older module left behind on a disk can be read by a newer daemon.

use thiserror::Error;

/// The version of the format.
pub const VERSION: u8 = 1;

/// Longest record in bytes.
pub const MOST: usize = 60 << 10;

/// Longest value of a header; a longer one is cut.
pub const MOST_VALUE: usize = 4096;

/// A record that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EventError {
    /// It ends in the middle.
    #[error("the record ends in the middle")]
    Truncated,
    /// Made by another version.
    #[error("the record has the version {0}, and this program reads {VERSION}")]
    Version(u8),
    /// A name that is no text.
    #[error("a name is no text")]
    Name,
}

/// The name of a header as it stands in a record, in memory of one size: copying so much is done in a few instructions, where a copy of
/// a length that only the running program knows is a call.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    bytes: [u8; Name::SIZE],
    length: usize,
}

impl Name {
    /// One byte more than the longest name may have.
    const SIZE: usize = 48;

    /// No name.
    pub const NONE: Self = Self { bytes: [0; Self::SIZE], length: 1 };

    /// That name. `None`: it is longer than 47 bytes.
    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "below the size, which is looked at first; for the compiler to run"
    )]
    pub const fn new(name: &str) -> Option<Self> {
        let name = name.as_bytes();
        if name.len() >= Self::SIZE {
            return None;
        }
        let mut bytes = [0; Self::SIZE];
        bytes[0] = name.len() as u8;
        let mut at = 0;
        while at < name.len() {
            bytes[at + 1] = name[at];
            at += 1;
        }
        Some(Self { bytes, length: name.len() + 1 })
    }
}

/// Writes a record into memory that is used again and again.
#[derive(Debug)]
pub struct EventWriter<'a> {
    out: &'a mut Vec<u8>,
    full: bool,
}

impl<'a> EventWriter<'a> {
    /// Begins; what was in `out` goes.
    pub fn new(out: &'a mut Vec<u8>, time: i64, name: &[u8], subclass: &[u8]) -> Self {
        out.clear();
        out.push(VERSION);
        out.extend_from_slice(&time.to_le_bytes());
        short(out, name);
        short(out, subclass);
        Self { out, full: false }
    }

    /// Adds a header as [`EventWriter::header`] does, in fewer instructions.
    #[inline]
    pub fn named(&mut self, name: &Name, value: &[u8]) {
        let value = value.get(..MOST_VALUE).unwrap_or(value);
        let behind = self.out.len() + name.length;
        self.full |= behind + value.len() + 2 > MOST;
        if self.full {
            return;
        }
        self.out.extend_from_slice(&name.bytes);
        self.out.truncate(behind);
        // MOST_VALUE fits.
        self.out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
        self.out.extend_from_slice(value);
    }

    /// Adds a header. One for which there is no more room is left out, and so are those behind it.
    pub fn header(&mut self, name: &str, value: &[u8]) {
        let value = value.get(..MOST_VALUE).unwrap_or(value);
        self.full |= self.out.len() + name.len() + value.len() + 3 > MOST;
        if self.full {
            return;
        }
        short(self.out, name.as_bytes());
        // MOST_VALUE fits.
        let [low, high] = u16::try_from(value.len()).unwrap_or(0).to_le_bytes();
        self.out.push(low);
        self.out.push(high);
        self.out.extend_from_slice(value);
    }

    /// Whether a header was left out.
    pub fn is_full(&self) -> bool {
        self.full
    }
}

fn short(out: &mut Vec<u8>, text: &[u8]) {
    let text = text.get(..255).unwrap_or(text);
    out.push(u8::try_from(text.len()).unwrap_or(0));
    out.extend_from_slice(text);
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// When it happened, microseconds since 1970; 0: nobody knows.
    pub time: i64,
    /// `CHANNEL_CREATE`.
    pub name: &'a str,
    /// `sofia::register`; empty but for CUSTOM events.
    pub subclass: &'a str,
    /// Names and values, in the order in which FreeSWITCH has them.
    pub headers: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Event<'a> {
    /// Reads a record.
    pub fn read(record: &'a [u8]) -> Result<Self, EventError> {
        let mut rest = record;
        let [version] = take::<1>(&mut rest)?;
        if version != VERSION {
            return Err(EventError::Version(version));
        }
        let time = i64::from_le_bytes(take::<8>(&mut rest)?);
        let name = text(&mut rest)?;
        let subclass = text(&mut rest)?;
        let mut headers = Vec::with_capacity(64);
        while !rest.is_empty() {
            let name = text(&mut rest)?;
            let length = u16::from_le_bytes(take::<2>(&mut rest)?);
            headers.push((name, bytes(&mut rest, usize::from(length))?));
        }
        Ok(Self { time, name, subclass, headers })
    }

    /// The first value of a header; an empty one does not exist.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    }
}

fn bytes<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], EventError> {
    let (taken, behind) = rest.split_at_checked(length).ok_or(EventError::Truncated)?;
    *rest = behind;
    Ok(taken)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], EventError> {
    bytes(rest, N)?.try_into().map_err(|_| EventError::Truncated)
}

fn text<'a>(rest: &mut &'a [u8]) -> Result<&'a str, EventError> {
    let [length] = take::<1>(rest)?;
    std::str::from_utf8(bytes(rest, usize::from(length))?).map_err(|_| EventError::Name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let mut out = b"old".to_vec();
        let mut writer = EventWriter::new(&mut out, 1_785_153_600_000_001, b"CUSTOM", b"sofia::register");
        writer.header("from-user", b"1001");
        writer.header("user-agent", b"\xff\0odd");
        writer.header("empty", b"");
        assert!(!writer.is_full());
        let event = Event::read(&out).unwrap();
        assert_eq!(
            (event.time, event.name, event.subclass),
            (1_785_153_600_000_001, "CUSTOM", "sofia::register")
        );
        assert_eq!(event.get("From-User"), Some(b"1001".as_slice()));
        assert_eq!(event.get("user-agent"), Some(b"\xff\0odd".as_slice()));
        assert_eq!((event.get("empty"), event.get("none"), event.headers.len()), (None, None, 3));
    }

    #[test]
    fn a_name_of_one_size_is_written_as_any() {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        let (mut slow, mut fast) =
            (EventWriter::new(&mut one, 7, b"X", b""), EventWriter::new(&mut other, 7, b"X", b""));
        let long = "x".repeat(47);
        for name in ["a", "variable_rtp_audio_in_jitter_packet_count", &long] {
            for value in [b"".as_slice(), b"value", &[b'v'; 5000]] {
                slow.header(name, value);
                fast.named(&Name::new(name).unwrap(), value);
            }
        }
        for _ in 0..100 {
            slow.header("n", &[b'v'; 4000]);
            fast.named(&Name::new("n").unwrap(), &[b'v'; 4000]);
        }
        assert!(slow.is_full() && fast.is_full());
        assert_eq!(one, other);
        assert!(Name::new(&"x".repeat(48)).is_none());
    }

    #[test]
    fn damage_is_an_error() {
        let mut out = Vec::new();
        EventWriter::new(&mut out, 1, b"HEARTBEAT", b"").header("Up-Time", b"1 day");
        let headers = |end: usize| Event::read(&out[..end]).map(|event| event.headers.len());
        let without = out.len() - 1 - 7 - 2 - 5;
        for end in 0..out.len() {
            let want = if end == without { Ok(0) } else { Err(EventError::Truncated) };
            assert_eq!(headers(end), want, "{end}");
        }
        assert_eq!(Event::read(&[9, 0]), Err(EventError::Version(9)));
        out[10] = 0xff;
        assert_eq!(Event::read(&out), Err(EventError::Name));
    }

    #[test]
    fn there_is_an_end_to_it() {
        let mut out = Vec::new();
        let mut writer = EventWriter::new(&mut out, 1, b"CHANNEL_HANGUP_COMPLETE", b"");
        for _ in 0..10_000 {
            writer.header("variable_x", &vec![b'x'; 70_000]);
        }
        writer.header("small", b"1");
        assert!(writer.is_full());
        assert!(out.len() <= MOST);
        let event = Event::read(&out).unwrap();
        assert!(event.headers.iter().all(|(name, value)| *name == "variable_x" && value.len() == MOST_VALUE));
    }
}
