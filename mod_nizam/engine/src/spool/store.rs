//! The directory of segments.

use super::SpoolError;
use super::disk::{Disk, lacks_room};
use super::life::{Life, from_hex};
use super::record::{Class, Head};
use super::segment::{self, Segment};
use nizam_wire::link::Incarnation;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes after which a segment is closed, if the limit leaves room for many.
const SEGMENT: u64 = 4 << 20;

/// A segment that was acknowledged whole is closed and deleted from this size on.
const WORTH_DELETING: u64 = 256 << 10;

/// The segments of all incarnations.
pub(super) struct Store {
    pub(super) directory: PathBuf,
    /// Most bytes on disk.
    pub(super) limit: u64,
    /// Oldest first; the present one is the last.
    pub(super) lives: Vec<Life>,
    /// The last segment of that incarnation, as long as it is written to.
    writing: Option<(Incarnation, Arc<File>)>,
    pub(super) disk: Disk,
    /// Its lock goes with it.
    _lock: File,
}

impl Store {
    /// Opens a directory, which is made if it is missing, and looks through what is in it. `tell` gets what was repaired.
    pub(super) fn open(
        directory: &Path,
        limit: u64,
        tell: &mut dyn FnMut(String),
    ) -> Result<Self, SpoolError> {
        let failed = |source: io::Error| SpoolError::Io { path: directory.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
        let lock = directory.join("lock");
        let failed_lock = |source: io::Error| SpoolError::Io { path: lock.clone(), source };
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock)
            .map_err(failed_lock)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SpoolError::InUse(directory.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed_lock(source)),
        }
        let mut store = Self {
            directory: directory.to_owned(),
            limit,
            lives: Vec::new(),
            writing: None,
            disk: Disk::default(),
            _lock: file,
        };
        store.find(tell).map_err(failed)?;
        store.reserve();
        Ok(store)
    }

    fn find(&mut self, tell: &mut dyn FnMut(String)) -> io::Result<()> {
        let mut segments = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if path.extension().is_some_and(|extension| extension == "part") {
                let _ = fs::remove_file(&path);
            } else if let Some((id, number)) = segment::parse_name(name) {
                segments.push((number, id, path));
            } else if let Some(id) = name.strip_suffix(".life").and_then(from_hex) {
                self.life(id);
            }
        }
        segments.sort();
        let names: Vec<_> = segments.iter().map(|(number, id, _)| (*id, *number)).collect();
        for (number, id, path) in segments {
            // The last number that can have been in it: what is beyond is in the next one, or still in the ring.
            let next = names.iter().find(|(of, name)| *of == id && *name > number);
            let saved = Life::load(&self.directory, id).last;
            let most = next.map_or(saved, |(_, name)| name - 1);
            let found = segment::recover(&path, id, number);
            let (segment, cut) = match found {
                Ok(found) => found,
                Err(error) => {
                    // Out of the way, but not away: a person may want to look at it.
                    let _ = fs::rename(&path, path.with_extension("bad"));
                    let lost = self.lose_behind(id, number.saturating_sub(1), most);
                    tell(format!("{}: {error}; put aside, at least {lost} events are lost", path.display()));
                    continue;
                }
            };
            if cut > 0 {
                let lost = self.lose_behind(id, segment.last.max(number.saturating_sub(1)), most);
                let path = path.display();
                tell(format!(
                    "{path}: {cut} bytes at the end are no whole record, cut off; {lost} events are lost"
                ));
            }
            let life = self.life(id);
            life.last = life.last.max(segment.last);
            if segment.last == 0 {
                fs::remove_file(&path)?;
            } else {
                life.segments.push_back(segment);
            }
        }
        self.lives.sort_by_key(|life| life.began);
        Ok(())
    }

    /// Counts what is missing behind this number, up to another one, as finals: nobody knows what it was. The answer is how many there were
    /// at least. What was dropped before is missing too, and counted already.
    fn lose_behind(&mut self, id: Incarnation, before: u64, most: u64) -> u64 {
        let life = self.life(id);
        let missing = most.saturating_sub(before.max(life.acked));
        let lost = missing.saturating_sub(life.dropped()).max(missing.min(1));
        life.lose(Class::Final, lost);
        lost
    }

    /// Counts traces and finals that are lost.
    pub(super) fn lose(&mut self, id: Incarnation, [traces, finals]: [u64; 2]) {
        let life = self.life(id);
        life.lose(Class::Trace, traces);
        life.lose(Class::Final, finals);
    }

    /// Looks through a segment of which something could not be read, cuts it there, and counts what is lost.
    pub(super) fn mend(
        &mut self,
        id: Incarnation,
        name: u64,
        tell: &mut dyn FnMut(String),
    ) -> io::Result<()> {
        let Some(at) = self.lives.iter().position(|life| life.id == id) else { return Ok(()) };
        if self.is_written(at) {
            self.close();
        }
        let path = Segment::new(name).path(&self.directory, id);
        let life = self.life(id);
        let Some(segment) = life.segments.iter_mut().find(|segment| segment.name == name) else {
            return Ok(());
        };
        let found = match segment::recover(&path, id, name) {
            Ok((found, _)) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Segment::new(name),
            Err(error) if segment::is_damage(&error) => {
                fs::rename(&path, path.with_extension("bad"))?;
                Segment::new(name)
            }
            Err(error) => return Err(error),
        };
        if found.counts == segment.counts {
            return Ok(());
        }
        let old = std::mem::replace(segment, Segment { form: segment.form + 1, ..found.clone() });
        if found.last == 0 {
            life.segments.retain(|segment| segment.name != name);
            let _ = fs::remove_file(&path);
        }
        // What was acknowledged is not lost, wherever the damage is.
        let most = old.last.saturating_sub(found.last.max(life.acked));
        let finals = old.count(Class::Final).saturating_sub(found.count(Class::Final)).min(most);
        let traces = old.count(Class::Trace).saturating_sub(found.count(Class::Trace)).min(most - finals);
        self.lose(id, [traces, finals]);
        tell(format!("{}: damaged, {} events in it are lost", path.display(), traces + finals));
        Ok(())
    }

    /// That incarnation, as its file has it.
    fn life(&mut self, id: Incarnation) -> &mut Life {
        let at = self.lives.iter().position(|life| life.id == id).unwrap_or_else(|| {
            self.lives.push(Life::load(&self.directory, id));
            self.lives.len() - 1
        });
        // The index was just found or made.
        #[expect(clippy::indexing_slicing, reason = "the index of an element that is there")]
        &mut self.lives[at]
    }

    /// Begins an incarnation, or goes on with one of which a ring was left: then `waits` is the last number in it.
    pub(super) fn begin(&mut self, id: Incarnation, core: &str, began: u64, waits: u64) {
        if let Some(life) = self.lives.iter_mut().find(|life| life.id == id) {
            life.waits = waits;
            return;
        }
        // After all that are there, whatever the clock says.
        let newest = self.lives.iter().map(|life| life.began).max().unwrap_or(0);
        let began = began.max(newest + 1);
        self.lives.push(Life { id, began, core: core.to_owned(), waits, dirty: true, ..Life::default() });
    }

    /// Appends records to the segments of an incarnation. Those that are there already are left out. If the disk is full and they are
    /// `pressed` for room where they are, the oldest traces go, and in the end theirs: ends of channels are worth more.
    pub(super) fn append(
        &mut self,
        id: Incarnation,
        bytes: &[u8],
        heads: &[Head],
        pressed: bool,
    ) -> io::Result<()> {
        loop {
            match self.try_append(id, bytes, heads) {
                Err(error) if pressed && lacks_room(&error) => {
                    if let Ok(true) = self.shed() {
                        continue;
                    }
                    return self.append_finals(id, bytes, heads);
                }
                other => return other,
            }
        }
    }

    /// Appends the finals among these records, and counts the rest as lost.
    fn append_finals(&mut self, id: Incarnation, bytes: &[u8], heads: &[Head]) -> io::Result<()> {
        let known = self.life(id).last;
        let (mut rest, mut kept, mut finals, mut lost) = (bytes, Vec::new(), Vec::new(), 0);
        for head in heads {
            let length = usize::try_from(head.bytes()).unwrap_or(usize::MAX);
            let (record, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = behind;
            if head.class == Class::Final {
                kept.extend_from_slice(record);
                finals.push(*head);
            } else {
                lost += u64::from(head.sequence > known);
            }
        }
        self.try_append(id, &kept, &finals)?;
        self.life(id).lose(Class::Trace, lost);
        Ok(())
    }

    fn try_append(&mut self, id: Incarnation, bytes: &[u8], heads: &[Head]) -> io::Result<()> {
        let last = self.life(id).last;
        let known = heads.iter().take_while(|head| head.sequence <= last);
        let (mut skipped, mut count) = (0, 0);
        for head in known {
            skipped += head.bytes();
            count += 1;
        }
        let bytes = bytes.get(usize::try_from(skipped).unwrap_or(usize::MAX)..).unwrap_or_default();
        let heads = heads.get(count..).unwrap_or_default();
        let Some(first) = heads.first() else { return Ok(()) };
        self.make_room(bytes.len() as u64 + segment::HEADER)?;
        let file = self.file(id, first.sequence)?;
        let written = self.life(id).segments.back().map_or(segment::HEADER, |segment| segment.bytes);
        if let Err(error) = (self.disk.write)(&mut file.as_ref(), bytes) {
            // What was written of it would be a torn tail, and what follows it would be lost.
            if file.set_len(written).is_err() {
                self.close();
            }
            return Err(error);
        }
        let life = self.life(id);
        if let Some(segment) = life.segments.back_mut() {
            for head in heads {
                segment.take(head);
            }
            life.last = segment.last;
        }
        Ok(())
    }

    /// Bytes after which a segment is closed.
    pub(super) fn full(&self) -> u64 {
        (self.limit / 8).clamp(1, SEGMENT)
    }

    /// The file to append to.
    fn file(&mut self, id: Incarnation, first: u64) -> io::Result<Arc<File>> {
        let full = self.full();
        if let Some((of, file)) = &self.writing {
            let file = Arc::clone(file);
            let same = *of == id;
            if same && self.life(id).segments.back().is_some_and(|segment| segment.bytes < full) {
                return Ok(file);
            }
            self.close();
        }
        let segment = Segment::new(first);
        let path = segment.path(&self.directory, id);
        let made = segment::create(&path).and_then(|file| {
            let written = (self.disk.write)(&mut &file, &segment::header(id));
            written.map(|()| Arc::new(file))
        });
        let file = made.inspect_err(|_| {
            let _ = fs::remove_file(&path);
        })?;
        self.life(id).segments.push_back(segment);
        self.writing = Some((id, Arc::clone(&file)));
        Ok(file)
    }

    /// Writes no more to the file that was written to. An empty one goes.
    pub(super) fn close(&mut self) {
        let Some((id, _)) = self.writing.take() else { return };
        let directory = self.directory.clone();
        let life = self.life(id);
        if let Some(segment) = life.segments.pop_back_if(|segment| segment.last == 0) {
            let _ = fs::remove_file(segment.path(&directory, id));
        }
    }

    /// Whether a file is written to.
    pub(super) fn is_writing(&self) -> bool {
        self.writing.is_some()
    }

    /// Whether the last segment of the incarnation at this index is written to.
    pub(super) fn is_written(&self, at: usize) -> bool {
        self.writing.as_ref().zip(self.lives.get(at)).is_some_and(|((id, _), life)| *id == life.id)
    }

    /// The file that is written to, for whoever makes sure that it is on the disk.
    pub(super) fn unsynced(&self) -> Option<Arc<File>> {
        self.writing.as_ref().map(|(_, file)| Arc::clone(file))
    }

    /// Notes an acknowledgement, and deletes what it covers.
    pub(super) fn ack(&mut self, id: Incarnation, sequence: u64) -> io::Result<()> {
        let Some(at) = self.lives.iter().position(|life| life.id == id) else { return Ok(()) };
        let life = self.life(id);
        life.ack(sequence);
        let worth =
            life.segments.back().is_some_and(|last| last.last <= life.acked && last.bytes >= WORTH_DELETING);
        if self.is_written(at) && worth {
            self.close();
        }
        let open = usize::from(self.is_written(at));
        let directory = self.directory.clone();
        let life = self.life(id);
        while life.segments.len() > open
            && let Some(segment) = life.segments.front().filter(|segment| segment.last <= life.acked)
        {
            segment::remove(&segment.path(&directory, id))?;
            life.segments.pop_front();
        }
        Ok(())
    }

    /// Forgets an incarnation of which nothing is left to say.
    pub(super) fn forget(&mut self, id: Incarnation) -> io::Result<()> {
        let Some(at) = self.lives.iter().position(|life| life.id == id) else { return Ok(()) };
        if self.is_written(at) {
            self.close();
        }
        let life = self.lives.remove(at);
        for segment in &life.segments {
            segment::remove(&segment.path(&self.directory, id))?;
        }
        // It may never have been written.
        segment::remove(&life.path(&self.directory))
    }

    /// Writes what has changed of the incarnations.
    pub(super) fn save(&mut self) -> io::Result<()> {
        for life in self.lives.iter_mut().filter(|life| life.dirty) {
            life.save(&self.directory)?;
        }
        Ok(())
    }

    /// How many bytes all segments have.
    pub(super) fn bytes(&self) -> u64 {
        self.lives.iter().map(Life::bytes).sum()
    }
}
