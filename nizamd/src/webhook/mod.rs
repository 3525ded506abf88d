//! Webhooks: receivers of tenants are told of events. The [`Feeder`] makes deliveries of what is stored, for those that want it; they wait
//! in the database ([`nizam_store::Delivery`]), and the [`Deliverer`] makes the attempts that are due.

mod address;
mod attempt;
mod deliverer;
mod feeder;
mod letter;
mod networks;
mod places;
mod resolver;
mod schedule;
mod signature;
mod verdict;

pub use attempt::Courier;
pub use deliverer::Deliverer;
pub use feeder::Feeder;
pub(crate) use letter::names;
pub use networks::Networks;
