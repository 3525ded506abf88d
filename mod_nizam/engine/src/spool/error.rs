//! Why there is no spool.

use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why events cannot be kept.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// The file of the ring could not be made.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// Another process writes there.
    #[error("{}: in use by another FreeSWITCH; give each its own in nizam.conf.xml", .0.display())]
    InUse(PathBuf),
    /// Somebody else's file is in its place.
    #[error("{}: not a file of this user; remove it", .0.display())]
    Foreign(PathBuf),
}
