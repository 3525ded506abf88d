//! Webhooks: receivers of tenants are told of events. What is to be told waits in the database ([`nizam_store::Delivery`]); the
//! [`Deliverer`] makes the attempts that are due.

mod address;
mod attempt;
mod breakers;
mod deliverer;
mod letter;
mod networks;
mod notes;
mod places;
mod receivers;
mod resolver;
mod running;
mod schedule;
mod signature;
mod verdict;

pub use attempt::Courier;
pub use deliverer::{CONCURRENCY, Deliverer};
pub(crate) use letter::names;
pub use networks::Networks;
pub(crate) use verdict::Verdict;
