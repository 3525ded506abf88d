//! What the compiler makes records of: rows, and what lists are made of.

use std::net::IpAddr;

use nizam_wire::Kind;
use nizam_wire::record::Destination;
use uuid::Uuid;

use crate::model::{Extension, Tenant, Touched};
use crate::resource::Record;

/// What is there under a key. Inactive rows are rows too: what they mean is the compiler's business.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// A tenant.
    Tenant(Tenant),
    /// A tenant, and what of its rows is in the record of its routing.
    Routing(Routing),
    /// An extension.
    Extension(Extension),
    /// A row with a record of its own, found by its id.
    Record {
        /// The kind of its record.
        kind: Kind,
        /// The row.
        record: Record,
    },
    /// A queue, with the priorities and ids of its agents.
    Queue {
        /// The row.
        record: Record,
        /// The agents.
        members: Vec<(i64, Uuid)>,
    },
    /// What has an internal number.
    Number {
        /// The tenant.
        tenant_id: Uuid,
        /// The number, lower case.
        number: String,
        /// Where it leads.
        to: Destination,
        /// Whether that is switched on.
        is_active: bool,
    },
    /// Everybody's DIDs with the same digits.
    Dids {
        /// The digits of their E.164 form.
        digits: String,
        /// The tenants whose records are to be made.
        tenants: Vec<Uuid>,
        /// The DIDs.
        dids: Vec<DidRow>,
    },
    /// The outbound routes of a tenant, for its patterns.
    Patterns {
        /// The tenant.
        tenant_id: Uuid,
        /// The routes.
        routes: Vec<Record>,
    },
    /// The gateways from which calls come from an address.
    Address {
        /// The address.
        address: IpAddr,
        /// The gateways.
        gateways: Vec<GatewayRow>,
    },
    /// The gateways that every tenant may use.
    Shared(Vec<GatewayRow>),
    /// There is nothing with this key.
    Gone(Touched),
}

/// What is in the record of a tenant's routing.
#[derive(Clone, Debug, PartialEq)]
pub struct Routing {
    /// The tenant.
    pub tenant: Tenant,
    /// Its policies to which no active DID leads.
    pub policies: Vec<PolicyRow>,
    /// Its gateways.
    pub gateways: Vec<GatewayRow>,
}

/// What lists say of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRow {
    /// Its id.
    pub id: Uuid,
    /// The lowest is looked at first.
    pub priority: i64,
    /// Whether it is switched on.
    pub is_active: bool,
}

/// What lists say of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayRow {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether it is switched on.
    pub is_active: bool,
}

/// What lists say of a DID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DidRow {
    /// Its id.
    pub id: Uuid,
    /// Its tenant.
    pub tenant_id: Uuid,
    /// Where it leads, where that can be understood.
    pub to: Option<Destination>,
    /// Whether an administrator has confirmed that the number is the tenant's.
    pub confirmed: bool,
    /// Whether it is switched on.
    pub is_active: bool,
}

impl Row {
    /// Which one it is, for the log.
    pub fn name(&self) -> String {
        match self {
            Self::Tenant(tenant) => format!("tenant {}", tenant.id),
            Self::Routing(routing) => format!("routing of tenant {}", routing.tenant.id),
            Self::Extension(extension) => format!("extension {}", extension.id),
            Self::Record { kind, record } => format!("{kind:?} {}", record.id),
            Self::Queue { record, .. } => format!("Queue {}", record.id),
            Self::Number { tenant_id, number, .. } => format!("number {number} of tenant {tenant_id}"),
            Self::Dids { digits, .. } => format!("DIDs {digits}"),
            Self::Patterns { tenant_id, .. } => format!("outbound routes of tenant {tenant_id}"),
            Self::Address { address, .. } => format!("gateways at {address}"),
            Self::Shared(_) => "shared gateways".to_owned(),
            Self::Gone(key) => format!("{key:?}"),
        }
    }
}
