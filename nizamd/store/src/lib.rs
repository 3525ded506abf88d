//! The database of nizamd. Everything that nizamd knows goes through [`Store`]: no other crate holds SQL.
//!
//! A write is one transaction that holds the row, its audit entry and the next generation, and answers with
//! [`Committed`]: the generation and what images must be made anew. Secrets are sealed before they reach a statement
//! ([`Keyring`]) and opened after they left one.

#![forbid(unsafe_code)]

#[macro_use]
mod sql;

mod dashboard;
mod db;

mod agents;
mod audit;
mod call_events;
mod cascade;
mod cdrs;
mod changes;
mod channels;
mod claimant;
mod clock;
mod codec_metrics;
mod column;
mod constraint;
mod counts;
mod deliveries;
mod delivery_claims;
mod delivery_ends;
mod error;
mod extensions;
mod extensions_bulk;
mod feed;
mod fresh;
mod idempotency;
mod identities;
mod ingest;
mod keyring;
mod live;
mod months;
mod numbers;
mod operator;
mod outbox;
mod page;
mod permissions;
mod prompts;
mod queue_members;
mod queue_metrics;
mod records;
mod redrive;
mod retention;
mod rotate;
mod seal;
mod secret;
mod site;
mod stats;
mod stored_events;
mod tenants;
mod tokens;
mod usage;
mod users;
mod webhook_log;
mod webhook_notice;
mod write;

use std::path::PathBuf;

pub use audit::{Actor, TrailFilter};
pub use call_events::CallEventFilter;
pub use cdrs::CdrFilter;
pub use changes::{Change, Listener};
pub use claimant::Claimant;
pub use codec_metrics::CodecMetrics;
pub use dashboard::Glance;
pub use deliveries::{Delivery, DueWebhook, Enqueued};
pub use delivery_ends::Outcome;
pub use error::{StoreError, StoreResult};
pub use feed::Fed;
pub use fresh::Fresh;
pub use idempotency::{Earlier, Idempotency};
pub use identities::Epoch;
pub use ingest::{Delivered, Origin, Resynced, Stored};
pub use keyring::{Key, Keyring, WrongKey};
pub use live::{GatewayStatus, Registered};
pub use operator::{GatewayStanding, QuarantinedEvent, StrayEvent};
pub use page::{Expected, Listed, Page, Place, Query};
pub use queue_members::{Joined, QueueMember};
pub use queue_metrics::{QueueCounts, QueueMetric};
pub use records::Saved;
pub use redrive::{MOST_REDRIVEN, Redrive, Redriven};
pub use secret::{TokenSecret, random_text};
pub use stats::TenantStats;
pub use tokens::{Authentic, Presented};
pub use usage::Metric;
pub use webhook_log::{Attempt, DeliveryStats, NewAttempt};
pub use write::Committed;

pub use db::masked;

use db::Db;
use identities::Identities;
use tokio::sync::watch;
use uuid::Uuid;

/// The database, shared by everything in nizamd.
#[derive(Debug)]
pub struct Store {
    db: Db,
    keys: Keyring,
    identities: Identities,
    /// By what the other processes on the database know this one: writes of which they hear, it need not hear of itself.
    own: String,
    /// The number of the newest event that this process has stored.
    newest: watch::Sender<i64>,
}

impl Store {
    /// Opens the database at a URL (`sqlite:PATH` or `postgres://…`), makes it if there is none, and brings its schema up to date.
    pub async fn open(url: &str, keys: Keyring) -> StoreResult<Self> {
        let own = Uuid::new_v4().to_string();
        let newest = watch::Sender::new(0);
        let this = Self { db: Db::open(url).await?, keys, identities: Identities::default(), own, newest };
        this.check_key().await?;
        this.sync_permissions().await?;
        this.forget_changes().await?;
        this.newest.send_replace(this.newest_event().await?);
        Ok(this)
    }

    /// The file of the database that a URL names, where it is a file.
    pub fn file(url: &str) -> Option<PathBuf> {
        db::file(url)
    }

    /// Number of the newest configuration.
    pub async fn generation(&self) -> StoreResult<u64> {
        let mut reader = self.db.reader().await?;
        write::generation(reader.conn()).await
    }

    /// The moment that the database is in, as this process sees it: what is read after this call is still so as long as it
    /// does not change, but for the writes of other processes.
    pub fn epoch(&self) -> Epoch {
        self.identities.epoch()
    }

    /// Says that another process has written: nothing that was read before is kept any longer.
    pub fn somebody_wrote(&self) {
        self.identities.forget();
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> StoreResult<()> {
        self.generation().await.map(drop)
    }

    /// Closes the database, waiting for what runs.
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// Refuses to go on with a key that cannot open what the database holds.
    async fn check_key(&self) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        if let Some(sealed) = write::key_check(tx.conn()).await? {
            self.keys.check(&sealed).map_err(|WrongKey| StoreError::WrongKey)?;
        } else {
            let sealed = self.keys.checkpoint()?;
            write::set_key_check(tx.conn(), &sealed).await?;
        }
        tx.commit().await
    }
}
