//! A tenant: one customer, one SIP domain.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where a tenant stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TenantStatus {
    /// On trial: works like `Active`.
    Trial,
    /// Works.
    Active,
    /// Phones stay registered, calls are refused with 403.
    Suspended,
    /// Phones and calls are refused.
    Terminated,
}

impl TenantStatus {
    /// The name in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
        }
    }

    /// The status with that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Trial, Self::Active, Self::Suspended, Self::Terminated].into_iter().find(|s| s.as_str() == name)
    }

    /// Whether the tenant's API and calls work.
    pub fn is_operational(self) -> bool {
        matches!(self, Self::Trial | Self::Active)
    }
}

/// One customer with one SIP domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Key of the row, UUIDv7.
    pub id: Uuid,
    /// Name for people.
    pub name: String,
    /// SIP domain, lower case, a host name or an IP address; unique.
    pub domain: String,
    /// Name in addresses; unique.
    pub slug: String,
    /// Free-form settings, a JSON object.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Where the tenant stands in its life.
    pub status: TenantStatus,
    /// Most extensions, 0 = unlimited.
    pub max_extensions: i64,
    /// Most calls at once, 0 = unlimited.
    pub max_concurrent_calls: i64,
    /// Most DIDs, 0 = unlimited.
    pub max_dids: i64,
    /// Most ring groups, 0 = unlimited.
    pub max_ring_groups: i64,
    /// False: the switch knows the domain but nobody in it.
    pub is_active: bool,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
    /// Microseconds since 1970, UTC.
    pub updated_at: i64,
}
