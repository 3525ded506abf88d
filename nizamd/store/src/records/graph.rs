//! The rows that calls can reach from a row, for its lint.

use std::collections::BTreeMap;

use nizam_core::lint::{Graph, Node};
use nizam_core::resource::{Record, Resource, Target};
use uuid::Uuid;

use super::row;
use crate::error::StoreResult;
use crate::keyring::Keyring;
use crate::write::Write;

/// More rows are not looked at.
const MOST: usize = 500;

/// Loads the rows that can be reached, of the same tenant.
pub(super) async fn load(
    write: &mut Write<'_>,
    keys: &Keyring,
    resource: &'static Resource,
    record: &Record,
) -> StoreResult<Graph> {
    let mut graph = Graph::of(resource, record);
    let mut loaded = 0;
    loop {
        let mut wanted: BTreeMap<Target, Vec<Uuid>> = BTreeMap::new();
        for (target, id) in graph.wanted() {
            wanted.entry(target).or_default().push(id);
            loaded += 1;
        }
        if wanted.is_empty() || loaded > MOST {
            return Ok(graph);
        }
        for (target, ids) in wanted {
            for id in ids {
                let node = node(write, keys, target, record.tenant_id, id).await?;
                graph.insert(target, id, node);
            }
        }
    }
}

async fn node(
    write: &mut Write<'_>,
    keys: &Keyring,
    target: Target,
    tenant_id: Uuid,
    id: Uuid,
) -> StoreResult<Option<Node>> {
    let Some(resource) = target.resource() else {
        let row: Option<(String, bool)> = on!(write.conn(), c => {
            sqlx::query_as(sql!("SELECT extension, is_active FROM extensions WHERE tenant_id = $1 AND id = $2"))
                .bind(tenant_id).bind(id).fetch_optional(c).await?
        });
        return Ok(row.map(|(name, is_active)| Node { name, is_active, values: None }));
    };
    if target == Target::Gateway {
        return gateway(write, tenant_id, id).await;
    }
    let found = row::by_id(write.conn(), keys, resource, tenant_id, id, false).await?;
    Ok(found.map(|record| Node {
        name: record.text("name").to_owned(),
        is_active: record.is("is_active"),
        values: Some(record.values),
    }))
}

/// A gateway of the tenant, or one that every tenant may use; what another tenant calls it is no business of this one.
async fn gateway(write: &mut Write<'_>, tenant_id: Uuid, id: Uuid) -> StoreResult<Option<Node>> {
    let row: Option<(String, bool, bool)> = on!(write.conn(), c => {
        sqlx::query_as(sql!(
            "SELECT name, is_active, tenant_id = $1 FROM gateways WHERE id = $2 AND (tenant_id = $1 OR shared = TRUE)"
        ))
        .bind(tenant_id).bind(id).fetch_optional(c).await?
    });
    let node = |(name, is_active, own): (String, bool, bool)| {
        let name = if own { name } else { id.to_string() };
        Node { name, is_active, values: None }
    };
    Ok(row.map(node))
}
