//! What the compiler of images needs: rows as they are now.

use std::collections::HashMap;

use nizam_core::model::{Extension, Tenant, Touched};
use nizam_core::validate::extension_key;
use serde_json::json;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::Store;
use crate::db::{Conn, Tx};
use crate::error::{StoreError, StoreResult};
use crate::extensions::{ExtensionRow, select_extensions};
use crate::tenants;
use crate::write::generation;

/// A row of the configuration. Inactive ones are rows too: what they mean is the compiler's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A tenant.
    Tenant(Tenant),
    /// An extension.
    Extension(Extension),
    /// There is none with this key.
    Gone,
}

/// Rows that belong together.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The configuration that they are of.
    pub generation: u64,
    /// Each key that was asked for, with its row.
    pub rows: Vec<(Touched, Row)>,
}

/// Rows of one statement of an export.
const PAGE: i64 = 5000;
/// From so many keys on, one statement reads many.
const MANY: usize = 64;
/// Keys of one statement.
const KEYS: usize = 1000;

impl Store {
    /// The rows with these keys, all of one state of the database.
    pub async fn read_touched(&self, touched: &[Touched]) -> StoreResult<Fresh> {
        let mut tx = self.db.snapshot().await?;
        let generation = generation(tx.conn()).await?;
        let mut rows = Vec::with_capacity(touched.len());
        let mut numbers: HashMap<Uuid, Vec<&str>> = HashMap::new();
        let many = touched.len() >= MANY;
        for key in touched {
            let row = match key {
                Touched::Domain(domain) => {
                    tenants::by_domain(tx.conn(), domain).await?.map_or(Row::Gone, Row::Tenant)
                }
                Touched::Extension { tenant_id, extension } if many => {
                    numbers.entry(*tenant_id).or_default().push(extension);
                    continue;
                }
                Touched::Extension { tenant_id, extension } => {
                    match by_number(tx.conn(), *tenant_id, &extension_key(extension)).await? {
                        Some(row) => Row::Extension(row.open(&self.keys)?),
                        None => Row::Gone,
                    }
                }
            };
            rows.push((key.clone(), row));
        }
        for (tenant_id, numbers) in numbers {
            for numbers in numbers.chunks(KEYS) {
                let mut found: HashMap<String, Row> = HashMap::with_capacity(numbers.len());
                for row in by_numbers(tx.conn(), tenant_id, numbers).await? {
                    let extension = row.open(&self.keys)?;
                    found.insert(extension_key(&extension.extension), Row::Extension(extension));
                }
                rows.extend(numbers.iter().map(|&number| {
                    let key = Touched::Extension { tenant_id, extension: number.to_owned() };
                    // Two numbers may differ in case only, the old and the new one of a change.
                    (key, found.get(&extension_key(number)).cloned().unwrap_or(Row::Gone))
                }));
            }
        }
        Ok(Fresh { generation, rows })
    }

    /// Every tenant, then every extension, all of one state of the database. Gives the generation of that state.
    pub async fn export(&self, f: &mut (dyn FnMut(Row) + Send)) -> StoreResult<u64> {
        let mut tx = self.db.snapshot().await?;
        let generation = generation(tx.conn()).await?;
        let mut last = Uuid::nil();
        loop {
            let rows = tenants::after(tx.conn(), last, PAGE).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let tenant = row.into_tenant()?;
                last = tenant.id;
                f(Row::Tenant(tenant));
            }
        }
        // The next page is read while this one is decrypted.
        let (sender, mut pages) = mpsc::channel(2);
        let reading = tokio::spawn(read_pages(tx, sender));
        while let Some(rows) = pages.recv().await {
            for row in rows {
                f(Row::Extension(row.open(&self.keys)?));
            }
        }
        match reading.await {
            Ok(read) => read.map(|()| generation),
            Err(_) => Err(StoreError::Sql(sqlx::Error::WorkerCrashed)),
        }
    }
}

/// Sends every extension, in pages, until nobody wants more.
async fn read_pages(mut tx: Tx, pages: mpsc::Sender<Vec<ExtensionRow>>) -> StoreResult<()> {
    let mut last = Uuid::nil();
    loop {
        let rows: Vec<ExtensionRow> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(select_extensions!("WHERE id > $1 ORDER BY id LIMIT $2 + 0")))
                .bind(last).bind(PAGE).fetch_all(c).await?
        });
        let Some(row) = rows.last() else { return Ok(()) };
        last = row.id;
        if pages.send(rows).await.is_err() {
            return Ok(());
        }
    }
}

async fn by_number(conn: Conn<'_>, tenant_id: Uuid, key: &str) -> StoreResult<Option<ExtensionRow>> {
    Ok(on!(conn, c => {
        sqlx::query_as(sql!(select_extensions!("WHERE tenant_id = $1 AND extension_key = $2")))
            .bind(tenant_id).bind(key).fetch_optional(c).await?
    }))
}

/// The list of keys goes in as one JSON text, so that the statement is always the same.
async fn by_numbers(conn: Conn<'_>, tenant_id: Uuid, numbers: &[&str]) -> StoreResult<Vec<ExtensionRow>> {
    let keys: Vec<String> = numbers.iter().map(|number| extension_key(number)).collect();
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
