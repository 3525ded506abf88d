//! How a switch's gateways are, against what it told of them.

use super::compare::AGAIN;
use super::{Line, Work, now};
use crate::link::{CommandError, Known};
use nizam_core::call::GatewayState;
use nizam_store::{Resynced, Store};
use nizam_wire::link::Api;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::{info, warn};

/// How long a switch may take to show a gateway.
const SHOW: Duration = Duration::from_secs(5);

/// The pause between two gateways: the switch has other things to do.
const BETWEEN: Duration = Duration::from_millis(5);

/// After so many gateways that it did not show, one after the other, it is the switch, and the rest are not asked for.
const IN_A_ROW: usize = 10;

/// How long after a gateway was added the switch is asked: others are added with it.
const ADDED: Duration = Duration::from_secs(3);

/// What a switch showed.
#[derive(Default)]
pub(super) struct Standing {
    /// The names of gateways, and how each is; `None`: the switch has none of that name.
    shown: Vec<(String, Option<GatewayState>)>,
    /// The names of those that it should have.
    in_force: HashSet<String>,
    /// Why something is left out.
    error: Option<String>,
}

/// What is known of asking a switch for its gateways.
pub(super) struct Gateways {
    /// While it is asked: of which gateways events have told since, by their names.
    moved: Option<HashSet<String>>,
    /// Those that it should have, and had not when it was asked last.
    missing: HashSet<String>,
    /// Whether a gateway was added since it was asked last.
    added: bool,
    /// When it is asked next.
    due: Option<Instant>,
}

impl Gateways {
    /// Of a switch that has just connected: it is asked at once.
    pub(super) fn new() -> Self {
        Self { moved: None, missing: HashSet::new(), added: false, due: Some(Instant::now()) }
    }

    /// An event tells of a gateway: it is there.
    pub(super) fn told(&mut self, name: &str) {
        self.missing.remove(name);
        if let Some(moved) = &mut self.moved {
            moved.insert(name.to_owned());
        }
    }

    /// Leaves out those that the switch should have, and that were not missing when it was asked before: its profile may not have read
    /// them yet. Whether there are any. Of which events have told since it was asked (`moved`), they are there.
    fn doubt(&mut self, standing: &mut Standing, moved: &HashSet<String>) -> bool {
        let Standing { shown, in_force, .. } = standing;
        let gone = |name: &String| in_force.contains(name) && !moved.contains(name);
        let names = shown.iter().filter(|(name, state)| state.is_none() && gone(name));
        let missing: HashSet<String> = names.map(|(name, _)| name.clone()).collect();
        let before = std::mem::take(&mut self.missing);
        let all = shown.len();
        shown.retain(|(name, _)| !missing.contains(name) || before.contains(name));
        if !self.added {
            self.missing = missing;
        }
        shown.len() < all
    }
}

impl Line {
    /// A gateway was added: the switch is asked soon, once for all that are added meanwhile. A profile may be reading more, so what
    /// was missing before is in doubt as if it were missing for the first time.
    pub(super) fn gateway_added(&mut self) {
        self.gateways.missing.clear();
        self.gateways.added = true;
        self.gateways_later(ADDED, AGAIN.0);
    }

    /// Has the switch asked after that time, unless it is asked before.
    fn gateways_later(&mut self, after: Duration, pause: Duration) {
        let due = Instant::now() + after;
        if self.gateways.due.is_none_or(|before| due < before) {
            self.gateways.due = Some(due);
            self.later(after, Work::Gateways(pause));
        }
    }

    /// Asks the switch for its gateways, unless that was for a time at which it was to be asked before an earlier one was found.
    pub(super) fn gateways_due(&mut self, pause: Duration) {
        if self.gateways.due.is_some_and(|due| due <= Instant::now()) {
            self.gateways.due = None;
            self.ask_gateways(pause);
        }
    }

    /// Asks the switch for its gateways, one after the other. Events go on meanwhile; of which gateways they tell is noted, so that
    /// nothing that is newer than an answer is undone.
    pub(super) fn ask_gateways(&mut self, pause: Duration) {
        if self.gateways.moved.is_some() {
            // What it is asked for may not have in it what this is about.
            return self.gateways_later(ADDED, pause);
        }
        self.gateways.moved = Some(HashSet::new());
        self.gateways.added = false;
        let (store, switch, work) =
            (Arc::clone(&self.ingest.store), Arc::clone(&self.switch), self.work.clone());
        self.ingest.runtime.spawn(async move {
            let standing = show(&store, &switch).await;
            let _there = work.upgrade().map(|work| work.send(Work::Standing(standing, pause)));
        });
    }

    /// Writes down what is otherwise than events told. A gateway that the switch should have and has not is believed to be gone when it
    /// is asked again.
    pub(super) async fn resync_gateways(&mut self, mut standing: Standing, pause: Duration) {
        let name = self.switch.hello.switch_name.as_str();
        let moved = self.gateways.moved.take().unwrap_or_default();
        let doubtful = self.gateways.doubt(&mut standing, &moved);
        let mut error = standing.error;
        match self.ingest.store.resync_gateways(name, &standing.shown, &moved).await {
            Ok(Resynced { came: 0, gone: 0 }) => {}
            Ok(Resynced { came, gone }) => {
                info!(
                    switch.name = name,
                    came, gone, "the switch had gateways otherwise than events told of them"
                );
            }
            Err(failed) => error = Some(failed.to_string()),
        }
        // mod_sofia comes up after the module that has just connected.
        if let Some(error) = error.as_ref().filter(|_| pause > AGAIN.0) {
            warn!(
                switch.name = name,
                error, "gateways could not be compared with the switch's; they follow its events"
            );
        }
        if doubtful || error.is_some() {
            self.gateways_later(pause, (pause * 2).min(AGAIN.1));
        }
    }
}

/// How the gateways of a switch are. One that it does not show is left out.
async fn show(store: &Store, switch: &Known) -> Standing {
    let mut standing = Standing::default();
    let names = match store.gateways_to_compare(&switch.hello.switch_name).await {
        Ok(names) => names,
        Err(error) => return Standing { error: Some(error.to_string()), ..standing },
    };
    let mut in_a_row = 0;
    for (name, in_force) in names.into_iter().filter(|(name, _)| is_ours(name)) {
        match one(switch, &name).await {
            // It answered, whatever that was.
            Ok(Err(strange)) => {
                in_a_row = 0;
                standing.error = Some(strange);
            }
            Ok(Ok(state)) => {
                in_a_row = 0;
                if in_force {
                    standing.in_force.insert(name.clone());
                }
                standing.shown.push((name, state));
            }
            Err(error) => {
                in_a_row += 1;
                standing.error = Some(error);
            }
        }
        if in_a_row >= IN_A_ROW || !switch.is_connected() {
            break;
        }
        tokio::time::sleep(BETWEEN).await;
    }
    standing
}

/// How one of them is, or why what the switch showed is not understood. An error: it did not show it.
async fn one(switch: &Known, name: &str) -> Result<Result<Option<GatewayState>, String>, String> {
    let text = switch.command(Api::Gateway, name, SHOW).await.map_err(|error| match error {
        // Whatever it printed holds texts of tenants: none of them goes into the log.
        CommandError::Refused(_) => "the switch does not show gateways".to_owned(),
        error => error.to_string(),
    })?;
    Ok(GatewayState::shown(name, &text, now()).map_err(|error| error.to_string()))
}

/// Whether it is a name that we give, an id and a version: one word. A switch told some of the names itself.
fn is_ours(name: &str) -> bool {
    name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
