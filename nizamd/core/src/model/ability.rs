//! What a token may be used for. A token never allows more than its user may do; it can allow less.

use super::{Permission, PermissionSet};

/// What an operation asks of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The permission of the operation, where it has one.
    pub permission: Option<Permission>,
    /// Whether the operation changes something.
    pub writes: bool,
}

/// The abilities of a token, ready to be asked.
///
/// `*` allows everything, `read` every operation that changes nothing, `write` every operation that changes
/// something, and the slug of a permission the operations with that permission. Other texts are kept, because clients
/// may store their own, and allow nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    names: Vec<String>,
    all: bool,
    read: bool,
    write: bool,
    permissions: PermissionSet,
}

impl Abilities {
    /// The abilities with these names.
    pub fn new(names: Vec<String>) -> Self {
        let mut this = Self::default();
        for name in &names {
            match name.as_str() {
                "*" => this.all = true,
                "read" => this.read = true,
                "write" => this.write = true,
                slug => {
                    if let Some(permission) = Permission::parse(slug) {
                        this.permissions.insert(permission);
                    }
                }
            }
        }
        this.names = names;
        this
    }

    /// Everything the user may do.
    pub fn all() -> Self {
        Self::new(vec!["*".to_owned()])
    }

    /// The names, as they were given.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether a token with these abilities may be used for that.
    pub fn cover(&self, need: Need) -> bool {
        self.all
            || (if need.writes { self.write } else { self.read })
            || need.permission.is_some_and(|p| self.permissions.allows(p))
    }

    /// Whether a token with these abilities may make one with those: nobody makes a token that can do more.
    pub fn include(&self, other: &Self) -> bool {
        if self.all {
            return true;
        }
        !other.all
            && (self.read || !other.read)
            && (self.write || !other.write)
            && other
                .permissions
                .iter()
                .all(|p| self.cover(Need { permission: Some(p), writes: !p.only_reads() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abilities(names: &[&str]) -> Abilities {
        Abilities::new(names.iter().map(|&n| n.to_owned()).collect())
    }

    #[test]
    fn a_slug_covers_its_permission_only() {
        let some = abilities(&["extensions.view", "made-up"]);
        assert!(some.cover(Need { permission: Some(Permission::ExtensionsView), writes: false }));
        assert!(!some.cover(Need { permission: Some(Permission::ExtensionsCreate), writes: true }));
        assert!(!some.cover(Need { permission: None, writes: false }));
    }

    #[test]
    fn read_and_write_are_apart() {
        let need = |writes| Need { permission: None, writes };
        assert!(abilities(&["read"]).cover(need(false)) && !abilities(&["read"]).cover(need(true)));
        assert!(abilities(&["write"]).cover(need(true)) && !abilities(&["write"]).cover(need(false)));
        assert!(!abilities(&[]).cover(need(false)));
    }

    #[test]
    fn no_token_makes_a_stronger_one() {
        assert!(Abilities::all().include(&abilities(&["*", "read"])));
        assert!(!abilities(&["write"]).include(&Abilities::all()));
        assert!(!abilities(&["write"]).include(&abilities(&["read"])));
        assert!(abilities(&["write"]).include(&abilities(&["extensions.create"])));
        assert!(!abilities(&["write"]).include(&abilities(&["extensions.view"])));
        assert!(!abilities(&["extensions.view"]).include(&abilities(&["extensions.delete"])));
    }
}
