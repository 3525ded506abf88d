//! Whose FreeSWITCH may connect.

use std::collections::BTreeSet;
use std::fs;

/// The users whose processes may connect.
#[derive(Clone, Debug)]
pub struct Allowed(BTreeSet<u32>);

impl Allowed {
    /// Root, this process's own user, and the named users that exist.
    pub fn new(names: &[String]) -> Self {
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let mut uids: BTreeSet<u32> = names.iter().filter_map(|name| uid(&passwd, name)).collect();
        uids.insert(0);
        uids.insert(rustix::process::geteuid().as_raw());
        Self(uids)
    }

    /// Whether this user may.
    pub fn contains(&self, uid: u32) -> bool {
        self.0.contains(&uid)
    }
}

/// A user's number in the text of `/etc/passwd` (`passwd(5)`), or the number itself.
fn uid(passwd: &str, name: &str) -> Option<u32> {
    name.parse().ok().or_else(|| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        line.split(':').nth(2)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_by_number() {
        let passwd = "root:x:0:0::/root:/bin/sh\nfreeswitch:x:998:998::/var/lib/freeswitch:/bin/false\n";
        assert_eq!(uid(passwd, "freeswitch"), Some(998));
        assert_eq!(uid(passwd, "1005"), Some(1005));
        assert_eq!(uid(passwd, "free"), None);
        assert!(Allowed::new(&[]).contains(0));
        assert!(!Allowed::new(&["no-such-user".into()]).contains(65_534));
    }
}
