//! What a transaction changed, as far as images care.

use uuid::Uuid;

/// One key whose image record must be made anew from the database: the row may be new, changed or gone.
/// A rename touches two keys, the old and the new one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Touched {
    /// The tenant that has, or had, this domain (lower case).
    Domain(String),
    /// The extension that has, or had, this number (as stored) in this tenant.
    Extension {
        /// The tenant.
        tenant_id: Uuid,
        /// The number.
        extension: String,
    },
}
