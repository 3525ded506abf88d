//! What goes when there is no room: the oldest traces first, finals last.

use super::record::{Class, HEAD};
use super::reserve;
use super::segment::{self, Records, Segment};
use super::spool::CHUNK;
use super::store::Store;
use nizam_wire::event;
use std::io;

impl Store {
    /// Makes room for so many bytes within the limit.
    pub(super) fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        while self.bytes() + bytes > self.limit {
            // Also those in the file that is written to go before any final. What cannot be written anew, being damaged or larger than
            // the reserve, goes like finals, the oldest first.
            if let Ok(true) = self.shed() {
                continue;
            }
            if let Some((life, index)) = self.closed(|_| true).first() {
                self.give_up(*life, *index)?;
            } else if self.is_writing() {
                // All of it is the file that is written to, which is closed now and goes in the next round.
                self.close();
            } else {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Gives up the oldest traces. False: there are none on the disk. An error: no segment that has some could be written anew.
    pub(super) fn shed(&mut self) -> io::Result<bool> {
        let mut failed = None;
        loop {
            for (life, index) in self.closed(|segment| segment.count(Class::Trace) > 0) {
                match self.thin(life, index) {
                    Ok(()) => return Ok(true),
                    // Another one may be less damaged, need less room, or have nothing but traces, and none at all.
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            if !self.writes_traces() {
                return failed.map_or(Ok(false), Err);
            }
            self.close();
        }
    }

    /// Keeps room for one segment, as long as there is any.
    pub(super) fn reserve(&self) {
        // A segment is closed by what is appended next, so it goes beyond its size by as much as is appended at once.
        let most = self.full() + segment::HEADER + (CHUNK + event::MOST + HEAD) as u64;
        reserve::keep(&self.directory, self.disk, most);
    }

    /// Whether there are traces in the file that is written to.
    fn writes_traces(&self) -> bool {
        let life = (0..self.lives.len()).find(|at| self.is_written(*at)).and_then(|at| self.lives.get(at));
        life.and_then(|life| life.segments.back()).is_some_and(|segment| segment.count(Class::Trace) > 0)
    }

    /// The closed segments that are so, the oldest first.
    fn closed(&self, is: impl Fn(&Segment) -> bool) -> Vec<(usize, usize)> {
        let lives = self.lives.iter().enumerate();
        let all = lives.flat_map(|(at, life)| {
            let closed = life.segments.len() - usize::from(self.is_written(at));
            life.segments.iter().take(closed).enumerate().map(move |(index, segment)| (at, index, segment))
        });
        all.filter(|(.., segment)| is(segment)).map(|(life, index, _)| (life, index)).collect()
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
        if records.offset() < old.bytes {
            // Written anew it would look whole, and nobody would count what is lost of it.
            return Err(io::Error::new(io::ErrorKind::InvalidData, "what was a record is none"));
        }
        let written = reserve::replace(&self.directory, self.disk, &path, &bytes);
        if written.is_ok() {
            life.lose(Class::Trace, lost);
            if let Some(place) = life.segments.get_mut(index) {
                *place = new;
            }
        }
        // It is smaller now than it shall be, whatever became of it.
        self.reserve();
        written
    }

    /// Deletes a segment that was not acknowledged.
    fn give_up(&mut self, at: usize, index: usize) -> io::Result<()> {
        let Some(life) = self.lives.get_mut(at) else { return Ok(()) };
        let Some(segment) = life.segments.get(index).cloned() else { return Ok(()) };
        let path = segment.path(&self.directory, life.id);
        let mut lost = segment.counts;
        if life.acked >= segment.name
            && let Ok(mut records) = Records::open(&path, life.id)
        {
            // What was acknowledged of it is not lost; what cannot be read is.
            let mut event = Vec::new();
            while records.offset() < segment.bytes
                && let Ok(Some(head)) = records.next(&mut event)
                && head.sequence <= life.acked
            {
                if let Some(count) = lost.get_mut(head.class.index()) {
                    *count = count.saturating_sub(1);
                }
            }
        }
        segment::remove(&path)?;
        life.segments.remove(index);
        let [traces, finals] = lost;
        life.lose(Class::Trace, traces);
        life.lose(Class::Final, finals);
        Ok(())
    }
}
