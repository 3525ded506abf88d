//! What is so now: channels, registrations, gateways.

use std::collections::HashMap;

use nizam_core::call::{GatewayState, Ledger, Leg, Registration};
use sqlx::QueryBuilder;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Origin, ROWS, json_texts};
use crate::column::Time;
use crate::db::{Conn, Tx};
use crate::error::StoreResult;

/// Writes legs that changed, and takes those away that are gone.
pub(super) async fn channels(
    tx: &mut Tx,
    origin: Origin<'_>,
    core: &str,
    ledger: &Ledger,
    now: i64,
) -> StoreResult<()> {
    let gone: Vec<&str> =
        ledger.gone.iter().filter(|uuid| !ledger.legs.contains_key(*uuid)).map(String::as_str).collect();
    if !gone.is_empty() {
        delete(tx.conn(), &gone).await?;
    }
    let changed: Vec<&Leg> = ledger.changed.iter().filter_map(|uuid| ledger.legs.get(uuid)).collect();
    for rows in changed.chunks(ROWS) {
        on!(tx.conn(), c => {
            let mut upsert = QueryBuilder::new(
                "INSERT INTO channels (uuid, tenant_id, call_id, switch_name, core_uuid, incarnation, started_at, leg, updated_at) ",
            );
            upsert.push_values(rows, |mut row, leg| {
                row.push_bind(&leg.uuid)
                    .push_bind(leg.tenant)
                    .push_bind(&leg.call_id)
                    .push_bind(origin.switch)
                    .push_bind(core)
                    .push_bind(origin.incarnation.as_slice())
                    .push_bind(Time(leg.started()))
                    .push_bind(Json(*leg))
                    .push_bind(Time(now));
            });
            upsert.push(
                " ON CONFLICT (uuid) DO UPDATE SET tenant_id = excluded.tenant_id, call_id = excluded.call_id, \
                 switch_name = excluded.switch_name, core_uuid = excluded.core_uuid, incarnation = excluded.incarnation, \
                 started_at = excluded.started_at, leg = excluded.leg, updated_at = excluded.updated_at",
            );
            upsert.build().execute(c).await?.rows_affected()
        });
    }
    Ok(())
}

async fn delete(conn: Conn<'_>, uuids: &[&str]) -> StoreResult<()> {
    let _rows = match conn {
        Conn::Sqlite(c) => {
            sqlx::query(sql!(sqlite "DELETE FROM channels WHERE uuid IN (SELECT value FROM json_each($1))"))
                .bind(json_texts(uuids.iter().copied()))
                .execute(c)
                .await?
                .rows_affected()
        }
        Conn::Postgres(c) => sqlx::query(sql!(postgres "DELETE FROM channels WHERE uuid = ANY($1)"))
            .bind(uuids)
            .execute(c)
            .await?
            .rows_affected(),
    };
    Ok(())
}

/// A phone that came, with its tenant, or went.
type Change = (Registration, Option<Uuid>);

/// Writes phones that came, and takes those away that went. Of each the last word counts.
pub(super) async fn registrations(tx: &mut Tx, switch: &str, changes: &[Change]) -> StoreResult<()> {
    // Of each user the phones, and of each phone what was said last.
    let mut last: HashMap<(&str, &str), Vec<&Change>> = HashMap::new();
    for change in changes {
        let phones = last.entry((&*change.0.domain, &*change.0.user)).or_default();
        phones.retain(|known| !same_phone(&known.0, &change.0));
        phones.push(change);
    }
    let mut came = Vec::new();
    for (registration, tenant) in last.into_values().flatten() {
        came.extend(tenant.map(|tenant| (registration, tenant)));
        // A phone that was restarted comes, or goes, with another Call-ID, and FreeSWITCH knows it by its Contact
        // (`sofia_reg_handle_register_token`).
        on!(tx.conn(), c => {
            sqlx::query(sql!(
                "DELETE FROM registrations WHERE switch_name = $1 AND domain = $2 AND user_name = $3 \
                 AND (call_id = $4 OR contact = $5)"
            ))
            .bind(switch).bind(&registration.domain).bind(&registration.user).bind(&registration.call_id)
            .bind(&registration.contact).execute(c).await?.rows_affected()
        });
    }
    insert(tx, switch, &came).await
}

fn same_phone(one: &Registration, other: &Registration) -> bool {
    one.call_id == other.call_id || (one.contact.is_some() && one.contact == other.contact)
}

async fn insert(tx: &mut Tx, switch: &str, came: &[(&Registration, Uuid)]) -> StoreResult<()> {
    for rows in came.chunks(ROWS) {
        on!(tx.conn(), c => {
            let mut upsert = QueryBuilder::new(
                "INSERT INTO registrations (switch_name, domain, user_name, call_id, tenant_id, profile, contact, user_agent, \
                 network_ip, network_port, registered_at, expires_at) ",
            );
            upsert.push_values(rows, |mut row, (registration, tenant)| {
                row.push_bind(switch)
                    .push_bind(&registration.domain)
                    .push_bind(&registration.user)
                    .push_bind(&registration.call_id)
                    .push_bind(*tenant)
                    .push_bind(&registration.profile)
                    .push_bind(&registration.contact)
                    .push_bind(&registration.user_agent)
                    .push_bind(&registration.network_ip)
                    .push_bind(&registration.network_port)
                    .push_bind(Time(registration.at))
                    .push_bind(registration.expires_at.map(Time));
            });
            upsert.push(
                " ON CONFLICT (switch_name, domain, user_name, call_id) DO UPDATE SET tenant_id = excluded.tenant_id, \
                 profile = excluded.profile, contact = excluded.contact, user_agent = excluded.user_agent, \
                 network_ip = excluded.network_ip, network_port = excluded.network_port, \
                 registered_at = excluded.registered_at, expires_at = excluded.expires_at",
            );
            upsert.build().execute(c).await?.rows_affected()
        });
    }
    Ok(())
}

/// Writes how gateways are, the last word of each.
pub(super) async fn gateways(
    tx: &mut Tx,
    switch: &str,
    states: &[(GatewayState, Option<Uuid>)],
) -> StoreResult<()> {
    for (state, tenant) in states {
        on!(tx.conn(), c => {
            sqlx::query(sql!(
                "INSERT INTO gateway_states (switch_name, name, gateway_id, tenant_id, state, ping_status, phrase, code, changed_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (switch_name, name) DO UPDATE SET \
                 gateway_id = excluded.gateway_id, tenant_id = excluded.tenant_id, state = excluded.state, \
                 ping_status = excluded.ping_status, phrase = excluded.phrase, code = excluded.code, \
                 changed_at = excluded.changed_at"
            ))
            .bind(switch).bind(&state.name).bind(state.gateway_id).bind(tenant).bind(&state.state).bind(&state.ping)
            .bind(&state.phrase).bind(state.code).bind(Time(state.at)).execute(c).await?.rows_affected()
        });
        // A gateway that was changed has another name on the switch; the one before is gone from it.
        on!(tx.conn(), c => {
            sqlx::query(sql!(
                "DELETE FROM gateway_states WHERE switch_name = $1 AND gateway_id = $2 AND name <> $3 AND changed_at < $4"
            ))
            .bind(switch).bind(state.gateway_id).bind(&state.name).bind(Time(state.at)).execute(c).await?.rows_affected()
        });
    }
    Ok(())
}
