//! What happened to calls, to read.

use nizam_core::model::CallEvent;
use uuid::Uuid;

use crate::Store;
use crate::column::{BEGINNING, END, Time};
use crate::counts::{Days, Span, event_days};
use crate::db::Conn;
use crate::error::StoreResult;
use crate::page::{Listed, Page, Place, count};
use crate::stored_events::EventRow;

/// Most events of a trace.
const MOST: i64 = 10_000;

/// Which events.
#[derive(Clone, Debug, Default)]
pub struct CallEventFilter {
    /// The channel.
    pub call_uuid: Option<String>,
    /// What happened.
    pub event_type: Option<String>,
    /// From this time on, microseconds since 1970.
    pub from: Option<i64>,
    /// Until this time.
    pub to: Option<i64>,
}

macro_rules! columns {
    () => {
        "id, tenant_id, call_uuid, event_type, payload, schema_version, occurred_at, created_at, updated_at, call_id, \
         generation, sequence"
    };
}

macro_rules! select {
    ($columns:expr, $which:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM call_events WHERE tenant_id = $1 AND occurred_at >= $2 AND occurred_at <= $3 AND ",
            $which,
            " ",
            $rest
        )
    };
}

/// The statement for what a filter asks for. What it asks for is compared by itself, so that its index is used.
macro_rules! statement {
    ($filter:expr, $columns:expr, $rest:literal) => {
        match ($filter.call_uuid.is_some(), $filter.event_type.is_some()) {
            (true, _) => {
                sql!(select!($columns, "call_uuid = $4 AND (event_type = $5 OR $5 IS NULL)", $rest))
            }
            (false, true) => {
                sql!(select!($columns, "(call_uuid = $4 OR $4 IS NULL) AND event_type = $5", $rest))
            }
            (false, false) => sql!(select!(
                $columns,
                "(call_uuid = $4 OR $4 IS NULL) AND (event_type = $5 OR $5 IS NULL)",
                $rest
            )),
        }
    };
}

/// Binds what [`select`] begins with.
macro_rules! bind {
    ($query:expr, $tenant:expr, $filter:expr, $span:expr) => {
        $query
            .bind($tenant)
            .bind(Time($span.from))
            .bind(Time($span.to))
            .bind($filter.call_uuid.as_deref())
            .bind($filter.event_type.as_deref())
    };
}

impl CallEventFilter {
    fn span(&self) -> Span {
        Span { from: self.from.unwrap_or(BEGINNING), to: self.to.unwrap_or(END) }
    }
}

/// Where the events of a list are: by the day, unless those of one channel are asked for.
async fn days(mut conn: Conn<'_>, tenant_id: Uuid, filter: &CallEventFilter) -> StoreResult<Days> {
    let span = filter.span();
    let (whole, rest) = if filter.call_uuid.is_some() { (None, vec![span]) } else { span.whole_days() };
    let mut spans = match whole {
        Some(days) => event_days(conn.again(), tenant_id, days, filter.event_type.as_deref()).await?,
        None => Vec::new(),
    };
    let kept = conn.dialect().keeps_plans();
    for span in rest {
        let (rows,): (i64,) = on!(conn.again(), c => {
            bind!(sqlx::query_as(statement!(filter, "count(*)", "")).persistent(kept), tenant_id, filter, span).fetch_one(c).await?
        });
        spans.push((span, count(rows)));
    }
    Ok(Days::new(spans, false))
}

impl Store {
    /// A page of the events of a tenant, in the order in which they happened.
    pub async fn call_events(
        &self,
        tenant_id: Uuid,
        filter: &CallEventFilter,
        page: Page,
    ) -> StoreResult<Listed<CallEvent>> {
        let mut tx = self.db.snapshot_of_calls().await?;
        let days = days(tx.conn(), tenant_id, filter).await?;
        let Some((span, skip)) = days.place(page) else {
            return Ok(Listed { rows: Vec::new(), total: days.total() });
        };
        let kept = self.db.dialect().keeps_plans();
        let rows: Vec<EventRow> = on!(tx.conn(), c => {
            let text = statement!(filter, columns!(), "ORDER BY occurred_at, id LIMIT $6 + 0 OFFSET $7");
            bind!(sqlx::query_as(text).persistent(kept), tenant_id, filter, span)
                .bind(page.limit()).bind(i64::try_from(skip).unwrap_or(i64::MAX)).fetch_all(c).await?
        });
        Ok(Listed { rows: rows.into_iter().map(EventRow::into_event).collect(), total: days.total() })
    }

    /// The events of a tenant that follow one in the list, without counting: however long the list, as fast.
    pub async fn call_events_after(
        &self,
        tenant_id: Uuid,
        filter: &CallEventFilter,
        after: Place,
        most: u64,
    ) -> StoreResult<Vec<CallEvent>> {
        let mut reader = self.db.reader().await?;
        // Earlier months hold none of them.
        let span = Span { from: filter.span().from.max(after.time), ..filter.span() };
        let kept = self.db.dialect().keeps_plans();
        let rows: Vec<EventRow> = on!(reader.conn(), c => {
            let text = statement!(
                filter,
                columns!(),
                "AND (occurred_at, id) > ($6, $7) ORDER BY occurred_at, id LIMIT $8 + 0"
            );
            bind!(sqlx::query_as(text).persistent(kept), tenant_id, filter, span)
                .bind(Time(after.time)).bind(after.id).bind(i64::try_from(most).unwrap_or(i64::MAX))
                .fetch_all(c).await?
        });
        Ok(rows.into_iter().map(EventRow::into_event).collect())
    }

    /// One event of a tenant.
    pub async fn call_event(&self, tenant_id: Uuid, id: Uuid) -> StoreResult<Option<CallEvent>> {
        let mut reader = self.db.reader().await?;
        let row: Option<EventRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(concat!("SELECT ", columns!(), " FROM call_events WHERE tenant_id = $1 AND id = $2")))
                .bind(tenant_id).bind(id).fetch_optional(c).await?
        });
        Ok(row.map(EventRow::into_event))
    }

    /// The events of one channel of a tenant, in the order in which they happened.
    pub async fn events_of_channel(&self, tenant_id: Uuid, uuid: &str) -> StoreResult<Vec<CallEvent>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<EventRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(concat!(
                "SELECT ", columns!(), " FROM call_events WHERE tenant_id = $1 AND call_uuid = $2 \
                 ORDER BY occurred_at, sequence, id LIMIT $3 + 0"
            )))
            .bind(tenant_id).bind(uuid).bind(MOST).fetch_all(c).await?
        });
        Ok(rows.into_iter().map(EventRow::into_event).collect())
    }

    /// The events of all legs of a call, in the order in which they happened.
    pub async fn events_of_call(&self, tenant_id: Uuid, call_id: &str) -> StoreResult<Vec<CallEvent>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<EventRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(concat!(
                "SELECT ", columns!(), " FROM call_events WHERE tenant_id = $1 AND call_id = $2 \
                 ORDER BY occurred_at, sequence, id LIMIT $3 + 0"
            )))
            .bind(tenant_id).bind(call_id).bind(MOST).fetch_all(c).await?
        });
        Ok(rows.into_iter().map(EventRow::into_event).collect())
    }
}
