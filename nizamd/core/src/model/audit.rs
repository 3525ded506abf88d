//! The audit trail: who changed what, without the secrets.

use serde_json::{Map, Value};
use uuid::Uuid;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditAction {
    /// It is new.
    Created,
    /// Some of its columns have other values.
    Updated,
    /// It is gone.
    Deleted,
}

impl AuditAction {
    /// The name in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// One entry of the audit trail.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Key of the row, version 7.
    pub id: Uuid,
    /// The tenant of the object; none once that tenant is gone.
    pub tenant_id: Option<Uuid>,
    /// Who did it; none for the command line.
    pub user_id: Option<i64>,
    /// `created`, `updated` or `deleted`.
    pub action: String,
    /// The kind of the object, in the spelling that clients know: `App\Models\Extension`.
    pub auditable_type: String,
    /// Key of the object.
    pub auditable_id: Uuid,
    /// The values before, without secrets.
    pub old_values: Option<Map<String, Value>>,
    /// The values after, without secrets.
    pub new_values: Option<Map<String, Value>>,
    /// Where the request came from.
    pub ip_address: Option<String>,
    /// What the client called itself, at most 255 characters.
    pub user_agent: Option<String>,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
}
