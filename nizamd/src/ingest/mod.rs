//! From the link to the tables: batches of events wait here until they are stored, and are acknowledged then.
//!
//! A switch's thread hands over and goes on, so that images go out whatever the database does. While the database is away batches wait,
//! in memory within a bound and beyond it at the switch, which keeps everything until it is acknowledged.

mod compare;
mod gateways;
mod mailbox;

use crate::link::{Known, Outgoing};
use crate::metrics::Metrics;
use compare::AGAIN;
use gateways::{Gateways, Standing};
use mailbox::Mailbox;
use nizam_core::call::{About, Fact, Registration, without_pin};
use nizam_store::{Delivered, Origin, Store, StoreError, Stored};
use nizam_wire::link::{Batch, Incarnation};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use thiserror::Error;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tracing::{error, warn};

/// Bytes of events of one switch that may wait here. A switch has fewer on the way at a time.
const HELD: usize = 64 << 20;

/// Events of one transaction, when there are more.
const TOGETHER: usize = 2048;

/// The first and the longest pause before the database is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How long after events were dropped, ends of channels perhaps among them, the switch is asked which channels live.
pub const LOOK: Duration = Duration::from_mins(1);

/// Stores what switches tell.
pub struct Ingest {
    store: Arc<Store>,
    runtime: Handle,
    metrics: Arc<Metrics>,
    look: Duration,
}

/// More waits than may: the connection ends, and the switch sends all of it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("more than {HELD} bytes of its events wait for the database")]
pub(crate) struct Full;

/// The way of one connection's events.
pub(crate) struct Intake {
    work: mpsc::UnboundedSender<Work>,
    held: Arc<AtomicUsize>,
    switch: Arc<Known>,
}

enum Work {
    /// The switch is asked for its phones; how long to wait if it does not show them.
    Resync(Duration),
    /// What it showed.
    Shown(Result<Vec<Registration>, String>, Duration),
    /// The switch is asked for its gateways, if that is due; how long to wait if it does not show them.
    Gateways(Duration),
    /// What it showed.
    Standing(Standing, Duration),
    /// mod_voicemail is told again to forget a PIN.
    Forget(Mailbox),
    /// Channels are looked for of which nothing was told since that moment.
    Look(Incarnation, i64),
    Events(Batch, usize),
    /// The lives before that one are ended; how long to wait if that is not possible.
    Before(Incarnation, Duration),
    Ended(Incarnation),
}

impl Ingest {
    /// Stores there, on the runtime that this is called in. So long after events were dropped (see [`LOOK`]) their switch is asked which
    /// channels live.
    pub fn start(store: Arc<Store>, look: Duration) -> Arc<Self> {
        Arc::new(Self { store, runtime: Handle::current(), metrics: Arc::default(), look })
    }

    /// What is counted.
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.metrics)
    }

    /// The number of the newest event that this process has stored.
    pub fn newest(&self) -> watch::Receiver<i64> {
        self.store.stored()
    }

    /// Begins to store what a switch tells.
    pub(crate) fn intake(self: &Arc<Self>, switch: Arc<Known>) -> Intake {
        let (work, queue) = mpsc::unbounded_channel();
        let held = Arc::new(AtomicUsize::new(0));
        let line = Line {
            ingest: Arc::clone(self),
            switch: Arc::clone(&switch),
            held: Arc::clone(&held),
            work: work.downgrade(),
            dropped: (Incarnation::default(), 0),
            looked: (Incarnation::default(), 0),
            looking: false,
            told: None,
            heard: 0,
            changed: None,
            gateways: Gateways::new(),
        };
        self.runtime.spawn(line.run(queue));
        // The other end was just made.
        let _there = work.send(Work::Resync(AGAIN.0));
        let _there = work.send(Work::Gateways(AGAIN.0));
        Intake { work, held, switch }
    }
}

impl Intake {
    /// Hands a batch over.
    pub(crate) fn events(&self, batch: Batch) -> Result<(), Full> {
        let bytes = batch.events.iter().map(|(_, record)| record.len() + 32).sum();
        if self.held.fetch_add(bytes, Ordering::Relaxed) + bytes > HELD {
            return Err(Full);
        }
        // A batch without events tells how many were dropped.
        let newest = batch.events.last().map(|(sequence, _)| *sequence);
        self.switch.tell(|told| {
            told.received = newest.unwrap_or(told.received);
            told.dropped = batch.dropped;
        });
        // The other end lives as long as the runtime; after that nobody acknowledges either.
        let _ended = self.work.send(Work::Events(batch, bytes));
        Ok(())
    }

    /// Hands over that an incarnation has ended.
    pub(crate) fn ended(&self, incarnation: Incarnation) {
        let _ended = self.work.send(Work::Ended(incarnation));
    }
}

/// What stores the events of one connection, in their order.
struct Line {
    ingest: Arc<Ingest>,
    switch: Arc<Known>,
    held: Arc<AtomicUsize>,
    /// What it may put behind what waits; the connection's end is the queue's.
    work: mpsc::WeakUnboundedSender<Work>,
    /// How many events of which life were dropped, and how many when channels were looked for last.
    dropped: (Incarnation, u64),
    looked: (Incarnation, u64),
    /// Whether channels will be looked for.
    looking: bool,
    /// The life that told something last.
    told: Option<Incarnation>,
    /// The time of the newest event that is stored, microseconds since 1970.
    heard: i64,
    /// Whose registrations events have changed since the switch was asked for its phones: domain and user.
    changed: Option<HashSet<(String, String)>>,
    gateways: Gateways,
}

impl Line {
    async fn run(mut self, mut queue: mpsc::UnboundedReceiver<Work>) {
        let mut next = None;
        loop {
            let work = match next.take() {
                Some(work) => work,
                None => match queue.recv().await {
                    Some(work) => work,
                    None => return,
                },
            };
            match work {
                Work::Events(mut batch, mut bytes) => {
                    // What waits behind it goes with it.
                    while batch.events.len() < TOGETHER {
                        match queue.try_recv() {
                            Ok(Work::Events(more, size)) if follows(&batch, &more) => {
                                batch.dropped = more.dropped;
                                batch.events.extend(more.events);
                                bytes += size;
                            }
                            Ok(other) => {
                                next = Some(other);
                                break;
                            }
                            Err(_) => break,
                        }
                    }
                    let (life, dropped) = (batch.incarnation, batch.dropped);
                    self.events(batch).await;
                    self.dropped(life, dropped);
                    if self.told.replace(life) != Some(life) {
                        self.later(self.ingest.look, Work::Before(life, AGAIN.0));
                    }
                    self.held.fetch_sub(bytes, Ordering::Relaxed);
                }
                Work::Before(life, pause) => self.end_before(life, pause).await,
                Work::Ended(incarnation) => self.ended(incarnation).await,
                Work::Resync(pause) => self.ask(pause),
                Work::Shown(shown, pause) => self.resync(shown, pause).await,
                Work::Gateways(pause) => self.gateways_due(pause),
                Work::Standing(standing, pause) => self.resync_gateways(standing, pause).await,
                Work::Forget(mailbox) => {
                    let _connected = self.forget(mailbox).await;
                }
                Work::Look(life, since) => self.look(life, since).await,
            }
        }
    }

    /// Puts something behind what waits then. Without a connection it is not done: with the next one all begins anew.
    fn later(&self, after: Duration, what: Work) {
        let work = self.work.clone();
        self.ingest.runtime.spawn(async move {
            tokio::time::sleep(after).await;
            let _there = work.upgrade().map(|work| work.send(what));
        });
    }

    fn origin(&self, incarnation: Incarnation) -> Origin<'_> {
        let hello = &self.switch.hello;
        Origin { switch: &hello.switch_name, core_uuid: &hello.core_uuid, incarnation: incarnation.0 }
    }

    async fn events(&mut self, batch: Batch) {
        let received = now();
        let mut events: Vec<(u64, Delivered)> =
            batch.events.iter().map(|(sequence, record)| (*sequence, understood(record, received))).collect();
        let origin = self.origin(batch.incarnation);
        let mailboxes = self.pins(origin, &events).await;
        // Parts that are stored one after the other: all at once, unless the database refuses something in it.
        let mut parts = vec![(0, events.len())];
        let mut pause = PAUSES.0;
        let mut stored = Stored::default();
        while let Some(part) = parts.pop() {
            let slice = events.get(part.0..part.1).unwrap_or_default();
            let began = Instant::now();
            match self.ingest.store.ingest(origin, slice, batch.dropped).await {
                Ok(done) => {
                    stored = done;
                    self.ingest.metrics.stored(&stored, began.elapsed());
                    pause = PAUSES.0;
                }
                Err(error) if error.is_of_the_data() && part.1 - part.0 > 1 => {
                    let middle = part.0 + (part.1 - part.0) / 2;
                    parts.push((middle, part.1));
                    parts.push((part.0, middle));
                }
                Err(error) if error.is_of_the_data() && self.condemn(&batch, &mut events, part.0, &error) => {
                    parts.push(part);
                }
                Err(error) => {
                    error!(%error, switch.name = origin.switch, events = part.1 - part.0, "events wait: they cannot be stored");
                    self.ingest.metrics.refused();
                    parts.push(part);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
        self.note(&events);
        for mailbox in mailboxes {
            if !self.forget(mailbox).await {
                // Without an acknowledgement the switch tells it again when it comes back, and mod_voicemail is told again.
                return;
            }
        }
        self.switch.tell(|told| told.stored = stored.sequence);
        if stored.sequence > 0 {
            self.switch.send(Outgoing::Ack(batch.incarnation, stored.sequence));
        }
    }

    /// Notes what is stored.
    fn note(&mut self, events: &[(u64, Delivered)]) {
        for (_, event) in events {
            let Delivered::Fact(fact) = event else { continue };
            self.heard = self.heard.max(fact.at);
            match &fact.about {
                About::Registered { registration, .. } | About::Unregistered(registration) => {
                    if let Some(changed) = &mut self.changed {
                        changed.insert((registration.domain.clone(), registration.user.clone()));
                    }
                }
                About::Gateway(state) => self.gateways.told(&state.name),
                About::GatewayAdded => self.gateway_added(),
                _ => {}
            }
        }
    }

    /// Marks an event that the database refuses as unusable. False if it is marked already.
    fn condemn(&self, batch: &Batch, events: &mut [(u64, Delivered)], at: usize, error: &StoreError) -> bool {
        let (Some((sequence, event)), Some((_, record))) = (events.get_mut(at), batch.events.get(at)) else {
            return false;
        };
        if matches!(event, Delivered::Unusable(..)) {
            return false;
        }
        warn!(%error, sequence, switch.name = self.switch.hello.switch_name, "an event is quarantined: the database refuses it");
        *event = Delivered::Unusable(error.to_string(), without_pin(record).into_owned());
        true
    }
}

/// Whether one batch goes on where the other ends, so that both can be stored as one.
fn follows(batch: &Batch, next: &Batch) -> bool {
    let (last, first) = (batch.events.last(), next.events.first());
    batch.incarnation == next.incarnation
        && last.zip(first).is_none_or(|((last, _), (first, _))| last < first)
}

fn understood(record: &[u8], received: i64) -> Delivered {
    match Fact::read(record, received) {
        Ok(Some(fact)) => Delivered::Fact(Box::new(fact)),
        Ok(None) => Delivered::Nothing,
        Err(unusable) => Delivered::Unusable(unusable.to_string(), without_pin(record).into_owned()),
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
