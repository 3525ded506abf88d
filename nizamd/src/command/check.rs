//! `nizamd check-config`

use std::fmt::Display;

use nizam_store::masked;

use super::print;
use crate::config::{Config, LogFormat, Registration};
use crate::fatal::Fatal;

pub(super) fn show(config: &Config) -> Result<(), Fatal> {
    let app_key = if config.app_key.is_some() { "configured" } else { "in a file" };
    let broadcast_secret = if config.broadcast_secret.is_some() { "configured" } else { "made of app_key" };
    let registration = match config.registration {
        Registration::Open => "open",
        Registration::Closed => "closed",
    };
    let log_format = match config.log_format {
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    };
    let users = config.link.allow_users.join(", ");
    let proxies = config.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let values: [(&str, &dyn Display); 25] = [
        ("listen", &config.listen),
        ("socket", &config.socket.display()),
        ("state_dir", &config.state_dir.display()),
        ("snapshot_dir", &config.snapshot_dir.display()),
        ("database_url", &masked(&config.database_url)),
        ("app_key", &app_key),
        ("rate_limit", &config.bounds.requests),
        ("login_rate_limit", &config.bounds.logins),
        ("rate_limit_admins", &config.bounds.admins),
        ("connections", &config.connections),
        ("connections_per_address", &config.connections_per_address),
        ("streams_per_tenant", &config.streams_per_tenant),
        ("sockets_per_tenant", &config.sockets_per_tenant),
        ("originates_per_tenant", &config.originates_per_tenant),
        ("broadcast_key", &config.broadcast_key),
        ("broadcast_secret", &broadcast_secret),
        ("webhook_networks", &config.webhook_networks),
        ("webhook_concurrency", &config.webhook_concurrency),
        ("webhook_schedule", &config.webhook_policy.schedule),
        ("webhook_retry_4xx", &config.webhook_policy.retry_4xx),
        ("trusted_proxies", &proxies),
        ("registration", &registration),
        ("log", &config.log),
        ("log_format", &log_format),
        ("link.allow_users", &users),
    ];
    for (key, value) in values {
        print(&format!("{key} = {value}"))?;
    }
    print("the configuration is right")
}
