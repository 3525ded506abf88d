//! Routing: from (context, number, caller, time) to what FreeSWITCH shall do, as `docs/routing.md` says.

mod admission;
mod caller;
mod claim;
mod clock;
mod decision;
mod emergency;
mod entry;
mod extension;
mod flow;
mod group;
mod inert;
mod menu;
mod outbound;
mod plan;
mod policy;
mod question;
mod queue;
mod trace;
mod walk;

pub use caller::Caller;
pub(crate) use claim::{Claimed, claimed};
pub use decision::{Condition, Verdict, decide};
pub(crate) use entry::resolve;
pub(crate) use menu::document as menu;
pub use plan::{Action, Outcome, Route};
pub use question::{Channel, DialplanQuestion, NoChannel};
pub use trace::{Note, Silent, Trace};
