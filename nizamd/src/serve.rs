//! `nizamd serve`: from the configuration to a server that runs, and to its orderly end.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::app::App;
use crate::config::Config;
use crate::fatal::Fatal;
use crate::http::Proxies;
use crate::ingest::{self, Ingest};
use crate::webhook::{Courier, Deliverer, Feeder, Receivers};
use crate::{descriptors, follow, http, opening, publish, retention};

/// How long requests that run may take to end.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT.
pub async fn serve(config: Config) -> Result<(), Fatal> {
    // First of all, so that a signal during the start is not lost.
    let stop = stop_signal()?;
    let listener = listen(&config).await?;
    let _lock = opening::lock(&config)?;
    opening::not_lost(&config)?;
    let store = Arc::new(opening::store(&config).await?);
    // Read first: what is written during the compilation is published again rather than not at all.
    let seen = store.generation().await?;
    // The one place where the way to the switches is made.
    let ingest = Ingest::start(Arc::clone(&store), ingest::LOOK);
    let publisher = publish::start(&store, &config, Arc::clone(&ingest)).await?;
    let connections = descriptors::for_connections(config.connections);
    let courier = Courier::new(config.webhook_networks.clone())?.keeping(config.webhook_policy.clone());
    let receivers = Arc::new(Receivers::new(courier)?);
    let app = App::new(Arc::clone(&store), Arc::clone(&publisher), config.bounds, config.registration)
        .connected(connections, config.connections_per_address)
        .behind(Proxies::new(config.trusted_proxies.clone()))
        .streaming(config.streams_per_tenant, config.sockets_per_tenant)
        .originating(config.originates_per_tenant)
        .broadcasting(opening::broadcaster(&config)?)
        .telling(Arc::clone(&receivers))
        .counting(&ingest);
    let following = follow::follow(Arc::clone(&store), Arc::clone(&publisher), Arc::clone(&app.own), seen);
    let following = tokio::spawn(following);
    let hub = Arc::clone(&app.hub);
    let telling = tokio::spawn(Arc::clone(&hub).run(ingest.newest()));
    let retaining = tokio::spawn(retention::retain(Arc::clone(&store)));
    let deliverer = Deliverer::new(Arc::clone(&store), receivers, Arc::clone(&app.undelivered))
        .at_once(config.webhook_concurrency)
        .counting(Arc::clone(&app.metrics));
    let mut delivering = tokio::spawn(deliverer.run(stop.clone()));
    let feeder = Feeder::new(Arc::clone(&store), hub.newest(), Arc::clone(&app.undelivered));
    let mut feeding = tokio::spawn(feeder.run(stop.clone()));
    tracing::info!(listen = %config.listen, generation = seen, "nizamd is ready");
    notify(&[NotifyState::Ready]);

    let mut stopping = stop.clone();
    let serving = http::serve(Arc::new(app), listener, async move {
        stopped(&mut stopping).await;
    });
    let mut stopping = stop;
    let deadline = async {
        stopped(&mut stopping).await;
        // They would last for minutes; their clients go on where they were.
        hub.close();
        notify(&[NotifyState::Stopping]);
        tracing::info!("stopping");
        tokio::time::sleep(GRACE).await;
    };
    let ending = async {
        serving.await;
        // It was told to stop at the same time. An error means that it has ended already.
        let _ended = (&mut feeding).await;
        let _ended = (&mut delivering).await;
    };
    tokio::select! {
        () = ending => {}
        () = deadline => tracing::warn!("some requests did not end in time"),
    }
    feeding.abort();
    delivering.abort();
    following.abort();
    telling.abort();
    retaining.abort();
    publisher.shutdown().await;
    store.close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn listen(config: &Config) -> Result<TcpListener, Fatal> {
    TcpListener::bind(config.listen).await.map_err(|e| {
        let what = match e.kind() {
            ErrorKind::AddrInUse => {
                "another program uses it; stop that program, or set NIZAM_LISTEN".to_owned()
            }
            ErrorKind::PermissionDenied => {
                "this user may not use it; set NIZAM_LISTEN to a port above 1023".to_owned()
            }
            ErrorKind::AddrNotAvailable => "this machine does not have it; set NIZAM_LISTEN".to_owned(),
            _ => e.to_string(),
        };
        Fatal::new(format!("cannot listen on {}: {what}", config.listen))
    })
}

/// True once SIGTERM or SIGINT has come.
fn stop_signal() -> Result<watch::Receiver<bool>, Fatal> {
    let fatal = |e| Fatal::new(format!("cannot wait for signals: {e}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(fatal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(fatal)?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        // Nobody waits any more: then it has ended already.
        let _waiting = sender.send(true);
    });
    Ok(receiver)
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is an end as well.
    let _changed = stop.wait_for(|stop| *stop).await;
}

/// Tells systemd; without it nothing happens.
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd is not told");
    }
}
