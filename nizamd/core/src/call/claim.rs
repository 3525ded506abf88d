//! By what a tenant is known.

use super::said::Said;
use uuid::Uuid;

/// Something in an event that names a tenant. The first of an event's claims that names one that is there counts; an event with
/// none is nobody's: the host that a stranger dialled or the address he came from are no claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Its id, as the routing set it.
    Tenant(Uuid),
    /// Its domain.
    Domain(String),
    /// It is the tenant of that channel.
    Leg(String),
    /// It is the tenant of that gateway, unless all tenants share that.
    Gateway(Uuid),
}

/// A domain as tenants have it: in lower case, without a port.
fn domain(text: &str) -> Claim {
    let host = text.split_once(':').map_or(text, |(host, _)| host);
    Claim::Domain(host.trim_end_matches('.').to_ascii_lowercase())
}

fn add_tenant(claims: &mut Vec<Claim>, text: Option<String>) {
    claims.extend(text.and_then(|text| Uuid::try_parse(&text).ok()).map(Claim::Tenant));
}

/// The gateway of a name on the switch, which is its id and its version (`compile/gateway.rs`).
pub(super) fn gateway_id(name: &str) -> Option<Uuid> {
    let (id, version) = name.split_at_checked(36)?;
    let ours = version.is_empty() || version.starts_with('-');
    Uuid::try_parse(id).ok().filter(|_| ours)
}

/// The claims of a channel's event.
pub(super) fn of_channel(said: Said<'_>, originator: Option<&str>) -> Vec<Claim> {
    let mut claims = Vec::with_capacity(4);
    add_tenant(&mut claims, said.text("variable_nizam_tenant"));
    let domains = ["variable_domain_name", "variable_user_context", "Caller-Context"];
    claims.extend(domains.iter().filter_map(|name| said.text(name)).map(|text| domain(&text)));
    claims.extend(originator.map(|uuid| Claim::Leg(uuid.to_owned())));
    claims.extend(
        said.text("variable_nizam_gateway").and_then(|id| Uuid::try_parse(&id).ok()).map(Claim::Gateway),
    );
    claims.extend(
        said.text("variable_sip_gateway_name").and_then(|name| gateway_id(&name)).map(Claim::Gateway),
    );
    claims.dedup();
    claims
}

/// The claims of a registration's event, whose headers hold the variables of the user that logged in. mod_nizam finds a user only where
/// To names its very domain.
pub(super) fn of_registration(said: Said<'_>) -> Vec<Claim> {
    let mut claims = Vec::with_capacity(3);
    add_tenant(&mut claims, said.text("nizam_tenant"));
    let domains = ["domain_name", "domain", "to-host", "from-host", "host", "realm"];
    claims.extend(domains.iter().filter_map(|name| said.text(name)).map(|text| domain(&text)));
    claims.dedup();
    claims
}

/// The claims of an event that some application made: its own headers, then the channel's.
pub(super) fn of_application(said: Said<'_>, own: &[&str]) -> Vec<Claim> {
    let mut claims = Vec::with_capacity(4);
    add_tenant(&mut claims, said.text("nizam_tenant"));
    // `sales@acme.example` is a name in a domain.
    let host = |name: String| domain(name.rsplit_once('@').map_or(&*name, |(_, host)| host));
    claims.extend(own.iter().filter_map(|name| said.text(name)).map(host));
    claims.extend(said.text("Unique-ID").map(Claim::Leg));
    claims.extend(of_channel(said, None));
    claims
}
