//! Threads of their own: what receivers send costs nobody else a turn, however they send it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use nizam_store::Delivery;
use tokio::runtime::{self, Runtime};
use tokio::task;

use super::attempt::{Answer, Courier, PATIENCE};
use super::verdict::Verdict;
use crate::fatal::Fatal;

/// The threads.
#[derive(Debug)]
pub(super) struct Receivers {
    courier: Arc<Courier>,
    /// Gone only when it ends.
    runtime: Option<Runtime>,
}

impl Receivers {
    pub(super) fn new(courier: Arc<Courier>) -> Result<Self, Fatal> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("nizam-webhooks")
            .enable_all()
            .build()
            .map_err(|error| Fatal::new(format!("cannot start threads: {error}")))?;
        Ok(Self { courier, runtime: Some(runtime) })
    }

    /// What follows an attempt.
    pub(super) fn judge(&self, answer: &Answer, attempt: i64, chance: u32) -> Verdict {
        self.courier.judge(answer, attempt, chance)
    }

    /// One attempt. Given up, it is made no further.
    pub(super) async fn tell(&self, delivery: Arc<Delivery>) -> Answer {
        let Some(runtime) = &self.runtime else { return Answer::default() };
        let courier = Arc::clone(&self.courier);
        let task = AbortOnDrop(runtime.spawn(async move { courier.tell(&delivery).await }));
        // A receiver that is quick enough keeps the attempt from looking at the clock.
        match tokio::time::timeout(PATIENCE + Duration::from_secs(5), task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Answer::failed(format!("the attempt ended out of turn: {error}")),
            Err(_) => Answer::failed(format!("no answer within {} seconds", PATIENCE.as_secs())),
        }
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct AbortOnDrop<T>(task::JoinHandle<T>);

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, task::JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
