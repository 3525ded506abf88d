//! Which constraint of the database speaks of which field of the API.

use nizam_core::validate::Errors;
use sqlx::error::DatabaseError;

struct Constraint {
    /// The index, as PostgreSQL names it.
    name: &'static str,
    /// The columns, as SQLite names them.
    columns: &'static str,
    field: &'static str,
    message: &'static str,
}

pub(crate) const DOMAIN_TAKEN: &str = "The domain has already been taken.";
pub(crate) const SLUG_TAKEN: &str = "The slug has already been taken.";
pub(crate) const EXTENSION_TAKEN: &str = "The extension has already been taken for this tenant.";
const EMAIL_TAKEN: &str = "The email has already been taken.";

const CONSTRAINTS: &[Constraint] = &[
    Constraint {
        name: "tenants_domain_unique",
        columns: "tenants.domain",
        field: "domain",
        message: DOMAIN_TAKEN,
    },
    Constraint { name: "tenants_slug_unique", columns: "tenants.slug", field: "slug", message: SLUG_TAKEN },
    Constraint {
        name: "users_email_unique",
        columns: "users.email_key",
        field: "email",
        message: EMAIL_TAKEN,
    },
    Constraint {
        name: "extensions_number_unique",
        columns: "extensions.tenant_id, extensions.extension_key",
        field: "extension",
        message: EXTENSION_TAKEN,
    },
];

/// The error of the API that a violated constraint means.
pub(crate) fn field_error(error: &dyn DatabaseError) -> Option<Errors> {
    if !error.is_unique_violation() {
        return None;
    }
    let violated = |c: &&Constraint| match error.constraint() {
        Some(name) => c.name == name,
        None => error.message().ends_with(&format!(": {}", c.columns)),
    };
    CONSTRAINTS.iter().find(violated).map(|c| Errors::one(c.field, c.message))
}
