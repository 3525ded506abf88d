//! What switches tell becomes rows: a batch in one transaction, each event once.
//!
//! Who was there first is decided under a lock on the row of the incarnation, which holds the number of the newest event that is stored: what
//! is sent again, by whichever connection, is left out. Numbers of events for those who follow are given last of all, so that nobody who
//! reads on from one misses another that was committed behind it.

mod cdr_rows;
mod event_rows;
mod known;
mod live_rows;
mod lost;
pub(crate) mod minutes;
mod resync;
mod resync_gateways;

use nizam_core::call::{Fact, Ledger, Wanted};
pub use resync::Resynced;
use uuid::Uuid;

use crate::Store;
use crate::clock;
use crate::column::Time;
use crate::counts::Counts;
use crate::db::{Conn, Tx};
use crate::error::StoreResult;
use crate::outbox;
use crate::page::count;

/// Rows of one statement: at most 32,766 parameters in SQLite.
const ROWS: usize = 500;

/// Where a batch comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'d> {
    /// The switch's name.
    pub switch: &'d str,
    /// The life of FreeSWITCH that sent it, unless an event says of which it is itself.
    pub core_uuid: &'d str,
    /// The life of the module.
    pub incarnation: [u8; 16],
}

/// One event of a batch.
#[derive(Clone, Debug)]
pub enum Delivered {
    /// What it says.
    Fact(Box<Fact>),
    /// Nothing worth keeping.
    Nothing,
    /// It makes no sense: why, and the event.
    Unusable(String, Vec<u8>),
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// All events of the incarnation up to this one are stored.
    pub sequence: u64,
    /// The number of the newest event.
    pub newest: i64,
    /// Events of tenants that were stored.
    pub events: u64,
    /// CDRs that were made.
    pub cdrs: u64,
    /// Events of no tenant.
    pub strays: u64,
    /// Events that could not be stored as anything else.
    pub quarantined: u64,
    /// Events that were stored before.
    pub repeated: u64,
}

impl Store {
    /// Stores a batch of events, which have rising numbers. Those that are stored already are left out.
    pub async fn ingest(
        &self,
        origin: Origin<'_>,
        events: &[(u64, Delivered)],
        dropped: u64,
    ) -> StoreResult<Stored> {
        let mut tx = self.db.write().await?;
        let now = clock::now();
        let first = lock(tx.conn(), origin, now).await?;
        let mut last = first;
        let mut fresh = Vec::with_capacity(events.len());
        for (sequence, event) in events {
            if *sequence > last {
                last = *sequence;
                fresh.push((*sequence, event));
            }
        }
        let repeated = events.len().saturating_sub(fresh.len()) as u64;
        let facts = || {
            fresh.iter().filter_map(|(_, event)| match event {
                Delivered::Fact(fact) => Some(&**fact),
                Delivered::Nothing | Delivered::Unusable(..) => None,
            })
        };
        let mut ledger = known::read(&mut tx, &Wanted::of(facts()), origin.switch).await?;
        let mut core = None;
        for fact in facts() {
            core = fact.core.as_deref().or(core);
            ledger.apply(fact.clone());
        }
        ledger.settle();
        let core = core.unwrap_or(origin.core_uuid);
        let mut counts = Counts::default();
        let mut stored = write(&mut tx, origin, core, &ledger, &mut counts, now).await?;
        stored.quarantined = event_rows::quarantine(&mut tx, origin, &fresh, now).await?;
        stored.repeated = repeated;
        stored.sequence = last;
        advance(tx.conn(), origin, core, (last, dropped), ledger.sessions, now).await?;
        stored.newest = event_rows::write(&mut tx, (origin.switch, &self.own), ledger, counts, now).await?;
        tx.commit().await?;
        outbox::wake(&self.newest, stored.newest);
        Ok(stored)
    }

    /// The number of the newest event of an incarnation that is stored.
    pub(crate) async fn stored_until(&self, origin: Origin<'_>) -> StoreResult<u64> {
        let mut reader = self.db.reader().await?;
        let row: Option<(i64,)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT sequence FROM switch_incarnations WHERE switch_name = $1 AND incarnation = $2"
            ))
            .bind(origin.switch).bind(origin.incarnation.as_slice()).fetch_optional(c).await?
        });
        Ok(row.map_or(0, |(sequence,)| count(sequence)))
    }

    /// How many events could not be stored as what they are.
    pub async fn quarantined(&self) -> StoreResult<u64> {
        let mut reader = self.db.reader().await?;
        let (events,): (i64,) = on!(reader.conn(), c => {
            sqlx::query_as(sql!("SELECT count(*) FROM quarantined_events")).fetch_one(c).await?
        });
        Ok(count(events))
    }

    /// The number of the newest event.
    pub async fn newest_event(&self) -> StoreResult<i64> {
        let mut reader = self.db.reader().await?;
        let (newest,): (i64,) = on!(reader.conn(), c => {
            sqlx::query_as(sql!("SELECT sequence FROM event_counter WHERE id = 1")).fetch_one(c).await?
        });
        Ok(newest)
    }
}

/// Everything but the counts and the events, whose numbers come last.
async fn write(
    tx: &mut Tx,
    origin: Origin<'_>,
    core: &str,
    ledger: &Ledger,
    counts: &mut Counts,
    now: i64,
) -> StoreResult<Stored> {
    live_rows::channels(tx, origin, core, ledger, now).await?;
    let cdrs = cdr_rows::write(tx, &ledger.cdrs, counts, now).await?;
    live_rows::registrations(tx, origin.switch, &ledger.registrations).await?;
    live_rows::gateways(tx, origin.switch, &ledger.gateway_states).await?;
    let owned = ledger.events.iter().filter(|event| event.tenant.is_some()).count() as u64;
    let strays = ledger.events.len() as u64 - owned;
    Ok(Stored { events: owned, cdrs, strays, ..Stored::default() })
}

/// Makes the row of an incarnation if there is none, locks it, and gives the number of the newest event that is stored.
async fn lock(conn: Conn<'_>, origin: Origin<'_>, now: i64) -> StoreResult<u64> {
    let incarnation = origin.incarnation.as_slice();
    let (sequence,): (i64,) = on!(conn, c => {
        sqlx::query_as(sql!(
            "INSERT INTO switch_incarnations (switch_name, incarnation, core_uuid, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $4) \
             ON CONFLICT (switch_name, incarnation) DO UPDATE SET updated_at = excluded.updated_at RETURNING sequence"
        ))
        .bind(origin.switch).bind(incarnation).bind(origin.core_uuid).bind(Time(now)).fetch_one(c).await?
    });
    Ok(count(sequence))
}

async fn advance(
    conn: Conn<'_>,
    origin: Origin<'_>,
    core: &str,
    (sequence, dropped): (u64, u64),
    sessions: Option<i64>,
    now: i64,
) -> StoreResult<()> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    on!(conn, c => {
        sqlx::query(sql!(
            "UPDATE switch_incarnations SET sequence = $3, dropped = $4, core_uuid = $5, \
             sessions = COALESCE($6, sessions), updated_at = $7 WHERE switch_name = $1 AND incarnation = $2"
        ))
        .bind(origin.switch).bind(origin.incarnation.as_slice()).bind(number(sequence)).bind(number(dropped)).bind(core)
        .bind(sessions).bind(Time(now)).execute(c).await?.rows_affected()
    });
    Ok(())
}

/// Texts as the parameter of `json_each`.
fn json_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    serde_json::Value::from_iter(texts).to_string()
}

/// Ids as the parameter of `unhex` and `json_each`.
pub(crate) fn json_ids<'t>(ids: impl IntoIterator<Item = &'t Uuid>) -> String {
    ids.into_iter()
        .map(|id| serde_json::Value::from(id.simple().to_string()))
        .collect::<serde_json::Value>()
        .to_string()
}
