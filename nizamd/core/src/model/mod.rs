//! The things a database of NIZAM holds.

mod ability;
mod audit;
mod call;
mod extension;
mod permission;
mod tenant;
mod token;
mod touched;
mod user;
mod vendor;

pub use ability::{Abilities, Need};
pub use audit::{AuditAction, AuditEntry};
pub use call::{CallEvent, Cdr};
pub use extension::{Extension, ExtensionChange, NewExtension};
pub use nizam_wire::record::Class;
pub use permission::{Permission, PermissionSet};
pub use tenant::{NewTenant, Slug, Tenant, TenantChange, TenantStatus};
pub use token::Token;
pub use touched::Touched;
pub use user::{NewUser, Role, User, UserChange};
pub use vendor::vendor_of_mac;
