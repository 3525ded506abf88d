//! The messages.

use serde::{Deserialize, Serialize};

/// Most layers in a stack.
pub const MAX_LAYERS: usize = 64;

/// Who a switch is, and what it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// FreeSWITCH's switch name.
    pub switch_name: String,
    /// FreeSWITCH's core UUID, new at every start.
    pub core_uuid: String,
    /// `switch_version_full()`.
    pub freeswitch_version: String,
    /// Version of mod_nizam.
    pub module_version: String,
    /// Generation it answers with; 0 = none.
    pub generation: u64,
    /// Ids of the images it has, newest first.
    pub layers: Vec<u64>,
}

/// Who a daemon is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// Version of nizamd.
    pub daemon_version: String,
}

/// From mod_nizam to nizamd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromModule {
    /// First message.
    Hello(Hello),
    /// Lookups are now answered with this stack.
    Applied {
        /// Its generation.
        generation: u64,
    },
    /// A stack was not taken; lookups go on with the one before.
    Refused {
        /// Its generation.
        generation: u64,
        /// Why, for a person.
        reason: String,
    },
    /// Answer to a ping.
    Pong(u64),
}

/// From nizamd to mod_nizam.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromDaemon {
    /// Answer to the hello.
    Welcome(Welcome),
    /// The connection ends, for this reason.
    Reject {
        /// For a person.
        reason: String,
    },
    /// An image; its sealed memory comes as a descriptor with the frame.
    Image {
        /// Its checksum.
        id: u64,
    },
    /// Answer with these images from now on, newest first. All were sent before, in this connection or an earlier one.
    Stack {
        /// Generation of the newest.
        generation: u64,
        /// Their ids.
        layers: Vec<u64>,
    },
    /// Are you there?
    Ping(u64),
}
