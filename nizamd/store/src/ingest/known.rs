//! What is known before events are applied.

use std::collections::HashMap;

use nizam_core::call::{Ended, Ledger, Leg, Wanted};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::cdr_rows::LONGEST;
use super::{json_ids, json_texts};
use crate::clock;
use crate::column::{BEGINNING, Time};
use crate::db::{Conn, Tx};
use crate::error::StoreResult;

/// A CDR: the channel, its tenant and call, whether it was closed without its own word, and the facts then.
type ClosedRow = (String, Uuid, Option<String>, bool, Option<Json<Value>>);

/// A ledger with all that some facts need.
pub(super) async fn read(tx: &mut Tx, wanted: &Wanted, switch: &str) -> StoreResult<Ledger> {
    let mut ledger = Ledger { switch: switch.to_owned(), ..Ledger::default() };
    if !wanted.channels.is_empty() {
        let uuids: Vec<&str> = wanted.channels.iter().map(String::as_str).collect();
        ledger.legs = legs(tx.conn(), &uuids).await?;
        let rest: Vec<&str> = uuids.into_iter().filter(|uuid| !ledger.legs.contains_key(*uuid)).collect();
        if !rest.is_empty() {
            let since = wanted.since.min(clock::now()).saturating_sub(LONGEST).max(BEGINNING);
            ledger.ended = ended(tx, &rest, Time(since)).await?;
        }
    }
    if !wanted.tenants.is_empty() || !wanted.domains.is_empty() {
        let ids: Vec<Uuid> = wanted.tenants.iter().copied().collect();
        let domains: Vec<&str> = wanted.domains.iter().map(String::as_str).collect();
        for (id, domain) in tenants(tx.conn(), &ids, &domains).await? {
            ledger.tenants.insert(id);
            ledger.domains.insert(domain, id);
        }
    }
    if !wanted.gateways.is_empty() {
        let ids: Vec<Uuid> = wanted.gateways.iter().copied().collect();
        ledger.gateways = gateways(tx.conn(), &ids).await?.into_iter().collect();
    }
    Ok(ledger)
}

async fn legs(conn: Conn<'_>, uuids: &[&str]) -> StoreResult<HashMap<String, Leg>> {
    let rows: Vec<(String, Json<Leg>)> = match conn {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(sqlite
                "SELECT uuid, leg FROM channels WHERE uuid IN (SELECT value FROM json_each($1))"
            ))
            .bind(json_texts(uuids.iter().copied()))
            .fetch_all(c)
            .await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(sql!(postgres "SELECT uuid, leg FROM channels WHERE uuid = ANY($1)"))
                .bind(uuids)
                .fetch_all(c)
                .await?
        }
    };
    Ok(rows.into_iter().map(|(uuid, leg)| (uuid, leg.0)).collect())
}

/// Channels that have ended, of those that began at that time or later.
async fn ended(tx: &mut Tx, uuids: &[&str], since: Time) -> StoreResult<HashMap<String, Ended>> {
    let texts = json_texts(uuids.iter().copied());
    let strays: Vec<(String, Option<String>)> = match tx.conn() {
        Conn::Sqlite(c) => sqlx::query_as(sql!(sqlite
            "SELECT call_uuid, call_id FROM stray_events WHERE event_type = 'call.hangup' \
             AND call_uuid IN (SELECT value FROM json_each($1))"
        ))
        .bind(&texts).fetch_all(c).await?,
        Conn::Postgres(c) => sqlx::query_as(sql!(postgres
            "SELECT call_uuid, call_id FROM stray_events WHERE event_type = 'call.hangup' AND call_uuid = ANY($1)"
        ))
        .bind(uuids).fetch_all(c).await?,
    };
    // Of a channel that did not say how it ended, the CDR has what was known of it.
    let rows: Vec<ClosedRow> = match tx.conn() {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(sqlite
                "SELECT uuid, tenant_id, call_id, closed_by IS NOT NULL, CASE WHEN closed_by IS NOT NULL THEN facts END \
                 FROM call_detail_records WHERE uuid IN (SELECT value FROM json_each($1)) AND start_stamp >= $2"
            ))
            .bind(&texts)
            .bind(since)
            .fetch_all(c)
            .await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(sql!(postgres
                "SELECT uuid, tenant_id, call_id, closed_by IS NOT NULL, CASE WHEN closed_by IS NOT NULL THEN facts END \
                 FROM call_detail_records WHERE uuid = ANY($1) AND start_stamp >= $2"
            ))
            .bind(uuids)
            .bind(since)
            .fetch_all(c)
            .await?
        }
    };
    let strays = strays.into_iter().map(|(uuid, call_id)| (uuid, Ended { call_id, ..Ended::default() }));
    let rows = rows.into_iter().map(|(uuid, tenant, call_id, lost, facts)| {
        let leg = facts.and_then(|facts| Leg::lost(&facts.0)).map(Box::new);
        (uuid, Ended { tenant: Some(tenant), call_id, lost, leg })
    });
    Ok(strays.chain(rows).collect())
}

async fn tenants(conn: Conn<'_>, ids: &[Uuid], domains: &[&str]) -> StoreResult<Vec<(Uuid, String)>> {
    Ok(match conn {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(sqlite
                "SELECT id, domain FROM tenants WHERE id IN (SELECT unhex(value) FROM json_each($1)) \
                 OR domain IN (SELECT value FROM json_each($2))"
            ))
            .bind(json_ids(ids))
            .bind(json_texts(domains.iter().copied()))
            .fetch_all(c)
            .await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(sql!(postgres
                "SELECT id, domain FROM tenants WHERE id = ANY($1) OR domain = ANY($2)"
            ))
            .bind(ids)
            .bind(domains)
            .fetch_all(c)
            .await?
        }
    })
}

/// Gateways that are one tenant's alone: of a call through a shared one nobody knows by that whose it is.
async fn gateways(conn: Conn<'_>, ids: &[Uuid]) -> StoreResult<Vec<(Uuid, Uuid)>> {
    Ok(match conn {
        Conn::Sqlite(c) => sqlx::query_as(sql!(sqlite
            "SELECT id, tenant_id FROM gateways WHERE shared = FALSE AND id IN (SELECT unhex(value) FROM json_each($1))"
        ))
        .bind(json_ids(ids)).fetch_all(c).await?,
        Conn::Postgres(c) => sqlx::query_as(sql!(postgres
            "SELECT id, tenant_id FROM gateways WHERE shared = FALSE AND id = ANY($1)"
        ))
        .bind(ids).fetch_all(c).await?,
    })
}
