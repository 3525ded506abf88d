//! The cases of the suite `e2e_cdrs`, by what becomes of a call.

mod applications;
mod between_phones;
mod dialog;
mod hooks;
mod leg;
mod office;
mod trace;
mod transfers;
mod trunks;

pub(crate) use applications::run as applications;
pub(crate) use between_phones::run as between_phones;
pub(crate) use hooks::run as hooks;
pub(crate) use transfers::run as transfers;
pub(crate) use trunks::run as trunks;
