//! A link that breaks: it stands between the module and nizamd, passes bytes and descriptors on, and cuts after any byte.

#![allow(clippy::cast_possible_wrap, reason = "the length of a buffer is small")]

use std::{
    fs,
    net::Shutdown,
    os::{
        fd::OwnedFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use nizam_engine::link::Connection;
use nizam_wire::link::Chunk;

use super::dice::Dice;

/// A cut comes after one byte at least, and after fewer than two to the power of this.
const LONGEST: usize = 25;

/// Longer than either side is silent: nizamd pings every few seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// The running link. It ends with the process.
pub(crate) struct Cutter {
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    /// Whether it cuts.
    rough: AtomicBool,
    connections: AtomicU64,
    cuts: AtomicU64,
    bytes: AtomicU64,
}

/// How many bytes may still pass.
type Budget = Arc<AtomicI64>;

impl Cutter {
    /// Listens at one socket, for a daemon at the other.
    pub(crate) fn start(listen: &Path, daemon: PathBuf, seed: u64) -> Self {
        // The process's own user; whoever connects looks at whose process it is.
        let _old = fs::remove_file(listen);
        let listener = UnixListener::bind(listen).unwrap();
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        thread::spawn(move || {
            let mut dice = Dice::new(seed);
            for module in listener.incoming() {
                // Nobody at home: the module is hung up on, and comes again.
                if let Ok(daemon) = UnixStream::connect(&daemon) {
                    shared.connections.fetch_add(1, Ordering::Relaxed);
                    // As many connections end within the first bytes as within the last ones.
                    let scale = 1 << (1 + dice.below(LONGEST));
                    let budget = i64::try_from(1 + dice.below(scale)).unwrap();
                    join(&module.unwrap(), &daemon, &Arc::new(AtomicI64::new(budget)), &shared);
                }
            }
        });
        Self { counts }
    }

    /// Whether it cuts from now on. At first it does not.
    pub(crate) fn cut(&self, rough: bool) {
        self.counts.rough.store(rough, Ordering::Relaxed);
    }

    /// How many connections there were, how many were cut, and how many bytes went.
    pub(crate) fn counts(&self) -> [u64; 3] {
        let Counts { connections, cuts, bytes, .. } = &*self.counts;
        [connections, cuts, bytes].map(|count| count.load(Ordering::Relaxed))
    }
}

fn join(module: &UnixStream, daemon: &UnixStream, budget: &Budget, counts: &Arc<Counts>) {
    for (from, to) in [(module, daemon), (daemon, module)] {
        let [from, to] = [from, to].map(|stream| Connection::new(stream.try_clone().unwrap()));
        let (budget, counts) = (Arc::clone(budget), Arc::clone(counts));
        thread::spawn(move || {
            let _ended = pass(&from, &to, &budget, &counts);
            // It may be over already.
            let _gone = (from.stream().shutdown(Shutdown::Both), to.stream().shutdown(Shutdown::Both));
        });
    }
}

/// Passes on what comes, until one side ends or the budget does.
fn pass(from: &Connection, to: &Connection, budget: &AtomicI64, counts: &Counts) -> std::io::Result<()> {
    from.set_timeouts(PATIENCE, PATIENCE)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let mut descriptors: Vec<OwnedFd> = Vec::new();
        let Some(length) = from.receive(&mut buffer, &mut descriptors)? else { continue };
        let left = budget.fetch_sub(length as i64, Ordering::Relaxed);
        let cut = counts.rough.load(Ordering::Relaxed) && left <= length as i64;
        let length = if cut { usize::try_from(left).unwrap_or(0) } else { length };
        // The kernel ends what is read at once with what a descriptor came with (af_unix.c, unix_stream_read_generic).
        assert!(descriptors.len() <= 1, "{} descriptors at once", descriptors.len());
        counts.bytes.fetch_add(length as u64, Ordering::Relaxed);
        to.send(&Chunk { bytes: buffer[..length].to_vec(), descriptor: descriptors.pop() })?;
        if cut {
            // Where both directions come to the end at once it is one cut.
            counts.cuts.fetch_add(u64::from(left > 0), Ordering::Relaxed);
            return Ok(());
        }
    }
}
