//! PINs that were chosen by phone: into the database before the event is stored, and then out of mod_voicemail.

use super::{Line, PAUSES, Work};
use crate::link::CommandError;
use nizam_core::call::{About, NewPin};
use nizam_store::{Delivered, Origin, StoreError, random_text};
use nizam_wire::link::Api;
use nizam_wire::record::is_pin;
use std::time::Duration;
use tracing::{info, warn};

/// How long mod_voicemail may take to forget a PIN.
const FORGET: Duration = Duration::from_secs(2);

/// When it is told again.
const AGAIN: Duration = Duration::from_secs(10);

/// A mailbox, as mod_voicemail has it: domain and number.
pub(super) type Mailbox = (String, String);

impl Line {
    /// Sets the PINs that these events tell of, and gives the mailboxes of tenants that mod_voicemail keeps one of: [`Line::forget`]. Those of the
    /// operator's own domains are not ours to touch.
    pub(super) async fn pins(&self, origin: Origin<'_>, events: &[(u64, Delivered)]) -> Vec<Mailbox> {
        let mut mailboxes = Vec::new();
        for (sequence, event) in events {
            if let Delivered::Fact(fact) = event
                && let About::Pin(chosen) = &fact.about
            {
                let ours = self.pin(origin, *sequence, chosen).await;
                mailboxes.extend(ours.then(|| (chosen.domain.clone(), chosen.user.clone())));
            }
        }
        mailboxes
    }

    /// Whether the mailbox is a tenant's.
    async fn pin(&self, origin: Origin<'_>, sequence: u64, chosen: &NewPin) -> bool {
        let mailbox = format!("{}@{}", chosen.user, chosen.domain);
        let (store, good) = (&self.ingest.store, is_pin(chosen.pin.as_bytes()));
        let mut pause = PAUSES.0;
        loop {
            let ours = if good {
                store.pin_by_phone(origin, sequence, chosen).await
            } else {
                store.tenant_by_domain(&chosen.domain).await.map(|tenant| tenant.is_some())
            };
            match ours {
                Ok(true) if good => info!(mailbox, "its PIN is the one that was chosen by phone"),
                Ok(true) => warn!(mailbox, "a PIN that was chosen by phone is none, and changes nothing"),
                Ok(false) => {}
                Err(error) if error.passes() => {
                    warn!(%error, mailbox, "a PIN that was chosen by phone waits for the database");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                    continue;
                }
                Err(ref error) => {
                    warn!(%error, mailbox, "a PIN that was chosen by phone is not stored, and changes nothing");
                }
            }
            // Only the row of a tenant's mailbox has secrets.
            return matches!(ours, Ok(true) | Err(StoreError::Sealed { .. } | StoreError::WrongKey));
        }
    }

    /// Has mod_voicemail forget a PIN. It keeps one that was chosen by phone in a database of its own, and takes it beside the one that it
    /// is told (`mod_voicemail.c:voicemail_check_main`): it would be good for ever, whatever the mailbox gets by REST. In its place
    /// comes a text that no phone can dial and nobody knows. False where the connection ended before.
    pub(super) async fn forget(&self, (domain, user): Mailbox) -> bool {
        let mailbox = format!("{user}@{domain}");
        // What stands in a command is words; a number of ours is one.
        let is_word =
            |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        let Ok(text) = random_text(40) else { return true };
        if !is_word(&domain) || !is_word(&user) {
            warn!(mailbox, "mod_voicemail may keep a PIN of a mailbox that is none of ours");
            return true;
        }
        let argument = format!("default {domain} {user} nobody-{text}");
        match self.switch.command(Api::MailboxPassword, &argument, FORGET).await {
            // It says `-OK`.
            Ok(answer) if answer.contains("OK") => true,
            Err(CommandError::Gone | CommandError::NoSwitch) => false,
            Ok(_) | Err(CommandError::Late | CommandError::Refused(_)) => {
                warn!(mailbox, "mod_voicemail keeps a PIN beside ours; it is told again to forget it");
                self.later(AGAIN, Work::Forget((domain, user)));
                true
            }
        }
    }
}
