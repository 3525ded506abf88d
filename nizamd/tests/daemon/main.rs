//! The real program: killed, without its database, beside another one, and what it writes down.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

mod beside;
mod crash;
mod crowd;
mod events;
mod flaky;
mod needs;
mod outage;
mod outbox;
mod pusher;
mod receivers;
mod secrets;
mod site;
mod webhooks;
mod webhooks_chaos;
