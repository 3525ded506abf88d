//! Receivers that want nothing any more.

use nizam_core::resource::Record;
use nizam_store::{Store, StoreError};

/// What the webhook says of it.
const REASON: &str = "The receiver answered 410 Gone: it wants no more events.";

/// Makes a webhook inactive whose receiver said so, unless somebody has changed it meanwhile.
pub(super) async fn disable(store: &Store, webhook: &Record) {
    match store.disable_webhook(webhook, REASON).await {
        Ok(true) => {
            tracing::warn!(
                webhook = %webhook.id, tenant = %webhook.tenant_id,
                "a webhook's receiver answered 410: the webhook is inactive until somebody makes it active again"
            );
        }
        // Another attempt has done it, or the answer was that of another receiver.
        Ok(false) | Err(StoreError::NotFound) => {}
        Err(error) => {
            tracing::warn!(%error, webhook = %webhook.id, "a webhook is not made inactive although its receiver is gone");
        }
    }
}
