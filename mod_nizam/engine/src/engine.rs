//! Everything one FreeSWITCH process knows, behind two questions.

use crate::counters::{Tally, count};
use crate::link::LinkStatus;
use crate::route::Claimed;
use crate::spool::Spool;
use crate::{
    Counters, DialplanQuestion, DirectoryAnswer, DirectoryQuestion, Layers, Live, Note, Origin, Outcome,
    Route, Silent, Sink, directory, route, snapshot,
};
use arc_swap::ArcSwapOption;
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
    /// Events on their way to the daemon.
    pub spool: ArcSwapOption<Spool>,
}

impl Engine {
    /// Answers a directory lookup into `out`.
    pub fn directory(&self, question: &DirectoryQuestion<'_>, out: &mut impl Sink) -> DirectoryAnswer {
        let answer = directory::resolve(&self.live.load(), question, out);
        let Tally { found, unknown, passed, refused, .. } = &self.counters.directory;
        count(match answer {
            DirectoryAnswer::NotOurs => passed,
            DirectoryAnswer::Found | DirectoryAnswer::List(_) => found,
            DirectoryAnswer::Unknown => unknown,
            DirectoryAnswer::Refused => refused,
        });
        answer
    }

    /// Routes a call. `None`: the context is not a tenant's, or nobody has the number.
    pub fn dialplan(&self, question: &DialplanQuestion<'_>) -> Option<Route> {
        let route = route::resolve(&self.live.load(), question, &mut Silent);
        let Tally { found, unknown, passed, refused, .. } = &self.counters.dialplan;
        count(match route.as_ref().map(|route| route.outcome) {
            None => passed,
            Some(Outcome::Unknown | Outcome::Ambiguous) => unknown,
            Some(Outcome::Suspended | Outcome::Refused | Outcome::Loop) => refused,
            Some(_) => found,
        });
        route
    }

    /// Routes a call as [`Self::dialplan`] would, and says why. It is not counted.
    pub fn explain(&self, question: &DialplanQuestion<'_>) -> (Option<Route>, Vec<Note>) {
        let mut notes = Vec::new();
        let route = route::resolve(&self.live.load(), question, &mut notes);
        (route, notes)
    }

    /// As [`Self::explain`], for somebody of that tenant: nothing is told of calls that are another's.
    pub fn explain_to(
        &self,
        tenant: &[u8; 16],
        question: &DialplanQuestion<'_>,
    ) -> (Option<Route>, Vec<Note>) {
        let (route, notes) = self.explain(question);
        let claims = || {
            let digits = question.number.and_then(|number| nizam_wire::number::read(number, None));
            digits.is_some_and(|digits| self.live.load().get(Kind::Did, tenant, digits.as_bytes()).is_some())
        };
        match route {
            Some(route) if route.tenant.map_or_else(claims, |of| of == *tenant) => (Some(route), notes),
            _ => (None, Vec::new()),
        }
    }

    /// Whether others claim a number of that tenant, by the digits of its E.164 form, so that calls from trunks that several
    /// tenants use do not come to it.
    pub fn is_contested(&self, tenant: &[u8; 16], digits: &[u8]) -> bool {
        match route::claimed(&self.live.load(), digits) {
            Claimed::Nobody => false,
            Claimed::One(_, of, _) => of.id != *tenant,
            Claimed::Several => true,
        }
    }

    /// Whether that tenant has an active extension with that number.
    pub fn has_extension(&self, tenant: &[u8; 16], number: &str) -> bool {
        let key = number.to_ascii_lowercase();
        self.live.load().get(Kind::Extension, tenant, key.as_bytes()).is_some()
    }

    /// Writes `ivr.conf` with the menu of that name into `out`. False: it is none of ours, and nothing was written.
    pub fn menu(&self, name: &[u8], out: &mut impl Sink) -> bool {
        route::menu(&self.live.load(), name, out)
    }

    /// Some of the tenants' domains, at most `most`.
    pub fn domains(&self, most: usize) -> Vec<String> {
        let layers = self.live.load();
        layers
            .scope(&PLATFORM, Kind::Domain)
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
