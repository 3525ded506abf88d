//! The FreeSWITCH module of NIZAM.
//!
//! This crate only translates: FreeSWITCH's calls into questions for [`nizam_engine`], its answers into
//! FreeSWITCH's XML. Everything unsafe is in [`host`]; `SAFETY.md` lists the facts about FreeSWITCH it rests on.

#![deny(unsafe_code)]

mod config;
mod host;
mod lookup;
mod module;
mod worker;
