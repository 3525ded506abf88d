//! What agents are doing.

use std::collections::BTreeMap;

use nizam_core::resource::{AGENT, Record};
use serde_json::json;
use uuid::Uuid;

use crate::Store;
use crate::audit::Actor;
use crate::error::StoreResult;
use crate::page::{Expected, count};
use crate::records::Saved;
use crate::write::Committed;

impl Store {
    /// An agent does something else now. The reason of a pause ends with it.
    pub async fn set_agent_state(
        &self,
        actor: &Actor,
        tenant_id: Uuid,
        id: Uuid,
        state: &str,
        pause_reason: Option<String>,
        now: i64,
    ) -> StoreResult<Committed<Saved>> {
        let reason = pause_reason.filter(|_| state == "paused");
        let change = [
            ("state".to_owned(), json!(state)),
            ("pause_reason".to_owned(), json!(reason)),
            ("state_changed_at".to_owned(), json!(now)),
        ];
        self.update_record(actor, &AGENT, tenant_id, id, change.into_iter().collect(), &Expected::Anything)
            .await
    }

    /// How many active agents of a tenant do what; nobody does what is not in it.
    pub async fn agent_states(&self, tenant_id: Uuid) -> StoreResult<BTreeMap<String, u64>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<(String, i64)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT state, count(*) FROM agents WHERE tenant_id = $1 AND is_active = TRUE GROUP BY state"
            ))
            .bind(tenant_id).fetch_all(c).await?
        });
        Ok(rows.into_iter().map(|(state, n)| (state, count(n))).collect())
    }

    /// The numbers of the extensions of these agents.
    pub async fn agent_numbers(&self, agents: &[&Record]) -> StoreResult<BTreeMap<Uuid, (String, String)>> {
        let mut numbers = BTreeMap::new();
        let mut reader = self.db.reader().await?;
        for agent in agents {
            let row: Option<(String, String, String)> = on!(reader.conn(), c => {
                sqlx::query_as(sql!(
                    "SELECT e.extension, e.directory_first_name, e.directory_last_name FROM agents a \
                     JOIN extensions e ON e.id = a.extension_id WHERE a.tenant_id = $1 AND a.id = $2"
                ))
                .bind(agent.tenant_id).bind(agent.id).fetch_optional(c).await?
            });
            if let Some((number, first, last)) = row {
                numbers.insert(agent.id, (number, format!("{first} {last}")));
            }
        }
        Ok(numbers)
    }
}
