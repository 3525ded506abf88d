//! How many CDRs and call events there are, counted when they are written: a list of millions of rows says how long it is without
//! looking at them.
//!
//! Counts are written once in a transaction, in the order of their keys, and before the number of the newest event is taken: two
//! switches that tell of the same tenants at the same time wait for each other, and never both.

mod days;
mod read;
mod recount;

use std::collections::BTreeMap;

use nizam_core::model::Cdr;
use sqlx::QueryBuilder;
use uuid::Uuid;

pub(crate) use days::{Days, Span, day};
pub(crate) use read::{Of, cdr_days, event_days};

use crate::db::Conn;
use crate::error::StoreResult;

/// Rows of one statement, which have 8 parameters each.
const ROWS: usize = 500;

/// What CDRs are counted by: tenant, day, leg, direction, hangup cause, codec, and whether the two directions had different ones.
type CdrKey = (Uuid, i64, String, String, String, String, bool);

/// What changes in the counts.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    cdrs: BTreeMap<CdrKey, i64>,
    events: BTreeMap<(Uuid, i64, String), i64>,
}

/// What a CDR is counted by, as its row has it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Counted {
    pub(crate) uuid: String,
    tenant_id: Uuid,
    start_stamp: crate::column::Time,
    leg: String,
    direction: String,
    hangup_cause: Option<String>,
    negotiated_codec: Option<String>,
    read_codec: Option<String>,
    write_codec: Option<String>,
}

/// The columns of [`Counted`].
macro_rules! counted {
    () => {
        "uuid, tenant_id, start_stamp, leg, direction, hangup_cause, negotiated_codec, read_codec, write_codec"
    };
}
pub(crate) use counted;

impl Counts {
    /// CDRs were written.
    pub(crate) fn wrote<'c>(&mut self, cdrs: impl IntoIterator<Item = &'c Cdr>) {
        for cdr in cdrs {
            let codec = cdr.negotiated_codec.as_ref().or(cdr.read_codec.as_ref());
            let key = (
                cdr.tenant_id,
                day(cdr.start_stamp),
                cdr.leg.clone(),
                cdr.direction.clone(),
                cdr.hangup_cause.clone().unwrap_or_default(),
                codec.cloned().unwrap_or_default(),
                mismatched(cdr.read_codec.as_ref(), cdr.write_codec.as_ref()),
            );
            *self.cdrs.entry(key).or_default() += 1;
        }
    }

    /// CDRs were deleted.
    pub(crate) fn deleted(&mut self, rows: impl IntoIterator<Item = Counted>) {
        for row in rows {
            let mismatched = mismatched(row.read_codec.as_ref(), row.write_codec.as_ref());
            let key = (
                row.tenant_id,
                day(row.start_stamp.0),
                row.leg,
                row.direction,
                row.hangup_cause.unwrap_or_default(),
                row.negotiated_codec.or(row.read_codec).unwrap_or_default(),
                mismatched,
            );
            *self.cdrs.entry(key).or_default() -= 1;
        }
    }

    /// So many events of a kind were written, or deleted.
    pub(crate) fn events(&mut self, tenant_id: Uuid, at: i64, event_type: &str, change: i64) {
        *self.events.entry((tenant_id, day(at), event_type.to_owned())).or_default() += change;
    }

    /// Writes the changes.
    pub(crate) async fn write(self, mut conn: Conn<'_>) -> StoreResult<()> {
        let cdrs: Vec<(CdrKey, i64)> = self.cdrs.into_iter().filter(|(_, change)| *change != 0).collect();
        for rows in cdrs.chunks(ROWS) {
            on!(conn.again(), c => {
                let mut insert = QueryBuilder::new(
                    "INSERT INTO cdr_counts (tenant_id, day, leg, direction, hangup_cause, codec, mismatched, cdrs) ",
                );
                insert.push_values(rows, |mut row, (key, change)| {
                    let (tenant_id, day, leg, direction, hangup_cause, codec, mismatched) = key;
                    row.push_bind(tenant_id)
                        .push_bind(day)
                        .push_bind(leg)
                        .push_bind(direction)
                        .push_bind(hangup_cause)
                        .push_bind(codec)
                        .push_bind(mismatched)
                        .push_bind(change);
                });
                insert.push(
                    " ON CONFLICT (tenant_id, day, leg, direction, hangup_cause, codec, mismatched) \
                     DO UPDATE SET cdrs = cdr_counts.cdrs + excluded.cdrs",
                );
                insert.build().execute(c).await?.rows_affected()
            });
        }
        let events: Vec<((Uuid, i64, String), i64)> =
            self.events.into_iter().filter(|(_, change)| *change != 0).collect();
        for rows in events.chunks(ROWS) {
            on!(conn.again(), c => {
                let mut insert =
                    QueryBuilder::new("INSERT INTO call_event_counts (tenant_id, day, event_type, events) ");
                insert.push_values(rows, |mut row, ((tenant_id, day, event_type), change)| {
                    row.push_bind(tenant_id).push_bind(day).push_bind(event_type).push_bind(change);
                });
                insert.push(
                    " ON CONFLICT (tenant_id, day, event_type) \
                     DO UPDATE SET events = call_event_counts.events + excluded.events",
                );
                insert.build().execute(c).await?.rows_affected()
            });
        }
        Ok(())
    }
}

fn mismatched(read: Option<&String>, write: Option<&String>) -> bool {
    matches!((read, write), (Some(read), Some(write)) if read != write)
}
