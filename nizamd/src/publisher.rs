//! What the rest of nizamd knows about the switches: a change can be waited for until they answer with it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use nizam_core::model::Touched;
use nizam_engine::Engine;
use nizam_wire::link::Api;

use crate::link::{CommandError, Told};

/// Brings what was committed to the switches.
pub trait Publisher: Send + Sync {
    /// Publishes what was touched, and waits until every connected module answers with that generation or a newer one.
    /// True if so, and if no module is connected.
    fn live(&self, generation: u64, touched: Vec<Touched>)
    -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;

    /// The switches that are, or were, connected.
    fn switches(&self) -> Vec<SwitchStatus>;

    /// Has the FreeSWITCH of that name, or any that is connected, do something, and gives what it printed.
    fn command(
        &self,
        _: Option<String>,
        _: Api,
        _: String,
        _: Duration,
    ) -> Pin<Box<dyn Future<Output = Result<String, CommandError>> + Send + '_>> {
        Box::pin(async { Err(CommandError::NoSwitch) })
    }

    /// Answers as the switches do, from the same images.
    fn engine(&self) -> Arc<Engine> {
        Arc::default()
    }

    /// Ends the connections and writes what must last; called once, after the last request.
    fn shutdown(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }
}

/// A FreeSWITCH with the module, as nizamd sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchStatus {
    /// Its name.
    pub name: String,
    /// The UUID of this run of its core.
    pub core_uuid: String,
    /// Version of FreeSWITCH.
    pub freeswitch_version: String,
    /// Version of the module.
    pub module_version: String,
    /// Whether it is connected now.
    pub connected: bool,
    /// The generation that it answers with.
    pub generation: u64,
    /// Why it was last disconnected or refused an image.
    pub last_error: Option<String>,
    /// How far its events are.
    pub told: Told,
}

/// No module is ever connected.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Publisher for Nobody {
    fn live(&self, _: u64, _: Vec<Touched>) -> Pin<Box<dyn Future<Output = bool> + Send + '_>> {
        Box::pin(async { true })
    }

    fn switches(&self) -> Vec<SwitchStatus> {
        Vec::new()
    }
}
