//! Internal numbers: of all that has one in a tenant, each has its own. Tables have a unique index each; that no two tables
//! have the same number is seen to here, under a lock on the tenant's row.

use std::collections::HashSet;

use nizam_core::Kind;
use nizam_core::resource::{Record, Resource};
use nizam_core::validate::{Errors, extension_key};
use serde_json::json;
use uuid::Uuid;

use crate::constraint::{EXTENSION_TAKEN, NUMBER_TAKEN};
use crate::db::Conn;
use crate::error::{StoreError, StoreResult};
use crate::tenants;
use crate::write::Write;

/// Refuses a row whose internal number something else of its tenant has. `old` is what it was before.
pub(crate) async fn check(
    write: &mut Write<'_>,
    resource: &Resource,
    old: Option<&Record>,
    record: &Record,
) -> StoreResult<()> {
    if !matches!(resource.record, Some(Kind::RingGroup | Kind::Ivr | Kind::Flow)) {
        return Ok(());
    }
    let key = |record: &Record| record.value("number").as_str().map(extension_key);
    match key(record) {
        Some(number) if old.and_then(key).as_deref() != Some(&number) => {
            must_be_free(write, record.tenant_id, &number, record.id, ("number", NUMBER_TAKEN)).await
        }
        _ => Ok(()),
    }
}

/// Refuses the number of an extension that something else of its tenant has.
pub(crate) async fn check_extension(
    write: &mut Write<'_>,
    tenant_id: Uuid,
    id: Uuid,
    number: &str,
) -> StoreResult<()> {
    must_be_free(write, tenant_id, &extension_key(number), id, ("extension", EXTENSION_TAKEN)).await
}

async fn must_be_free(
    write: &mut Write<'_>,
    tenant_id: Uuid,
    number: &str,
    own: Uuid,
    (field, message): (&str, &str),
) -> StoreResult<()> {
    tenants::lock(write.conn(), tenant_id).await?;
    let (taken,): (bool,) = on!(write.conn(), c => {
        sqlx::query_as(sql!(
            "SELECT EXISTS (SELECT 1 FROM extensions WHERE tenant_id = $1 AND extension_key = $2 AND id <> $3) \
             OR EXISTS (SELECT 1 FROM ring_groups WHERE tenant_id = $1 AND number_key = $2 AND id <> $3) \
             OR EXISTS (SELECT 1 FROM ivrs WHERE tenant_id = $1 AND number_key = $2 AND id <> $3) \
             OR EXISTS (SELECT 1 FROM call_flows WHERE tenant_id = $1 AND number_key = $2 AND id <> $3)"
        ))
        .bind(tenant_id).bind(number).bind(own).fetch_one(c).await?
    });
    if taken { Err(StoreError::Invalid(Errors::one(field, message))) } else { Ok(()) }
}

/// Which of these numbers something of the tenant has.
pub(crate) async fn taken(conn: Conn<'_>, tenant_id: Uuid, numbers: &[&str]) -> StoreResult<HashSet<String>> {
    let keys: Vec<String> = numbers.iter().map(|number| extension_key(number)).collect();
    let rows: Vec<(String,)> =
        match conn {
            Conn::Sqlite(c) => {
                sqlx::query_as(sql!(sqlite
                    "SELECT extension_key FROM extensions \
                     WHERE tenant_id = $1 AND extension_key IN (SELECT value FROM json_each($2)) \
                     UNION ALL SELECT number_key FROM ring_groups \
                     WHERE tenant_id = $1 AND number_key IN (SELECT value FROM json_each($2)) \
                     UNION ALL SELECT number_key FROM ivrs \
                     WHERE tenant_id = $1 AND number_key IN (SELECT value FROM json_each($2)) \
                     UNION ALL SELECT number_key FROM call_flows \
                     WHERE tenant_id = $1 AND number_key IN (SELECT value FROM json_each($2))"
                ))
                .bind(tenant_id)
                .bind(json!(keys).to_string())
                .fetch_all(c)
                .await?
            }
            Conn::Postgres(c) => sqlx::query_as(sql!(postgres
                "SELECT extension_key FROM extensions WHERE tenant_id = $1 AND extension_key = ANY($2) \
                 UNION ALL SELECT number_key FROM ring_groups WHERE tenant_id = $1 AND number_key = ANY($2) \
                 UNION ALL SELECT number_key FROM ivrs WHERE tenant_id = $1 AND number_key = ANY($2) \
                 UNION ALL SELECT number_key FROM call_flows WHERE tenant_id = $1 AND number_key = ANY($2)"
            ))
            .bind(tenant_id)
            .bind(keys)
            .fetch_all(c)
            .await?,
        };
    Ok(rows.into_iter().map(|(key,)| key).collect())
}
