//! From committed rows to what switches answer with.
//!
//! A write commits, then tells the publisher which keys it touched. The publisher reads those rows again, as they
//! are then, and puts them into an overlay. So it does not matter in which order writes arrive here, several of them
//! become one overlay, and what is served is always one state of the database.

use super::layer::{Layer, LayerError};
use super::prompts::{Outdated, Prompts};
use super::save::Saver;
use super::stack::{self, Stack};
use crate::link::Switches;
use nizam_core::Kind;
use nizam_core::compile::{BuildError, Compiler, Row, prompt_path};
use nizam_core::model::Touched;
use nizam_engine::snapshot::{SnapshotError, Writer};
use nizam_engine::{Engine, Layers, Origin};
use nizam_store::{Store, StoreError};
use nizam_wire::Builder;
use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

/// How long to wait before rows that could not be read are read again.
const RETRY: Duration = Duration::from_secs(1);

/// How long the file of a prompt stays that no image names any more.
const LINGER: Duration = Duration::from_secs(5);

/// Why nothing is published.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// More than fits into an image.
    #[error("the image cannot be built: {0}")]
    Build(#[from] BuildError),
    /// An image.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// The snapshot.
    #[error("the snapshot cannot be written: {0}")]
    Snapshot(#[from] SnapshotError),
    /// No random numbers.
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// A write that waits to be live.
struct Request {
    generation: u64,
    touched: Vec<Touched>,
    live: oneshot::Sender<bool>,
}

/// The publisher's hand: clone-free, shared by all writes.
pub struct Publishing {
    requests: mpsc::UnboundedSender<Request>,
    switches: Arc<Switches>,
    engine: Arc<Engine>,
    task: parking_lot::Mutex<Option<JoinHandle<()>>>,
}

impl Publishing {
    /// Compiles everything, writes the first snapshot, and starts to publish edits to `switches`. Files of prompts are below
    /// `prompts`.
    pub async fn start(
        store: Arc<Store>,
        snapshot: &Path,
        prompts: &Path,
        switches: Arc<Switches>,
    ) -> Result<Self, PublishError> {
        let mut seed = [0; 8];
        getrandom::fill(&mut seed)?;
        let seed = u64::from_le_bytes(seed);
        let writer = Writer::new(snapshot)?;
        let started = Instant::now();
        let prompts = Prompts::new(prompts);
        let (base, files) = base(&store, &prompts, seed).await?;
        prompts.keep(&files);
        let (records, bytes) = (base.record_count(), base.image.bytes().len());
        let stack = Stack::new(base);
        let generation = stack.generation();
        info!(
            generation,
            records,
            bytes,
            duration_ms = started.elapsed().as_millis(),
            "compiled the database"
        );
        let saver = Saver::start(writer);
        if !saver.save(stack.layers()).await {
            warn!(directory = %snapshot.display(), "there is no snapshot: a switch that starts without nizamd has nothing to serve");
        }
        let engine = Arc::new(Engine::default());
        serve_here(&engine, &stack);
        switches.want(generation, stack.layers().to_vec());
        let (requests, asked) = mpsc::unbounded_channel();
        let (folded, folds) = mpsc::unbounded_channel();
        let publisher = Publisher {
            store,
            seed,
            stack,
            switches: Arc::clone(&switches),
            engine: Arc::clone(&engine),
            saver: Arc::new(saver),
            snapshot: snapshot.to_owned(),
            prompts,
            pending: BTreeSet::new(),
            folded,
        };
        let task = tokio::spawn(publisher.run(asked, folds));
        Ok(Self { requests, switches, engine, task: parking_lot::Mutex::new(Some(task)) })
    }

    /// Publishes what a committed write touched. True when every connected switch answers with it.
    pub async fn live(&self, generation: u64, touched: Vec<Touched>) -> bool {
        let (live, answer) = oneshot::channel();
        if self.requests.send(Request { generation, touched, live }).is_err() {
            return false;
        }
        answer.await.unwrap_or(false)
    }

    /// The switches.
    pub fn switches(&self) -> &Switches {
        &self.switches
    }

    /// Answers as the switches do, from the same images.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Stops publishing.
    pub fn stop(&self) {
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
    }
}

/// Adds the records of a row. One that does not fit is left out, and told in the log: it must not keep the others from the
/// switches.
fn add(compiler: &mut Compiler, builder: &mut Builder, row: &Row) {
    if let Err(failed) = compiler.record(builder, row) {
        error!(row = %row.name(), error = %failed, "a row cannot be compiled; it is left out");
    }
}

/// A compiler for the present.
fn compiler(prompts: &Prompts) -> Compiler {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    Compiler::new(i64::try_from(now).unwrap_or(i64::MAX), prompts.directory())
}

/// A base of the whole database, and the files of its prompts, which are there.
async fn base(store: &Store, prompts: &Prompts, seed: u64) -> Result<(Layer, HashSet<String>), PublishError> {
    // The generation comes with the end of the export, so the builder gets it last.
    let mut builder = Builder::base(0, seed);
    let mut compiler = compiler(prompts);
    let mut uploaded = Vec::new();
    let generation = store
        .export(&mut |row| match row {
            Row::Record { kind: Kind::Prompt, .. } => uploaded.push(row),
            row => add(&mut compiler, &mut builder, &row),
        })
        .await?;
    prompts.write(store, &mut uploaded).await?;
    let mut files = HashSet::new();
    for row in &uploaded {
        add(&mut compiler, &mut builder, row);
        if let Row::Record { record, .. } = row {
            files.insert(prompt_path(&prompts.directory(), record));
        }
    }
    builder.set_generation(generation);
    let layer = tokio::task::spawn_blocking(move || -> Result<Layer, PublishError> {
        Ok(Layer::new(&builder.finish()?)?)
    });
    let layer = layer.await.map_err(|error| LayerError::Memory(std::io::Error::other(error)))??;
    Ok((layer, files))
}

/// Lets the daemon itself answer with the stack.
fn serve_here(engine: &Engine, stack: &Stack) {
    let images = stack.layers().iter().map(|layer| Arc::clone(&layer.image)).collect();
    engine.live.publish(Layers::new(images, Origin::Daemon));
}

struct Publisher {
    store: Arc<Store>,
    seed: u64,
    stack: Stack,
    switches: Arc<Switches>,
    engine: Arc<Engine>,
    saver: Arc<Saver>,
    snapshot: PathBuf,
    prompts: Prompts,
    /// Touched keys that could not be published yet.
    pending: BTreeSet<Touched>,
    folded: mpsc::UnboundedSender<Option<Layer>>,
}

impl Publisher {
    async fn run(
        mut self,
        mut asked: mpsc::UnboundedReceiver<Request>,
        mut folds: mpsc::UnboundedReceiver<Option<Layer>>,
    ) {
        loop {
            let retry = !self.pending.is_empty();
            tokio::select! {
                request = asked.recv() => {
                    let Some(request) = request else { return };
                    let mut waiting = vec![request];
                    while let Ok(request) = asked.try_recv() {
                        waiting.push(request);
                    }
                    self.serve(waiting).await;
                }
                base = folds.recv() => {
                    self.stack.end_fold(base.flatten());
                    self.send();
                    let (saver, layers) = (Arc::clone(&self.saver), self.stack.layers().to_vec());
                    tokio::spawn(async move { saver.save(&layers).await });
                }
                () = tokio::time::sleep(RETRY), if retry => self.serve(Vec::new()).await,
            }
            if self.stack.wants_fold() {
                self.fold();
            }
        }
    }

    async fn serve(&mut self, mut waiting: Vec<Request>) {
        for request in &mut waiting {
            self.pending.extend(request.touched.drain(..));
        }
        let newest = waiting.iter().map(|request| request.generation).max().unwrap_or(0);
        // A write that concerns no switch has nothing to publish, and waits for what others published.
        let nothing = self.pending.is_empty() && newest <= self.stack.generation();
        let published = if nothing { Ok(Vec::new()) } else { self.publish().await };
        let outdated = match published {
            Ok(outdated) => outdated,
            Err(failed) => {
                error!(error = %failed, keys = self.pending.len(), "committed edits are not live yet; trying again");
                for request in waiting {
                    // Whoever waited may have gone.
                    let _ = request.live.send(false);
                }
                return;
            }
        };
        self.pending.clear();
        let serial = if nothing { self.switches.serial() } else { self.send() };
        let (switches, saver, layers) =
            (Arc::clone(&self.switches), Arc::clone(&self.saver), self.stack.layers().to_vec());
        let prompts = self.prompts.clone();
        tokio::spawn(async move {
            let (live, _saved) = tokio::join!(switches.all_answer(serial), saver.save(&layers));
            for request in waiting {
                let _ = request.live.send(live);
            }
            if !outdated.is_empty() {
                // A call that was routed a moment ago may still open such a file.
                tokio::time::sleep(LINGER).await;
                let removed = tokio::task::spawn_blocking(move || prompts.remove(&outdated)).await;
                removed.unwrap_or_else(|error| warn!(%error, "old prompts were not removed"));
            }
        });
    }

    /// Puts what was touched onto the stack, and gives the prompts whose files are out of date with that.
    async fn publish(&mut self) -> Result<Vec<Outdated>, PublishError> {
        if self.pending.contains(&Touched::Everything) {
            let (base, _) = base(&self.store, &self.prompts, self.seed).await?;
            self.stack.replace(base);
            return Ok(Vec::new());
        }
        let touched: Vec<Touched> = self.pending.iter().cloned().collect();
        let mut fresh = self.store.read_touched(&touched).await?;
        let outdated = self.prompts.write(&self.store, &mut fresh.rows).await?;
        let mut builder = Builder::overlay(fresh.generation, self.seed);
        let mut compiler = compiler(&self.prompts);
        for row in &fresh.rows {
            add(&mut compiler, &mut builder, row);
        }
        self.stack.push(Layer::new(&builder.finish()?)?)?;
        Ok(outdated)
    }

    fn send(&self) -> u64 {
        serve_here(&self.engine, &self.stack);
        self.switches.want(self.stack.generation(), self.stack.layers().to_vec())
    }

    fn fold(&mut self) {
        let layers = self.stack.begin_fold();
        let (folded, snapshot) = (self.folded.clone(), self.snapshot.clone());
        tokio::task::spawn_blocking(move || {
            let started = Instant::now();
            let base = stack::fold(&layers);
            match &base {
                Ok(base) => {
                    // Ahead of the stack that will name it: edits must not wait for a large file.
                    if let Err(failed) = Writer::prepare(&snapshot, &base.image) {
                        warn!(error = %failed, "the snapshot is not up to date");
                    }
                    let (layers, records) = (layers.len(), base.record_count());
                    info!(
                        layers,
                        records,
                        duration_ms = started.elapsed().as_millis(),
                        "folded into a new base"
                    );
                }
                Err(failed) => error!(error = %failed, "images could not be folded; trying again later"),
            }
            // The publisher may have stopped.
            let _ = folded.send(base.ok());
        });
    }
}
