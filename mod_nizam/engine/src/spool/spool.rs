//! The whole of it, and its thread.

use super::leftover::{self, GivenUp};
use super::life::hex;
use super::record::Class;
use super::ring::Ring;
use super::segment::Records;
use super::store::Store;
use super::{Drops, SpoolError, SpoolStatus};
use nizam_wire::event::Event;
use nizam_wire::link::Incarnation;
use parking_lot::{Condvar, Mutex};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use xxhash_rust::xxh3::xxh3_64;

/// How often the ring is looked at. Whoever writes into it wakes nobody: that would be a system call.
const LOOK: Duration = Duration::from_millis(10);

/// How long after an error of the disk it is tried again.
const RETRY: Duration = Duration::from_millis(250);

/// How often positions are written, and segments made sure to be on the disk.
const SYNC: Duration = Duration::from_secs(1);

/// A disk that takes longer hangs, and whoever asks is told so.
const HANGS: Duration = Duration::from_secs(5);

/// How often it is said that events are dropped.
const SAY: Duration = Duration::from_mins(1);

/// Bytes moved at a time.
pub(super) const CHUNK: usize = 256 << 10;

/// Where a spool is, and how large.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file of the ring, in a tmpfs.
    pub ring: PathBuf,
    /// Its size.
    pub ring_size: u64,
    /// The directory of the segments.
    pub directory: PathBuf,
    /// Most bytes in it.
    pub limit: u64,
    /// FreeSWITCH's core UUID.
    pub core: String,
}

impl Settings {
    /// Where the ring is if nobody says so: a name that no other switch has, and no other directory of segments.
    pub fn usual_ring(switch_name: &str, directory: &Path) -> PathBuf {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
        let name: String = switch_name.chars().take(64).map(plain).collect();
        let place = xxh3_64(directory.as_os_str().as_encoded_bytes()) >> 32;
        PathBuf::from(format!("/dev/shm/nizam-{name}-{place:08x}.ring"))
    }
}

/// Events on their way.
pub struct Spool {
    settings: Settings,
    ring: Ring,
    incarnation: Incarnation,
    leftovers: Mutex<Vec<Ring>>,
    /// Of what was too much to be left over.
    given_up: Mutex<Vec<GivenUp>>,
    store: Mutex<Option<Store>>,
    asked: Mutex<Asked>,
    changed: Condvar,
    trouble: Mutex<Option<String>>,
    /// How the store was after the last change. It is held for moments, never over an access to a disk: whoever asks how the spool
    /// stands must not wait for one.
    figures: Mutex<Figures>,
    /// Since when the thread waits for the disk.
    busy: Mutex<Option<Instant>>,
    /// What was wrong when the ring was made, to be told by the thread.
    problems: Mutex<Vec<String>>,
}

/// What is told of the store.
#[derive(Clone, Default)]
struct Figures {
    written: u64,
    acknowledged: u64,
    earlier: usize,
    /// How many events of earlier incarnations are not acknowledged.
    earlier_lag: u64,
    /// In earlier incarnations.
    ring_dropped: [u64; 2],
    disk_dropped: [u64; 2],
    segments: usize,
    disk_used: u64,
    /// The time of the oldest event that is not acknowledged, microseconds since 1970.
    oldest: Option<u128>,
}

/// What the thread is asked for.
#[derive(Default)]
struct Asked {
    acks: Vec<(Incarnation, u64)>,
    /// Segments of which something could not be read: whose, and their names.
    damaged: Vec<(Incarnation, u64)>,
    ended: Vec<Incarnation>,
    stop: bool,
}

/// Something to tell an operator.
#[derive(Debug)]
pub enum SpoolNote {
    /// As it should be.
    Info(String),
    /// Somebody should look.
    Warning(String),
}

impl Spool {
    /// Makes the ring, so that events can be pushed at once. The directory is looked at by [`Spool::run`].
    pub fn new(settings: Settings) -> Result<Self, SpoolError> {
        let found = leftover::find(&settings.ring)?;
        let incarnation = Incarnation(uuid::Uuid::new_v4().into_bytes());
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        let began = u64::try_from(began).unwrap_or(0);
        let ring = Ring::create(&settings.ring, settings.ring_size, incarnation, &settings.core, began)?;
        Ok(Self {
            settings,
            ring,
            incarnation,
            leftovers: Mutex::new(found.rings),
            given_up: Mutex::new(found.given_up),
            store: Mutex::default(),
            asked: Mutex::default(),
            changed: Condvar::new(),
            trouble: Mutex::default(),
            figures: Mutex::default(),
            busy: Mutex::default(),
            problems: Mutex::new(found.problems),
        })
    }

    /// The present incarnation.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Takes an event. It makes no system call, unless several threads meet here, and allocates nothing. False: there was no room,
    /// and it was dropped and counted.
    pub fn push(&self, event: &[u8], class: Class) -> bool {
        self.ring.push(event, class)
    }

    /// Moves events to the disk until [`Spool::stop`], and then what is left. For a thread of its own. `wake` is called when there is
    /// something new to send.
    pub fn run(&self, wake: &dyn Fn(), tell: &dyn Fn(SpoolNote)) {
        for problem in std::mem::take(&mut *self.problems.lock()) {
            tell(SpoolNote::Warning(problem));
        }
        let mut synced = Instant::now();
        let mut said = Said::default();
        let mut wait = LOOK;
        loop {
            let asked = self.wait(wait);
            let stop = asked.stop;
            let due = synced.elapsed() >= SYNC || stop;
            let moved = self.work(asked, due, tell);
            if due {
                said.drops(self, tell);
                synced = Instant::now();
            }
            wait = if moved.is_ok() { LOOK } else { RETRY };
            // Now and then in any case: it may have found the disk busy.
            if due || moved.as_ref().is_ok_and(|moved| *moved) {
                wake();
            }
            said.trouble(self, moved.err(), tell);
            if stop {
                return;
            }
        }
    }

    /// Ends [`Spool::run`] after what was pushed before.
    pub fn stop(&self) {
        self.asked.lock().stop = true;
        self.changed.notify_all();
    }

    fn wait(&self, most: Duration) -> Asked {
        let mut asked = self.asked.lock();
        if !asked.stop {
            self.changed.wait_for(&mut asked, most);
        }
        Asked {
            stop: asked.stop,
            acks: std::mem::take(&mut asked.acks),
            damaged: std::mem::take(&mut asked.damaged),
            ended: std::mem::take(&mut asked.ended),
        }
    }

    /// One round. The answer is whether there is something new to send.
    fn work(&self, asked: Asked, due: bool, tell: &dyn Fn(SpoolNote)) -> Result<bool, String> {
        let opened = self.open(tell)?;
        let text = |error: io::Error| error.to_string();
        let answered = !asked.acks.is_empty() || !asked.damaged.is_empty();
        let mut failed = Ok(());
        for (id, sequence) in asked.acks {
            // What cannot be deleted now is deleted with the next one.
            failed = failed.and(self.change(|store| store.ack(id, sequence)).map_err(text));
        }
        for (id, name) in asked.damaged {
            let mut say = |text| tell(SpoolNote::Warning(text));
            failed = failed.and(self.change(|store| store.mend(id, name, &mut say)).map_err(text));
        }
        for id in asked.ended {
            failed = failed.and(self.change(|store| store.forget(id)).map_err(text));
        }
        self.drain_leftovers(tell)?;
        let mut moved = opened || answered;
        // First: what was dropped is known when what came after it is sent.
        self.note_drops(&self.ring);
        while self.drain(&self.ring, tell)? {
            moved = true;
            self.note_drops(&self.ring);
        }
        if due {
            self.change(Store::save).map_err(text)?;
            let unsynced = self.store.lock().as_ref().and_then(Store::unsynced);
            // Outside of the lock: the link does not wait for a disk.
            if let Some(file) = unsynced {
                self.on_disk(|| file.sync_data()).map_err(text)?;
            }
            self.publish(true);
        }
        failed.map(|()| moved)
    }

    /// Opens the directory, if it is not open. The answer is whether it was opened now.
    fn open(&self, tell: &dyn Fn(SpoolNote)) -> Result<bool, String> {
        if self.store.lock().is_some() {
            return Ok(false);
        }
        let Settings { directory, limit, .. } = &self.settings;
        let mut say = |text| tell(SpoolNote::Warning(text));
        let opened = self.on_disk(|| Store::open(directory, *limit, &mut say));
        let mut store = opened.map_err(|error| error.to_string())?;
        for lost in self.given_up.lock().drain(..) {
            store.begin(lost.incarnation, &lost.core, lost.began, 0);
            store.lose(lost.incarnation, lost.events);
        }
        for ring in self.leftovers.lock().iter() {
            store.begin(ring.incarnation(), &ring.core(), ring.began(), ring.next().saturating_sub(1));
        }
        store.begin(self.incarnation, &self.settings.core, self.ring.began(), 0);
        *self.store.lock() = Some(store);
        self.publish(true);
        Ok(true)
    }

    fn change<T: Default>(&self, change: impl FnOnce(&mut Store) -> io::Result<T>) -> io::Result<T> {
        let changed = self.on_disk(|| self.store.lock().as_mut().map_or_else(|| Ok(T::default()), change));
        self.publish(false);
        changed
    }

    /// Does what may take as long as the disk likes.
    fn on_disk<T>(&self, work: impl FnOnce() -> T) -> T {
        *self.busy.lock() = Some(Instant::now());
        let done = work();
        *self.busy.lock() = None;
        done
    }

    /// Has [`Spool::status`] tell how the store is now. On the thread alone, and before the ring gives back room: what is in neither
    /// would seem to be stored. The oldest event is read if it is asked for (`again`), or if none was known.
    fn publish(&self, again: bool) {
        let Some((mut figures, oldest)) = self.store.lock().as_ref().map(|store| self.figures_of(store))
        else {
            return;
        };
        let known = self.figures.lock().oldest.filter(|_| !again);
        figures.oldest = oldest
            .and_then(|(path, id, acked)| known.or_else(|| self.on_disk(|| time_behind(&path, id, acked))));
        *self.figures.lock() = figures;
    }

    /// What is told of the store, and where the oldest event is that was not acknowledged.
    fn figures_of(&self, store: &Store) -> (Figures, Option<(PathBuf, Incarnation, u64)>) {
        let mut figures = Figures { disk_used: store.bytes(), ..Figures::default() };
        let mut oldest = None;
        for life in &store.lives {
            if life.id == self.incarnation {
                figures.written = life.last;
                figures.acknowledged = life.acked;
            } else {
                figures.earlier += 1;
                figures.earlier_lag += life.lag();
                add(&mut figures.ring_dropped, life.ring_dropped);
            }
            add(&mut figures.disk_dropped, life.disk_dropped);
            figures.segments += life.segments.len();
            if oldest.is_none()
                && let Some(segment) = life.segments.iter().find(|segment| segment.last > life.acked)
            {
                oldest = Some((segment.path(&store.directory, life.id), life.id, life.acked));
            }
        }
        (figures, oldest)
    }

    fn drain_leftovers(&self, tell: &dyn Fn(SpoolNote)) -> Result<(), String> {
        let mut leftovers = self.leftovers.lock();
        while let Some(ring) = leftovers.first() {
            // First, as for the ring in use: what is sent of it may be the last that is ever sent of that incarnation.
            self.note_drops(ring);
            while self.drain(ring, tell)? {}
            self.change(Store::save).map_err(|error| error.to_string())?;
            // Not before: an incarnation that waits for nothing more is ended and forgotten, and would begin again behind the present one.
            if let Some(store) = self.store.lock().as_mut() {
                store.begin(ring.incarnation(), &ring.core(), ring.began(), 0);
            }
            tell(SpoolNote::Info(format!(
                "took over what the incarnation {} of FreeSWITCH {} had left in memory",
                hex(ring.incarnation()),
                ring.core()
            )));
            leftovers.remove(0).remove().map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Moves some of a ring to the disk. False: it is empty.
    fn drain(&self, ring: &Ring, tell: &dyn Fn(SpoolNote)) -> Result<bool, String> {
        let read = ring.read(CHUNK);
        if read.damaged {
            let known = self.store.lock().as_ref().and_then(|store| {
                store.lives.iter().find(|life| life.id == ring.incarnation()).map(|life| life.last)
            });
            let before = read.heads.last().map(|head| head.sequence).or(known).unwrap_or(0);
            let lost = ring.cut(read.end, before);
            tell(SpoolNote::Warning(format!(
                "{}: damaged, at least {lost} events in it are lost",
                ring.path().display()
            )));
            // Before what was read of it is sent: it may be the last that is sent of that incarnation.
            self.note_drops(ring);
        }
        if !read.heads.is_empty() {
            let id = ring.incarnation();
            let (used, size) = ring.fill();
            self.change(|store| store.append(id, &read.bytes, &read.heads, used > size / 2))
                .map_err(|error| error.to_string())?;
        }
        ring.release(read.end);
        Ok(!read.heads.is_empty())
    }

    fn note_drops(&self, ring: &Ring) {
        let (id, dropped) = (ring.incarnation(), ring.dropped());
        let noted = self.store.lock().as_mut().is_some_and(|store| {
            let life = store.lives.iter_mut().find(|life| life.id == id && life.ring_dropped != dropped);
            life.is_some_and(|life| {
                life.ring_dropped = dropped;
                life.dirty = true;
                true
            })
        });
        if noted {
            self.publish(false);
        }
    }

    pub(super) fn ack(&self, incarnation: Incarnation, sequence: u64) {
        self.asked.lock().acks.push((incarnation, sequence));
        self.changed.notify_all();
    }

    pub(super) fn damaged(&self, incarnation: Incarnation, name: u64) {
        let mut asked = self.asked.lock();
        if !asked.damaged.contains(&(incarnation, name)) {
            asked.damaged.push((incarnation, name));
            self.changed.notify_all();
        }
    }

    pub(super) fn forget(&self, incarnation: Incarnation) {
        if incarnation != self.incarnation {
            self.asked.lock().ended.push(incarnation);
            self.changed.notify_all();
        }
    }

    /// `None`: somebody writes at the moment, or it is not open.
    pub(super) fn with_store<T>(&self, look: impl FnOnce(&Store) -> T) -> Option<T> {
        self.store.try_lock()?.as_ref().map(look)
    }

    pub(super) fn trouble_reading(&self, path: &Path, error: &io::Error) {
        *self.trouble.lock() = Some(format!("{}: {error}", path.display()));
    }

    /// How it stands. It waits for no disk: while the thread does, what it says of the store is from before.
    pub fn status(&self) -> SpoolStatus {
        let (ring_used, ring_size) = self.ring.fill();
        // Behind what the ring says: what has left it is in these.
        let figures = self.figures.lock().clone();
        let mut ring_dropped = self.ring.dropped();
        add(&mut ring_dropped, figures.ring_dropped);
        let waits = self.busy.lock().map(|since| since.elapsed()).filter(|waits| *waits >= HANGS);
        let hangs = waits.map(|waits| {
            let directory = self.settings.directory.display();
            format!(
                "{directory}: the disk has not answered for {} s; figures of it are from before",
                waits.as_secs()
            )
        });
        SpoolStatus {
            incarnation: hex(self.incarnation),
            pushed: self.ring.next().saturating_sub(1),
            written: figures.written,
            acknowledged: figures.acknowledged,
            earlier_lag: figures.earlier_lag,
            lag_ms: figures.oldest.and_then(age).unwrap_or(0),
            ring_used,
            ring_size,
            disk_used: figures.disk_used,
            disk_limit: self.settings.limit,
            segments: figures.segments,
            earlier: figures.earlier,
            ring_dropped: Drops::new(ring_dropped),
            disk_dropped: Drops::new(figures.disk_dropped),
            trouble: hangs.or_else(|| self.trouble.lock().clone()),
        }
    }

    /// Puts a fault in the place of the disk.
    #[cfg(test)]
    pub(super) fn put(&self, disk: super::disk::Disk) {
        self.with_store_mut(|store| store.disk = disk);
    }

    /// What the thread does to the store, at a moment of a test's own choice.
    #[cfg(test)]
    pub(super) fn with_store_mut<T>(&self, change: impl FnOnce(&mut Store) -> T) -> Option<T> {
        self.store.lock().as_mut().map(change)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // Whatever is in it was drained, or waits there for the next load.
        if self.ring.is_empty() && self.asked.get_mut().stop {
            let _ = std::fs::remove_file(self.ring.path());
        }
    }
}

fn add(sum: &mut [u64; 2], more: [u64; 2]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

/// The time of the first event behind `acked`, in microseconds since 1970.
fn time_behind(path: &Path, id: Incarnation, acked: u64) -> Option<u128> {
    let mut records = Records::open(path, id).ok()?;
    let mut event = Vec::new();
    while records.next(&mut event).ok()??.sequence <= acked {}
    u128::try_from(Event::read(&event).ok()?.time).ok()
}

/// How long ago that is, in milliseconds.
fn age(time: u128) -> Option<u64> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_micros();
    u64::try_from(now.checked_sub(time)? / 1000).ok()
}

/// What was told, so that it is not told with every event.
#[derive(Default)]
struct Said {
    trouble: bool,
    dropped: u64,
    when: Option<Instant>,
}

impl Said {
    fn trouble(&mut self, spool: &Spool, error: Option<String>, tell: &dyn Fn(SpoolNote)) {
        let (used, size) = spool.ring.fill();
        match &error {
            Some(error) if !self.trouble => tell(SpoolNote::Warning(format!(
                "events cannot be written to {}: {error}; calls go on, and {} bytes of memory keep what comes until it works again",
                spool.settings.directory.display(),
                size - used
            ))),
            None if self.trouble => tell(SpoolNote::Info(format!(
                "events are written to {} again",
                spool.settings.directory.display()
            ))),
            _ => {}
        }
        self.trouble = error.is_some();
        *spool.trouble.lock() = error;
    }

    fn drops(&mut self, spool: &Spool, tell: &dyn Fn(SpoolNote)) {
        let status = spool.status();
        let dropped = status.ring_dropped.sum() + status.disk_dropped.sum();
        if dropped > self.dropped && self.when.is_none_or(|when| when.elapsed() >= SAY) {
            tell(SpoolNote::Warning(format!(
                "events are dropped, {} more than before: in memory {} traces and {} finals, on disk {} and {}; is nizamd running, \
                 and is there room in {}?",
                dropped - self.dropped,
                status.ring_dropped.traces,
                status.ring_dropped.finals,
                status.disk_dropped.traces,
                status.disk_dropped.finals,
                spool.settings.directory.display()
            )));
            self.when = Some(Instant::now());
            self.dropped = dropped;
        }
        self.dropped = self.dropped.min(dropped);
    }
}
