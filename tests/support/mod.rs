//! What the end-to-end suites share: programs that run for one test and die with it, and small clients for them.
#![allow(dead_code, unused_imports, reason = "each suite is a crate of its own and uses a part of this")]

mod batch;
mod built;
mod calendar;
mod call;
mod call_load;
mod callee;
mod caller;
mod cases;
mod esl;
mod events;
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
mod transcript;
mod wait;
mod wav;

pub(crate) use batch::Batch;
pub(crate) use calendar::{date, moment};
pub(crate) use call::{Call, Step, Told};
pub(crate) use call_load::CallLoad;
pub(crate) use callee::{Callee, Manner};
pub(crate) use caller::{Caller, escaped};
pub(crate) use cases::Cases;
pub(crate) use events::{Event, Events};
pub(crate) use freeswitch::{Change, Switch};
pub(crate) use listener::Listener;
pub(crate) use lone::Lone;
pub(crate) use nizamd::Nizamd;
pub(crate) use phone::Phone;
pub(crate) use ports::Ports;
pub(crate) use register_load::RegisterLoad;
pub(crate) use require::{require, skip};
pub(crate) use site::{Account, Media, Plan, Site};
pub(crate) use transcript::Message;
pub(crate) use wait::until;
pub(crate) use wav::{share_of_tone, tone, write_silence};
