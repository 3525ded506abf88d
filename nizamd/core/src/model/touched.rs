//! What a transaction changed, as far as images care.

use std::net::IpAddr;

use nizam_wire::Kind;
use uuid::Uuid;

/// One key whose image records must be made anew from the database: what they are made of may be new, changed or gone.
/// [`crate::touch`] says which keys the change of a row touches.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Touched {
    /// The tenant that has, or had, this domain (lower case): its record, its routing, and the domain by its id.
    Domain(String),
    /// The domain of the tenant with this id, which was deleted.
    TenantGone(Uuid),
    /// The extension that has, or had, this number (as stored) in this tenant: its record, its network, its number by its id.
    Extension {
        /// The tenant.
        tenant_id: Uuid,
        /// The number.
        extension: String,
    },
    /// The number of the extension with this id, which was deleted.
    ExtensionId {
        /// The tenant.
        tenant_id: Uuid,
        /// The extension.
        id: Uuid,
    },
    /// A row that is found by its id.
    Row {
        /// The tenant.
        tenant_id: Uuid,
        /// The kind of its record.
        kind: Kind,
        /// The row.
        id: Uuid,
    },
    /// What has this internal number, lower case, in this tenant.
    Number {
        /// The tenant.
        tenant_id: Uuid,
        /// The number.
        number: String,
    },
    /// The DID with these digits of E.164 in this tenant, and which tenants claim them.
    Did {
        /// The tenant.
        tenant_id: Uuid,
        /// The digits.
        digits: String,
    },
    /// The dialling patterns of this tenant.
    Patterns(Uuid),
    /// What routing knows of this tenant.
    Routing(Uuid),
    /// The gateways from which calls come from this address.
    Address(IpAddr),
    /// The gateways that every tenant may use.
    Shared,
    /// All there is: more was touched than could be listed.
    Everything,
}
