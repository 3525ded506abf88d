//! Webhooks that nizamd changes by itself.

use nizam_core::resource::{Record, Values, WEBHOOK};
use serde_json::json;

use crate::Store;
use crate::audit::Actor;
use crate::clock;
use crate::error::{StoreError, StoreResult};
use crate::page::Expected;

impl Store {
    /// Makes a webhook inactive and says why, unless it is no more what it was: then false.
    pub async fn disable_webhook(&self, webhook: &Record, reason: &str) -> StoreResult<bool> {
        if !webhook.is("is_active") {
            return Ok(false);
        }
        let change: Values = [
            ("is_active".to_owned(), json!(false)),
            ("disabled_at".to_owned(), json!(clock::now())),
            ("disabled_reason".to_owned(), json!(reason)),
        ]
        .into_iter()
        .collect();
        let expected = Expected::Versions(vec![webhook.version]);
        let (tenant, id) = (webhook.tenant_id, webhook.id);
        match self.update_record(&Actor::default(), &WEBHOOK, tenant, id, change, &expected).await {
            Ok(_) => Ok(true),
            Err(StoreError::Stale) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
