//! Logs go to standard error, as text or as one JSON object a line.

use std::io;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};
use crate::fatal::Fatal;

/// Starts logging. A second start in one process changes nothing.
pub fn start(config: &Config) -> Result<(), Fatal> {
    let filter = EnvFilter::try_new(&config.log)
        .map_err(|e| Fatal::config(format!("NIZAM_LOG (key log): {:?} is no log filter: {e}", config.log)))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_target(true);
    // The only error is that there is a logger already.
    let _already = match config.log_format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}
