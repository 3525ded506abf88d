//! Call detail records, to read.

use nizam_core::model::Cdr;
use uuid::Uuid;

use crate::Store;
use crate::column::{BEGINNING, END, Time};
use crate::error::StoreResult;
use crate::page::{Listed, Page, Place, count};

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
        }
    }
}

macro_rules! columns {
    () => {
        "id, tenant_id, uuid, caller_id_name, caller_id_number, destination_number, context, start_stamp, answer_stamp, \
         end_stamp, duration, billsec, hangup_cause, direction, recording_path, created_at, updated_at"
    };
}

macro_rules! select {
    ($columns:expr, $rest:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM call_detail_records WHERE tenant_id = $1 AND start_stamp >= $2 AND start_stamp <= $3 \
             AND direction = COALESCE($4, direction) AND uuid = COALESCE($5, uuid) \
             AND caller_id_number = COALESCE($6, caller_id_number) \
             AND destination_number = COALESCE($7, destination_number) \
             AND (CAST($8 AS boolean) OR hangup_cause = $9) ",
            $rest
        )
    };
}

/// Binds what [`select`] begins with.
macro_rules! bind {
    ($query:expr, $tenant:expr, $filter:expr) => {
        $query
            .bind($tenant)
            .bind(Time($filter.from.unwrap_or(BEGINNING)))
            .bind(Time($filter.to.unwrap_or(END)))
            .bind($filter.direction.as_deref())
            .bind($filter.uuid.as_deref())
            .bind($filter.caller_id_number.as_deref())
            .bind($filter.destination_number.as_deref())
            .bind($filter.hangup_cause.is_none())
            .bind($filter.hangup_cause.as_deref())
    };
}

impl Store {
    /// A page of the CDRs of a tenant, the newest first.
    pub async fn cdrs(&self, tenant_id: Uuid, filter: &CdrFilter, page: Page) -> StoreResult<Listed<Cdr>> {
        let mut tx = self.db.snapshot().await?;
        let (total,): (i64,) = on!(tx.conn(), c => {
            bind!(sqlx::query_as(sql!(select!("count(*)", ""))), tenant_id, filter).fetch_one(c).await?
        });
        let rows: Vec<CdrRow> = on!(tx.conn(), c => {
            let query =
                sqlx::query_as(sql!(select!(columns!(), "ORDER BY start_stamp DESC, id DESC LIMIT $10 + 0 OFFSET $11")));
            bind!(query, tenant_id, filter).bind(page.limit()).bind(page.offset()).fetch_all(c).await?
        });
        Ok(Listed { rows: rows.into_iter().map(CdrRow::into_cdr).collect(), total: count(total) })
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
        let rows: Vec<CdrRow> = on!(reader.conn(), c => {
            let query = sqlx::query_as(sql!(select!(
                columns!(),
                "AND (start_stamp, id) < ($10, $11) ORDER BY start_stamp DESC, id DESC LIMIT $12 + 0"
            )));
            bind!(query, tenant_id, filter)
                .bind(Time(after.time)).bind(after.id).bind(i64::try_from(most).unwrap_or(i64::MAX))
                .fetch_all(c).await?
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
