//! How lists of tenants and of users are filtered and sorted. Both have types of their own.

use super::field::{Default, Field, Kind};
use crate::validate::rule::{EMAIL, PLAIN, SLUG, TENANT_DOMAIN};

/// The fields by which lists of tenants can be filtered and sorted.
pub const TENANT_LIST: &[Field] = &[
    Field::required("name", Kind::Text(PLAIN)).filter().sort(),
    Field::required("domain", Kind::Text(TENANT_DOMAIN)).filter().sort(),
    Field::required("slug", Kind::Text(SLUG)).filter().sort(),
    Field::required("status", Kind::Choice(&["trial", "active", "suspended", "terminated"])).filter().sort(),
    Field::optional("is_active", Kind::Flag, Default::Flag(true)).filter(),
];

/// The fields by which lists of users can be filtered and sorted; the tenant is one that tells more.
pub const USER_LIST: &[Field] = &[
    Field::required("name", Kind::Text(PLAIN)).filter().sort(),
    Field::required("email", Kind::Text(EMAIL)).filter().sort().folded(email_key),
    Field::optional("role", Kind::Choice(&["admin", "user"]), Default::Text("user")).filter().sort(),
];

/// An address of mail as it is compared: in small letters.
pub fn email_key(email: &str) -> String {
    email.to_lowercase()
}
