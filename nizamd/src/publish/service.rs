//! Publisher and socket together, as the rest of nizamd knows them.

use super::Publishing;
use crate::config::Config;
use crate::fatal::Fatal;
use crate::ingest::Ingest;
use crate::link::{Allowed, CommandError, Listener, Switches};
use crate::publisher::{Publisher, SwitchStatus};
use nizam_core::model::Touched;
use nizam_engine::Engine;
use nizam_store::Store;
use nizam_wire::link::Api;
use parking_lot::Mutex;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

struct Service {
    publishing: Publishing,
    switches: Arc<Switches>,
    listener: Mutex<Option<Listener>>,
}

/// Makes the socket, compiles the database, and publishes from then on.
///
/// The socket comes first: whether another daemon has it is known at once. A switch that connects meanwhile goes on
/// answering from its snapshot until the first images are there.
pub async fn start(
    store: &Arc<Store>,
    config: &Config,
    ingest: Arc<Ingest>,
) -> Result<Arc<dyn Publisher>, Fatal> {
    let switches = Arc::new(Switches::storing(ingest));
    let allowed = Allowed::new(&config.link.allow_users);
    let listener = Listener::start(&config.socket, allowed, Arc::clone(&switches))
        .map_err(|error| Fatal::new(error.to_string()))?;
    let prompts = config.state_dir.join("prompts");
    let publishing =
        Publishing::start(Arc::clone(store), &config.snapshot_dir, &prompts, Arc::clone(&switches))
            .await
            .map_err(|error| Fatal::new(error.to_string()))?;
    Ok(Arc::new(Service { publishing, switches, listener: Mutex::new(Some(listener)) }))
}

impl Publisher for Service {
    fn live(
        &self,
        generation: u64,
        touched: Vec<Touched>,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(self.publishing.live(generation, touched))
    }

    fn switches(&self) -> Vec<SwitchStatus> {
        let standing = self.switches.standing().into_iter();
        standing
            .map(|switch| SwitchStatus {
                name: switch.hello.switch_name,
                core_uuid: switch.hello.core_uuid,
                freeswitch_version: switch.hello.freeswitch_version,
                module_version: switch.hello.module_version,
                connected: switch.connected,
                generation: switch.generation,
                last_error: switch.error,
                told: switch.told,
            })
            .collect()
    }

    fn command(
        &self,
        switch: Option<String>,
        api: Api,
        argument: String,
        deadline: Duration,
    ) -> Pin<Box<dyn Future<Output = Result<String, CommandError>> + Send + '_>> {
        Box::pin(async move {
            match switch {
                Some(name) => self.switches.command_on(&name, api, &argument, deadline).await,
                None => self.switches.command(api, &argument, deadline).await,
            }
        })
    }

    fn engine(&self) -> Arc<Engine> {
        Arc::clone(self.publishing.engine())
    }

    fn shutdown(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            self.publishing.stop();
            let listener = self.listener.lock().take();
            // It waits for its threads, which end within moments.
            if let Err(error) = tokio::task::spawn_blocking(move || drop(listener)).await {
                tracing::warn!(%error, "the socket was not closed in order");
            }
        })
    }
}
