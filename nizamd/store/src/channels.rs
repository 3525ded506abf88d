//! Channels that live now, as switches told it.

use std::collections::HashMap;

use nizam_core::call::Leg;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::error::StoreResult;

/// Most legs of a call that are read.
const MOST_LEGS: i64 = 1000;

impl Store {
    /// The switch on which a channel of that tenant lives.
    pub async fn channel_switch(&self, tenant_id: Uuid, channel: Uuid) -> StoreResult<Option<String>> {
        let mut reader = self.db.reader().await?;
        let row: Option<(String,)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!("SELECT switch_name FROM channels WHERE uuid = $1 AND tenant_id = $2"))
                .bind(channel.to_string()).bind(tenant_id).fetch_optional(c).await?
        });
        Ok(row.map(|(name,)| name))
    }

    /// The channels of that tenant, and on which switch each lives.
    pub async fn channels(&self, tenant_id: Uuid) -> StoreResult<HashMap<String, String>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<(String, String)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!("SELECT uuid, switch_name FROM channels WHERE tenant_id = $1"))
                .bind(tenant_id).fetch_all(c).await?
        });
        Ok(rows.into_iter().collect())
    }

    /// What is known of the channels of a call of that tenant that live now, the first of them first.
    pub async fn legs_of_call(&self, tenant_id: Uuid, call_id: &str) -> StoreResult<Vec<Leg>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<(Json<Leg>,)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT leg FROM channels WHERE tenant_id = $1 AND call_id = $2 ORDER BY started_at, uuid LIMIT $3 + 0"
            ))
            .bind(tenant_id).bind(call_id).bind(MOST_LEGS).fetch_all(c).await?
        });
        Ok(rows.into_iter().map(|(leg,)| leg.0).collect())
    }
}
