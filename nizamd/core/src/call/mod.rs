//! What events of a switch mean: from a record of the link to rows.
//!
//! Three steps, none of which does I/O. [`Fact::read`] makes of one event what it says: what happened, to which channel, registration
//! or gateway, and by which of its headers a tenant may be known. [`Wanted`] names the rows that must be read before some facts are
//! applied. [`Ledger::apply`] applies them one after the other to the legs that live, and collects what is to be written.

mod claim;
mod fact;
mod gateway;
mod kind;
mod ledger;
mod leg;
mod mailbox;
mod reading;
mod said;
mod shown;
mod sip;

#[cfg(test)]
mod cdr_tests;
#[cfg(test)]
mod kept_tests;
#[cfg(test)]
mod tests;

pub use claim::Claim;
pub use fact::{About, Fact, Unusable};
pub use gateway::NoGateway;
pub use kind::stored_name;
pub use ledger::{Ended, Ledger, NewEvent, Wanted};
pub use leg::{Leg, RECONCILER};
pub use mailbox::{NewPin, without_pin};
pub use sip::{GatewayState, Registration};

/// The version of the form of payloads.
pub const SCHEMA_VERSION: &str = "1.0";

/// The day of a time, `YYYY-MM-DD`, UTC.
pub fn day(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).unwrap_or_default().strftime("%Y-%m-%d").to_string()
}
