//! What the end-to-end suites share: programs that run for one test and die with it, and small clients for them.
#![allow(dead_code, unused_imports, reason = "each suite is a crate of its own and uses a part of this")]

mod built;
mod esl;
mod freeswitch;
mod listener;
mod lone;
mod nizamd;
mod phone;
mod ports;
mod process;
mod register_load;
mod require;
mod rest;
mod sipp;
mod site;
mod wait;
mod wav;

pub(crate) use freeswitch::Switch;
pub(crate) use listener::Listener;
pub(crate) use lone::Lone;
pub(crate) use phone::Phone;
pub(crate) use register_load::RegisterLoad;
pub(crate) use require::require;
pub(crate) use site::{Account, Site};
pub(crate) use wait::until;
pub(crate) use wav::{share_of_tone, write_silence};
