//! The gateways that a switch has, against those that it told of.
//!
//! Events tell of changes alone: never of a gateway that does not register and is not pinged. Some may be missing: dropped
//! from a spool that was full, or told to a database that was restored from an earlier day.

use std::collections::{BTreeMap, HashMap, HashSet};

use nizam_core::call::{GatewayState, Wanted};
use uuid::Uuid;

use super::resync::Resynced;
use super::{known, live_rows};
use crate::Store;
use crate::error::StoreResult;

/// Gateways of one transaction: others write meanwhile.
const TOGETHER: usize = 500;

/// Most gateways that a switch is asked for, of those in force and of those that it told of.
const MOST: i64 = 10_000;

/// A row: its name, the state, and what pings say.
type Row = (String, String, Option<String>);

impl Store {
    /// The names of the gateways that a switch should have, or that it told of, and whether each is in force: whether it should have it.
    /// Those that the operator has set up beside ours are not among them.
    pub async fn gateways_to_compare(&self, switch: &str) -> StoreResult<BTreeMap<String, bool>> {
        let mut reader = self.db.reader().await?;
        let wanted: Vec<(Uuid, i64)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT g.id, g.version FROM gateways g JOIN tenants t ON t.id = g.tenant_id \
                 WHERE g.is_active AND t.status IN ('trial', 'active', 'suspended') ORDER BY g.id LIMIT $1 + 0"
            ))
            .bind(MOST).fetch_all(c).await?
        });
        let told: Vec<(String,)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT name FROM gateway_states WHERE switch_name = $1 AND gateway_id IS NOT NULL ORDER BY name LIMIT $2 + 0"
            ))
            .bind(switch).bind(MOST).fetch_all(c).await?
        });
        let told = told.into_iter().map(|(name,)| (name, false));
        // Of a name that is there twice the second counts.
        Ok(told.chain(wanted.into_iter().map(|(id, version)| (format!("{id}-{version}"), true))).collect())
    }

    /// Writes how gateways are that a switch was asked for, each with its name, where a row says something else, and takes away the rows of those
    /// that it does not have (`None`). Those of which events have told since it was asked (`since`) are left alone.
    pub async fn resync_gateways(
        &self,
        switch: &str,
        shown: &[(String, Option<GatewayState>)],
        since: &HashSet<String>,
    ) -> StoreResult<Resynced> {
        let mut resynced = Resynced::default();
        for part in shown.chunks(TOGETHER) {
            let mut tx = self.db.write().await?;
            let rows: Vec<Row> = on!(tx.conn(), c => {
                sqlx::query_as(sql!("SELECT name, state, ping_status FROM gateway_states WHERE switch_name = $1"))
                    .bind(switch).fetch_all(c).await?
            });
            let rows: HashMap<String, (String, Option<String>)> =
                rows.into_iter().map(|(name, state, ping)| (name, (state, ping))).collect();
            let ids = part.iter().filter_map(|(_, state)| state.as_ref()?.gateway_id).collect();
            let wanted = Wanted { gateways: ids, ..Wanted::default() };
            let owners = known::read(&mut tx, &wanted, switch).await?.gateways;
            let mut others = Vec::new();
            for (name, state) in part.iter().filter(|(name, _)| !since.contains(name)) {
                match (state, rows.get(name)) {
                    (Some(now), Some((state, ping))) if now.state == *state && now.ping == *ping => {}
                    (Some(now), _) => {
                        let owner = now.gateway_id.and_then(|id| owners.get(&id).copied());
                        others.push((now.clone(), owner));
                    }
                    (None, Some(_)) => {
                        on!(tx.conn(), c => {
                            sqlx::query(sql!("DELETE FROM gateway_states WHERE switch_name = $1 AND name = $2"))
                                .bind(switch).bind(name).execute(c).await?.rows_affected()
                        });
                        resynced.gone += 1;
                    }
                    (None, None) => {}
                }
            }
            live_rows::gateways(&mut tx, switch, &others).await?;
            tx.commit().await?;
            resynced.came += others.len();
        }
        Ok(resynced)
    }
}
