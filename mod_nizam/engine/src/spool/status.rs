//! How the spool stands, for people and programs.

use serde::Serialize;

/// Events that were dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drops {
    /// What happened on the way.
    pub traces: u64,
    /// Ends of channels.
    pub finals: u64,
}

impl Drops {
    pub(super) fn new([traces, finals]: [u64; 2]) -> Self {
        Self { traces, finals }
    }

    /// All of them.
    pub fn sum(self) -> u64 {
        self.traces + self.finals
    }
}

/// How the spool stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SpoolStatus {
    /// Id of the present incarnation.
    pub incarnation: String,
    /// The number of the newest event.
    pub pushed: u64,
    /// The number of the newest event on disk.
    pub written: u64,
    /// All up to this number are stored by the daemon.
    pub acknowledged: u64,
    /// How many events of earlier incarnations are not stored by the daemon.
    pub earlier_lag: u64,
    /// How old the oldest event is that is not stored by the daemon, in milliseconds.
    pub lag_ms: u64,
    /// Bytes in the ring.
    pub ring_used: u64,
    /// Bytes that the ring has.
    pub ring_size: u64,
    /// Bytes on disk.
    pub disk_used: u64,
    /// Most bytes on disk.
    pub disk_limit: u64,
    /// How many segments there are.
    pub segments: usize,
    /// How many earlier incarnations are not done with.
    pub earlier: usize,
    /// What the ring had no room for, in all incarnations that are not done with.
    pub ring_dropped: Drops,
    /// What the limit or damage took from the disk, in all incarnations that are not done with.
    pub disk_dropped: Drops,
    /// Why events are not written to disk at the moment. While a disk hangs, what stands here of it is from before.
    pub trouble: Option<String>,
}

impl SpoolStatus {
    /// How many events of all incarnations the daemon has not stored.
    pub fn lag(&self) -> u64 {
        self.pushed.saturating_sub(self.acknowledged) + self.earlier_lag
    }
}
