//! What goes when there is no room: the oldest traces first, finals last, and never the file that is written to.

use super::record::{Class, HEAD};
use super::segment::{self, Records, Segment};
use super::store::Store;
use rustix::fs::FallocateFlags;
use std::fs;
use std::io;

/// A file of zeroes: room in which a segment can be written anew while the disk is full.
const RESERVE: &str = "reserve";

impl Store {
    /// Makes room for so many bytes within the limit.
    pub(super) fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        while self.bytes() + bytes > self.limit {
            if let Some((life, index)) = self.oldest(|segment| segment.count(Class::Trace) > 0) {
                self.thin(life, index)?;
            } else if let Some((life, index)) = self.oldest(|_| true) {
                self.give_up(life, index)?;
            } else if self.is_writing() {
                // All of it is the file that is written to, which is closed now and goes in the next round.
                self.close();
            } else {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Gives up the oldest traces, because the disk itself is full. False: there are none on it.
    pub(super) fn shed(&mut self) -> io::Result<bool> {
        let traces = |segment: &Segment| segment.count(Class::Trace) > 0;
        let mut found = self.oldest(traces);
        if found.is_none() && self.is_writing() {
            self.close();
            found = self.oldest(traces);
        }
        let Some((life, index)) = found else { return Ok(false) };
        // What stays is written anew before the old file goes: into the room that was kept for that.
        let _ = fs::remove_file(self.directory.join(RESERVE));
        let thinned = self.thin(life, index);
        self.reserve();
        thinned.map(|()| true)
    }

    /// Keeps room for one segment, as long as there is any.
    pub(super) fn reserve(&self) {
        let path = self.directory.join(RESERVE);
        let Ok(file) = segment::create(&path) else { return };
        if rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, self.full() + segment::HEADER).is_err() {
            let _ = fs::remove_file(&path);
        }
    }

    /// The oldest closed segment that is so.
    fn oldest(&self, is: impl Fn(&Segment) -> bool) -> Option<(usize, usize)> {
        let lives = self.lives.iter().enumerate();
        let mut all = lives.flat_map(|(at, life)| {
            let closed = life.segments.len() - usize::from(self.is_written(at));
            life.segments.iter().take(closed).enumerate().map(move |(index, segment)| (at, index, segment))
        });
        all.find(|(.., segment)| is(segment)).map(|(life, index, _)| (life, index))
    }

    /// Writes a segment anew without its traces.
    fn thin(&mut self, at: usize, index: usize) -> io::Result<()> {
        let Some(life) = self.lives.get_mut(at) else { return Ok(()) };
        let Some(old) = life.segments.get(index).cloned() else { return Ok(()) };
        if old.count(Class::Final) == 0 {
            return self.give_up(at, index);
        }
        let path = old.path(&self.directory, life.id);
        let mut new = Segment { form: old.form + 1, ..Segment::new(old.name) };
        let mut bytes = segment::header(life.id);
        let (mut event, mut lost) = (Vec::new(), 0);
        let mut records = Records::open(&path, life.id)?;
        while records.offset() < old.bytes
            && let Some(head) = records.next(&mut event)?
        {
            if head.class == Class::Trace {
                lost += u64::from(head.sequence > life.acked);
                continue;
            }
            for word in head.words() {
                bytes.extend_from_slice(&word.to_le_bytes());
            }
            bytes.extend_from_slice(&event);
            bytes.resize(bytes.len() + usize::try_from(head.bytes()).unwrap_or(0) - HEAD - event.len(), 0);
            new.take(&head);
        }
        let part = path.with_extension("part");
        let written = fs::write(&part, &bytes).and_then(|()| fs::rename(&part, &path));
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
        written?;
        life.lose(Class::Trace, lost);
        if let Some(place) = life.segments.get_mut(index) {
            *place = new;
        }
        Ok(())
    }

    /// Deletes a segment that was not acknowledged.
    fn give_up(&mut self, at: usize, index: usize) -> io::Result<()> {
        let Some(life) = self.lives.get_mut(at) else { return Ok(()) };
        let Some(segment) = life.segments.get(index).cloned() else { return Ok(()) };
        let path = segment.path(&self.directory, life.id);
        let mut lost = segment.counts;
        if life.acked >= segment.name {
            // Some of it was acknowledged, and is not lost.
            lost = [0; 2];
            let mut event = Vec::new();
            let mut records = Records::open(&path, life.id)?;
            while records.offset() < segment.bytes
                && let Some(head) = records.next(&mut event)?
            {
                if let Some(count) = lost.get_mut(head.class.index()) {
                    *count += u64::from(head.sequence > life.acked);
                }
            }
        }
        fs::remove_file(path)?;
        life.segments.remove(index);
        let [traces, finals] = lost;
        life.lose(Class::Trace, traces);
        life.lose(Class::Final, finals);
        Ok(())
    }
}
