//! Registrations and gateways.

use super::claim::gateway_id;
use super::said::Said;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Where a user's phone is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registration {
    /// The user of the address.
    pub user: String,
    /// Its domain.
    pub domain: String,
    /// The Call-ID of the phone's REGISTER requests, which tells several phones of one user apart.
    pub call_id: String,
    /// The SIP profile.
    pub profile: Option<String>,
    /// Its Contact.
    pub contact: Option<String>,
    /// What it calls itself.
    pub user_agent: Option<String>,
    /// The address that it comes from.
    pub network_ip: Option<String>,
    /// And the port.
    pub network_port: Option<String>,
    /// When it came, or came again; microseconds since 1970.
    pub at: i64,
    /// When it ends.
    pub expires_at: Option<i64>,
}

impl Registration {
    /// `None`: the event does not say whose.
    pub(super) fn of(said: Said<'_>, at: i64) -> Option<Self> {
        let seconds = said.number("expires").filter(|seconds| *seconds <= 1 << 31);
        Some(Self {
            user: said.first(&["to-user", "from-user", "user", "username"])?,
            domain: said
                .first(&["domain_name", "to-host", "from-host", "host", "realm"])?
                .to_ascii_lowercase(),
            call_id: said.text("call-id").unwrap_or_default(),
            profile: said.text("profile-name"),
            contact: said.text("contact"),
            user_agent: said.text("user-agent"),
            network_ip: said.text("network-ip"),
            network_port: said.text("network-port"),
            at,
            expires_at: seconds.map(|seconds| at.saturating_add(seconds * 1_000_000)),
        })
    }

    /// As clients get it.
    pub(super) fn metadata(&self, action: &str) -> Map<String, Value> {
        let fields = [
            ("user", json!(self.user)),
            ("domain", json!(self.domain)),
            ("contact", json!(self.contact)),
            ("user_agent", json!(self.user_agent)),
            ("network_ip", json!(self.network_ip)),
            ("network_port", json!(self.network_port)),
            ("profile", json!(self.profile)),
            ("action", json!(action)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// How a gateway is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayState {
    /// Its name on the switch.
    pub name: String,
    /// The row it was made from.
    pub gateway_id: Option<Uuid>,
    /// `REGED`, `NOREG`, `FAIL_WAIT` (`sofia_state_names` in `sofia.c`).
    pub state: String,
    /// `UP` or `DOWN`, where it is pinged.
    pub ping: Option<String>,
    /// The reason of the last answer.
    pub phrase: Option<String>,
    /// The status code of the last answer.
    pub code: Option<i64>,
    /// Since when; microseconds since 1970.
    pub at: i64,
}

impl GatewayState {
    pub(super) fn of(said: Said<'_>, at: i64) -> Option<Self> {
        let name = said.text("Gateway")?;
        Some(Self {
            gateway_id: gateway_id(&name),
            state: said.text("State").unwrap_or_else(|| "UNKNOWN".to_owned()),
            ping: said.text("Ping-Status"),
            phrase: said.text("Phrase"),
            code: said.number("Status"),
            name,
            at,
        })
    }

    pub(super) fn metadata(&self) -> Map<String, Value> {
        let fields = [
            ("gateway", json!(self.name)),
            ("gateway_id", json!(self.gateway_id)),
            ("state", json!(self.state)),
            ("ping_status", json!(self.ping)),
            ("phrase", json!(self.phrase)),
            ("status", json!(self.code)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
