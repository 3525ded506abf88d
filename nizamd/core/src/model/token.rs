//! A bearer token of a user; the secret itself is nowhere stored.

use super::Abilities;

/// A bearer token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Key of the row, the part of the token before the `|`.
    pub id: i64,
    /// The user it stands for.
    pub user_id: i64,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub abilities: Abilities,
    /// Last use, within a minute; microseconds since 1970, UTC.
    pub last_used_at: Option<i64>,
    /// From then on it is worthless; microseconds since 1970, UTC.
    pub expires_at: Option<i64>,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
    /// Microseconds since 1970, UTC.
    pub updated_at: i64,
}
