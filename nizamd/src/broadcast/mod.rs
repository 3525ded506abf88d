//! Events of a tenant as they happen, for programs that speak the Pusher protocol over a WebSocket: pusher-js and laravel-echo.
//!
//! A client connects, is told the name of its socket, has itself authorised for a channel by REST, on any node, and subscribes with what it was
//! answered. A [`Socket`](socket::Socket) is one task with a follower of the tenant: whoever is slow reads on from the database.

mod channel;
mod following;
mod frame;
mod signature;
mod socket;
mod subscription;
mod told;

use std::time::Duration;

use uuid::Uuid;

pub(crate) use channel::Channel;
use signature::Signer;
pub(crate) use signature::{Authorisation, Ticket};
pub(crate) use socket::{Refusal, Socket};
use told::Told;

/// The key of the application, unless something else is said.
pub const KEY: &str = "nizam";
/// Sockets of a tenant at once, unless something else is said.
pub const SOCKETS: usize = 5000;

/// Largest message of a client, in bytes.
pub(crate) const LARGEST: usize = 64 << 10;

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often it is looked whether a client still may, and still lives.
    pub heartbeat: Duration,
    /// How long a client may say nothing before it is asked whether it lives, and how long it may take to answer.
    pub activity: Duration,
    /// How long a client may leave unread what is told to it.
    pub patience: Duration,
    /// How long a client may stay without a channel.
    pub idle: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(15),
            activity: Duration::from_secs(30),
            patience: Duration::from_secs(20),
            idle: Duration::from_mins(2),
        }
    }
}

/// What all sockets have in common.
pub struct Broadcaster {
    signer: Signer,
    told: Told,
    pace: Pace,
}

impl Broadcaster {
    /// For the application with that key, which everybody may know, and that secret, which nobody may.
    pub fn new(key: impl Into<String>, secret: impl Into<String>, pace: Pace) -> Self {
        Self { signer: Signer { key: key.into(), secret: secret.into() }, told: Told::default(), pace }
    }

    /// One whose authorisations are good in this process alone.
    pub fn alone() -> Self {
        Self::new(KEY, format!("{}{}", Uuid::new_v4(), Uuid::new_v4()), Pace::default())
    }

    /// Whether that is the key.
    pub(crate) fn is_key(&self, key: &str) -> bool {
        key == self.signer.key
    }

    /// Authorises a socket for a channel.
    pub(crate) fn authorise(&self, socket: &str, channel: Channel, ticket: Ticket) -> Authorisation {
        self.signer.authorise(socket, channel, ticket)
    }
}
