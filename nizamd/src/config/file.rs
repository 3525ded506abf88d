//! The file, as it is written.

use std::path::Path;

use serde::Deserialize;

use crate::fatal::Fatal;

/// Every key that a file may have.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) listen: Option<String>,
    pub(super) socket: Option<String>,
    pub(super) state_dir: Option<String>,
    pub(super) snapshot_dir: Option<String>,
    pub(super) database_url: Option<String>,
    pub(super) app_key: Option<String>,
    pub(super) rate_limit: Option<u32>,
    pub(super) login_rate_limit: Option<u32>,
    pub(super) rate_limit_admins: Option<bool>,
    pub(super) connections: Option<u32>,
    pub(super) connections_per_address: Option<u32>,
    pub(super) streams_per_tenant: Option<u32>,
    pub(super) originates_per_tenant: Option<u32>,
    pub(super) webhook_concurrency: Option<u32>,
    pub(super) sockets_per_tenant: Option<u32>,
    pub(super) broadcast_key: Option<String>,
    pub(super) broadcast_secret: Option<String>,
    pub(super) webhook_networks: Option<Vec<String>>,
    pub(super) webhook_schedule: Option<Vec<String>>,
    pub(super) webhook_retry_4xx: Option<bool>,
    pub(super) trusted_proxies: Option<Vec<String>>,
    pub(super) registration: Option<String>,
    pub(super) log: Option<String>,
    pub(super) log_format: Option<String>,
    pub(super) link: Option<LinkTable>,
}

/// The keys of `[link]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkTable {
    pub(super) allow_users: Option<Vec<String>>,
}

impl File {
    /// Reads it; an error names file, line and key.
    pub(super) fn read(path: &Path) -> Result<Self, Fatal> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| Fatal::config(format!("cannot read the configuration {}: {e}", path.display())))?;
        toml::from_str(&text).map_err(|e| {
            let before = e.span().and_then(|span| text.get(..span.start)).unwrap_or("");
            let line = before.matches('\n').count() + 1;
            let what = e.message().replace("unknown field", "unknown key");
            Fatal::config(format!("{}:{line}: {what}", path.display()))
        })
    }
}
