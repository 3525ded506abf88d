//! From what a caller sent to values that the model may hold, or to errors in the shape that clients know.
//!
//! [`Input`] reads and normalises a body or a query, [`Fields`] takes the fields of one request out of it and collects
//! [`Errors`], and the functions of the other modules say which fields a request has.

mod account;
mod broadcast;
pub(crate) mod class;
pub mod control;
mod describe;
mod errors;
mod extension;
pub(crate) mod fields;
mod form;
mod input;
pub(crate) mod known;
mod operation;
mod prompt;
mod rows;
pub(crate) mod rule;
mod settings;
mod tenant;
mod user;
mod webhook;

pub use account::{Login, NewToken, Registration, login, new_token, registration};
pub use broadcast::{Hearing, hearing};
pub(crate) use describe::or_null;
pub use describe::{Described, Presence, describe, object_example, object_schema};
pub use errors::Errors;
pub use extension::{change_extension, new_extension, new_extensions};
pub use fields::Fields;
pub(crate) use form::is_list;
pub use input::{Input, Unreadable};
pub use known::retention as call_retention_days;
pub use operation::{
    AgentState, Evaluation, Explanation, Membership, agent_state, evaluation, explanation, membership, period,
};
pub use prompt::{NewPrompt, new_prompt};
pub use rows::{MOST_ROWS, read_rows, rows};
pub use rule::{Rule, did_key, email, extension_key, mac_key};
pub use settings::{Settings, merge_settings, settings};
pub use tenant::{Provision, change_tenant, new_tenant, provision, slug_of};
pub use user::{UserChangeFields, UserFields, change_user, new_user, permissions};
pub use webhook::{RedriveForm, Rotation, redelivery, redrive, rotation};
