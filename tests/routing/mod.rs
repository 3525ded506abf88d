//! The cases of the suite `e2e_routing`, by where calls go.

mod clock;
mod decisions;
mod document;
mod flows;
mod groups;
mod hostile;
mod inside;
mod limits;
mod mailboxes;
mod menus;
mod outbound;
mod outside;
mod queues;
mod world;

pub(crate) use decisions::run as decisions;
pub(crate) use document::every_line_has_a_case;
pub(crate) use flows::run as flows;
pub(crate) use groups::run as groups;
pub(crate) use hostile::run as hostile;
pub(crate) use inside::run as inside;
pub(crate) use limits::run as limits;
pub(crate) use mailboxes::run as mailboxes;
pub(crate) use menus::run as menus;
pub(crate) use outbound::run as outbound;
pub(crate) use outside::run as outside;
pub(crate) use queues::run as queues;
