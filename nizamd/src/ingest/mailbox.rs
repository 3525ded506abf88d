//! PINs that were chosen by phone: into the database before the event is stored, and out of mod_voicemail.

use super::{Line, PAUSES};
use crate::link::CommandError;
use nizam_core::call::{About, NewPin};
use nizam_store::{Delivered, Origin, random_text};
use nizam_wire::link::Api;
use nizam_wire::record::is_pin;
use std::time::Duration;
use tracing::{info, warn};

/// How long mod_voicemail may take to forget a PIN.
const FORGET: Duration = Duration::from_secs(5);

/// How often it is told to.
const TIMES: usize = 3;

impl Line {
    /// Sets the PINs that these events tell of. False where the connection ended before: then the events are not to be stored, so that
    /// the switch tells them again.
    pub(super) async fn pins(&self, origin: Origin<'_>, events: &[(u64, Delivered)]) -> bool {
        for (sequence, event) in events {
            if let Delivered::Fact(fact) = event
                && let About::Pin(chosen) = &fact.about
                && !self.pin(origin, *sequence, chosen).await
            {
                return false;
            }
        }
        true
    }

    async fn pin(&self, origin: Origin<'_>, sequence: u64, chosen: &NewPin) -> bool {
        let NewPin { user, domain, pin } = chosen;
        if !is_pin(pin.as_bytes()) {
            warn!(mailbox = %format_args!("{user}@{domain}"), "a PIN that was chosen by phone is none, and changes nothing");
            return true;
        }
        let mut pause = PAUSES.0;
        loop {
            match self.ingest.store.pin_by_phone(origin, sequence, chosen).await {
                Ok(None) => return true,
                Ok(Some((domain, user))) => {
                    info!(mailbox = %format_args!("{user}@{domain}"), "its PIN was changed by phone");
                    return self.forget(&domain, &user).await;
                }
                Err(error) if error.is_of_the_data() => {
                    warn!(%error, mailbox = %format_args!("{user}@{domain}"), "a PIN that was chosen by phone cannot be stored");
                    return true;
                }
                Err(error) => {
                    warn!(%error, "a PIN that was chosen by phone waits for the database");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    /// Has mod_voicemail forget a PIN. It keeps one that was chosen by phone in a database of its own, and takes it beside the one that it
    /// is told (`mod_voicemail.c:voicemail_check_main`): it would be good for ever, whatever the mailbox gets by REST. In its place
    /// comes a text that no phone can dial and nobody knows.
    async fn forget(&self, domain: &str, user: &str) -> bool {
        for _ in 0..TIMES {
            let Ok(text) = random_text(40) else { return true };
            let argument = format!("default {domain} {user} nobody-{text}");
            match self.switch.command(Api::MailboxPassword, &argument, FORGET).await {
                // It says `-OK`.
                Ok(answer) if answer.contains("OK") => return true,
                Ok(answer) => {
                    warn!(answer, mailbox = %format_args!("{user}@{domain}"), "mod_voicemail keeps a PIN beside ours");
                    return true;
                }
                Err(CommandError::Gone | CommandError::NoSwitch) => return false,
                Err(error @ (CommandError::Late | CommandError::Refused(_))) => {
                    warn!(%error, mailbox = %format_args!("{user}@{domain}"), "mod_voicemail may keep a PIN beside ours");
                }
            }
        }
        true
    }
}
