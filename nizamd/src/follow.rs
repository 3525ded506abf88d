//! Follows what other processes write to the database, a `nizamd seed-demo` beside a running daemon for one, and publishes
//! it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use nizam_core::model::Touched;
use nizam_store::{Listener, Store, StoreResult};
use parking_lot::Mutex;
use tokio::time::MissedTickBehavior;

use crate::publisher::Publisher;

/// How often the database is asked.
const EVERY: Duration = Duration::from_millis(500);

/// The generations that this process publishes by itself.
#[derive(Debug, Default)]
pub struct Own(Mutex<BTreeSet<u64>>);

impl Own {
    /// Says that the request that made this generation publishes it.
    pub fn note(&self, generation: u64) {
        self.0.lock().insert(generation);
    }

    fn has(&self, generation: u64) -> bool {
        self.0.lock().contains(&generation)
    }

    fn forget(&self, until: u64) {
        self.0.lock().retain(|&generation| generation > until);
    }
}

/// Follows from that generation on, for ever. Where the database can tell of writes it is asked at once, and otherwise, or
/// when that connection is lost, every half second.
pub async fn follow(store: Arc<Store>, publisher: Arc<dyn Publisher>, own: Arc<Own>, mut seen: u64) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut listener = None;
    loop {
        if listener.is_none() {
            // Tried again at every tick; until it works the ticks do.
            listener = store.listen().await.ok().flatten();
        }
        tokio::select! {
            _ = ticks.tick() => {}
            heard = heard(&mut listener) => {
                match heard {
                    Ok(()) => store.somebody_wrote(),
                    Err(_) => listener = None,
                }
            }
        }
        match step(&store, &*publisher, &own, seen).await {
            Ok(now) => seen = now,
            Err(error) => tracing::warn!(%error, "what others wrote is not known"),
        }
    }
}

/// Waits for a write; for ever where nobody tells of them.
async fn heard(listener: &mut Option<Listener>) -> StoreResult<()> {
    match listener {
        Some(listener) => listener.heard().await,
        None => std::future::pending().await,
    }
}

async fn step(store: &Store, publisher: &dyn Publisher, own: &Own, seen: u64) -> StoreResult<u64> {
    let mut now = seen;
    let mut touched: Vec<Touched> = Vec::new();
    for change in store.changes_after(seen).await? {
        now = change.generation;
        if own.has(change.generation) {
            continue;
        }
        match change.touched {
            Some(keys) => touched.extend(keys),
            None => touched.push(Touched::Everything),
        }
    }
    if !touched.is_empty() {
        tracing::info!(generation = now, keys = touched.len(), "publishing what another process wrote");
        publisher.live(now, touched).await;
    }
    own.forget(now);
    Ok(now)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;

    use nizam_core::model::{NewTenant, Slug, TenantStatus};
    use nizam_store::{Actor, Key, Keyring};

    use super::*;
    use crate::publisher::SwitchStatus;

    #[derive(Default)]
    struct Recorder(Mutex<Vec<(u64, Vec<Touched>)>>);

    impl Publisher for Recorder {
        fn live(
            &self,
            generation: u64,
            touched: Vec<Touched>,
        ) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
            self.0.lock().push((generation, touched));
            Box::pin(async { true })
        }

        fn switches(&self) -> Vec<SwitchStatus> {
            Vec::new()
        }
    }

    #[tokio::test]
    async fn only_what_others_wrote_is_published() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("nizam.db").display());
        let store = Store::open(&url, Keyring::new(&Key::random().unwrap())).await.unwrap();
        for name in ["own.example", "other.example"] {
            let new = NewTenant {
                name: name.into(),
                domain: name.into(),
                slug: Slug::FromName("x".into()),
                status: TenantStatus::Active,
                max_extensions: 0,
                max_concurrent_calls: 0,
                max_dids: 0,
                max_ring_groups: 0,
                max_calls_per_minute: 0,
                is_active: true,
            };
            let _published = store.create_tenant(&Actor::default(), new).await.unwrap();
        }
        let (own, recorder) = (Own::default(), Recorder::default());
        own.note(1);
        assert_eq!(step(&store, &recorder, &own, 0).await.unwrap(), 2);
        assert_eq!(step(&store, &recorder, &own, 2).await.unwrap(), 2);
        assert_eq!(*recorder.0.lock(), [(2, vec![Touched::Domain("other.example".into())])]);
        assert!(own.0.lock().is_empty());
    }
}
