//! An extension: a SIP user of a tenant.

use uuid::Uuid;

/// A SIP user of a tenant, with its secrets in clear: it lives only between the store and the compiler or a response.
#[derive(Clone, PartialEq, Eq)]
pub struct Extension {
    /// Key of the row, UUIDv7.
    pub id: Uuid,
    /// The tenant that owns it.
    pub tenant_id: Uuid,
    /// The number, also the SIP user name. Unique in the tenant without regard to case.
    pub extension: String,
    /// SIP password, at least 8 characters, never empty.
    pub password: String,
    /// First name in the directory.
    pub directory_first_name: String,
    /// Last name in the directory.
    pub directory_last_name: String,
    /// Caller id name shown inside the tenant.
    pub effective_caller_id_name: Option<String>,
    /// Caller id number shown inside the tenant.
    pub effective_caller_id_number: Option<String>,
    /// Caller id name shown outside.
    pub outbound_caller_id_name: Option<String>,
    /// Caller id number shown outside.
    pub outbound_caller_id_number: Option<String>,
    /// Whether unanswered calls go to voicemail.
    pub voicemail_enabled: bool,
    /// Voicemail PIN of 4 to 8 digits.
    pub voicemail_pin: Option<String>,
    /// Networks whose traffic counts as this user's, for access lists by domain (`purpose=network-list`).
    pub cidr: Option<String>,
    /// An inactive extension neither registers nor rings.
    pub is_active: bool,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
    /// Microseconds since 1970, UTC.
    pub updated_at: i64,
}
