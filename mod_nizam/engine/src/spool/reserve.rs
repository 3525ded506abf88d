//! Room in which a segment can be written anew while the disk is full: a file as large as a segment.
//!
//! Its blocks are never given back, since whoever else writes to that disk would have them at once. What is left of a segment is written
//! over what the reserve holds, the reserve takes the segment's name, and the segment's old file is the next reserve. What a reserve holds
//! means nothing. So a kill between any two steps leaves the old segment or the new one, whole.

use super::disk::Disk;
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

const RESERVE: &str = "reserve";

/// A second name of the segment's old file, until it is the reserve.
const SPENT: &str = "spent";

/// Keeps room for so many bytes, or for as many as there are.
pub(super) fn keep(directory: &Path, disk: Disk, bytes: u64) {
    let (reserve, spent) = (directory.join(RESERVE), directory.join(SPENT));
    if let Ok(facts) = fs::symlink_metadata(&spent) {
        // Killed in between. As long as it is a segment's file too, it is no reserve.
        let _ = if facts.nlink() == 1 { fs::rename(&spent, &reserve) } else { fs::remove_file(&spent) };
    }
    let Ok(file) = open(&reserve) else { return };
    if file.metadata().is_ok_and(|facts| facts.len() < bytes) {
        let _ = (disk.allocate)(&file, bytes);
    }
}

/// Puts these bytes in the place of what the file at `path` holds.
pub(super) fn replace(directory: &Path, disk: Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (reserve, spent) = (directory.join(RESERVE), directory.join(SPENT));
    let file = open(&reserve)?;
    (disk.write)(&mut &file, bytes)?;
    // Before it has the name: what it held before must not come back with it, nor what the segment held be gone when the machine dies.
    file.set_len(bytes.len() as u64)?;
    file.sync_data()?;
    let _ = fs::remove_file(&spent);
    // Where there are no second names, the blocks are given back, and asked for again.
    let kept = fs::hard_link(path, &spent).is_ok();
    if let Err(error) = fs::rename(&reserve, path) {
        let _ = fs::remove_file(&spent);
        return Err(error);
    }
    // The old file is written over as the reserve: its name must be the new one's before, on the disk too.
    if kept && File::open(directory).and_then(|directory| directory.sync_all()).is_ok() {
        let _ = fs::rename(&spent, &reserve);
    } else if kept {
        let _ = fs::remove_file(&spent);
    }
    Ok(())
}

/// Opens it at its first byte; made if it is missing.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}
