//! What is kept of one incarnation: its segments, and how far they are acknowledged.

use super::record::Class;
use super::segment::Segment;
use nizam_wire::link::Incarnation;
use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const FIRST_LINE: &str = "nizam-spool 1";

/// One incarnation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) id: Incarnation,
    /// When it began, in microseconds since 1970, or later where a clock went back: it is what they are sorted by.
    pub(super) began: u64,
    /// The core UUID of its FreeSWITCH.
    pub(super) core: String,
    /// All up to this one are stored by the daemon.
    pub(super) acked: u64,
    /// The last that was ever in a segment.
    pub(super) last: u64,
    /// How many traces and finals the ring had no room for.
    pub(super) ring_dropped: [u64; 2],
    /// How many the bounds took from the disk before they were acknowledged.
    pub(super) disk_dropped: [u64; 2],
    /// Oldest first.
    pub(super) segments: VecDeque<Segment>,
    /// The last number in a ring that waits to be drained; 0: none does.
    pub(super) waits: u64,
    /// Whether what is above differs from the file.
    pub(super) dirty: bool,
}

impl Life {
    /// Whether something was not acknowledged yet.
    pub(super) fn has_more(&self) -> bool {
        self.waits > 0 || self.segments.iter().any(|segment| segment.last > self.acked)
    }

    /// How many of its events are not acknowledged.
    pub(super) fn lag(&self) -> u64 {
        if self.has_more() { self.last.max(self.waits).saturating_sub(self.acked) } else { 0 }
    }

    /// How many of its events were dropped.
    pub(super) fn dropped(&self) -> u64 {
        self.ring_dropped.iter().chain(&self.disk_dropped).sum()
    }

    /// Notes an acknowledgement.
    pub(super) fn ack(&mut self, sequence: u64) {
        let sequence = sequence.min(self.last);
        if sequence > self.acked {
            self.acked = sequence;
            self.dirty = true;
        }
    }

    /// Its file, which says what its segments do not.
    pub(super) fn path(&self, directory: &Path) -> PathBuf {
        directory.join(format!("{}.life", hex(self.id)))
    }

    /// Writes its file.
    pub(super) fn save(&mut self, directory: &Path) -> io::Result<()> {
        let pair = |[traces, finals]: [u64; 2]| format!("{traces} {finals}");
        let text = format!(
            "{FIRST_LINE}\nbegan {}\ncore {}\nacked {}\nlast {}\nring {}\ndisk {}\n",
            self.began,
            self.core,
            self.acked,
            self.last,
            pair(self.ring_dropped),
            pair(self.disk_dropped)
        );
        let path = self.path(directory);
        let part = path.with_extension("part");
        fs::write(&part, text)?;
        fs::rename(part, path)?;
        self.dirty = false;
        Ok(())
    }

    /// Reads the file of an incarnation. What cannot be read is as if nothing had been acknowledged: that is sent again.
    pub(super) fn load(directory: &Path, id: Incarnation) -> Self {
        let mut life = Self { id, dirty: true, ..Self::default() };
        let Ok(text) = fs::read_to_string(life.path(directory)) else { return life };
        let mut lines = text.lines();
        if lines.next() != Some(FIRST_LINE) {
            return life;
        }
        life.dirty = false;
        for (name, value) in lines.filter_map(|line| line.split_once(' ')) {
            let number = || value.parse().unwrap_or(0);
            let pair = || {
                let (traces, finals) = value.split_once(' ')?;
                Some([traces.parse().ok()?, finals.parse().ok()?])
            };
            match name {
                "began" => life.began = number(),
                "core" => value.clone_into(&mut life.core),
                "acked" => life.acked = number(),
                "last" => life.last = number(),
                "ring" => life.ring_dropped = pair().unwrap_or_default(),
                "disk" => life.disk_dropped = pair().unwrap_or_default(),
                _ => {}
            }
        }
        life
    }

    /// How many bytes its segments have.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Notes records of a segment that goes, or that loses its traces.
    pub(super) fn lose(&mut self, class: Class, count: u64) {
        if let Some(dropped) = self.disk_dropped.get_mut(class.index()) {
            *dropped += count;
            self.dirty |= count > 0;
        }
    }
}

/// An id as 32 hexadecimal digits.
pub(super) fn hex(incarnation: Incarnation) -> String {
    format!("{:032x}", u128::from_be_bytes(incarnation.0))
}

/// The id that such a text is.
pub(super) fn from_hex(text: &str) -> Option<Incarnation> {
    let plain = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    u128::from_str_radix(text, 16).ok().filter(|_| plain).map(|id| Incarnation(id.to_be_bytes()))
}
