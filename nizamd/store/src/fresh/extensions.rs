//! Extensions by number, one by one or many with one statement.

use std::collections::HashMap;

use nizam_core::compile::Row;
use nizam_core::model::Touched;
use nizam_core::validate::extension_key;
use serde_json::json;
use uuid::Uuid;

use super::{Reading, folded, readable};
use crate::db::Conn;
use crate::error::StoreResult;
use crate::extensions::{ExtensionRow, select_extensions};

/// From so many keys on, one statement reads many.
const MANY: usize = 64;
/// Keys of one statement.
const KEYS: usize = 1000;

impl Reading<'_> {
    pub(super) async fn extensions(&mut self, tenant_id: Uuid, numbers: &[&str]) -> StoreResult<()> {
        if numbers.len() < MANY {
            for &number in numbers {
                match by_number(self.tx.conn(), tenant_id, &extension_key(number)).await? {
                    Some(row) => self.rows.extend(readable(row.id, row.open(self.keys))?.map(Row::Extension)),
                    None => self.rows.push(gone(tenant_id, number)),
                }
            }
            return Ok(());
        }
        for numbers in numbers.chunks(KEYS) {
            let mut found: HashMap<String, Option<Row>> = HashMap::with_capacity(numbers.len());
            for row in by_numbers(self.tx.conn(), tenant_id, numbers).await? {
                let key = row.key();
                found.insert(key, readable(row.id, row.open(self.keys))?.map(Row::Extension));
            }
            for &number in numbers {
                match found.get_mut(&extension_key(number)) {
                    // Two numbers may differ in case only, the old and the new one of a change: one row is enough.
                    Some(row) => self.rows.extend(row.take()),
                    None => self.rows.push(gone(tenant_id, number)),
                }
            }
        }
        Ok(())
    }
}

fn gone(tenant_id: Uuid, number: &str) -> Row {
    Row::Gone(Touched::Extension { tenant_id, extension: number.to_owned() })
}

async fn by_number(conn: Conn<'_>, tenant_id: Uuid, key: &str) -> StoreResult<Option<ExtensionRow>> {
    Ok(on!(conn, c => {
        sqlx::query_as(sql!(select_extensions!("WHERE tenant_id = $1 AND extension_key = $2")))
            .bind(tenant_id).bind(key).fetch_optional(c).await?
    }))
}

/// The list of keys goes in as one JSON text, so that the statement is always the same.
async fn by_numbers(conn: Conn<'_>, tenant_id: Uuid, numbers: &[&str]) -> StoreResult<Vec<ExtensionRow>> {
    let keys = folded(numbers);
    Ok(match conn {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(sqlite select_extensions!(
                "WHERE tenant_id = $1 AND extension_key IN (SELECT value FROM json_each($2))"
            )))
            .bind(tenant_id)
            .bind(json!(keys).to_string())
            .fetch_all(c)
            .await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(
                sql!(postgres select_extensions!("WHERE tenant_id = $1 AND extension_key = ANY($2)")),
            )
            .bind(tenant_id)
            .bind(keys)
            .fetch_all(c)
            .await?
        }
    })
}
