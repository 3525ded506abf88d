//! Everything one FreeSWITCH process knows, behind two questions.

use crate::counters::{Tally, count};
use crate::link::LinkStatus;
use crate::{
    Counters, DialplanQuestion, DirectoryAnswer, DirectoryQuestion, Layers, Live, Origin, Outcome, Route,
    Sink, dialplan, directory, snapshot,
};
use nizam_wire::Kind;
use nizam_wire::image::PLATFORM;
use parking_lot::Mutex;
use std::path::Path;

/// The images at hand, what was counted, and how the link stands.
#[derive(Default)]
pub struct Engine {
    /// The current stack.
    pub live: Live,
    /// What became of the lookups.
    pub counters: Counters,
    /// How the link stands. Not touched by lookups.
    pub link: Mutex<LinkStatus>,
    /// What the snapshot gave at start. Not touched by lookups.
    pub snapshot: Mutex<Option<String>>,
}

impl Engine {
    /// Answers a directory lookup into `out`.
    pub fn directory(&self, question: &DirectoryQuestion<'_>, out: &mut impl Sink) -> DirectoryAnswer {
        let answer = directory::resolve(&self.live.load(), question, out);
        let Tally { found, unknown, passed, refused } = &self.counters.directory;
        count(match answer {
            DirectoryAnswer::NotOurs => passed,
            DirectoryAnswer::Found | DirectoryAnswer::List(_) => found,
            DirectoryAnswer::Unknown => unknown,
            DirectoryAnswer::Refused => refused,
        });
        answer
    }

    /// Routes a call. `None`: the context is not a tenant's.
    pub fn dialplan(&self, question: &DialplanQuestion<'_>) -> Option<Route> {
        let route = dialplan::resolve(&self.live.load(), question);
        let Tally { found, unknown, passed, refused } = &self.counters.dialplan;
        count(match route.as_ref().map(|route| route.outcome) {
            None => passed,
            Some(Outcome::Extension) => found,
            Some(Outcome::Unknown | Outcome::Suspended) => unknown,
            Some(Outcome::Refused) => refused,
        });
        route
    }

    /// Answers a lookup of `ivr.conf` for the menu of this name into `out`. False: it is none of ours.
    pub fn menu(&self, _: &[u8], _: &mut impl Sink) -> bool {
        false
    }

    /// Some of the tenants' domains, at most `most`.
    pub fn domains(&self, most: usize) -> Vec<String> {
        let layers = self.live.load();
        layers
            .scope(&PLATFORM, Kind::Tenant)
            .take(most)
            .map(|entry| String::from_utf8_lossy(entry.key).into_owned())
            .collect()
    }

    /// Starts from the snapshot in `directory`, and says in one line what came of it.
    pub fn load_snapshot(&self, directory: &Path) -> String {
        let said = match snapshot::read(directory) {
            Ok(loaded) => {
                let layers = Layers::new(loaded.images, Origin::Snapshot);
                let mut said = format!(
                    "serving generation {} from the snapshot in {}",
                    layers.generation(),
                    directory.display()
                );
                if let Some(problem) = loaded.problem {
                    said.push_str("; newer part refused: ");
                    said.push_str(&problem);
                }
                self.live.publish(layers);
                said
            }
            Err(error) => format!("no snapshot: {error}"),
        };
        *self.snapshot.lock() = Some(said.clone());
        said
    }
}
