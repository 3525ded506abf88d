//! Counts of a tenant, by day.

use uuid::Uuid;

use super::Span;
use crate::db::Conn;
use crate::error::StoreResult;
use crate::page::count;

/// What a count is asked for by.
pub(crate) struct Of<'f> {
    pub(crate) leg: Option<&'f str>,
    pub(crate) direction: Option<&'f str>,
    pub(crate) hangup_cause: Option<&'f str>,
}

/// The CDRs of a tenant on each of some days, the first and the last included.
pub(crate) async fn cdr_days(
    conn: Conn<'_>,
    tenant_id: Uuid,
    (first, last): (i64, i64),
    of: &Of<'_>,
) -> StoreResult<Vec<(Span, u64)>> {
    let rows: Vec<(i64, i64)> = on!(conn, c => {
        sqlx::query_as(sql!(
            "SELECT day, CAST(sum(cdrs) AS bigint) FROM cdr_counts WHERE tenant_id = $1 AND day >= $2 AND day <= $3 \
             AND (leg = $4 OR $4 IS NULL) AND (direction = $5 OR $5 IS NULL) \
             AND (hangup_cause = $6 OR $6 IS NULL) GROUP BY day"
        ))
        .bind(tenant_id).bind(first).bind(last).bind(of.leg).bind(of.direction).bind(of.hangup_cause).fetch_all(c).await?
    });
    Ok(spans(rows))
}

/// The call events of a tenant on each of some days, the first and the last included, of one kind or of all.
pub(crate) async fn event_days(
    conn: Conn<'_>,
    tenant_id: Uuid,
    (first, last): (i64, i64),
    event_type: Option<&str>,
) -> StoreResult<Vec<(Span, u64)>> {
    let rows: Vec<(i64, i64)> = on!(conn, c => {
        sqlx::query_as(sql!(
            "SELECT day, CAST(sum(events) AS bigint) FROM call_event_counts WHERE tenant_id = $1 AND day >= $2 AND day <= $3 \
             AND (event_type = $4 OR $4 IS NULL) GROUP BY day"
        ))
        .bind(tenant_id).bind(first).bind(last).bind(event_type).fetch_all(c).await?
    });
    Ok(spans(rows))
}

fn spans(rows: Vec<(i64, i64)>) -> Vec<(Span, u64)> {
    rows.into_iter().map(|(day, rows)| (Span::of_day(day), count(rows))).collect()
}
