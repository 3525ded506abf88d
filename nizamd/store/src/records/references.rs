//! Whether what a row refers to is there, in the same tenant.

use std::collections::{BTreeMap, BTreeSet};

use nizam_core::resource::{Record, Resource, Target};
use nizam_core::validate::Errors;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::statement;
use crate::error::{StoreError, StoreResult};
use crate::write::Write;

/// Refuses a row that refers to what the tenant does not have. Another tenant's row and one that is not there are the same.
pub(super) async fn check(write: &mut Write<'_>, resource: &Resource, record: &Record) -> StoreResult<()> {
    if resource.lenient {
        return Ok(());
    }
    let references = resource.references(&record.values);
    let mut wanted: BTreeMap<&str, BTreeSet<Uuid>> = BTreeMap::new();
    for reference in &references {
        wanted.entry(reference.target.table()).or_default().insert(reference.id);
    }
    let mut found: BTreeMap<&str, BTreeSet<Uuid>> = BTreeMap::new();
    for (table, ids) in wanted {
        let there = present(write, table, record.tenant_id, &ids).await?;
        found.insert(table, there);
    }
    let mut errors = Errors::default();
    for reference in references {
        let there = found.get(reference.target.table()).is_some_and(|ids| ids.contains(&reference.id));
        if !there {
            errors.push(&reference.path, message(resource, reference.target, &reference.path));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(StoreError::Invalid(errors)) }
}

fn message(resource: &Resource, target: Target, path: &str) -> String {
    if resource.model == "Agent" && target == Target::Extension {
        return "The extension does not belong to this tenant.".to_owned();
    }
    format!("The selected {} is invalid.", path.replace('_', " "))
}

/// Which of the ids the tenant has in that table.
pub(super) async fn present(
    write: &mut Write<'_>,
    table: &str,
    tenant_id: Uuid,
    ids: &BTreeSet<Uuid>,
) -> StoreResult<BTreeSet<Uuid>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let sql = AssertSqlSafe(statement::present(table, ids.len()));
    let rows: Vec<(Uuid,)> = on!(write.conn(), c => {
        let mut statement = sqlx::query_as(sql).bind(tenant_id);
        for id in ids {
            statement = statement.bind(*id);
        }
        statement.fetch_all(c).await?
    });
    Ok(rows.into_iter().map(|(id,)| id).collect())
}
