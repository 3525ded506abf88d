//! Call detail records, to read.

use nizam_core::model::Cdr;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::clock;
use crate::column::{BEGINNING, END, Time};
use crate::counts::{Days, Of, Span, cdr_days};
use crate::db::{Conn, Tx};
use crate::error::StoreResult;
use crate::page::{Listed, Page, Place, count};

/// Where the days of a list are not known, its page is looked for in so many days first, in microseconds, and not in all months.
const RECENT: i64 = 62 * 86_400_000_000;

/// Most legs of a call that are read.
const MOST_LEGS: i64 = 1000;

/// Which CDRs.
#[derive(Clone, Debug, Default)]
pub struct CdrFilter {
    /// `inbound`, `outbound` or `local`.
    pub direction: Option<String>,
    /// The channel.
    pub uuid: Option<String>,
    /// Why the call ended.
    pub hangup_cause: Option<String>,
    /// The caller's number.
    pub caller_id_number: Option<String>,
    /// The number that was dialled.
    pub destination_number: Option<String>,
    /// Calls that began at this time or later, microseconds since 1970.
    pub from: Option<i64>,
    /// Calls that began until this time.
    pub to: Option<i64>,
    /// Every leg, and not only the first of each call.
    pub legs: bool,
}

#[derive(sqlx::FromRow)]
struct CdrRow {
    id: Uuid,
    tenant_id: Uuid,
    uuid: String,
    caller_id_name: Option<String>,
    caller_id_number: String,
    destination_number: String,
    context: Option<String>,
    start_stamp: Time,
    answer_stamp: Option<Time>,
    end_stamp: Option<Time>,
    duration: i64,
    billsec: i64,
    hangup_cause: Option<String>,
    direction: String,
    recording_path: Option<String>,
    created_at: Time,
    updated_at: Time,
    call_id: Option<String>,
    leg: String,
    other_leg_uuid: Option<String>,
    originator: Option<String>,
    transfer_history: Option<String>,
    hangup_cause_q850: Option<i64>,
    hangup_by: Option<String>,
    hangup_disposition: Option<String>,
    post_dial_delay_ms: Option<i64>,
    ring_ms: Option<i64>,
    talk_ms: Option<i64>,
    hold_ms: Option<i64>,
    read_codec: Option<String>,
    write_codec: Option<String>,
    negotiated_codec: Option<String>,
    mos: Option<f64>,
    packet_loss: Option<f64>,
    gateway: Option<String>,
    refused: Option<String>,
    generation: Option<i64>,
    switch_name: Option<String>,
    closed_by: Option<String>,
    facts: Option<Json<Value>>,
}

impl CdrRow {
    fn into_cdr(self) -> Cdr {
        Cdr {
            id: self.id,
            tenant_id: self.tenant_id,
            uuid: self.uuid,
            caller_id_name: self.caller_id_name,
            caller_id_number: self.caller_id_number,
            destination_number: self.destination_number,
            context: self.context,
            start_stamp: self.start_stamp.0,
            answer_stamp: self.answer_stamp.map(|time| time.0),
            end_stamp: self.end_stamp.map(|time| time.0),
            duration: self.duration,
            billsec: self.billsec,
            hangup_cause: self.hangup_cause,
            direction: self.direction,
            recording_path: self.recording_path,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            call_id: self.call_id,
            leg: self.leg,
            other_leg_uuid: self.other_leg_uuid,
            originator: self.originator,
            transfer_history: self.transfer_history,
            hangup_cause_q850: self.hangup_cause_q850,
            hangup_by: self.hangup_by,
            hangup_disposition: self.hangup_disposition,
            post_dial_delay_ms: self.post_dial_delay_ms,
            ring_ms: self.ring_ms,
            talk_ms: self.talk_ms,
            hold_ms: self.hold_ms,
            read_codec: self.read_codec,
            write_codec: self.write_codec,
            negotiated_codec: self.negotiated_codec,
            mos: self.mos,
            packet_loss: self.packet_loss,
            gateway: self.gateway,
            refused: self.refused,
            generation: self.generation,
            switch_name: self.switch_name,
            closed_by: self.closed_by,
            facts: self.facts.map(|facts| facts.0),
        }
    }
}

macro_rules! columns {
    () => {
        "id, tenant_id, uuid, caller_id_name, caller_id_number, destination_number, context, start_stamp, answer_stamp, \
         end_stamp, duration, billsec, hangup_cause, direction, recording_path, created_at, updated_at, \
         call_id, leg, other_leg_uuid, originator, transfer_history, hangup_cause_q850, hangup_by, hangup_disposition, \
         post_dial_delay_ms, ring_ms, talk_ms, hold_ms, read_codec, write_codec, negotiated_codec, mos, packet_loss, gateway, \
         refused, generation, switch_name, closed_by, facts"
    };
}

/// Selects from the CDRs of a tenant. What a filter does not ask for is `NULL`, and keeps every row; `$direct` compares one of those that it asks
/// for once more by itself, so that SQLite, which plans without values, uses its index.
macro_rules! select {
    ($columns:expr, $direct:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM call_detail_records WHERE tenant_id = $1 AND start_stamp >= $2 AND start_stamp <= $3 \
             AND (direction = $4 OR $4 IS NULL) AND (uuid = $5 OR $5 IS NULL) AND (caller_id_number = $6 OR $6 IS NULL) \
             AND (destination_number = $7 OR $7 IS NULL) AND (hangup_cause = $8 OR $8 IS NULL) AND (leg = $9 OR $9 IS NULL) ",
            $direct,
            " ",
            $rest
        )
    };
}

/// The statement for what a filter asks for.
macro_rules! statement {
    ($filter:expr, $columns:expr, $rest:literal) => {
        match $filter {
            CdrFilter { uuid: Some(_), .. } => sql!(select!($columns, "AND uuid = $5", $rest)),
            CdrFilter { caller_id_number: Some(_), .. } => {
                sql!(select!($columns, "AND caller_id_number = $6", $rest))
            }
            CdrFilter { destination_number: Some(_), .. } => {
                sql!(select!($columns, "AND destination_number = $7", $rest))
            }
            CdrFilter { hangup_cause: Some(_), .. } => {
                sql!(select!($columns, "AND hangup_cause = $8", $rest))
            }
            CdrFilter { direction: Some(_), .. } => sql!(select!($columns, "AND direction = $4", $rest)),
            CdrFilter { legs: false, .. } => sql!(select!($columns, "AND leg = $9", $rest)),
            _ => sql!(select!($columns, "", $rest)),
        }
    };
}

/// Counts the calls of a number.
macro_rules! count_of {
    ($number:literal) => {
        concat!(
            "SELECT count(*) FROM call_detail_records WHERE tenant_id = $1 AND start_stamp >= $2 AND start_stamp <= $3 AND ",
            $number,
            " = $4 AND (leg = $5 OR $5 IS NULL)"
        )
    };
}

/// Binds what [`select`] begins with.
macro_rules! bind {
    ($query:expr, $tenant:expr, $filter:expr, $span:expr) => {
        $query
            .bind($tenant)
            .bind(Time($span.from))
            .bind(Time($span.to))
            .bind($filter.direction.as_deref())
            .bind($filter.uuid.as_deref())
            .bind($filter.caller_id_number.as_deref())
            .bind($filter.destination_number.as_deref())
            .bind($filter.hangup_cause.as_deref())
            .bind($filter.leg())
    };
}

impl CdrFilter {
    fn span(&self) -> Span {
        Span { from: self.from.unwrap_or(BEGINNING), to: self.to.unwrap_or(END) }
    }

    fn leg(&self) -> Option<&'static str> {
        (!self.legs && self.uuid.is_none()).then_some("a")
    }

    /// What it asks for that is counted by day; `None`: it asks for more than that.
    fn by_day(&self) -> Option<Of<'_>> {
        let finer =
            self.uuid.is_some() || self.caller_id_number.is_some() || self.destination_number.is_some();
        (!finer).then(|| Of {
            leg: self.leg(),
            direction: self.direction.as_deref(),
            hangup_cause: self.hangup_cause.as_deref(),
        })
    }
}

/// Where the CDRs of a list are: by the day, as far as they are counted.
async fn days(mut conn: Conn<'_>, tenant_id: Uuid, filter: &CdrFilter) -> StoreResult<Days> {
    let span = filter.span();
    let (mut spans, rest) = match filter.by_day() {
        Some(of) => {
            let (days, rest) = span.whole_days();
            let counted = match days {
                Some(days) => cdr_days(conn.again(), tenant_id, days, &of).await?,
                None => Vec::new(),
            };
            (counted, rest)
        }
        None => (Vec::new(), vec![span]),
    };
    for span in rest {
        spans.push((span, counted(conn.again(), tenant_id, filter, span).await?));
    }
    Ok(Days::new(spans, true))
}

/// Counts the CDRs of a span.
async fn counted(conn: Conn<'_>, tenant_id: Uuid, filter: &CdrFilter, span: Span) -> StoreResult<u64> {
    let number = if filter.uuid.is_none() && filter.direction.is_none() && filter.hangup_cause.is_none() {
        (filter.caller_id_number.as_deref(), filter.destination_number.as_deref())
    } else {
        (None, None)
    };
    let kept = conn.dialect().keeps_plans();
    let (rows,): (i64,) = on!(conn, c => {
        let (text, number) = match number {
            // All that these ask for is in an index.
            (Some(number), None) => (sql!(count_of!("caller_id_number")), number),
            (None, Some(number)) => (sql!(count_of!("destination_number")), number),
            _ => {
                let query = sqlx::query_as(statement!(filter, "count(*)", "")).persistent(kept);
                return Ok(count(bind!(query, tenant_id, filter, span).fetch_one(c).await.map(|(rows,): (i64,)| rows)?));
            }
        };
        sqlx::query_as(text)
            .persistent(kept)
            .bind(tenant_id).bind(Time(span.from)).bind(Time(span.to)).bind(number).bind(filter.leg())
            .fetch_one(c).await?
    });
    Ok(count(rows))
}

/// The rows of a page that begins behind so many others of a span. Where it begins is looked for by time and id alone, which are in the indexes: of a
/// hundred thousand rows that are passed over none is read.
async fn page_of_days(
    tx: &mut Tx,
    tenant_id: Uuid,
    filter: &CdrFilter,
    (span, skip): (Span, u64),
    page: Page,
) -> StoreResult<Vec<Cdr>> {
    let kept = tx.conn().dialect().keeps_plans();
    let first: Option<(Time, Uuid)> = on!(tx.conn(), c => {
        let text = statement!(
            filter,
            "start_stamp, id",
            "ORDER BY start_stamp DESC, id DESC LIMIT 1 OFFSET $10"
        );
        bind!(sqlx::query_as(text).persistent(kept), tenant_id, filter, span)
            .bind(i64::try_from(skip).unwrap_or(i64::MAX)).fetch_optional(c).await?
    });
    let Some((time, id)) = first else { return Ok(Vec::new()) };
    let span = Span { to: time.0, ..span };
    let rows: Vec<CdrRow> = on!(tx.conn(), c => {
        let text = statement!(
            filter,
            columns!(),
            "AND (start_stamp, id) <= ($10, $11) ORDER BY start_stamp DESC, id DESC LIMIT $12 + 0"
        );
        bind!(sqlx::query_as(text).persistent(kept), tenant_id, filter, span)
            .bind(time).bind(id).bind(page.limit()).fetch_all(c).await?
    });
    Ok(rows.into_iter().map(CdrRow::into_cdr).collect())
}

impl Store {
    /// A page of the CDRs of a tenant, the newest first: one for each call, unless all legs are asked for, or one by its uuid.
    pub async fn cdrs(&self, tenant_id: Uuid, filter: &CdrFilter, page: Page) -> StoreResult<Listed<Cdr>> {
        let mut tx = self.db.snapshot_of_calls().await?;
        let days = days(tx.conn(), tenant_id, filter).await?;
        let Some((span, skip)) = days.place(page) else {
            return Ok(Listed { rows: Vec::new(), total: days.total() });
        };
        if filter.by_day().is_some() {
            let rows = page_of_days(&mut tx, tenant_id, filter, (span, skip), page).await?;
            return Ok(Listed { rows, total: days.total() });
        }
        let recent = Span { from: span.from.max(span.to.min(clock::now()).saturating_sub(RECENT)), ..span };
        let mut rows: Vec<CdrRow> = Vec::new();
        for span in [recent, span] {
            let kept = self.db.dialect().keeps_plans();
            rows = on!(tx.conn(), c => {
                let text =
                    statement!(filter, columns!(), "ORDER BY start_stamp DESC, id DESC LIMIT $10 + 0 OFFSET $11");
                bind!(sqlx::query_as(text).persistent(kept), tenant_id, filter, span)
                    .bind(page.limit()).bind(i64::try_from(skip).unwrap_or(i64::MAX)).fetch_all(c).await?
            });
            if rows.len() as u64 == page.size {
                break;
            }
        }
        Ok(Listed { rows: rows.into_iter().map(CdrRow::into_cdr).collect(), total: days.total() })
    }

    /// The CDRs of a tenant that follow one in the list, without counting: however long the list, as fast.
    pub async fn cdrs_after(
        &self,
        tenant_id: Uuid,
        filter: &CdrFilter,
        after: Place,
        most: u64,
    ) -> StoreResult<Vec<Cdr>> {
        let mut reader = self.db.reader().await?;
        // Later months hold none of them.
        let span = Span { to: filter.span().to.min(after.time), ..filter.span() };
        let kept = self.db.dialect().keeps_plans();
        let rows: Vec<CdrRow> = on!(reader.conn(), c => {
            let text = statement!(
                filter,
                columns!(),
                "AND (start_stamp, id) < ($10, $11) ORDER BY start_stamp DESC, id DESC LIMIT $12 + 0"
            );
            bind!(sqlx::query_as(text).persistent(kept), tenant_id, filter, span)
                .bind(Time(after.time)).bind(after.id).bind(i64::try_from(most).unwrap_or(i64::MAX))
                .fetch_all(c).await?
        });
        Ok(rows.into_iter().map(CdrRow::into_cdr).collect())
    }

    /// The CDRs of all legs of a call, in the order in which they began.
    pub async fn cdrs_of_call(&self, tenant_id: Uuid, call_id: &str) -> StoreResult<Vec<Cdr>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<CdrRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(concat!(
                "SELECT ", columns!(), " FROM call_detail_records WHERE tenant_id = $1 AND call_id = $2 \
                 ORDER BY start_stamp, leg, id LIMIT $3 + 0"
            )))
            .bind(tenant_id).bind(call_id).bind(MOST_LEGS).fetch_all(c).await?
        });
        Ok(rows.into_iter().map(CdrRow::into_cdr).collect())
    }

    /// One CDR of a tenant.
    pub async fn cdr(&self, tenant_id: Uuid, id: Uuid) -> StoreResult<Option<Cdr>> {
        let mut reader = self.db.reader().await?;
        let row: Option<CdrRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(concat!(
                "SELECT ", columns!(), " FROM call_detail_records WHERE tenant_id = $1 AND id = $2"
            )))
            .bind(tenant_id).bind(id).fetch_optional(c).await?
        });
        Ok(row.map(CdrRow::into_cdr))
    }
}
