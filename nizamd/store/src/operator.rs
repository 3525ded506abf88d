//! What is nobody's, for the operator: events of no tenant, events that make no sense, the gateways of all.

use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::column::Time;
use crate::error::StoreResult;
use crate::page::{Listed, Page, count};

/// An event of no tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct StrayEvent {
    /// The row.
    pub id: Uuid,
    /// The channel, or what else it is about.
    pub call_uuid: String,
    /// The call.
    pub call_id: Option<String>,
    /// What happened.
    pub event_type: String,
    /// What it says.
    pub payload: Value,
    /// The switch.
    pub switch_name: String,
    /// When; microseconds since 1970.
    pub occurred_at: i64,
}

/// An event that could not be stored as what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinedEvent {
    /// The row.
    pub id: Uuid,
    /// The switch.
    pub switch_name: String,
    /// Its number in that life of the module.
    pub sequence: i64,
    /// What is wrong with it.
    pub reason: String,
    /// The event as it came.
    pub record: Vec<u8>,
    /// When it came; microseconds since 1970.
    pub created_at: i64,
}

/// A gateway that is in force, and what a switch last said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayStanding {
    /// The tenant's domain.
    pub domain: String,
    /// The name that the tenant gave it.
    pub name: String,
    /// Whether it registers: it is to, and has a login.
    pub register: bool,
    /// The switch; `None`: none has told of it.
    pub switch_name: Option<String>,
    /// `REGED`, `NOREG`, `FAIL_WAIT` …
    pub state: Option<String>,
    /// `UP` or `DOWN`, where it is pinged.
    pub ping_status: Option<String>,
    /// Since when; microseconds since 1970.
    pub changed_at: Option<i64>,
}

impl GatewayStanding {
    /// Whether calls can leave by it, as far as is known: one that does not register has no state that would say otherwise.
    pub fn is_up(&self) -> bool {
        let registered = !self.register || matches!(self.state.as_deref(), Some("REGED" | "NOREG"));
        registered && self.ping_status.as_deref() != Some("DOWN")
    }
}

#[derive(sqlx::FromRow)]
struct StrayRow {
    id: Uuid,
    call_uuid: String,
    call_id: Option<String>,
    event_type: String,
    payload: Json<Value>,
    switch_name: String,
    occurred_at: Time,
}

#[derive(sqlx::FromRow)]
struct QuarantinedRow {
    id: Uuid,
    switch_name: String,
    sequence: i64,
    reason: String,
    record: Vec<u8>,
    created_at: Time,
}

#[derive(sqlx::FromRow)]
struct StandingRow {
    domain: String,
    name: String,
    register: bool,
    switch_name: Option<String>,
    state: Option<String>,
    ping_status: Option<String>,
    changed_at: Option<Time>,
}

/// Most gateways of an answer.
const MOST: i64 = 10_000;

impl Store {
    /// A page of the events of no tenant, the newest first.
    pub async fn stray_events(&self, page: Page) -> StoreResult<Listed<StrayEvent>> {
        let mut tx = self.db.snapshot().await?;
        let (total,): (i64,) = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT count(*) FROM stray_events")).fetch_one(c).await?
        });
        let rows: Vec<StrayRow> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT id, call_uuid, call_id, event_type, payload, switch_name, occurred_at FROM stray_events \
                 ORDER BY occurred_at DESC, id DESC LIMIT $1 + 0 OFFSET $2"
            ))
            .bind(page.limit()).bind(page.offset()).fetch_all(c).await?
        });
        let row = |row: StrayRow| StrayEvent {
            id: row.id,
            call_uuid: row.call_uuid,
            call_id: row.call_id,
            event_type: row.event_type,
            payload: row.payload.0,
            switch_name: row.switch_name,
            occurred_at: row.occurred_at.0,
        };
        Ok(Listed { rows: rows.into_iter().map(row).collect(), total: count(total) })
    }

    /// A page of the events that could not be stored as what they are, the newest first.
    pub async fn quarantined_events(&self, page: Page) -> StoreResult<Listed<QuarantinedEvent>> {
        let mut tx = self.db.snapshot().await?;
        let (total,): (i64,) = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT count(*) FROM quarantined_events")).fetch_one(c).await?
        });
        let rows: Vec<QuarantinedRow> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT id, switch_name, sequence, reason, record, created_at FROM quarantined_events \
                 ORDER BY created_at DESC, id DESC LIMIT $1 + 0 OFFSET $2"
            ))
            .bind(page.limit()).bind(page.offset()).fetch_all(c).await?
        });
        let row = |row: QuarantinedRow| QuarantinedEvent {
            id: row.id,
            switch_name: row.switch_name,
            sequence: row.sequence,
            reason: row.reason,
            record: row.record,
            created_at: row.created_at.0,
        };
        Ok(Listed { rows: rows.into_iter().map(row).collect(), total: count(total) })
    }

    /// The gateways that are in force, by domain and name, each as every switch has it; of one tenant or of all that are operational.
    pub async fn gateways_standing(&self, tenant_id: Option<Uuid>) -> StoreResult<Vec<GatewayStanding>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<StandingRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT t.domain, g.name, g.register AND g.username IS NOT NULL AND g.password IS NOT NULL AS register, s.switch_name, s.state, s.ping_status, s.changed_at \
                 FROM gateways g JOIN tenants t ON t.id = g.tenant_id LEFT JOIN gateway_states s ON s.gateway_id = g.id \
                 WHERE g.is_active AND t.status IN ('trial', 'active', 'suspended') AND g.tenant_id = COALESCE($1, g.tenant_id) \
                 ORDER BY t.domain, g.name, s.switch_name, s.changed_at DESC LIMIT $2 + 0"
            ))
            .bind(tenant_id).bind(MOST).fetch_all(c).await?
        });
        let row = |row: StandingRow| GatewayStanding {
            domain: row.domain,
            name: row.name,
            register: row.register,
            switch_name: row.switch_name,
            state: row.state,
            ping_status: row.ping_status,
            changed_at: row.changed_at.map(|time| time.0),
        };
        Ok(rows.into_iter().map(row).collect())
    }
}
