//! What a switch has, against what it told: phones, and channels whose end it did not tell.

use super::{Line, PAUSES, Work, now};
use crate::link::{Known, Outgoing};
use nizam_core::call::Registration;
use nizam_store::{Origin, Resynced};
use nizam_wire::link::{Api, Incarnation};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

/// How long a switch may take to say whether a channel lives.
const EXISTS: Duration = Duration::from_secs(5);

/// How long a switch may take to show the phones that are registered.
const SHOW: Duration = Duration::from_mins(1);

/// The first and the longest pause before a switch that did not show them is asked again: one that has just begun may not have the command
/// yet, and one without its database never has it.
pub(super) const AGAIN: (Duration, Duration) = (Duration::from_secs(10), Duration::from_mins(10));

/// The acknowledgement of an end.
const END: u64 = u64::MAX;

impl Line {
    /// Asks the switch for its phones, if it is not asked already. Events go on meanwhile; whose registrations they change is noted, so
    /// that nothing that is newer than the answer is undone.
    pub(super) fn ask(&mut self, pause: Duration) {
        if self.changed.is_some() {
            return;
        }
        self.changed = Some(HashSet::new());
        let (switch, work) = (Arc::clone(&self.switch), self.work.clone());
        self.ingest.runtime.spawn(async move {
            let shown = show(&switch).await;
            let _there = work.upgrade().map(|work| work.send(Work::Shown(shown, pause)));
        });
    }

    /// Adds the phones that no row tells of.
    pub(super) async fn resync(&mut self, shown: Result<Vec<Registration>, String>, pause: Duration) {
        let name = self.switch.hello.switch_name.as_str();
        let changed = self.changed.take().unwrap_or_default();
        let resynced = match shown {
            Ok(shown) => {
                let resynced = self.ingest.store.resync_registrations(name, &shown, &changed).await;
                resynced.map_err(|error| error.to_string())
            }
            Err(error) => Err(error),
        };
        match resynced {
            Ok(Resynced { came: 0, gone: 0 }) => {}
            Ok(Resynced { came, gone }) => {
                info!(switch.name = name, came, gone, "the switch had registrations that no event told of");
            }
            Err(error) => {
                warn!(
                    switch.name = name,
                    error, "registrations could not be compared with the switch's; they follow its events"
                );
                self.later(pause, Work::Resync((pause * 2).min(AGAIN.1)));
            }
        }
    }

    /// Notes that a batch told of dropped events. One look at a time is enough.
    pub(super) fn dropped(&mut self, life: Incarnation, dropped: u64) {
        self.dropped = (life, dropped);
        if dropped > 0 && !self.looking && self.looked != self.dropped {
            self.looking = true;
            self.looked = self.dropped;
            self.later(self.ingest.look, Work::Look(life, now()));
        }
    }

    /// Closes channels whose end may be among the events that were dropped, and compares phones and gateways again.
    pub(super) async fn look(&mut self, life: Incarnation, since: i64) {
        // What it told before that moment is on its way: ends among it.
        if self.heard < since {
            return self.later(self.ingest.look, Work::Look(life, since));
        }
        self.looking = false;
        let origin = self.origin(life);
        match self.close_silent(origin, since).await {
            Ok(0) => {}
            Ok(cdrs) => info!(switch.name = origin.switch, cdrs, "closed channels whose end was dropped"),
            Err(error) => {
                warn!(
                    error,
                    switch.name = origin.switch,
                    "channels whose end was dropped are not closed yet"
                );
                self.looked = (life, 0);
            }
        }
        self.ask(AGAIN.0);
        self.ask_gateways(AGAIN.0);
        let (life, dropped) = self.dropped;
        self.dropped(life, dropped);
    }

    async fn close_silent(&self, origin: Origin<'_>, since: i64) -> Result<u64, String> {
        let store = &self.ingest.store;
        let mut closed = 0;
        for uuid in store.silent_channels(origin, since).await.map_err(|error| error.to_string())? {
            if !self.lives(&uuid).await?.unwrap_or(true) {
                let stored = store.close_silent(origin, &uuid, since).await;
                let stored = stored.map_err(|error| error.to_string())?;
                closed += stored.cdrs;
            }
        }
        Ok(closed)
    }

    /// Whether the switch has a channel. `None`: it cannot be asked.
    async fn lives(&self, uuid: &str) -> Result<Option<bool>, String> {
        // It may be any text that somebody gave a channel as its id; only an id can be asked for.
        if !uuid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            return Ok(None);
        }
        let answer = self.switch.command(Api::Exists, uuid, EXISTS).await;
        Ok(Some(answer.map_err(|error| error.to_string())?.trim() == "true"))
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

    /// Ends the lives before that one, which has begun to tell a while ago: a module tells everything of its earlier lives first, and so has nothing
    /// of them any more. Their spool is gone, with a container or a disk for instance. One that still tells something is another switch of
    /// that name, such as the other half of a pair, and lives: each tells at least that it does (HEARTBEAT).
    pub(super) async fn end_before(&self, life: Incarnation, pause: Duration) {
        let ended = async {
            let lives = self.ingest.store.lives_before(self.origin(life)).await;
            let quiet = now().saturating_sub(i64::try_from(self.ingest.look.as_micros()).unwrap_or(i64::MAX));
            let mut again = false;
            for (earlier, told) in lives.map_err(|error| error.to_string())? {
                if told > quiet {
                    again = true;
                    continue;
                }
                warn!(
                    switch.name = self.switch.hello.switch_name,
                    "what an earlier life of the switch had not told is gone with its spool"
                );
                self.reconcile(Incarnation(earlier)).await?;
            }
            if again {
                self.later(self.ingest.look, Work::Before(life, AGAIN.0));
            }
            Ok::<(), String>(())
        };
        if let Err(error) = ended.await {
            warn!(
                error,
                switch.name = self.switch.hello.switch_name,
                "channels of an earlier life of a switch are not closed yet"
            );
            self.later(pause, Work::Before(life, (pause * 2).min(AGAIN.1)));
        }
    }

    async fn reconcile(&self, ended: Incarnation) -> Result<(), String> {
        let store = &self.ingest.store;
        let origin = self.origin(ended);
        let mut alive = HashSet::new();
        for uuid in store.doubtful_channels(origin).await.map_err(|error| error.to_string())? {
            if self.lives(&uuid).await?.unwrap_or(false) {
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
        Ok(())
    }
}

/// The phones that a switch has.
async fn show(switch: &Known) -> Result<Vec<Registration>, String> {
    let answer = switch.command(Api::Show, "registrations as json", SHOW).await;
    let text = answer.map_err(|error| error.to_string())?;
    // Phones have chosen parts of it: none of its text goes into the log.
    let strange = |error: serde_json::Error| {
        let said = if text.starts_with("-ERR") { "an error" } else { "what is no list" };
        format!("it shows {said} in {} bytes: {:?} in line {}", text.len(), error.classify(), error.line())
    };
    Registration::shown(&text, now()).map_err(strange)
}
