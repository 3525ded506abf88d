//! Deletes what is kept of calls when its time is over, and makes room for what comes.

use nizam_store::Store;
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked for.
const EVERY: Duration = Duration::from_hours(1);

/// Looks for ever, once an hour.
pub async fn retain(store: Arc<Store>) {
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        ticks.tick().await;
        if let Err(error) = store.keep_months().await {
            tracing::warn!(%error, "the tables of CDRs and call events are not cut into months; they work all the same");
        }
        match store.forget_calls().await {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "deleted what was kept of calls long enough"),
            Err(error) => tracing::warn!(%error, "what was kept of calls long enough is not deleted"),
        }
    }
}
