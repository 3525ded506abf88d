//! The control daemon of NIZAM. It owns the database, answers the REST API, and brings what was committed to the
//! switches. The binary is a thin shell around [`command::run`].

#![forbid(unsafe_code)]

pub mod app;
pub mod broadcast;
pub mod command;
pub mod config;
mod descriptors;
pub mod events;
pub mod fatal;
pub mod follow;
pub mod http;
pub mod ingest;
pub mod link;
pub mod logging;
pub mod metrics;
pub mod opening;
pub mod password;
mod pin;
pub mod publish;
pub mod publisher;
pub mod retention;
pub mod serve;
pub mod tls;
pub mod webhook;
