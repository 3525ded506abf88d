//! What an answer says of a row beside its own fields.

use std::collections::HashMap;

use nizam_core::resource::{Record, Resource};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::call::Call;
use super::failure::Failure;

/// More fields of rows, by their ids.
pub(super) type Extras = HashMap<Uuid, Map<String, Value>>;

/// What else is to be said of these rows.
pub(super) async fn of(resource: &Resource, call: &Call, records: &[&Record]) -> Result<Extras, Failure> {
    match resource.model {
        "Agent" => extensions_of_agents(call, records).await,
        "Queue" => sizes_of_queues(call, records).await,
        _ => Ok(Extras::new()),
    }
}

async fn extensions_of_agents(call: &Call, records: &[&Record]) -> Result<Extras, Failure> {
    let numbers = call.app.store.agent_numbers(records).await?;
    let extra = |record: &&Record| {
        let (number, name) = numbers.get(&record.id)?;
        let extension = json!({"id": record.value("extension_id"), "extension": number, "name": name});
        Some((record.id, [("extension".to_owned(), extension)].into_iter().collect()))
    };
    Ok(records.iter().filter_map(extra).collect())
}

async fn sizes_of_queues(call: &Call, records: &[&Record]) -> Result<Extras, Failure> {
    let Some(first) = records.first() else { return Ok(Extras::new()) };
    let sizes: HashMap<Uuid, u64> = call.app.store.queue_sizes(first.tenant_id).await?.into_iter().collect();
    let extra = |record: &&Record| {
        let size = sizes.get(&record.id).copied().unwrap_or(0);
        (record.id, [("members_count".to_owned(), json!(size))].into_iter().collect())
    };
    Ok(records.iter().map(extra).collect())
}
