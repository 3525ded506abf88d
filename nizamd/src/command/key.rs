//! `nizamd key rotate`: another key for the secrets in the database.

use super::print;
use crate::config::Config;
use crate::fatal::Fatal;
use crate::opening::{self, Keys};

/// Seals every secret with a new key. nizamd must not run meanwhile, here or on any other machine with the same database;
/// phones and calls do not need it.
pub(super) async fn rotate(config: &Config) -> Result<(), Fatal> {
    let _lock = opening::lock(config)?;
    // Makes sure that the keys are those of the database.
    opening::store(config).await?.close().await;
    let keys = Keys::find(config)?;
    let unfinished = keys.keys.len() > 1;
    if !unfinished {
        let new = opening::random()?;
        if keys.file.is_none() {
            let old = keys.keys.first().map(nizam_store::Key::to_text).unwrap_or_default();
            print("the key is configured, and this program cannot change it:")?;
            print(&format!("1. set NIZAM_APP_KEY to {},{}", *new.to_text(), *old))?;
            print("2. run `nizamd key rotate` again")?;
            return print(&format!("3. set NIZAM_APP_KEY to {}", *new.to_text()));
        }
        // First the file with both: whatever happens from here on, every secret can be opened.
        let mut both = vec![new];
        both.extend(keys.keys.iter().cloned());
        keys.write(&both)?;
    }
    let store = opening::store(config).await?;
    let resealed = store.rotate().await?;
    store.close().await;
    let keys = Keys::find(config)?;
    keys.write(keys.keys.get(..1).unwrap_or_default())?;
    let what = if unfinished { "the rotation that had begun is done" } else { "there is a new key" };
    print(&format!("{what}: {resealed} secrets are sealed with it"))?;
    match &keys.file {
        Some(path) => {
            print(&format!("back up {}: without it the passwords in a backup cannot be read", path.display()))
        }
        None => print("take the older keys out of NIZAM_APP_KEY: nothing needs them any more"),
    }
}
