//! Webhooks: receivers of tenants are told of events. The [`Feeder`] makes deliveries of what is stored, for those that want it; they wait
//! in the database ([`nizam_store::Delivery`]), and the [`Deliverer`] makes the attempts that are due.

mod address;
mod attempt;
mod breakers;
mod deliverer;
mod feeder;
mod gone;
mod letter;
mod networks;
mod notes;
mod places;
mod receivers;
mod resolver;
mod retry_after;
mod running;
mod schedule;
mod signature;
#[cfg(test)]
mod ssrf;
mod trial;
mod verdict;

pub use attempt::Courier;
pub use deliverer::{CONCURRENCY, Deliverer};
pub use feeder::Feeder;
pub(crate) use letter::names;
pub use networks::Networks;
pub use receivers::Receivers;
pub use schedule::Schedule;
pub(crate) use trial::trial;
pub use verdict::Policy;
pub(crate) use verdict::Verdict;
