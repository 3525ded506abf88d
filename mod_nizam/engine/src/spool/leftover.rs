//! Rings that dead incarnations left behind.
//!
//! They are put aside under names of their own, so that the new ring begins at once: `PATH.0123…` is what the incarnation `0123…` left
//! in the ring at `PATH`.

use super::SpoolError;
use super::ring::Ring;
use nizam_wire::link::Incarnation;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// So many are kept, each as large as a ring in memory. One more means that the disk has been full over as many starts.
const MOST: usize = 4;

/// Bytes of a ring that are looked at together.
const PART: usize = 256 << 10;

/// What was found, the oldest first, and what could not be used.
#[derive(Default)]
pub(super) struct Found {
    pub(super) rings: Vec<Ring>,
    pub(super) problems: Vec<String>,
    pub(super) given_up: Vec<GivenUp>,
}

/// A ring that was removed with what was in it.
pub(super) struct GivenUp {
    pub(super) incarnation: Incarnation,
    pub(super) core: String,
    pub(super) began: u64,
    /// How many traces and finals were in it.
    pub(super) events: [u64; 2],
}

impl GivenUp {
    fn new(ring: &Ring) -> Self {
        let (incarnation, core, began) = (ring.incarnation(), ring.core(), ring.began());
        let mut events = [0; 2];
        loop {
            let read = ring.read(PART);
            for head in &read.heads {
                if let Some(count) = events.get_mut(head.class.index()) {
                    *count += 1;
                }
            }
            ring.release(read.end);
            if read.heads.is_empty() {
                return Self { incarnation, core, began, events };
            }
        }
    }
}

/// Puts the ring at `path` aside, if there is one, and opens all that were.
pub(super) fn find(path: &Path) -> Result<Found, SpoolError> {
    let failed = |source: io::Error| SpoolError::Io { path: path.to_owned(), source };
    let mut found = Found::default();
    if fs::symlink_metadata(path).is_ok() {
        match Ring::open(path)? {
            Some(ring) if !ring.is_empty() || ring.next() > 1 => {
                let id = super::life::hex(ring.incarnation());
                let mut aside = path.as_os_str().to_owned();
                aside.push(".");
                aside.push(id);
                fs::rename(path, PathBuf::from(aside)).map_err(failed)?;
            }
            // Never used, or not written to the end of its header.
            _ => fs::remove_file(path).map_err(failed)?,
        }
    }
    for aside in asides(path).map_err(failed)? {
        match Ring::open(&aside) {
            Ok(Some(ring)) => found.rings.push(ring),
            Ok(None) => {
                let _ = fs::remove_file(&aside);
                found.problems.push(format!("{}: not a ring of events, removed", aside.display()));
            }
            Err(error) => found.problems.push(error.to_string()),
        }
    }
    found.rings.sort_by_key(Ring::began);
    while found.rings.len() > MOST {
        let ring = found.rings.remove(0);
        let lost = GivenUp::new(&ring);
        found.problems.push(format!(
            "{}: too many rings are left over, its {} events are lost",
            ring.path().display(),
            lost.events.iter().sum::<u64>()
        ));
        found.given_up.push(lost);
        let _ = ring.remove();
    }
    Ok(found)
}

fn asides(path: &Path) -> io::Result<Vec<PathBuf>> {
    let directory = path.parent().unwrap_or_else(|| Path::new("/"));
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Ok(Vec::new()) };
    let mut asides = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let id = entry.file_name();
        let id = id.to_str().and_then(|entry| entry.strip_prefix(name)?.strip_prefix('.'));
        if id.is_some_and(|id| super::life::from_hex(id).is_some()) {
            asides.push(entry.path());
        }
    }
    Ok(asides)
}
