//! The border to FreeSWITCH: the only place with unsafe code, and the only caller of `freeswitch-sys`.

#![expect(unsafe_code, reason = "C functions and C memory")]

mod allowed;
mod api;
mod buffer;
mod config;
mod console;
mod core;
mod dialplan;
mod entry;
mod event;
mod guard;
mod hook;
mod log;
mod names;
mod occurrence;
mod params;
mod text;
mod time;
mod tree;
mod xml;

pub(crate) use api::{Command, run};
pub(crate) use buffer::Buffer;
pub(crate) use config::settings;
pub(crate) use console::Completions;
pub(crate) use core::{Core, recordings};
pub(crate) use event::{EventBinding, Hooks};
pub(crate) use guard::panics;
pub(crate) use log::{Level, log, set_level, would_log};
pub(crate) use params::{Question, Section};
pub(crate) use xml::{Answer, XmlBinding};
