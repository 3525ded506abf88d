//! Receivers that want nothing any more.

use nizam_core::resource::{Record, WEBHOOK};
use nizam_store::{Store, StoreError};

/// What the webhook says of it.
const REASON: &str = "The receiver answered 410 Gone: it wants no more events.";

/// Makes a webhook inactive whose receiver said so, unless somebody has changed it meanwhile: then it may have another receiver, which knows
/// nothing of this. Gives whether the webhook wants nothing any more.
pub(super) async fn disable(store: &Store, webhook: &Record) -> bool {
    match disabled(store, webhook).await {
        Ok(wants_nothing) => wants_nothing,
        Err(error) => {
            tracing::warn!(%error, webhook = %webhook.id, "a webhook is not made inactive although its receiver is gone; it is told again");
            false
        }
    }
}

async fn disabled(store: &Store, webhook: &Record) -> Result<bool, StoreError> {
    match store.disable_webhook(webhook, REASON).await {
        Ok(true) => {
            tracing::warn!(
                webhook = %webhook.id, tenant = %webhook.tenant_id,
                "a webhook's receiver answered 410: the webhook is inactive until somebody makes it active again"
            );
            Ok(true)
        }
        // Another attempt has done it, or somebody has changed the webhook.
        Ok(false) => {
            let now = store.record(&WEBHOOK, webhook.tenant_id, webhook.id).await?;
            Ok(now.is_none_or(|now| !now.is("is_active")))
        }
        Err(StoreError::NotFound) => Ok(true),
        Err(error) => Err(error),
    }
}
