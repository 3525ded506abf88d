//! Those who ask for lists, each with the parameters it really sends and the path on which it reads the answer.

use crate::event::{Caller, Event};
use crate::locate::{self, Found, Question};
use crate::xml_tree::Node;
use std::ffi::CStr;

/// One line a thing that the asking module would see.
pub(crate) type Lines = Vec<String>;

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
}

fn users_of_groups(domain: Node) -> Vec<Node> {
    let groups = domain.child(b"groups").into_iter().flat_map(|groups| groups.children(b"group"));
    groups.filter_map(|group| group.child(b"users")).flat_map(|users| users.children(b"user")).collect()
}

/// mod_sofia at the start of a profile (`sofia.c:parse_domain_tag`): users of groups, and users directly below the
/// domain, but not those below `<users>`. Domain `all` asks for all domains.
pub(crate) fn gateways(domain: &CStr, profile: &str) -> Result<Lines, String> {
    let mut params = Event::new("REQUEST_PARAMS", &Caller::new("sofia.c", "launch_sofia_worker_thread"))?;
    params.add("purpose", b"gateways");
    params.add("profile", profile.as_bytes());
    let (found, domains) = if domain == c"all" {
        let found = locate::locate(&Question::section(c"directory"), Some(&params)).ok_or("no directory")?;
        let domains = found.node.children(b"domain").collect();
        (found, domains)
    } else {
        let found = locate::domain(domain, Some(&params)).ok_or("no such domain")?;
        let domain = found.node;
        (found, vec![domain])
    };
    let mut lines = Lines::new();
    for domain in domains {
        let users: Vec<Node> = domain.children(b"user").chain(users_of_groups(domain)).collect();
        for user in users {
            let gateways =
                user.child(b"gateways").into_iter().flat_map(|gateways| gateways.children(b"gateway"));
            for gateway in gateways {
                let names = [text(domain.attr(b"name")), text(user.attr(b"id")), text(gateway.attr(b"name"))];
                lines.push(names.join(" "));
            }
        }
    }
    drop(found);
    Ok(lines)
}

/// The core for a node of an access list (`switch_core.c:switch_load_network_lists`): if `<users>` is directly below
/// the domain, groups are not looked at.
pub(crate) fn network_list(domain: &CStr) -> Result<Lines, String> {
    let mut params = Event::new("GENERAL", &Caller::new("switch_core.c", "switch_load_network_lists"))?;
    params.add("domain", domain.to_bytes());
    params.add("purpose", b"network-list");
    let found = locate::domain(domain, Some(&params)).ok_or("no such domain")?;
    let users: Vec<Node> = match found.node.child(b"users") {
        Some(users) => users.children(b"user").collect(),
        None => found.node.children(b"user").chain(users_of_groups(found.node)).collect(),
    };
    let with_cidr = users.iter().filter(|user| user.attr(b"cidr").is_some());
    Ok(with_cidr.map(|user| format!("{} {}", text(user.attr(b"id")), text(user.attr(b"cidr")))).collect())
}

/// The API `group_call` (`switch_xml_locate_group`).
pub(crate) fn group(group: &CStr, domain: &CStr) -> Result<Lines, String> {
    let mut params = Event::new("REQUEST_PARAMS", &Caller::new("mod_commands.c", "group_call_function"))?;
    params.add("group", group.to_bytes());
    params.add("domain", domain.to_bytes());
    params.add("action", b"group_call");
    params.add("group_name", group.to_bytes());
    let found = locate::domain(domain, Some(&params)).ok_or("no such domain")?;
    let groups = found.node.child(b"groups").ok_or("no groups in the answer")?;
    let group = locate::find_child(groups, b"group", b"name", group.to_bytes()).ok_or("no such group")?;
    let users = group.child(b"users").into_iter().flat_map(|users| users.children(b"user"));
    Ok(users.map(|user| format!("{} {}", text(user.attr(b"id")), text(user.attr(b"type")))).collect())
}

/// mod_directory (`populate_database`), which says nothing about itself but in `Event-Calling-Function`.
pub(crate) fn directory(domain: &CStr) -> Result<Lines, String> {
    let params = Event::new("REQUEST_PARAMS", &Caller::new("mod_directory.c", "populate_database"))?;
    let found = locate::domain(domain, Some(&params)).ok_or("no such domain")?;
    let name = |user: &Node| {
        let variables = user.child(b"variables")?;
        let variable = locate::find_child(variables, b"variable", b"name", b"directory_full_name")?;
        Some(text(variable.attr(b"value")))
    };
    let users = users_of_groups(found.node);
    Ok(users
        .iter()
        .map(|user| format!("{} {}", text(user.attr(b"id")), name(user).unwrap_or_default()))
        .collect())
}

/// The API `list_users` (no parameters at all), for one domain or for all.
pub(crate) fn users(domain: Option<&CStr>) -> Result<Lines, String> {
    let question = domain.map_or_else(|| Question::section(c"directory"), Question::domain);
    let found: Found = locate::locate(&question, None).ok_or("no such domain")?;
    let domains: Vec<Node> = match domain {
        Some(_) => vec![found.node],
        None => found.node.children(b"domain").collect(),
    };
    let mut lines = Lines::new();
    for domain in domains {
        for user in users_of_groups(domain) {
            lines.push(format!("{} {}", text(user.attr(b"id")), text(domain.attr(b"name"))));
        }
    }
    Ok(lines)
}

/// mod_voicemail when a message is delivered (`voicemail_inject`): user `_all_` stands for everybody.
pub(crate) fn voicemail(user: &CStr, domain: &CStr) -> Result<Lines, String> {
    let mut params = Event::new("GENERAL", &Caller::new("mod_voicemail.c", "voicemail_inject"))?;
    params.add("domain", domain.to_bytes());
    params.add("purpose", b"publish-vm");
    params.add("user", user.to_bytes());
    let found = locate::domain(domain, Some(&params)).ok_or("no such domain")?;
    let count = |user: &Node| user.child(b"params").map_or(0, |params| params.children(b"param").count());
    let users = users_of_groups(found.node);
    Ok(users.iter().map(|user| format!("{} {} params", text(user.attr(b"id")), count(user))).collect())
}
