//! The things a database of NIZAM holds.

mod extension;
mod tenant;
mod touched;

pub use extension::Extension;
pub use tenant::{Tenant, TenantStatus};
pub use touched::Touched;
