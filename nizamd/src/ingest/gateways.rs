//! How a switch's gateways are, against what it told of them.

use super::compare::AGAIN;
use super::{Line, Work, now};
use crate::link::{CommandError, Known};
use nizam_core::call::GatewayState;
use nizam_store::{Resynced, Store};
use nizam_wire::link::Api;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// How long a switch may take to show a gateway.
const SHOW: Duration = Duration::from_secs(5);

/// The pause between two gateways: the switch has other things to do.
const BETWEEN: Duration = Duration::from_millis(5);

/// The name of a gateway, and how it is; `None`: the switch has none of that name.
pub(super) type Shown = (String, Option<GatewayState>);

impl Line {
    /// Asks the switch for its gateways, one after the other, if it is not asked already. Events go on meanwhile; of which gateways they tell is
    /// noted, so that nothing that is newer than an answer is undone.
    pub(super) fn ask_gateways(&mut self, pause: Duration) {
        if self.moved.is_some() {
            return;
        }
        self.moved = Some(HashSet::new());
        let (store, switch, work) =
            (Arc::clone(&self.ingest.store), Arc::clone(&self.switch), self.work.clone());
        self.ingest.runtime.spawn(async move {
            let shown = show(&store, &switch).await;
            let _there = work.upgrade().map(|work| work.send(Work::Standing(shown, pause)));
        });
    }

    /// Writes down what is otherwise than events told.
    pub(super) async fn resync_gateways(&mut self, shown: Result<Vec<Shown>, String>, pause: Duration) {
        let name = self.switch.hello.switch_name.as_str();
        let moved = self.moved.take().unwrap_or_default();
        let resynced = match shown {
            Ok(shown) => {
                let resynced = self.ingest.store.resync_gateways(name, &shown, &moved).await;
                resynced.map_err(|error| error.to_string())
            }
            Err(error) => Err(error),
        };
        match resynced {
            Ok(Resynced { came: 0, gone: 0 }) => {}
            Ok(Resynced { came, gone }) => {
                info!(
                    switch.name = name,
                    came, gone, "the switch had gateways otherwise than events told of them"
                );
            }
            Err(error) => {
                // mod_sofia comes up after the module that has just connected.
                if pause > AGAIN.0 {
                    warn!(
                        switch.name = name,
                        error, "gateways could not be compared with the switch's; they follow its events"
                    );
                }
                self.later(pause, Work::Gateways((pause * 2).min(AGAIN.1)));
            }
        }
    }
}

/// How the gateways of a switch are.
async fn show(store: &Store, switch: &Known) -> Result<Vec<Shown>, String> {
    let names = store.gateways_to_compare(&switch.hello.switch_name).await;
    let mut shown = Vec::new();
    for name in names.map_err(|error| error.to_string())?.into_iter().filter(|name| is_ours(name)) {
        let text = switch.command(Api::Gateway, &name, SHOW).await.map_err(|error| match error {
            // Whatever it printed holds texts of tenants: none of them goes into the log.
            CommandError::Refused(_) => "the switch does not show gateways".to_owned(),
            error => error.to_string(),
        })?;
        let state = GatewayState::shown(&name, &text, now()).map_err(|error| error.to_string())?;
        shown.push((name, state));
        tokio::time::sleep(BETWEEN).await;
    }
    Ok(shown)
}

/// Whether it is a name that we give, an id and a version: one word. A switch told some of the names itself.
fn is_ours(name: &str) -> bool {
    name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
