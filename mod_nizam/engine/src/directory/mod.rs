//! Directory lookups: who asks what, and which answer it gets.

mod document;
mod listing;
mod question;
mod user;

pub(crate) use question::resolve;
pub use question::{DirectoryAnswer, DirectoryQuestion};
pub(crate) use user::{User, is_dialable};
