//! Threads of their own: what receivers send costs nobody else a turn, however they send it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use nizam_core::model::CallEvent;
use nizam_core::resource::Record;
use nizam_store::Delivery;
use tokio::runtime::{self, Runtime};
use tokio::task;

use super::attempt::{Answer, Courier, PATIENCE};
use super::verdict::Verdict;
use crate::fatal::Fatal;

/// The threads. More than there are cores: of a receiver that sends interim answers (RFC 9110, 15.2) without end, hyper reads for half a
/// second before it lets go of its thread, and it is the system that shares the cores among them.
const THREADS: usize = 8;

/// Who is told, by threads of its own.
#[derive(Debug)]
pub struct Receivers {
    courier: Arc<Courier>,
    /// Gone only when it ends.
    runtime: Option<Runtime>,
}

impl Receivers {
    /// Starts the threads.
    pub fn new(courier: Courier) -> Result<Self, Fatal> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("nizam-webhooks")
            .enable_all()
            .build()
            .map_err(|error| Fatal::new(format!("cannot start threads: {error}")))?;
        Ok(Self { courier: Arc::new(courier), runtime: Some(runtime) })
    }

    /// What follows an attempt.
    pub(super) fn judge(&self, answer: &Answer, attempt: i64, chance: u32) -> Verdict {
        self.courier.judge(answer, attempt, chance)
    }

    /// What can be said of a URL before it is used.
    pub(crate) fn judge_url(&self, url: &str) -> Result<(), String> {
        self.courier.judge_url(url)
    }

    /// One attempt. Given up, it is made no further.
    pub(super) async fn tell(&self, delivery: Arc<Delivery>) -> Answer {
        let courier = Arc::clone(&self.courier);
        self.run(async move { courier.tell(&delivery).await }).await
    }

    /// One attempt to tell of an event that no delivery waits for; likewise.
    pub(super) async fn tell_of(&self, webhook: Record, event: CallEvent, name: &'static str) -> Answer {
        let courier = Arc::clone(&self.courier);
        self.run(async move { courier.tell_of(&webhook, &event, name).await }).await
    }

    async fn run(&self, attempt: impl Future<Output = Answer> + Send + 'static) -> Answer {
        let Some(runtime) = &self.runtime else { return Answer::default() };
        let task = AbortOnDrop(runtime.spawn(attempt));
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
