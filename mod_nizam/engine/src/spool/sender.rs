//! What one connection sends, in which order.

use super::Spool;
use super::life::Life;
use super::segment::{self, Records};
use super::store::Store;
use nizam_wire::link::{Batch, Incarnation};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::PathBuf;

/// Most events in a batch.
const EVENTS: usize = 500;

/// Bytes of events after which a batch ends.
const BYTES: usize = 256 << 10;

/// Most batches that are on their way.
const WINDOW: usize = 8;

/// The daemon's answer to the end of an incarnation.
const END: u64 = u64::MAX;

/// What to send next.
#[derive(Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Events.
    Events(Batch),
    /// All of that incarnation was acknowledged, and another one has begun. Said once in each connection, until the daemon answers with
    /// an acknowledgement of `u64::MAX`.
    Ended(Incarnation),
}

/// The place of the next record to send.
#[derive(Clone, Copy, Debug, Default)]
struct Position {
    /// All up to this number were sent.
    sent: u64,
    /// Where the segment with this name, in this form, goes on.
    hint: Option<(u64, u64, u64)>,
    /// How many dropped events the daemon was told of.
    told: u64,
    ended: bool,
}

/// What to read.
pub(super) struct Plan {
    id: Incarnation,
    path: PathBuf,
    name: u64,
    form: u64,
    /// 0: from the first record on.
    offset: u64,
    /// The end of what is whole.
    end: u64,
    dropped: u64,
}

/// Sends the events of a spool over one connection, from what was not acknowledged on.
#[derive(Debug, Default)]
pub struct Sender {
    positions: BTreeMap<Incarnation, Position>,
    /// The last number of each batch that is on its way.
    window: VecDeque<(Incarnation, u64)>,
}

impl Sender {
    /// For a new connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes an acknowledgement.
    pub fn ack(&mut self, spool: &Spool, incarnation: Incarnation, sequence: u64) {
        let ended = self.positions.get(&incarnation).is_some_and(|position| position.ended);
        if sequence == END && ended {
            spool.forget(incarnation);
        } else if sequence != END {
            spool.ack(incarnation, sequence);
        }
        self.window.retain(|(of, last)| *of != incarnation || *last > sequence);
    }

    /// What to send next. `None`: nothing new, or enough is on its way, or the disk is busy.
    pub fn next(&mut self, spool: &Spool) -> Option<Outgoing> {
        if self.window.len() >= WINDOW {
            return None;
        }
        // A segment may go while it is read, or hold nothing more: then there is another plan.
        let mut missing = None;
        for _ in 0..64 {
            let plan = match spool.with_store(|store| self.plan(store))?? {
                Ok(plan) => plan,
                Err(other) => return Some(other),
            };
            match self.read(&plan, spool) {
                Ok(Some(batch)) => {
                    self.window.extend(batch.events.last().map(|(last, _)| (plan.id, *last)));
                    return Some(Outgoing::Events(batch));
                }
                Ok(None) => {}
                // Deleted since the plan was made; where the plan stays the same it was not the store that did it.
                Err(error)
                    if error.kind() == io::ErrorKind::NotFound
                        && missing.replace((plan.id, plan.name)) != Some((plan.id, plan.name)) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound || segment::is_damage(&error) => {
                    // What comes before the damage is sent when it is counted what is lost: it may be the last of that incarnation.
                    spool.damaged(plan.id, plan.name);
                    return None;
                }
                Err(error) => {
                    spool.trouble_reading(&plan.path, &error);
                    return None;
                }
            }
        }
        None
    }

    /// What to read next, or what there is to say without.
    pub(super) fn plan(&mut self, store: &Store) -> Option<Result<Plan, Outgoing>> {
        let present = store.lives.len().saturating_sub(1);
        for (at, life) in store.lives.iter().enumerate() {
            let position = self.positions.entry(life.id).or_default();
            position.sent = position.sent.max(life.acked);
            if let Some(plan) = plan_of(life, position, store) {
                return Some(Ok(plan));
            }
            let dropped = life.dropped();
            if dropped > position.told {
                // No event is left that it could come with.
                position.told = dropped;
                let batch = Batch { incarnation: life.id, events: Vec::new(), dropped };
                return Some(Err(Outgoing::Events(batch)));
            }
            if at == present || life.has_more() {
                return None;
            }
            if !position.ended {
                position.ended = true;
                return Some(Err(Outgoing::Ended(life.id)));
            }
        }
        None
    }

    /// Reads a batch. `None`: that segment has nothing more. An error of the kind `InvalidData`: it is damaged.
    pub(super) fn read(&mut self, plan: &Plan, spool: &Spool) -> io::Result<Option<Batch>> {
        let position = self.positions.entry(plan.id).or_default();
        let mut sent = position.sent;
        let mut records = match plan.offset {
            0 => Records::open(&plan.path, plan.id)?,
            offset => Records::at(&plan.path, offset)?,
        };
        let mut batch = Batch { incarnation: plan.id, events: Vec::new(), dropped: plan.dropped };
        let (mut bytes, mut event, mut damaged) = (0, Vec::new(), false);
        while batch.events.len() < EVENTS && bytes < BYTES {
            if records.offset() >= plan.end {
                break;
            }
            let Some(head) = records.next(&mut event)? else {
                damaged = true;
                break;
            };
            if head.sequence > sent {
                bytes += event.len();
                sent = head.sequence;
                batch.events.push((head.sequence, std::mem::take(&mut event)));
            }
        }
        let same = spool.with_store(|store| {
            let life = store.lives.iter().find(|life| life.id == plan.id);
            let mut segments = life.iter().flat_map(|life| &life.segments);
            segments.any(|segment| (segment.name, segment.form) == (plan.name, plan.form))
        });
        if same != Some(true) {
            // It was written anew meanwhile, or is at the moment: an offset may mean another record, and its old file be the reserve.
            return Ok(None);
        }
        if damaged {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "what was a record is none"));
        }
        position.hint = Some((plan.name, plan.form, records.offset()));
        position.sent = sent;
        if !batch.events.is_empty() {
            position.told = plan.dropped;
        }
        Ok(Some(batch).filter(|batch| !batch.events.is_empty()))
    }
}

fn plan_of(life: &Life, position: &Position, store: &Store) -> Option<Plan> {
    let segment = life.segments.iter().find(|segment| segment.last > position.sent)?;
    let same = position.hint.filter(|(name, form, _)| (*name, *form) == (segment.name, segment.form));
    Some(Plan {
        id: life.id,
        path: segment.path(&store.directory, life.id),
        name: segment.name,
        form: segment.form,
        offset: same.map_or(0, |(.., offset)| offset),
        end: segment.bytes,
        dropped: life.dropped(),
    })
}
