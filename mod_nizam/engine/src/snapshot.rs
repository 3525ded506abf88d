//! The newest stack on disk, to start from when no daemon is there.
//!
//! A directory with one file per image, named by its id, and a file `stack` that lists them newest first. Every
//! file is written beside its place and renamed into it, so a reader finds the old or the new one. The daemon
//! writes, the module reads.

use nizam_wire::image::{Image, ImageError};
use nizam_wire::link::MAX_LAYERS;
use rustix::fs::OFlags;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

const STACK: &str = "stack";
const FIRST_LINE: &str = "nizam-stack 1";
const MAX_STACK_FILE: u64 = 64 << 10;

/// Neither follow a link nor wait for the other end of a pipe that somebody put there.
const PLAIN: i32 = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).bits().cast_signed();

fn plain(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a regular file")) }
}

/// Why there is no snapshot to start from.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// The file `stack` is not one of ours.
    #[error("{}: not a list of images", .0.display())]
    NotAStack(PathBuf),
    /// The oldest image, without which the others mean nothing, cannot be used.
    #[error("{}: {source}", path.display())]
    Base {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ImageError,
    },
}

/// What a snapshot gave.
#[derive(Debug)]
pub struct Loaded {
    /// The images, newest first.
    pub images: Vec<Arc<Image>>,
    /// Why newer images of the stack were left out. What is there is an older, whole generation.
    pub problem: Option<String>,
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> SnapshotError {
    let path = path.to_owned();
    move |source| SnapshotError::Io { path, source }
}

fn image_path(directory: &Path, id: u64) -> PathBuf {
    directory.join(format!("{id:016x}.image"))
}

/// Keeps a directory in step with what is served.
///
/// A base is on the disk itself when a write returns; overlays are in the operating system's hands, which survives
/// a kill of any process. After a power cut the daemon makes the snapshot anew from the database.
#[derive(Debug)]
pub struct Writer {
    directory: PathBuf,
    /// Ids in the file `stack` as this writer left it.
    written: Option<Vec<u64>>,
}

impl Writer {
    /// A writer to this directory, which is made if it is missing.
    pub fn new(directory: &Path) -> Result<Self, SnapshotError> {
        DirBuilder::new().recursive(true).mode(0o750).create(directory).map_err(io_error(directory))?;
        Ok(Self { directory: directory.to_owned(), written: None })
    }

    /// Puts an image's file there ahead of the stack that will name it, so that this one is quick.
    pub fn prepare(directory: &Path, image: &Image) -> Result<(), SnapshotError> {
        let path = image_path(directory, image.id());
        let whole = fs::symlink_metadata(&path)
            .is_ok_and(|file| file.is_file() && file.len() == image.bytes().len() as u64);
        if whole { Ok(()) } else { replace(&path, image.bytes(), !image.header().overlay) }
    }

    /// Makes these images, newest first, the ones to start from.
    pub fn write(&mut self, images: &[Arc<Image>]) -> Result<(), SnapshotError> {
        if !self.directory.exists() {
            // Somebody removed it under us.
            *self = Self::new(&self.directory)?;
        }
        for image in images {
            Self::prepare(&self.directory, image)?;
        }
        let ids: Vec<u64> = images.iter().map(|image| image.id()).collect();
        let lines = ids.iter().map(|id| format!("{id:016x}\n"));
        let stack: String = std::iter::once(format!("{FIRST_LINE}\n")).chain(lines).collect();
        replace(&self.directory.join(STACK), stack.as_bytes(), false)?;
        match self.written.replace(ids.clone()) {
            Some(before) => {
                for id in before.iter().filter(|id| !ids.contains(id)) {
                    let path = image_path(&self.directory, *id);
                    fs::remove_file(&path).map_err(io_error(&path))?;
                }
                Ok(())
            }
            None => self.clear(&ids),
        }
    }

    /// Removes what earlier daemons left.
    fn clear(&self, ids: &[u64]) -> Result<(), SnapshotError> {
        for entry in fs::read_dir(&self.directory).map_err(io_error(&self.directory))? {
            let path = entry.map_err(io_error(&self.directory))?.path();
            let ours = path.extension().is_some_and(|extension| extension == "image" || extension == "part");
            if ours && !ids.iter().any(|id| path == image_path(&self.directory, *id)) {
                fs::remove_file(&path).map_err(io_error(&path))?;
            }
        }
        Ok(())
    }
}

fn replace(path: &Path, bytes: &[u8], sync: bool) -> Result<(), SnapshotError> {
    let part = path.with_extension("part");
    // Images hold SIP passwords: nobody but the owner and the group that FreeSWITCH is in may read them.
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o640)
        .custom_flags(PLAIN)
        .open(&part)
        .and_then(plain)
        .map_err(io_error(&part))?;
    file.write_all(bytes).map_err(io_error(&part))?;
    if sync {
        file.sync_all().map_err(io_error(&part))?;
    }
    fs::rename(&part, path).map_err(io_error(path))
}

/// Reads the newest stack that is whole.
pub fn read(directory: &Path) -> Result<Loaded, SnapshotError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match read_once(directory) {
            // The daemon put a newer stack there and removed what the older one named: look again.
            Err(SnapshotError::Io { source, .. })
                if source.kind() == io::ErrorKind::NotFound && attempts < 4 => {}
            other => return other,
        }
    }
}

fn read_once(directory: &Path) -> Result<Loaded, SnapshotError> {
    let path = directory.join(STACK);
    let mut text = String::new();
    OpenOptions::new()
        .read(true)
        .custom_flags(PLAIN)
        .open(&path)
        .and_then(plain)
        .and_then(|file| file.take(MAX_STACK_FILE).read_to_string(&mut text))
        .map_err(io_error(&path))?;
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err(SnapshotError::NotAStack(path));
    }
    let ids: Option<Vec<u64>> = lines.map(|line| u64::from_str_radix(line, 16).ok()).collect();
    let ids =
        ids.filter(|ids| ids.len() <= MAX_LAYERS).ok_or_else(|| SnapshotError::NotAStack(path.clone()))?;
    let mut images = Vec::with_capacity(ids.len());
    let mut problem = None;
    // Oldest first: a stack without its newest overlays is what it was before them.
    for &id in ids.iter().rev() {
        let path = image_path(directory, id);
        match open(&path, id)? {
            Ok(image) => images.insert(0, Arc::new(image)),
            Err(source) if images.is_empty() => return Err(SnapshotError::Base { path, source }),
            Err(error) => {
                problem = Some(format!("{}: {error}", path.display()));
                break;
            }
        }
    }
    if images.is_empty() { Err(SnapshotError::NotAStack(path)) } else { Ok(Loaded { images, problem }) }
}

fn open(path: &Path, id: u64) -> Result<Result<Image, ImageError>, SnapshotError> {
    let mut bytes = Vec::new();
    OpenOptions::new()
        .read(true)
        .custom_flags(PLAIN)
        .open(path)
        .and_then(plain)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(io_error(path))?;
    Ok(Image::from_vec(bytes).and_then(|image| {
        let stated = image.id();
        if stated == id { Ok(image) } else { Err(ImageError::Corrupt { stated: id, computed: stated }) }
    }))
}
