//! Everything that a tenant has, to be looked over at once.

use nizam_core::lint::{Phone, Site};
use nizam_core::resource::{RESOURCES, Record};
use uuid::Uuid;

use crate::Store;
use crate::error::StoreResult;
use crate::records::row;

/// Rows of one statement.
const PAGE: u32 = 1000;
/// Most extensions that are looked at.
const PHONES: i64 = 100_000;

impl Store {
    /// The rows of a tenant, all of one state of the database. Which of its DIDs others have as well is not in it.
    pub async fn site(&self, tenant_id: Uuid) -> StoreResult<Site> {
        let mut tx = self.db.snapshot().await?;
        let mut site = Site::default();
        for resource in RESOURCES.iter().copied() {
            let mut rows: Vec<Record> = Vec::new();
            loop {
                let after = rows.last().map_or_else(Uuid::nil, |row| row.id);
                let page = row::after(tx.conn(), &self.keys, resource, tenant_id, after, PAGE).await?;
                if page.is_empty() {
                    break;
                }
                rows.extend(page);
            }
            site.rows.push((resource, rows));
        }
        let phones: Vec<(Uuid, String, bool)> = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT id, extension, is_active FROM extensions WHERE tenant_id = $1 ORDER BY id LIMIT $2 + 0"))
                .bind(tenant_id).bind(PHONES).fetch_all(c).await?
        });
        site.phones =
            phones.into_iter().map(|(id, number, is_active)| Phone { id, number, is_active }).collect();
        site.shared_gateways = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT id, name FROM gateways WHERE shared AND is_active AND tenant_id <> $1"))
                .bind(tenant_id).fetch_all(c).await?
        });
        Ok(site)
    }
}
