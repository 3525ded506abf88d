//! Which constraint of the database speaks of which field of the API.

use nizam_core::validate::Errors;
use sqlx::error::DatabaseError;

/// A unique index.
struct Unique {
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
pub(crate) const NUMBER_TAKEN: &str = "The number has already been taken for this tenant.";

const fn unique(
    name: &'static str,
    columns: &'static str,
    field: &'static str,
    message: &'static str,
) -> Unique {
    Unique { name, columns, field, message }
}

const CONSTRAINTS: &[Unique] = &[
    unique("tenants_domain_unique", "tenants.domain", "domain", DOMAIN_TAKEN),
    unique("tenants_slug_unique", "tenants.slug", "slug", SLUG_TAKEN),
    unique("users_email_unique", "users.email_key", "email", "The email has already been taken."),
    unique(
        "extensions_number_unique",
        "extensions.tenant_id, extensions.extension_key",
        "extension",
        EXTENSION_TAKEN,
    ),
    unique(
        "dids_number_unique",
        "dids.tenant_id, dids.number_key",
        "number",
        "The DID number has already been taken for this tenant.",
    ),
    unique(
        "dids_confirmed_unique",
        "dids.confirmed_digits",
        "confirmed",
        "The number has already been confirmed for another DID.",
    ),
    unique(
        "ring_groups_number_unique",
        "ring_groups.tenant_id, ring_groups.number_key",
        "number",
        NUMBER_TAKEN,
    ),
    unique("ivrs_number_unique", "ivrs.tenant_id, ivrs.number_key", "number", NUMBER_TAKEN),
    unique("call_flows_number_unique", "call_flows.tenant_id, call_flows.number_key", "number", NUMBER_TAKEN),
    unique(
        "prompts_name_unique",
        "prompts.tenant_id, prompts.name_key",
        "name",
        "A prompt with this name already exists for this tenant.",
    ),
    unique(
        "holidays_name_unique",
        "holidays.tenant_id, holidays.name_key",
        "name",
        "A calendar with this name already exists for this tenant.",
    ),
    unique(
        "gateways_name_unique",
        "gateways.tenant_id, gateways.name_key",
        "name",
        "A gateway with this name already exists for this tenant.",
    ),
    unique(
        "queues_name_unique",
        "queues.tenant_id, queues.name_key",
        "name",
        "A queue with this name already exists for this tenant.",
    ),
    unique(
        "agents_extension_unique",
        "agents.tenant_id, agents.extension_id",
        "extension_id",
        "An agent already exists for this extension.",
    ),
    unique(
        "device_profiles_mac_unique",
        "device_profiles.mac_address_key",
        "mac_address",
        "The mac address has already been taken.",
    ),
];

/// What another request has done at the same time.
pub(crate) enum Violation {
    /// A value of a field is taken.
    Field(Errors),
    /// The Idempotency-Key is in use.
    Underway,
    /// What the row belongs to is gone: it was deleted between the check and the end of the transaction.
    Gone,
}

/// What a violated constraint means.
pub(crate) fn violation(error: &dyn DatabaseError) -> Option<Violation> {
    if error.is_foreign_key_violation() {
        return Some(Violation::Gone);
    }
    if !error.is_unique_violation() {
        return None;
    }
    let is = |name: &str, columns: &str| match error.constraint() {
        Some(violated) => violated == name,
        None => error.message().ends_with(&format!(": {columns}")),
    };
    if is("idempotency_keys_pkey", "idempotency_keys.user_id, idempotency_keys.key") {
        return Some(Violation::Underway);
    }
    let violated = CONSTRAINTS.iter().find(|c| is(c.name, c.columns))?;
    Some(Violation::Field(Errors::one(violated.field, violated.message)))
}
