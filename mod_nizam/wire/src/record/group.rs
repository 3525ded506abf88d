//! Several extensions that ring: ring groups, queues and their agents.

use super::{Destination, List, Prompt};
use serde::{Deserialize, Serialize};

/// A ring group in an image. An inactive one has no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingGroup<'a> {
    /// One after another instead of all at once.
    pub sequential: bool,
    /// How long it rings, in seconds; each one where they ring one after another.
    pub ring_timeout: u16,
    /// The ids of the extensions, in order.
    #[serde(borrow)]
    pub members: List<'a, [u8; 16]>,
    /// Where the call goes that nobody took.
    pub fallback: Option<Destination>,
}

/// In which order a queue rings its agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueueStrategy {
    /// All at once.
    RingAll,
    /// Another one first each time.
    RoundRobin,
    /// The one first that has been in its state for the longest time.
    LeastRecent,
}

/// What becomes of a call that waited too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Overflow<'a> {
    /// It ends.
    Hangup,
    /// It goes to the extension with that number or id.
    Extension(#[serde(borrow)] &'a str),
    /// It goes to the mailbox of the extension with that number or id.
    Voicemail(&'a str),
}

/// A queue in an image. An inactive one has no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue<'a> {
    /// In which order it rings.
    pub strategy: QueueStrategy,
    /// How long a call may wait, in seconds.
    pub max_wait: u32,
    /// What then becomes of it.
    #[serde(borrow)]
    pub overflow: Overflow<'a>,
    /// What a caller hears meanwhile.
    pub music: Prompt<'a>,
    /// Priority and id of each agent, the lowest priority first.
    pub members: List<'a, (u32, [u8; 16])>,
}

/// An agent in an image. An inactive one has no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// The id of the extension that rings.
    pub extension: [u8; 16],
    /// Whether it takes calls now.
    pub available: bool,
    /// Since when it has been in its state: seconds since 1970, UTC.
    pub since: i64,
}

record!(RingGroup<'a>, Queue<'a>);
record!(Agent);
