//! A tenant: one customer, one SIP domain.

use nizam_wire::number::Home;
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
    /// Every name.
    pub const NAMES: &[&str] = &["trial", "active", "suspended", "terminated"];

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
        [Self::Trial, Self::Active, Self::Suspended, Self::Terminated]
            .into_iter()
            .find(|s| s.as_str() == name)
    }

    /// Whether the tenant's API and calls work.
    pub fn is_operational(self) -> bool {
        matches!(self, Self::Trial | Self::Active)
    }
}

/// One customer with one SIP domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Key of the row, version 7.
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
    /// Most calls in a minute, 0 = unlimited.
    pub max_calls_per_minute: i64,
    /// False: the switch knows the domain but nobody in it.
    pub is_active: bool,
    /// Counts changes, from 1.
    pub version: i64,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
    /// Microseconds since 1970, UTC.
    pub updated_at: i64,
}

impl Tenant {
    /// How numbers are dialled where the tenant is at home, by its setting `country`.
    pub fn home(&self) -> Option<Home<'static>> {
        self.settings.get("country").and_then(serde_json::Value::as_str).and_then(crate::home)
    }
}

/// Where the slug of a new tenant comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slug {
    /// The caller chose it; if it is taken, that is an error.
    Given(String),
    /// Made from the name; if it is taken, a number is added.
    FromName(String),
}

/// The valid values of a tenant that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTenant {
    /// Name for people.
    pub name: String,
    /// SIP domain, lower case.
    pub domain: String,
    /// Name in addresses.
    pub slug: Slug,
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
    /// Most calls in a minute, 0 = unlimited.
    pub max_calls_per_minute: i64,
    /// False: the switch knows the domain but nobody in it.
    pub is_active: bool,
}

/// The valid values of a change to a tenant; `None` leaves a value as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantChange {
    /// Name for people.
    pub name: Option<String>,
    /// SIP domain, lower case.
    pub domain: Option<String>,
    /// Name in addresses.
    pub slug: Option<String>,
    /// Where the tenant stands in its life.
    pub status: Option<TenantStatus>,
    /// Most extensions, 0 = unlimited.
    pub max_extensions: Option<i64>,
    /// Most calls at once, 0 = unlimited.
    pub max_concurrent_calls: Option<i64>,
    /// Most DIDs, 0 = unlimited.
    pub max_dids: Option<i64>,
    /// Most ring groups, 0 = unlimited.
    pub max_ring_groups: Option<i64>,
    /// Most calls in a minute, 0 = unlimited.
    pub max_calls_per_minute: Option<i64>,
    /// False: the switch knows the domain but nobody in it.
    pub is_active: Option<bool>,
}

impl TenantChange {
    /// Puts the values into the row.
    pub fn apply(self, to: &mut Tenant) {
        fn set<T>(to: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *to = value;
            }
        }
        set(&mut to.name, self.name);
        set(&mut to.domain, self.domain);
        set(&mut to.slug, self.slug);
        set(&mut to.status, self.status);
        set(&mut to.max_extensions, self.max_extensions);
        set(&mut to.max_concurrent_calls, self.max_concurrent_calls);
        set(&mut to.max_dids, self.max_dids);
        set(&mut to.max_ring_groups, self.max_ring_groups);
        set(&mut to.max_calls_per_minute, self.max_calls_per_minute);
        set(&mut to.is_active, self.is_active);
    }
}
