//! The fields by which a client of a WebSocket asks for a channel.

use super::rule::{CHANNEL, SOCKET};
use super::{Errors, Fields};

/// A channel that a socket is to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hearing {
    /// The name of the socket, which it was told when it connected.
    pub socket_id: String,
    /// The channel.
    pub channel_name: String,
    /// The sequence of the event behind which it begins; else with what comes.
    pub since: Option<i64>,
}

/// Reads a channel that a socket is to hear.
pub fn hearing(f: &mut Fields<'_>) -> Result<Hearing, Errors> {
    let socket_id = f.text("socket_id", SOCKET);
    let channel_name = f.text("channel_name", CHANNEL);
    let since = f.nullable_integer("since", 0, i64::MAX);
    f.finish(Hearing { socket_id, channel_name, since })
}
