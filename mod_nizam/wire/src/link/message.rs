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
    /// Events, in order and without a gap between them. Sent again until they are acknowledged.
    Events(Batch),
    /// No more events will come of that incarnation: all were acknowledged, and another one has begun.
    Ended {
        /// Its id.
        incarnation: Incarnation,
    },
    /// What became of a command.
    Reply {
        /// The command's number.
        id: u64,
        /// What FreeSWITCH printed, or why it was not asked.
        result: Result<String, String>,
    },
    /// The beginning of what FreeSWITCH printed, where that fits no frame. More parts follow, and the reply has the last one.
    Part {
        /// The command's number.
        id: u64,
        /// What comes behind the parts before.
        text: String,
    },
}

/// One life of a module, from load to unload or to the death of its FreeSWITCH. Sequence numbers of events begin at 1 in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation(pub [u8; 16]);

/// Events of one incarnation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Whose they are.
    pub incarnation: Incarnation,
    /// Number and record of each ([`crate::event`]), rising. A number that is missing was dropped, as the policy of the spool has it.
    pub events: Vec<(u64, Vec<u8>)>,
    /// How many events of that incarnation were dropped so far.
    pub dropped: u64,
}

/// Something that FreeSWITCH shall do: an API command of this list, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Api {
    /// `originate`.
    Originate,
    /// `uuid_kill`.
    Kill,
    /// `uuid_transfer`.
    Transfer,
    /// `uuid_hold`.
    Hold,
    /// `uuid_record`.
    Record,
    /// `uuid_park`.
    Park,
    /// `uuid_bridge`.
    Bridge,
    /// `uuid_send_dtmf`.
    SendDtmf,
    /// `uuid_exists`.
    Exists,
    /// `show`.
    Show,
    /// `nizam`, the module's own.
    Nizam,
    /// `vm_fsdb_pref_password_set`.
    MailboxPassword,
    /// `sofia xmlstatus gateway`, of which the argument is the gateway's name: no other command of mod_sofia.
    Gateway,
}

impl Api {
    /// The command's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Originate => "originate",
            Self::Kill => "uuid_kill",
            Self::Transfer => "uuid_transfer",
            Self::Hold => "uuid_hold",
            Self::Record => "uuid_record",
            Self::Park => "uuid_park",
            Self::Bridge => "uuid_bridge",
            Self::SendDtmf => "uuid_send_dtmf",
            Self::Exists => "uuid_exists",
            Self::Show => "show",
            Self::Nizam => "nizam",
            Self::MailboxPassword => "vm_fsdb_pref_password_set",
            Self::Gateway => "sofia",
        }
    }
}

/// What stands before the argument of [`Api::Gateway`].
pub const GATEWAY: &str = "xmlstatus gateway";

/// In the argument of [`Api::Record`]: the directory in which FreeSWITCH keeps recordings, its global variable `recordings_dir`.
pub const RECORDINGS: &str = "{recordings_dir}";

/// A command for FreeSWITCH.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The number of the reply.
    pub id: u64,
    /// What.
    pub api: Api,
    /// Its argument.
    pub argument: String,
    /// How long the daemon waits for the reply, in milliseconds: one that has not begun by then is not run.
    pub deadline: u32,
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
    /// All events of that incarnation up to this one are stored.
    Ack {
        /// Whose.
        incarnation: Incarnation,
        /// The number of the last one.
        sequence: u64,
    },
    /// Have FreeSWITCH do this.
    Command(Command),
}
