//! Channels that vanished with their switch.

use std::collections::HashSet;

use nizam_core::call::{Ledger, Leg};
use sqlx::types::Json;

use super::{Origin, Stored, event_rows, write};
use crate::Store;
use crate::clock;
use crate::column::Time;
use crate::counts::Counts;
use crate::db::{Conn, Tx};
use crate::error::StoreResult;
use crate::outbox;

/// Channels of one look.
const LOOK: i64 = 1000;

impl Store {
    /// Channels that a life of the module that has ended reported last, or one before it, and that are of the FreeSWITCH that goes on: only
    /// the switch can say whether they live. `origin` is that FreeSWITCH, and the life that has ended.
    pub async fn doubtful_channels(&self, origin: Origin<'_>) -> StoreResult<Vec<String>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<(String,)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT uuid FROM channels WHERE switch_name = $1 AND core_uuid = $2 AND (incarnation = $3 OR incarnation IN \
                 (SELECT earlier.incarnation FROM switch_incarnations AS earlier JOIN switch_incarnations AS ended \
                 ON ended.switch_name = $1 AND ended.incarnation = $3 \
                 WHERE earlier.switch_name = $1 AND earlier.created_at < ended.created_at)) ORDER BY uuid"
            ))
            .bind(origin.switch).bind(origin.core_uuid).bind(origin.incarnation.as_slice()).fetch_all(c).await?
        });
        Ok(rows.into_iter().map(|(uuid,)| uuid).collect())
    }

    /// Lives of the module of a switch that began before this one, and of which something is left: nobody said that they ended, or they have
    /// channels of another FreeSWITCH than the one that goes on. `origin` is that FreeSWITCH, and a life that has stored something. With each of
    /// them the time at which it told something last, microseconds since 1970.
    pub async fn lives_before(&self, origin: Origin<'_>) -> StoreResult<Vec<([u8; 16], i64)>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<(Vec<u8>, Time)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT earlier.incarnation, earlier.updated_at FROM switch_incarnations AS earlier JOIN switch_incarnations AS present \
                 ON present.switch_name = $1 AND present.incarnation = $3 \
                 WHERE earlier.switch_name = $1 AND earlier.created_at < present.created_at AND (earlier.ended_at IS NULL \
                 OR EXISTS (SELECT 1 FROM channels WHERE channels.switch_name = $1 AND channels.core_uuid <> $2 \
                 AND channels.incarnation = earlier.incarnation)) ORDER BY earlier.created_at"
            ))
            .bind(origin.switch).bind(origin.core_uuid).bind(origin.incarnation.as_slice()).fetch_all(c).await?
        });
        Ok(rows.into_iter().filter_map(|(life, told)| Some((life.try_into().ok()?, told.0))).collect())
    }

    /// Closes the channels that a life of the module that has ended reported last, or one before it, and that live no more: those of another
    /// FreeSWITCH, and of the one that goes on those that are not `alive`. `origin` is the FreeSWITCH that goes on, and the life that has
    /// ended. What later lives reported is left alone, whatever the switch says of it: that a channel of theirs has ended may
    /// be on its way.
    pub async fn close_lost(&self, origin: Origin<'_>, alive: &HashSet<String>) -> StoreResult<Stored> {
        let mut tx = self.db.write().await?;
        // Its own word may be on its way through another connection.
        hold(tx.conn(), origin).await?;
        let rows: Vec<(String, String, Json<Leg>)> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT uuid, core_uuid, leg FROM channels WHERE switch_name = $1 AND (incarnation = $2 OR incarnation IN \
                 (SELECT earlier.incarnation FROM switch_incarnations AS earlier JOIN switch_incarnations AS ended \
                 ON ended.switch_name = $1 AND ended.incarnation = $2 \
                 WHERE earlier.switch_name = $1 AND earlier.created_at < ended.created_at)) ORDER BY uuid"
            ))
            .bind(origin.switch).bind(origin.incarnation.as_slice()).fetch_all(c).await?
        });
        let lost =
            rows.into_iter().filter(|(uuid, core, _)| core != origin.core_uuid || !alive.contains(uuid));
        let lost = lost.map(|(uuid, _, leg)| (uuid, leg.0)).collect();
        let stored = close(tx, (origin, &self.own), lost).await?;
        outbox::wake(&self.newest, stored.newest);
        Ok(stored)
    }

    /// Channels of which a life of the module told something last before that moment, in microseconds since 1970: only the switch can say
    /// whether they live. At most so many as one look at them should ask for: a
    /// long call is silent as well, so those of which something was heard last come first.
    pub async fn silent_channels(&self, origin: Origin<'_>, before: i64) -> StoreResult<Vec<String>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<(String,)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT uuid FROM channels WHERE switch_name = $1 AND incarnation = $2 AND updated_at < $3 \
                 ORDER BY updated_at DESC, uuid LIMIT $4 + 0"
            ))
            .bind(origin.switch).bind(origin.incarnation.as_slice()).bind(Time(before)).bind(LOOK).fetch_all(c).await?
        });
        Ok(rows.into_iter().map(|(uuid,)| uuid).collect())
    }

    /// Closes a channel of that life of the module that the switch has no more, unless something was heard of it since that moment. Its
    /// own word still counts if it comes.
    pub async fn close_silent(&self, origin: Origin<'_>, uuid: &str, before: i64) -> StoreResult<Stored> {
        let mut tx = self.db.write().await?;
        hold(tx.conn(), origin).await?;
        let rows: Vec<(String, Json<Leg>)> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT uuid, leg FROM channels WHERE switch_name = $1 AND incarnation = $2 AND uuid = $3 AND updated_at < $4"
            ))
            .bind(origin.switch).bind(origin.incarnation.as_slice()).bind(uuid).bind(Time(before)).fetch_all(c).await?
        });
        let lost = rows.into_iter().map(|(uuid, leg)| (uuid, leg.0)).collect();
        let stored = close(tx, (origin, &self.own), lost).await?;
        outbox::wake(&self.newest, stored.newest);
        Ok(stored)
    }

    /// Notes that no more events will come of an incarnation.
    pub async fn incarnation_ended(&self, origin: Origin<'_>) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        on!(tx.conn(), c => {
            sqlx::query(sql!(
                "UPDATE switch_incarnations SET ended_at = $3 WHERE switch_name = $1 AND incarnation = $2 AND ended_at IS NULL"
            ))
            .bind(origin.switch).bind(origin.incarnation.as_slice()).bind(Time(clock::now())).execute(c).await?.rows_affected()
        });
        tx.commit().await
    }
}

/// Holds the row of an incarnation, so that nothing of it is stored meanwhile. One that has stored nothing has no row, and must not get one: all
/// that began before would be older than it.
async fn hold(conn: Conn<'_>, origin: Origin<'_>) -> StoreResult<()> {
    on!(conn, c => {
        sqlx::query(sql!(
            "UPDATE switch_incarnations SET updated_at = $3 WHERE switch_name = $1 AND incarnation = $2"
        ))
        .bind(origin.switch).bind(origin.incarnation.as_slice()).bind(Time(clock::now())).execute(c).await?.rows_affected()
    });
    Ok(())
}

/// Writes what is to be written of channels that will tell nothing more.
async fn close(
    mut tx: Tx,
    (origin, own): (Origin<'_>, &str),
    lost: Vec<(String, Leg)>,
) -> StoreResult<Stored> {
    let now = clock::now();
    let mut ledger = Ledger { switch: origin.switch.to_owned(), ..Ledger::default() };
    let uuids: Vec<String> = lost.iter().map(|(uuid, _)| uuid.clone()).collect();
    ledger.legs.extend(lost);
    for uuid in &uuids {
        ledger.lose(uuid);
    }
    let mut counts = Counts::default();
    let mut stored = write(&mut tx, origin, origin.core_uuid, &ledger, &mut counts, now).await?;
    stored.newest = event_rows::write(&mut tx, (origin.switch, own), ledger, counts, now).await?;
    tx.commit().await?;
    Ok(stored)
}
