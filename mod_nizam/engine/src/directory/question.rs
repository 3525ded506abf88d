//! What a directory lookup is about, told by the headers that come with it.

use super::document;
use super::listing::{self, Listing};
use super::user::{Fields, User};
use crate::layers::{Layers, LowerKey};
use crate::{Element, Scoped, Sink};
use nizam_wire::Kind;
use nizam_wire::image::ONLY;
use nizam_wire::record::{Extension, State, Tenant, is_pin};

/// The group that every user of a tenant is in.
pub(super) const GROUP: &str = "default";

/// The arguments and headers of a directory lookup, as FreeSWITCH gave them. Bytes, not text: some of them come
/// from SIP messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct DirectoryQuestion<'a> {
    /// Tag, `domain` or nothing for all domains.
    pub tag: Option<&'a [u8]>,
    /// Value of the attribute `name`, or the header `domain`.
    pub domain: Option<&'a [u8]>,
    /// Whether headers came at all; `list_users` sends none.
    pub has_params: bool,
    /// Header `key`: only `switch_xml_locate_user` sets it, so a single user is asked for.
    pub key: Option<&'a [u8]>,
    /// Header `user`.
    pub user: Option<&'a [u8]>,
    /// Header `group_name`: only `switch_xml_locate_group` sets it.
    pub group_name: Option<&'a [u8]>,
    /// Header `group`.
    pub group: Option<&'a [u8]>,
    /// Header `action`.
    pub action: Option<&'a [u8]>,
    /// Header `purpose`. May be spoofed by a remote party where `key` is set.
    pub purpose: Option<&'a [u8]>,
    /// Header `number_alias`: set by mod_xml_rpc's HTTP login.
    pub number_alias: Option<&'a [u8]>,
    /// Header `Event-Calling-Function`.
    pub calling_function: Option<&'a [u8]>,
    /// Header `sip_auth_method`: the request that is authenticated.
    pub method: Option<&'a [u8]>,
    /// Header `sip_to_user`: whom the request is about.
    pub to_user: Option<&'a [u8]>,
    /// Header `sip_to_host`.
    pub to_host: Option<&'a [u8]>,
    /// Header `sip_from_user`: whom the request claims to come from.
    pub from_user: Option<&'a [u8]>,
    /// Header `sip_from_host`; stands in for a missing `sip_to_host`.
    pub from_host: Option<&'a [u8]>,
    /// Header `VM-User-Password` where `VM-Action` is `change-password`: mod_voicemail asks whether the user may have that PIN, which
    /// somebody has chosen by phone (`mod_voicemail.c:voicemail_check_main`).
    pub new_pin: Option<&'a [u8]>,
}

impl<'a> DirectoryQuestion<'a> {
    /// The lookup of one user by id, as `switch_xml_locate_user` makes it, without an action.
    pub fn user(user: &'a [u8], domain: &'a [u8]) -> Self {
        Self {
            tag: Some(b"domain"),
            domain: Some(domain),
            has_params: true,
            key: Some(b"id"),
            user: Some(user),
            ..Self::default()
        }
    }
}

impl DirectoryQuestion<'_> {
    /// Whether a SIP request that asks for a login is about somebody else than who logs in.
    ///
    /// mod_sofia takes the domain of the login from the realm that the client states, and keeps the registration under
    /// the address in the header To (`sofia_reg.c:sofia_reg_handle_register_token`, `reg_host`). It never compares the two, so
    /// a phone of one tenant could register as the same number of another one, and get its calls; or subscribe to its
    /// presence. An INVITE is routed in the context of who logged in, whatever it is addressed to.
    fn is_about_somebody_else(&self) -> bool {
        let same = |one: Option<&[u8]>, other: Option<&[u8]>| {
            one.zip(other).is_some_and(|(one, other)| one.eq_ignore_ascii_case(other))
        };
        match self.method {
            _ if self.action != Some(b"sip_auth") => false,
            Some(b"REGISTER") => {
                !same(self.to_user, self.user) || !same(self.to_host.or(self.from_host), self.domain)
            }
            Some(b"INVITE") | None => false,
            // mod_sofia hands a MESSAGE on with the From that it came with.
            Some(b"MESSAGE") if !same(self.from_user, self.user) || !same(self.from_host, self.domain) => {
                true
            }
            Some(_) => !same(self.to_host.or(self.from_host), self.domain),
        }
    }
}

/// What becomes of a directory lookup.
#[derive(Debug)]
pub enum DirectoryAnswer {
    /// Not one of our domains: FreeSWITCH asks its other sources.
    NotOurs,
    /// The document was written; it holds what was asked for.
    Found,
    /// The document was written; it says that there is no such thing.
    Unknown,
    /// As `Unknown`, because the record holds a value that FreeSWITCH would bend.
    Refused,
    /// A list to build: the document's root.
    List(Element),
}

/// Answers into `out`.
pub(crate) fn resolve(
    layers: &Layers,
    question: &DirectoryQuestion<'_>,
    out: &mut impl Sink,
) -> DirectoryAnswer {
    if question.tag.is_none() {
        return all_domains(layers, question);
    }
    let Some(domain) = question.domain.filter(|_| question.tag == Some(b"domain")).and_then(LowerKey::new)
    else {
        return DirectoryAnswer::NotOurs;
    };
    let Some(own) = layers.of_domain(domain.as_bytes()) else {
        return DirectoryAnswer::NotOurs;
    };
    let user = question.user.and_then(LowerKey::new);
    own.expect([(Kind::Tenant, ONLY), (Kind::Extension, user.as_ref().map_or(ONLY, LowerKey::as_bytes))]);
    let Some(tenant) = own.tenant() else { return DirectoryAnswer::NotOurs };
    match classify(question) {
        _ if tenant.state == State::Closed => unknown(out, &tenant),
        Ask::Nobody => unknown(out, &tenant),
        Ask::User(name, fields) => one_user(&own, tenant, name, fields, question, out),
        Ask::List(list) => listed(listing::one_domain(layers, &tenant, list)),
        Ask::Domain => match document::domain(out, &tenant) {
            Ok(()) => DirectoryAnswer::Found,
            Err(_) => refused(out, &tenant),
        },
    }
}

/// What is asked for inside a domain.
enum Ask<'a> {
    User(&'a [u8], Fields),
    List(Listing),
    Domain,
    Nobody,
}

/// The order matters: `key` is set by FreeSWITCH itself last, everything else may have come from a SIP header.
fn classify<'a>(question: &DirectoryQuestion<'a>) -> Ask<'a> {
    if question.key.is_some() {
        // SIP passwords are no logins to the switch's own consoles (mod_xml_rpc, mod_event_socket userauth).
        if question.number_alias.is_some() || question.action == Some(b"event_socket_auth") {
            return Ask::Nobody;
        }
        if question.is_about_somebody_else() {
            return Ask::Nobody;
        }
        return question.user.map_or(Ask::Nobody, |user| Ask::User(user, Fields::of_action(question.action)));
    }
    if let Some(group) = question.group_name {
        // `in_group` names the user it wants to know about (mod_commands.c:in_group_function).
        return match question.user {
            _ if !group.eq_ignore_ascii_case(GROUP.as_bytes()) => Ask::Nobody,
            Some(user) => Ask::User(user, Fields::ALL),
            None => Ask::List(Listing::Users(Fields::ALL)),
        };
    }
    match question.purpose {
        Some(b"publish-vm") => match (question.user, question.group) {
            (Some(user), _) if user != b"_all_" => Ask::User(user, Fields::VOICEMAIL),
            (_, Some(group)) if !group.eq_ignore_ascii_case(GROUP.as_bytes()) => Ask::Nobody,
            _ => Ask::List(Listing::Users(Fields::VOICEMAIL)),
        },
        Some(b"gateways") => Ask::List(Listing::Gateways),
        Some(b"network-list") => Ask::List(Listing::Networks),
        _ if question.calling_function == Some(b"populate_database") => {
            Ask::List(Listing::Users(Fields::NAMES))
        }
        _ if !question.has_params => Ask::List(Listing::Users(Fields::ALL)),
        _ => Ask::Domain,
    }
}

fn one_user<'a>(
    own: &Scoped<'a>,
    tenant: Tenant<'a>,
    name: &[u8],
    fields: Fields,
    question: &DirectoryQuestion<'_>,
    out: &mut impl Sink,
) -> DirectoryAnswer {
    let by_alias = match question.key {
        None | Some(b"id") => false,
        Some(b"number-alias") => true,
        // No other attribute of ours identifies a user.
        Some(_) => return unknown(out, &tenant),
    };
    let Some(key) = LowerKey::new(name) else { return unknown(out, &tenant) };
    let Some(value) = own.get(Kind::Extension, key.as_bytes()) else {
        return unknown(out, &tenant);
    };
    let Ok(extension) = Extension::decode(value) else { return refused(out, &tenant) };
    let user = User { tenant, extension };
    match document::user(out, &user, fields, by_alias, question.new_pin.map(is_pin)) {
        Ok(()) => DirectoryAnswer::Found,
        Err(_) => refused(out, &user.tenant),
    }
}

/// The domain without the user: the answer that keeps FreeSWITCH from asking its other sources.
fn unknown(out: &mut impl Sink, tenant: &Tenant<'_>) -> DirectoryAnswer {
    out.clear();
    match document::bare_domain(out, tenant) {
        Ok(()) => DirectoryAnswer::Unknown,
        Err(_) => DirectoryAnswer::NotOurs,
    }
}

fn refused(out: &mut impl Sink, tenant: &Tenant<'_>) -> DirectoryAnswer {
    match unknown(out, tenant) {
        DirectoryAnswer::Unknown => DirectoryAnswer::Refused,
        other => other,
    }
}

/// The forms without a domain: `list_users`, and a profile with `<domain name="all">`.
fn all_domains(layers: &Layers, question: &DirectoryQuestion<'_>) -> DirectoryAnswer {
    if layers.images().is_empty() {
        return DirectoryAnswer::NotOurs;
    }
    let list = match question.purpose {
        Some(b"gateways") => Listing::Gateways,
        Some(b"network-list") => Listing::Networks,
        _ => Listing::Users(Fields::ALL),
    };
    listed(listing::all_domains(layers, list))
}

fn listed(root: Element) -> DirectoryAnswer {
    DirectoryAnswer::List(root)
}
