//! The search for a user, as registration, calls and voicemail make it (`switch_xml_locate_user`, `..._merged`).

use crate::event::{Caller, Event};
use crate::header;
use crate::locate::{self, Found};
use crate::log;
use crate::xml_tree::Node;
use crate::xml_write;
use std::ffi::{CStr, CString};

/// Whom to look for.
#[derive(Clone)]
pub(crate) struct Wanted {
    /// `id`, `number-alias`, or several with colons between them, tried in turn.
    pub(crate) key: String,
    pub(crate) user: CString,
    pub(crate) domain: CString,
    pub(crate) ip: Option<CString>,
}

/// A user in the document of its domain.
pub(crate) struct InDomain {
    /// Its node is the domain.
    pub(crate) domain: Found,
    pub(crate) user: Node,
    pub(crate) group: Option<Node>,
}

/// A tree of one user, freed with this.
pub(crate) struct Merged(pub(crate) Node);

impl Drop for Merged {
    fn drop(&mut self) {
        self.0.free();
    }
}

/// A copy of the user, with what its group and its domain say added where the user says nothing.
pub(crate) fn locate_merged(wanted: &Wanted, params: Option<&mut Event>) -> Option<Merged> {
    let mut params = params;
    for key in wanted.key.split(':') {
        if let Some(found) = locate_user(wanted, key, params.as_deref_mut()) {
            let mut user = xml_write::duplicate(found.user);
            merge(&mut user, found.domain.node, found.group);
            if user.attr(b"cacheable").is_some_and(|value| !value.is_empty()) {
                log::line(
                    log::WARNING,
                    "this user is cacheable: FreeSWITCH would not ask again; the stand-in does",
                );
            }
            return Some(Merged(user));
        }
    }
    None
}

/// Adds the headers `key`, `user`, `domain` and `ip`, and looks in the groups, then in the domain's own users.
pub(crate) fn locate_user(wanted: &Wanted, key: &str, params: Option<&mut Event>) -> Option<InDomain> {
    let mut made;
    let params = if let Some(params) = params {
        params
    } else {
        made = Event::new("REQUEST_PARAMS", &Caller::new("switch_xml.c", "switch_xml_locate_user")).ok()?;
        &mut made
    };
    params.add("key", key.as_bytes());
    params.add("user", wanted.user.to_bytes());
    params.add("domain", wanted.domain.to_bytes());
    if let Some(ip) = &wanted.ip {
        params.add("ip", ip.to_bytes());
    }
    let domain = locate::domain(&wanted.domain, Some(params))?;
    let search = Search { wanted, key: key.as_bytes(), type_filter: type_filter(params) };
    let in_groups = domain.node.child(b"groups").and_then(|groups| {
        groups.children(b"group").find_map(|group| Some((search.within(group.child(b"users")?)?, group)))
    });
    if let Some((user, group)) = in_groups {
        return Some(InDomain { domain, user, group: Some(group) });
    }
    let users = domain.node.child(b"users").unwrap_or(domain.node);
    search.within(users).map(|user| InDomain { domain, user, group: None })
}

/// The header `user_type`: `any` for every type, else the type; without it, whatever is no pointer.
fn type_filter(params: &Event) -> Option<Vec<u8>> {
    match header::value(params.get(), b"user_type") {
        Some(value) if value.eq_ignore_ascii_case(b"any") => None,
        Some(value) => Some(value.to_vec()),
        None => Some(b"!pointer".to_vec()),
    }
}

struct Search<'a> {
    wanted: &'a Wanted,
    key: &'a [u8],
    type_filter: Option<Vec<u8>>,
}

impl Search<'_> {
    fn within(&self, users: Node) -> Option<Node> {
        let by_ip = self.wanted.ip.as_ref().and_then(|ip| self.first(users, &[(b"ip", ip)]));
        by_ip.or_else(|| {
            if self.key.eq_ignore_ascii_case(b"id") {
                self.first(users, &[(self.key, &self.wanted.user), (b"number-alias", &self.wanted.user)])
            } else {
                self.first(users, &[(self.key, &self.wanted.user)])
            }
        })
    }

    /// The first user for which *any* of the pairs holds, the type among them: a user with a type that is no pointer
    /// is found under every name (`switch_xml_find_child_multi`).
    fn first(&self, users: Node, pairs: &[(&[u8], &CStr)]) -> Option<Node> {
        let by_type = self.type_filter.as_deref().map(|value| (&b"type"[..], value));
        users.children(b"user").find(|user| {
            let mut all = pairs.iter().map(|(name, value)| (*name, value.to_bytes())).chain(by_type);
            all.any(|(name, value)| user.attr(name).is_some_and(|found| holds(found, value)))
        })
    }
}

fn holds(found: &[u8], value: &[u8]) -> bool {
    match value.strip_prefix(b"!") {
        Some(other) => !found.eq_ignore_ascii_case(other),
        None => found.eq_ignore_ascii_case(value),
    }
}

/// `switch_xml_merge_user`: a name that is already there, in any case, stays as it is; the group comes first.
fn merge(user: &mut Node, domain: Node, group: Option<Node>) {
    for source in [group, Some(domain)] {
        for (container, tag) in
            [(c"params", c"param"), (c"variables", c"variable"), (c"profile-variables", c"variable")]
        {
            merge_container(*user, source, container, tag);
        }
    }
    if let Some(name) = domain.attr(b"name").filter(|name| !name.is_empty()) {
        user.set_attr(b"domain-name", name);
    }
}

fn merge_container(user: Node, source: Option<Node>, container: &'static CStr, tag: &'static CStr) {
    let name = container.to_bytes();
    let target = user.child(name).unwrap_or_else(|| user.add_child(container.as_ptr().cast_mut(), 0));
    let Some(source) = source.and_then(|source| source.child(name)) else {
        return;
    };
    for item in source.children(tag.to_bytes()) {
        let name = item.attr(b"name");
        let is_there = target.children(tag.to_bytes()).any(|own| match (own.attr(b"name"), name) {
            (Some(own), Some(name)) => own.eq_ignore_ascii_case(name),
            _ => false,
        });
        if !is_there {
            let mut added = target.add_child(tag.as_ptr().cast_mut(), 0);
            added.set_attr(b"name", name.unwrap_or_default());
            added.set_attr(b"value", item.attr(b"value").unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory;
    use crate::xml_parse;

    fn search(document: &str, user: &str) -> Option<String> {
        // SAFETY: a fresh C string, given away.
        let tree = unsafe { xml_parse::parse(memory::string(document.as_bytes())) };
        let wanted = Wanted {
            key: "id".to_owned(),
            user: CString::new(user).unwrap(),
            domain: c"d".to_owned(),
            ip: None,
        };
        let search = Search { wanted: &wanted, key: b"id", type_filter: Some(b"!pointer".to_vec()) };
        let found =
            search.within(tree).map(|user| String::from_utf8_lossy(user.attr(b"id").unwrap()).into_owned());
        tree.free();
        found
    }

    #[test]
    fn users_are_found_by_id_or_alias_in_any_case() {
        let users = r#"<users><user id="Anna" number-alias="7"/><user id="7"/></users>"#;
        assert_eq!(search(users, "ANNA").as_deref(), Some("Anna"));
        assert_eq!(search(users, "7").as_deref(), Some("Anna"));
        assert_eq!(search(users, "8"), None);
    }

    #[test]
    fn a_user_with_a_type_is_found_under_every_name() {
        let users = r#"<users><user id="p" type="pointer"/><user id="5" type="sip"/></users>"#;
        assert_eq!(search(users, "999").as_deref(), Some("5"));
        assert_eq!(search(users, "p").as_deref(), Some("p"));
    }

    #[test]
    fn what_the_user_says_beats_group_and_domain() {
        let text = r#"<domain name="d"><params><param name="A" value="d"/><param name="b" value="d"/></params>
            <groups><group><params><param name="c" value="g"/><param name="B" value="g"/></params>
            <users><user id="1"><params><param name="a" value="u"/></params></user></users></group></groups></domain>"#;
        // SAFETY: a fresh C string, given away.
        let domain = unsafe { xml_parse::parse(memory::string(text.as_bytes())) };
        let group = domain.child(b"groups").unwrap().child(b"group").unwrap();
        let mut user = xml_write::duplicate(group.child(b"users").unwrap().child(b"user").unwrap());
        merge(&mut user, domain, Some(group));
        let params = user.child(b"params").unwrap();
        let mut values: Vec<String> = params
            .children(b"param")
            .map(|param| {
                String::from_utf8([param.attr(b"name").unwrap(), param.attr(b"value").unwrap()].concat())
                    .unwrap()
            })
            .collect();
        values.sort();
        assert_eq!(values, ["Bg", "au", "cg"]);
        assert_eq!(user.attr(b"domain-name"), Some(&b"d"[..]));
        assert!(user.child(b"profile-variables").is_some());
        user.free();
        domain.free();
    }
}
