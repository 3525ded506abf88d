//! What lists are made of. Each statement reads the few columns that a list shows.

use std::collections::HashMap;
use std::net::IpAddr;

use nizam_core::compile::{Destination, DidRow, GatewayRow, PolicyRow, Routing, destination};
use nizam_core::model::Tenant;
use nizam_core::{spellings, touch};
use serde_json::json;
use uuid::Uuid;

use crate::db::{Conn, Tx};
use crate::error::StoreResult;
use crate::tenants::{self, Homes};

/// Digits of one statement.
const DIGITS: usize = 200;

/// A tenant with its policies that no active DID leads to, and its gateways.
pub(super) async fn routing(tx: &mut Tx, tenant: Tenant) -> StoreResult<Routing> {
    let policies: Vec<(Uuid, i64, bool)> = on!(tx.conn(), c => {
        sqlx::query_as(sql!(
            "SELECT p.id, p.priority, p.is_active FROM call_routing_policies p WHERE p.tenant_id = $1 AND NOT EXISTS \
             (SELECT 1 FROM dids d WHERE d.tenant_id = p.tenant_id AND d.destination_id = p.id \
              AND d.destination_type = 'call_routing_policy' AND d.is_active = TRUE)"
        ))
        .bind(tenant.id).fetch_all(c).await?
    });
    let gateways: Vec<(Uuid, String, bool)> = on!(tx.conn(), c => {
        sqlx::query_as(sql!("SELECT id, name, is_active FROM gateways WHERE tenant_id = $1"))
            .bind(tenant.id).fetch_all(c).await?
    });
    let policy = |(id, priority, is_active)| PolicyRow { id, priority, is_active };
    let policies = policies.into_iter().map(policy).collect();
    Ok(Routing { tenant, policies, gateways: gateways.into_iter().map(gateway).collect() })
}

fn gateway((id, name, is_active): (Uuid, String, bool)) -> GatewayRow {
    GatewayRow { id, name, is_active }
}

/// The gateways that every tenant may use.
pub(super) async fn shared(conn: Conn<'_>) -> StoreResult<Vec<GatewayRow>> {
    let rows: Vec<(Uuid, String, bool)> = on!(conn, c => {
        sqlx::query_as(sql!("SELECT id, name, is_active FROM gateways WHERE shared = TRUE")).fetch_all(c).await?
    });
    Ok(rows.into_iter().map(gateway).collect())
}

/// The gateways from which calls come from an address. It looks through all of them: there are few, and they seldom change.
pub(super) async fn at_address(conn: Conn<'_>, address: IpAddr) -> StoreResult<Vec<GatewayRow>> {
    let text = address.to_string();
    let rows: Vec<(Uuid, String, bool)> = match conn {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(sqlite
                "SELECT id, name, is_active FROM gateways \
                 WHERE EXISTS (SELECT 1 FROM json_each(addresses) WHERE value = $1)"
            ))
            .bind(text)
            .fetch_all(c)
            .await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(sql!(postgres
                "SELECT id, name, is_active FROM gateways WHERE addresses @> to_jsonb($1::text)"
            ))
            .bind(text)
            .fetch_all(c)
            .await?
        }
    };
    Ok(rows.into_iter().map(gateway).collect())
}

/// Priorities and ids of the agents of a queue.
pub(super) async fn members(conn: Conn<'_>, queue_id: Uuid) -> StoreResult<Vec<(i64, Uuid)>> {
    Ok(on!(conn, c => {
        sqlx::query_as(sql!("SELECT priority, agent_id FROM queue_members WHERE queue_id = $1"))
            .bind(queue_id).fetch_all(c).await?
    }))
}

/// Queues from one id to another, with the priorities and ids of their agents.
pub(super) async fn members_between(
    conn: Conn<'_>,
    first: Uuid,
    last: Uuid,
) -> StoreResult<HashMap<Uuid, Vec<(i64, Uuid)>>> {
    let rows: Vec<(Uuid, i64, Uuid)> = on!(conn, c => {
        sqlx::query_as(sql!(
            "SELECT queue_id, priority, agent_id FROM queue_members WHERE queue_id >= $1 AND queue_id <= $2"
        ))
        .bind(first).bind(last).fetch_all(c).await?
    });
    let mut members: HashMap<Uuid, Vec<(i64, Uuid)>> = HashMap::new();
    for (queue_id, priority, agent_id) in rows {
        members.entry(queue_id).or_default().push((priority, agent_id));
    }
    Ok(members)
}

/// Where an internal number leads, and whether that is switched on.
pub(super) async fn number(
    conn: Conn<'_>,
    tenant_id: Uuid,
    number: &str,
) -> StoreResult<Option<(Destination, bool)>> {
    let row: Option<(String, Uuid, bool)> = on!(conn, c => {
        sqlx::query_as(sql!(
            "SELECT 'ring_group', id, is_active FROM ring_groups WHERE tenant_id = $1 AND number_key = $2 \
             UNION ALL SELECT 'ivr', id, is_active FROM ivrs WHERE tenant_id = $1 AND number_key = $2 \
             UNION ALL SELECT 'call_flow', id, is_active FROM call_flows WHERE tenant_id = $1 AND number_key = $2"
        ))
        .bind(tenant_id).bind(number).fetch_optional(c).await?
    });
    Ok(row.and_then(|(kind, id, is_active)| Some((destination(&kind, id)?, is_active))))
}

/// A DID as lists read it.
pub(super) type DidColumns = (Uuid, Uuid, String, String, Uuid, bool, bool);

/// What lists say of it, and its digits at that home.
pub(super) fn did(
    (id, tenant_id, number, kind, to, confirmed, is_active): DidColumns,
    homes: &Homes,
) -> Option<(String, DidRow)> {
    let digits = touch::digits(&number, homes.get(tenant_id))?;
    Some((digits, DidRow { id, tenant_id, to: destination(&kind, to), confirmed, is_active }))
}

/// Everybody's DIDs with these digits. They are found by all the spellings that could mean them, and read at the home of
/// their tenant.
pub(super) async fn dids(tx: &mut Tx, digits: &[&str]) -> StoreResult<HashMap<String, Vec<DidRow>>> {
    let mut homes = Homes::default();
    let mut found: HashMap<String, Vec<DidRow>> = HashMap::new();
    for digits in digits.chunks(DIGITS) {
        let mut keys: Vec<String> = digits.iter().flat_map(|digits| spellings(digits)).collect();
        keys.sort_unstable();
        keys.dedup();
        let rows = spelled(tx.conn(), keys).await?;
        for row in &rows {
            tenants::home(tx, row.1, &mut homes).await?;
        }
        for (own, row) in rows.into_iter().filter_map(|row| did(row, &homes)) {
            if digits.contains(&own.as_str()) {
                found.entry(own).or_default().push(row);
            }
        }
    }
    Ok(found)
}

async fn spelled(conn: Conn<'_>, keys: Vec<String>) -> StoreResult<Vec<DidColumns>> {
    Ok(match conn {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(sqlite
                "SELECT id, tenant_id, number_key, destination_type, destination_id, confirmed, is_active FROM dids \
                 WHERE number_key IN (SELECT value FROM json_each($1))"
            ))
            .bind(json!(keys).to_string())
            .fetch_all(c)
            .await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(sql!(postgres
                "SELECT id, tenant_id, number_key, destination_type, destination_id, confirmed, is_active FROM dids \
                 WHERE number_key = ANY($1)"
            ))
            .bind(keys)
            .fetch_all(c)
            .await?
        }
    })
}
