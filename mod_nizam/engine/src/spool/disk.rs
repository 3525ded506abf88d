//! What a disk is asked for that has no room.

use rustix::fs::FallocateFlags;
use std::fs::File;
use std::io::{self, Write as _};

/// How files get bytes and room. Tests put a full disk in its place.
#[derive(Clone, Copy)]
pub(super) struct Disk {
    /// Writes all of these bytes, where the file stands.
    pub(super) write: fn(&mut &File, &[u8]) -> io::Result<()>,
    /// Gives the file the blocks of so many bytes, and that length.
    pub(super) allocate: fn(&File, u64) -> io::Result<()>,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            write: |file, bytes| file.write_all(bytes),
            allocate: |file, length| Ok(rustix::fs::fallocate(file, FallocateFlags::empty(), 0, length)?),
        }
    }
}

/// Whether it would have worked with more room on the disk, or in the share of it that this user has.
///
/// A file that may not grow any more (`FileTooLarge`, a limit of the process) is not among these: giving up others would not help it.
pub(super) fn lacks_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
