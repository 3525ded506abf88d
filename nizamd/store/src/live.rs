//! What is so now, as switches told it: phones that are registered, gateways.

use uuid::Uuid;

use crate::Store;
use crate::clock;
use crate::column::Time;
use crate::error::StoreResult;
use crate::page::{Listed, Page, count};

/// A phone that is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The user.
    pub user: String,
    /// Its domain.
    pub domain: String,
    /// The SIP profile.
    pub profile: Option<String>,
    /// Where calls to it go.
    pub contact: Option<String>,
    /// What it calls itself.
    pub user_agent: Option<String>,
    /// The address it comes from.
    pub network_ip: Option<String>,
    /// And the port.
    pub network_port: Option<String>,
    /// The switch.
    pub switch_name: String,
    /// When it came last; microseconds since 1970.
    pub registered_at: i64,
    /// When it ends unless it comes again.
    pub expires_at: Option<i64>,
}

/// A gateway, as one switch has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayStatus {
    /// The gateway's row.
    pub gateway_id: Option<Uuid>,
    /// The name that the tenant gave it.
    pub name: Option<String>,
    /// Its name on the switch.
    pub switch_gateway: String,
    /// The switch.
    pub switch_name: String,
    /// `REGED`, `NOREG`, `FAIL_WAIT`.
    pub state: String,
    /// `UP` or `DOWN`, where it is pinged.
    pub ping_status: Option<String>,
    /// The reason of its last answer.
    pub phrase: Option<String>,
    /// The status code of that.
    pub code: Option<i64>,
    /// Since when; microseconds since 1970.
    pub changed_at: i64,
}

/// A minute beyond its end, a registration is certainly over, whether somebody said so or not.
const GRACE: i64 = 60_000_000;

#[derive(sqlx::FromRow)]
struct RegistrationRow {
    user_name: String,
    domain: String,
    profile: Option<String>,
    contact: Option<String>,
    user_agent: Option<String>,
    network_ip: Option<String>,
    network_port: Option<String>,
    switch_name: String,
    registered_at: Time,
    expires_at: Option<Time>,
}

#[derive(sqlx::FromRow)]
struct GatewayRow {
    gateway_id: Option<Uuid>,
    own_name: Option<String>,
    name: String,
    switch_name: String,
    state: String,
    ping_status: Option<String>,
    phrase: Option<String>,
    code: Option<i64>,
    changed_at: Time,
}

impl Store {
    /// A page of the phones of a tenant that are registered, by user.
    pub async fn registrations(&self, tenant_id: Uuid, page: Page) -> StoreResult<Listed<Registered>> {
        let over = Time(clock::now() - GRACE);
        let mut tx = self.db.snapshot().await?;
        let (total,): (i64,) = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT count(*) FROM registrations WHERE tenant_id = $1 AND (expires_at IS NULL OR expires_at > $2)"
            ))
            .bind(tenant_id).bind(over).fetch_one(c).await?
        });
        let rows: Vec<RegistrationRow> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT user_name, domain, profile, contact, user_agent, network_ip, network_port, switch_name, \
                 registered_at, expires_at FROM registrations \
                 WHERE tenant_id = $1 AND (expires_at IS NULL OR expires_at > $2) \
                 ORDER BY user_name, call_id, switch_name LIMIT $3 + 0 OFFSET $4"
            ))
            .bind(tenant_id).bind(over).bind(page.limit()).bind(page.offset()).fetch_all(c).await?
        });
        let row = |row: RegistrationRow| Registered {
            user: row.user_name,
            domain: row.domain,
            profile: row.profile,
            contact: row.contact,
            user_agent: row.user_agent,
            network_ip: row.network_ip,
            network_port: row.network_port,
            switch_name: row.switch_name,
            registered_at: row.registered_at.0,
            expires_at: row.expires_at.map(|time| time.0),
        };
        Ok(Listed { rows: rows.into_iter().map(row).collect(), total: count(total) })
    }

    /// The gateways of a tenant as the switches have them, by name. A version of a gateway that is replaced goes with the row of
    /// the switch that had it.
    pub async fn gateway_states(&self, tenant_id: Uuid) -> StoreResult<Vec<GatewayStatus>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<GatewayRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT s.gateway_id, g.name AS own_name, s.name, s.switch_name, s.state, s.ping_status, s.phrase, s.code, \
                 s.changed_at FROM gateway_states s JOIN gateways g ON g.id = s.gateway_id \
                 WHERE g.tenant_id = $1 ORDER BY g.name, s.switch_name, s.changed_at DESC LIMIT $2 + 0"
            ))
            .bind(tenant_id).bind(MOST).fetch_all(c).await?
        });
        let row = |row: GatewayRow| GatewayStatus {
            gateway_id: row.gateway_id,
            name: row.own_name,
            switch_gateway: row.name,
            switch_name: row.switch_name,
            state: row.state,
            ping_status: row.ping_status,
            phrase: row.phrase,
            code: row.code,
            changed_at: row.changed_at.0,
        };
        Ok(rows.into_iter().map(row).collect())
    }

    /// How many phones are registered, of one tenant or of all.
    pub async fn registered(&self, tenant_id: Option<Uuid>) -> StoreResult<u64> {
        let over = Time(clock::now() - GRACE);
        let mut reader = self.db.reader().await?;
        let (total,): (i64,) = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT count(*) FROM registrations WHERE (expires_at IS NULL OR expires_at > $1) \
                 AND tenant_id = COALESCE($2, tenant_id)"
            ))
            .bind(over).bind(tenant_id).fetch_one(c).await?
        });
        Ok(count(total))
    }
}

/// Most gateways of an answer.
const MOST: i64 = 10_000;
