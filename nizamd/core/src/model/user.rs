//! A user of the API.

use uuid::Uuid;

use super::{Permission, PermissionSet};

/// What kind of user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May do everything in every tenant.
    Admin,
    /// May do in the own tenant what the permissions say.
    User,
}

impl Role {
    /// Every name.
    pub const NAMES: &[&str] = &["admin", "user"];

    /// The name in the database and in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
        }
    }

    /// The role with that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Admin, Self::User].into_iter().find(|r| r.as_str() == name)
    }
}

/// A user of the API, without the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Key of the row.
    pub id: i64,
    /// Name for people.
    pub name: String,
    /// Address, also the login; unique without regard to case.
    pub email: String,
    /// The tenant the user belongs to.
    pub tenant_id: Option<Uuid>,
    /// Kind of user.
    pub role: Role,
    /// Whether an admin has ever said what the user may do. Without that the user may do everything in the own
    /// tenant; with it only what was granted, and nothing once the last grant is revoked.
    pub restricted: bool,
    /// Microseconds since 1970, UTC.
    pub email_verified_at: Option<i64>,
    /// Counts changes, from 1.
    pub version: i64,
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
    /// Microseconds since 1970, UTC.
    pub updated_at: i64,
}

impl User {
    /// Whether the user may do everything everywhere.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// Whether the user belongs to that tenant, or to all.
    pub fn belongs_to(&self, tenant_id: Uuid) -> bool {
        self.is_admin() || self.tenant_id == Some(tenant_id)
    }

    /// Whether the user may do that in a tenant that [`Self::belongs_to`] allows.
    pub fn may(&self, permission: Permission, granted: PermissionSet) -> bool {
        self.is_admin() || !self.restricted || granted.allows(permission)
    }
}

/// The valid values of a user that is to be made.
#[derive(Clone)]
pub struct NewUser {
    /// Name for people.
    pub name: String,
    /// Address, also the login.
    pub email: String,
    /// Hash of the password, a PHC string.
    pub password_hash: String,
    /// Kind of user.
    pub role: Role,
    /// The tenant the user belongs to.
    pub tenant_id: Option<Uuid>,
}

/// The valid values of a change to a user; `None` leaves a value as it is.
#[derive(Clone, Default)]
pub struct UserChange {
    /// Name for people.
    pub name: Option<String>,
    /// Address, also the login.
    pub email: Option<String>,
    /// Hash of the password, a PHC string.
    pub password_hash: Option<String>,
    /// Kind of user.
    pub role: Option<Role>,
    /// The tenant the user belongs to.
    pub tenant_id: Option<Option<Uuid>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(role: Role, restricted: bool) -> User {
        User {
            id: 1,
            name: "n".into(),
            email: "e@x".into(),
            tenant_id: Some(Uuid::nil()),
            role,
            restricted,
            email_verified_at: None,
            version: 1,
            created_at: 0,
            updated_at: 0,
        }
    }

    #[test]
    fn revoking_the_last_grant_leaves_nothing() {
        let none = PermissionSet::default();
        assert!(user(Role::User, false).may(Permission::DidsDelete, none));
        assert!(!user(Role::User, true).may(Permission::DidsDelete, none));
        assert!(user(Role::Admin, true).may(Permission::DidsDelete, none));
        let some = [Permission::DidsView].into_iter().collect();
        assert!(user(Role::User, true).may(Permission::DidsView, some));
        assert!(!user(Role::User, true).may(Permission::DidsDelete, some));
    }

    #[test]
    fn only_admins_belong_everywhere() {
        let other = Uuid::from_u128(7);
        assert!(user(Role::User, false).belongs_to(Uuid::nil()));
        assert!(!user(Role::User, false).belongs_to(other));
        assert!(user(Role::Admin, false).belongs_to(other));
    }
}
