//! What a switch has, against what it told: phones, and channels whose end it did not tell.

use super::{Line, PAUSES, Work, now};
use crate::link::Outgoing;
use nizam_core::call::Registration;
use nizam_store::{Resynced, Stored};
use nizam_wire::link::{Api, Incarnation};
use std::collections::HashSet;
use std::time::Duration;
use tracing::{info, warn};

/// How long a switch may take to say whether a channel lives.
const EXISTS: Duration = Duration::from_secs(5);

/// How long a switch may take to show the phones that are registered.
const SHOW: Duration = Duration::from_secs(5);

/// When a switch that did not show them is asked again: one that has just begun may not have the command yet.
const AGAIN: Duration = Duration::from_secs(10);

/// The acknowledgement of an end.
const END: u64 = u64::MAX;

impl Line {
    /// Makes the rows of phones those that the switch has. Its events wait here meanwhile, so that none that is newer than what it shows is
    /// undone.
    pub(super) async fn resync(&self) {
        let name = self.switch.hello.switch_name.as_str();
        match self.show().await {
            Ok(Resynced { came: 0, gone: 0 }) => {}
            Ok(Resynced { came, gone }) => {
                info!(switch.name = name, came, gone, "registrations are as the switch has them again");
            }
            Err(error) => {
                warn!(
                    switch.name = name,
                    error, "registrations could not be compared with the switch's; they follow its events"
                );
                self.later(AGAIN, Work::Resync);
            }
        }
    }

    /// Closes channels whose end may be among the events that were dropped.
    pub(super) async fn look(&self, life: Incarnation, since: i64) {
        let (store, origin) = (&self.ingest.store, self.origin(life));
        let looked = async {
            let mut closed = Stored::default();
            for uuid in store.silent_channels(origin, since).await.map_err(|error| error.to_string())? {
                if !self.lives(&uuid).await? {
                    let stored = store.close_silent(origin, &uuid, since).await;
                    let stored = stored.map_err(|error| error.to_string())?;
                    closed.cdrs += stored.cdrs;
                    self.ingest.wake(stored.newest);
                }
            }
            Ok::<u64, String>(closed.cdrs)
        };
        match looked.await {
            Ok(0) => {}
            Ok(cdrs) => info!(switch.name = origin.switch, cdrs, "closed channels whose end was dropped"),
            Err(error) => {
                warn!(
                    error,
                    switch.name = origin.switch,
                    "channels whose end was dropped are not closed yet"
                );
                self.later(self.ingest.look, Work::Look(life, since));
            }
        }
    }

    /// Whether the switch has a channel.
    async fn lives(&self, uuid: &str) -> Result<bool, String> {
        // It may be any text that somebody gave a channel as its id; only an id can be asked for.
        if !uuid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return Ok(false);
        }
        let answer = self.switch.command(Api::Exists, uuid, EXISTS).await;
        Ok(answer.map_err(|error| error.to_string())?.trim() == "true")
    }

    async fn show(&self) -> Result<Resynced, String> {
        let answer = self.switch.command(Api::Show, "registrations as json", SHOW).await;
        let text = answer.map_err(|error| error.to_string())?;
        let shown = Registration::shown(&text, now()).map_err(|error| {
            let beginning: String = text.chars().take(100).collect();
            format!("it shows {beginning:?}: {error}")
        })?;
        let resynced = self.ingest.store.resync_registrations(&self.switch.hello.switch_name, &shown).await;
        resynced.map_err(|error| error.to_string())
    }

    /// Closes the channels of an incarnation that has ended, but for those that FreeSWITCH still has: it may live on when the module was
    /// loaded again.
    pub(super) async fn ended(&self, incarnation: Incarnation) {
        let mut pause = PAUSES.0;
        // Without an acknowledgement the switch says it again when it comes back.
        while self.switch.is_connected() {
            match self.reconcile(incarnation).await {
                Ok(()) => {
                    self.switch.send(Outgoing::Ack(incarnation, END));
                    return;
                }
                Err(error) => {
                    warn!(
                        error,
                        switch.name = self.switch.hello.switch_name,
                        "channels of a switch that ended are not closed yet"
                    );
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    async fn reconcile(&self, ended: Incarnation) -> Result<(), String> {
        let store = &self.ingest.store;
        let origin = self.origin(ended);
        let mut alive = HashSet::new();
        for uuid in store.doubtful_channels(origin).await.map_err(|error| error.to_string())? {
            if self.lives(&uuid).await? {
                alive.insert(uuid);
            }
        }
        let stored = store.close_lost(origin, &alive).await.map_err(|error| error.to_string())?;
        store.incarnation_ended(origin).await.map_err(|error| error.to_string())?;
        if stored.cdrs + stored.strays > 0 {
            info!(
                switch.name = origin.switch,
                cdrs = stored.cdrs,
                "closed the channels of a switch that ended"
            );
        }
        self.ingest.wake(stored.newest);
        Ok(())
    }
}
