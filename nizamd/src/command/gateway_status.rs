//! `nizamd gateway-status`: whether calls can leave.

use jiff::Timestamp;
use nizam_store::GatewayStanding;

use super::print;
use crate::config::Config;
use crate::fatal::Fatal;
use crate::opening;

/// Prints a line for each gateway in force on each switch. An error if one of them is down, for whoever watches by exit codes.
pub(super) async fn show(config: &Config) -> Result<(), Fatal> {
    opening::there(config)?;
    let store = opening::store(config).await?;
    let gateways = store.gateways_standing(None).await?;
    store.close().await;
    for gateway in &gateways {
        print(&line(gateway))?;
    }
    let down = gateways.iter().filter(|gateway| !gateway.is_up()).count();
    match (gateways.len(), down) {
        (0, _) => print("no gateway is in force"),
        (all, 0) => print(&format!("{all} gateways, all of them up")),
        (all, down) => Err(Fatal::new(format!(
            "{down} of {all} gateways are down; what their carriers answered is in GET /api/v1/tenants/{{tenant}}/gateways/status"
        ))),
    }
}

fn line(gateway: &GatewayStanding) -> String {
    let since = gateway.changed_at.and_then(|at| Timestamp::from_microsecond(at).ok());
    format!(
        "{} {}/{} on {}: {}{}{}",
        if gateway.is_up() { "up  " } else { "DOWN" },
        gateway.domain,
        gateway.name,
        gateway.switch_name.as_deref().unwrap_or("no switch"),
        gateway.state.as_deref().unwrap_or(if gateway.register { "not seen" } else { "does not register" }),
        gateway.ping_status.as_ref().map_or_else(String::new, |ping| format!(", ping {ping}")),
        since.map_or_else(String::new, |at| format!(", since {}", at.strftime("%Y-%m-%d %H:%M:%SZ"))),
    )
}
