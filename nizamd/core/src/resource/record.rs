//! A row of a resource.

use std::fmt;

use serde_json::Value;
use uuid::Uuid;

use super::Values;

/// A row of a resource, with its secrets in clear: it lives only between the store and an answer or the compiler.
#[derive(Clone, PartialEq)]
pub struct Record {
    /// Key of the row, version 7.
    pub id: Uuid,
    /// The tenant that owns it.
    pub tenant_id: Uuid,
    /// Counts changes, from 1.
    pub version: i64,
    /// The values of its fields, hidden ones and secrets included.
    pub values: Values,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
    /// Microseconds since 1970, UTC.
    pub updated_at: i64,
}

impl Record {
    /// The value of a field; null also for one that there is not.
    pub fn value(&self, field: &str) -> &Value {
        self.values.get(field).unwrap_or(&Value::Null)
    }

    /// The text of a field; empty where it is none.
    pub fn text(&self, field: &str) -> &str {
        self.value(field).as_str().unwrap_or_default()
    }

    /// Whether a field is true.
    pub fn is(&self, field: &str) -> bool {
        self.value(field).as_bool().unwrap_or_default()
    }
}

/// Secrets do not belong in logs, so the values are left out.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .field("tenant_id", &self.tenant_id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
