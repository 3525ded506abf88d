//! The fields of users and of what they may do.

use serde_json::{Value, json};
use uuid::Uuid;

use super::form::is_list;
use super::rule::{EMAIL, PLAIN, USER_PASSWORD};
use super::{Errors, Fields, Presence};
use crate::model::{Permission, PermissionSet, Role};

/// The fields of a user that an admin makes, the password in clear.
#[derive(Clone, PartialEq, Eq)]
pub struct UserFields {
    /// Name for people.
    pub name: String,
    /// Address, also the login.
    pub email: String,
    /// The password in clear.
    pub password: String,
    /// Kind of user.
    pub role: Role,
    /// The tenant the user belongs to.
    pub tenant_id: Option<Uuid>,
}

/// The fields of a change to a user; `None` leaves a value as it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UserChangeFields {
    /// Name for people.
    pub name: Option<String>,
    /// Address, also the login.
    pub email: Option<String>,
    /// The password in clear.
    pub password: Option<String>,
    /// Kind of user.
    pub role: Option<Role>,
    /// The tenant the user belongs to.
    pub tenant_id: Option<Option<Uuid>>,
}

/// Reads a user that an admin makes.
pub fn new_user(f: &mut Fields<'_>) -> Result<UserFields, Errors> {
    let user = UserFields {
        name: f.text("name", PLAIN),
        email: f.text("email", EMAIL),
        password: f.text("password", USER_PASSWORD),
        role: role(f).unwrap_or(Role::User),
        tenant_id: tenant_id(f).flatten(),
    };
    f.finish(user)
}

/// Reads a change to a user.
pub fn change_user(f: &mut Fields<'_>) -> Result<UserChangeFields, Errors> {
    let change = UserChangeFields {
        name: f.text_change("name", PLAIN),
        email: f.text_change("email", EMAIL),
        password: f.text_change("password", USER_PASSWORD),
        role: role(f),
        tenant_id: tenant_id(f),
    };
    f.finish(change)
}

/// Reads a list of permissions.
pub fn permissions(f: &mut Fields<'_>) -> Result<PermissionSet, Errors> {
    let slugs: Vec<&str> = Permission::ALL.iter().map(|p| p.slug()).collect();
    let schema = || {
        json!({
            "type": "array", "minItems": 1, "maxItems": 200, "items": {"type": "string", "enum": slugs},
            "examples": [["extensions.view"]],
        })
    };
    let mut set = PermissionSet::default();
    if f.describe("permissions", Presence::Required, schema) {
        return f.finish(set);
    }
    let items: Vec<&Value> = match f.value("permissions") {
        None => {
            f.missing("permissions");
            return f.finish(set);
        }
        Some(Value::Array(items)) if items.is_empty() => {
            f.missing("permissions");
            return f.finish(set);
        }
        Some(Value::Array(items)) => items.iter().collect(),
        Some(Value::Object(map)) if is_list(map) => map.values().collect(),
        Some(_) => {
            f.wrong("permissions", "The permissions field must be an array.");
            return f.finish(set);
        }
    };
    if items.len() > 200 {
        f.wrong("permissions", "The permissions field must not have more than 200 items.");
    }
    for (i, item) in items.into_iter().enumerate().take(200) {
        if let Some(permission) = item.as_str().and_then(Permission::parse) {
            set.insert(permission);
        } else {
            let field = format!("permissions.{i}");
            f.wrong(&field, format!("The selected {field} is invalid."));
        }
    }
    f.finish(set)
}

fn role(f: &mut Fields<'_>) -> Option<Role> {
    f.choice("role", Role::NAMES).and_then(Role::parse)
}

#[expect(clippy::option_option, reason = "absent, null and an id are three things here")]
fn tenant_id(f: &mut Fields<'_>) -> Option<Option<Uuid>> {
    let schema = || json!({"type": "string", "format": "uuid"});
    if f.describe("tenant_id", Presence::Nullable, schema) || !f.has("tenant_id") {
        return None;
    }
    let Some(value) = f.value("tenant_id") else { return Some(None) };
    let id = value.as_str().filter(|text| text.len() == 36).and_then(|text| Uuid::try_parse(text).ok());
    if id.is_none() {
        f.wrong("tenant_id", "The selected tenant id is invalid.");
    }
    Some(id)
}
