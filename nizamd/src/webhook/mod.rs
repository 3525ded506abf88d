//! Webhooks: receivers of tenants are told of events. What is to be told waits in the database ([`nizam_store::Delivery`]); the
//! [`Deliverer`] makes the attempts that are due.

mod address;
mod attempt;
mod deliverer;
mod gone;
mod letter;
mod networks;
mod places;
mod resolver;
mod retry_after;
mod schedule;
mod signature;
#[cfg(test)]
mod ssrf;
mod trial;
mod verdict;

pub use attempt::Courier;
pub use deliverer::Deliverer;
pub(crate) use letter::names;
pub use networks::Networks;
pub use schedule::Schedule;
pub(crate) use trial::trial;
pub use verdict::Policy;
