//! What is played to a caller.

use serde::{Deserialize, Serialize};

/// Something to play.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prompt<'a> {
    /// Nothing.
    #[default]
    None,
    /// A file of the switch, relative to its sounds, or one of its streams, as FreeSWITCH takes it.
    File(#[serde(borrow)] &'a str),
    /// An uploaded prompt, by id.
    Uploaded([u8; 16]),
    /// A text for the speech engine.
    Say(&'a str),
}
