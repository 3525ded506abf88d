//! How the link stands, for people.

use std::time::Instant;

/// Where the link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Not tried yet.
    Idle,
    /// No daemon; trying again.
    Down,
    /// Connected and welcomed.
    Up,
}

impl LinkState {
    /// One word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Down => "down",
            Self::Up => "up",
        }
    }
}

/// How the link stands.
#[derive(Clone, Debug)]
pub struct LinkStatus {
    /// Where it is.
    pub state: LinkState,
    /// Since when.
    pub since: Instant,
    /// Version of the daemon on the other side, or of the last one.
    pub daemon_version: String,
    /// Why the link went down or could not come up.
    pub last_error: Option<String>,
    /// Why the last stack that was not taken was not.
    pub last_refusal: Option<String>,
    /// How often it came up.
    pub connections: u64,
    /// How many stacks were taken.
    pub applied: u64,
    /// How many were not.
    pub refused: u64,
}

impl Default for LinkStatus {
    fn default() -> Self {
        Self {
            state: LinkState::Idle,
            since: Instant::now(),
            daemon_version: String::new(),
            last_error: None,
            last_refusal: None,
            connections: 0,
            applied: 0,
            refused: 0,
        }
    }
}

impl LinkStatus {
    /// Notes a change; says whether it is one.
    pub(super) fn enter(&mut self, state: LinkState) -> bool {
        let changed = self.state != state;
        if changed {
            self.state = state;
            self.since = Instant::now();
        }
        changed
    }
}
