//! What a change touches beyond its own row: what goes with it, or is read with other eyes afterwards.

use std::collections::HashSet;

use nizam_core::model::{AuditAction, Tenant, Touched};
use nizam_core::resource::{AGENT, DEVICE_PROFILE, DID, GATEWAY, Record, Values};
use nizam_core::{Kind, touch};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use crate::audit::{Entry, Of};
use crate::column::Time;
use crate::error::StoreResult;
use crate::keyring::Keyring;
use crate::queue_members::members_changed;
use crate::records::{audited, entry, row};
use crate::write::Write;

/// DIDs that are read at once.
const PAGE: u32 = 1000;

/// An extension is deleted, and with it its agent, who leaves all queues; its phones are nobody's.
pub(crate) async fn extension_gone(
    write: &mut Write<'_>,
    keys: &Keyring,
    tenant_id: Uuid,
    id: Uuid,
) -> StoreResult<()> {
    let agents: Vec<(Uuid,)> = on!(write.conn(), c => {
        sqlx::query_as(sql!("SELECT id FROM agents WHERE tenant_id = $1 AND extension_id = $2"))
            .bind(tenant_id).bind(id).fetch_all(c).await?
    });
    for (id,) in agents {
        write.touch([Touched::Row { tenant_id, kind: Kind::Agent, id }]);
        agent_gone(write, tenant_id, id).await?;
        if let Some(agent) = row::by_id(write.conn(), keys, &AGENT, tenant_id, id, true).await? {
            let values = Some(audited(&AGENT, &agent.values));
            write.audit(entry(&AGENT, &agent, AuditAction::Deleted, values, None)).await?;
        }
    }
    phones_without(write, tenant_id, id).await
}

/// The phones of an extension that is deleted are those of none: who reads them again gets them as they are now.
async fn phones_without(write: &mut Write<'_>, tenant_id: Uuid, id: Uuid) -> StoreResult<()> {
    let now = Time(write.now);
    let phones: Vec<(Uuid, String)> = on!(write.conn(), c => {
        sqlx::query_as(sql!(
            "UPDATE device_profiles SET extension_id = NULL, version = version + 1, updated_at = $3 \
             WHERE tenant_id = $1 AND extension_id = $2 RETURNING id, name"
        ))
        .bind(tenant_id).bind(id).bind(now).fetch_all(c).await?
    });
    for (phone, name) in phones {
        let said = |extension: Value| Some(Values::from_iter([("extension_id".to_owned(), extension)]));
        let (action, kind, of) = (AuditAction::Updated, DEVICE_PROFILE.model, Of::One(phone, name));
        let (old, new) = (said(json!(id)), said(Value::Null));
        write.audit(Entry { tenant_id, action, kind, of, old, new }).await?;
    }
    Ok(())
}

/// An agent is deleted, and leaves all queues.
pub(crate) async fn agent_gone(write: &mut Write<'_>, tenant_id: Uuid, id: Uuid) -> StoreResult<()> {
    let queues: Vec<(Uuid,)> = on!(write.conn(), c => {
        sqlx::query_as(sql!("SELECT queue_id FROM queue_members WHERE agent_id = $1")).bind(id).fetch_all(c).await?
    });
    for (queue,) in queues {
        members_changed(write, tenant_id, queue);
    }
    Ok(())
}

/// A tenant is at home somewhere else, where its DIDs may be other numbers.
pub(crate) async fn moved(
    write: &mut Write<'_>,
    keys: &Keyring,
    old: &Tenant,
    new: &Tenant,
) -> StoreResult<()> {
    let (was, is) = (old.home(), new.home());
    if was == is {
        return Ok(());
    }
    let moved = |number: &str| touch::digits(number, was.as_ref()) != touch::digits(number, is.as_ref());
    unconfirm(write, old.id, moved).await?;
    each_did(write, keys, old.id, |did| touch::moved(&DID, was.as_ref(), is.as_ref(), did)).await
}

/// A tenant is terminated: its numbers are free for whoever has them next.
pub(crate) async fn ended(write: &mut Write<'_>, keys: &Keyring, tenant: &Tenant) -> StoreResult<()> {
    let free = unconfirm(write, tenant.id, |_| true).await?;
    if free.is_empty() {
        return Ok(());
    }
    let home = tenant.home();
    each_did(write, keys, tenant.id, |did| {
        if free.contains(&did.id) { touch::record(&DID, home.as_ref(), None, Some(did)) } else { Vec::new() }
    })
    .await
}

/// DIDs that are not any more what an administrator has confirmed: nobody has confirmed that. Gives their ids.
async fn unconfirm(
    write: &mut Write<'_>,
    tenant_id: Uuid,
    which: impl Fn(&str) -> bool,
) -> StoreResult<HashSet<Uuid>> {
    let confirmed: Vec<(Uuid, String)> = on!(write.conn(), c => {
        sqlx::query_as(sql!("SELECT id, number FROM dids WHERE tenant_id = $1 AND confirmed = TRUE"))
            .bind(tenant_id).fetch_all(c).await?
    });
    let mut gone = HashSet::new();
    for (id, number) in confirmed.into_iter().filter(|(_, number)| which(number)) {
        gone.insert(id);
        let now = Time(write.now);
        on!(write.conn(), c => {
            sqlx::query(sql!(
                "UPDATE dids SET confirmed = FALSE, confirmed_digits = NULL, version = version + 1, updated_at = $2 \
                 WHERE id = $1"
            ))
            .bind(id).bind(now).execute(c).await?.rows_affected()
        });
        let said = |confirmed: bool| Some(Values::from_iter([("confirmed".to_owned(), json!(confirmed))]));
        let (action, kind, of) = (AuditAction::Updated, DID.model, Of::One(id, number));
        write.audit(Entry { tenant_id, action, kind, of, old: said(true), new: said(false) }).await?;
    }
    Ok(gone)
}

/// A tenant is deleted: what is not below it goes with it all the same.
pub(crate) async fn tenant_gone(write: &mut Write<'_>, keys: &Keyring, tenant: &Tenant) -> StoreResult<()> {
    let home = tenant.home();
    each_did(write, keys, tenant.id, |did| {
        let mut touched = touch::record(&DID, home.as_ref(), Some(did), None);
        touched.retain(|key| matches!(key, Touched::Did { .. }));
        touched
    })
    .await?;
    // Not by their fields: one whose password cannot be read must not keep its tenant.
    let gateways: Vec<(Uuid, Option<Json<Value>>, bool)> = on!(write.conn(), c => {
        sqlx::query_as(sql!("SELECT id, addresses, shared FROM gateways WHERE tenant_id = $1"))
            .bind(tenant.id).fetch_all(c).await?
    });
    for (id, addresses, shared) in gateways {
        let values: Values = [
            ("addresses", addresses.map_or(Value::Null, |Json(value)| value)),
            ("shared", json!(shared)),
            ("is_active", json!(true)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        let record = Record { id, tenant_id: tenant.id, version: 0, values, created_at: 0, updated_at: 0 };
        let touched = touch::record(&GATEWAY, None, Some(&record), None);
        write.touch(touched.into_iter().filter(|key| !matches!(key, Touched::Routing(_))));
    }
    Ok(())
}

/// Touches what each DID of a tenant says.
async fn each_did(
    write: &mut Write<'_>,
    keys: &Keyring,
    tenant_id: Uuid,
    touched: impl Fn(&Record) -> Vec<Touched>,
) -> StoreResult<()> {
    let mut last = Uuid::nil();
    loop {
        let page = row::after(write.conn(), keys, &DID, tenant_id, last, PAGE).await?;
        let Some(row) = page.last() else { return Ok(()) };
        last = row.id;
        write.touch(page.iter().flat_map(&touched));
    }
}
