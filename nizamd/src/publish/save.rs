//! Writing snapshots, one at a time, the newest one if several wait.

use super::layer::Layer;
use nizam_engine::snapshot::Writer;
use std::sync::Arc;
use std::thread;
use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

type Order = (Vec<Layer>, oneshot::Sender<bool>);

/// Hands stacks to a thread that writes them.
#[derive(Debug)]
pub(super) struct Saver {
    orders: mpsc::UnboundedSender<Order>,
}

impl Saver {
    /// Starts the thread; it ends with the last [`Saver`].
    pub(super) fn start(writer: Writer) -> Self {
        let (orders, queue) = mpsc::unbounded_channel();
        let spawned = thread::Builder::new().name("snapshot".into()).spawn(move || save_all(writer, queue));
        if let Err(error) = spawned {
            warn!(%error, "no thread for snapshots");
        }
        Self { orders }
    }

    /// Writes these layers, or newer ones. False if that failed; the next one will be tried all the same.
    pub(super) async fn save(&self, layers: &[Layer]) -> bool {
        let (done, saved) = oneshot::channel();
        if self.orders.send((layers.to_vec(), done)).is_err() {
            return false;
        }
        saved.await.unwrap_or(false)
    }
}

fn save_all(mut writer: Writer, mut queue: mpsc::UnboundedReceiver<Order>) {
    let mut failing = false;
    while let Some((mut layers, done)) = queue.blocking_recv() {
        let mut waiting = vec![done];
        // Orders come in the order of their stacks, so the last one is the newest.
        while let Ok((newer, done)) = queue.try_recv() {
            layers = newer;
            waiting.push(done);
        }
        let images: Vec<_> = layers.iter().map(|layer| Arc::clone(&layer.image)).collect();
        let result = writer.write(&images);
        match &result {
            Err(error) if !failing => {
                warn!(%error, "the snapshot is not up to date: a switch that starts without nizamd gets an older one");
            }
            Ok(()) if failing => info!("the snapshot is up to date again"),
            _ => {}
        }
        failing = result.is_err();
        for done in waiting {
            // Whoever waited may have gone.
            let _ = done.send(!failing);
        }
    }
}
