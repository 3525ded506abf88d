//! Deletes what is kept of calls when its time is over.

use nizam_store::Store;
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked for.
const EVERY: Duration = Duration::from_hours(1);

/// Deletes for ever, once an hour.
pub async fn retain(store: Arc<Store>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        match store.forget_calls().await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "deleted what was kept of calls long enough"),
            Err(error) => tracing::warn!(%error, "what was kept of calls long enough is not deleted"),
        }
    }
}
