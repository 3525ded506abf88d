//! The switches that are connected: a Unix socket, one thread for each of them.
//!
//! Threads, not tasks: there are a handful, they wait in `poll(2)`, and an image goes out the moment it is there
//! whatever the async runtime is busy with.

mod command;
mod listener;
mod peer;
mod switch;
mod switches;

pub use command::CommandError;
pub use listener::{Listener, ListenerError};
pub use peer::Allowed;
pub(crate) use switches::{Known, Outgoing};
pub use switches::{Switches, Told};
