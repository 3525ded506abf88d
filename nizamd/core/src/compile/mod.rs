//! Model to image records. Pure: what comes out depends on the rows alone.

mod schedule;

pub use schedule::{holiday, time_rules, zone_table};

use crate::model::{Extension, Tenant, TenantStatus, Touched};
use crate::validate::ring_seconds;
use nizam_wire::image::PLATFORM;
use nizam_wire::record::{self, Classes, PairsBuf, State, USER_MARK};
use nizam_wire::{Builder, Kind, Scope};
use uuid::Uuid;

pub use nizam_wire::image::BuildError;

/// The sofia profile that phones register with.
const PHONE_PROFILE: &str = "internal";

/// How long an extension rings where the tenant's setting `ring_timeout` says nothing else, in seconds.
const RING_TIMEOUT: u16 = 30;

/// Adds a tenant's record.
pub fn tenant(builder: &mut Builder, tenant: &Tenant) -> Result<(), BuildError> {
    let domain = tenant.domain.as_str();
    let mut variables = PairsBuf::default();
    variables.push("user_context", domain);
    variables.push("domain_name", domain);
    variables.push("nizam_tenant", &tenant.id.to_string());
    let state = match tenant.status {
        TenantStatus::Terminated => State::Closed,
        _ if !tenant.is_active => State::Closed,
        TenantStatus::Suspended => State::Suspended,
        TenantStatus::Trial | TenantStatus::Active => State::Open,
    };
    let record = record::Tenant {
        id: tenant.id.into_bytes(),
        domain,
        state,
        ring_timeout: ring_timeout(tenant),
        // `%`: mod_sofia itself looks for the registration and calls its contact as a URI. With `${sofia_contact(…)}` the
        // contact, which a phone chooses, would be read as a part of the dial string: its commas would begin further legs,
        // through any endpoint (mod_sofia.c:sofia_outgoing_channel, switch_ivr_originate.c).
        dial_string: &format!(
            "{{sip_invite_domain={domain},presence_id={USER_MARK}@{domain}}}sofia/{PHONE_PROFILE}/{USER_MARK}%{domain}"
        ),
        variables: variables.as_pairs(),
        // A domain and a UUID hold nothing that cannot be written.
        variables_xml: &variables.to_xml("variable").unwrap_or_default(),
    };
    builder.put(Kind::Tenant, PLATFORM, domain.to_ascii_lowercase().as_bytes(), Some(&record.encode()))
}

fn ring_timeout(tenant: &Tenant) -> u16 {
    tenant.settings.get("ring_timeout").and_then(ring_seconds).unwrap_or(RING_TIMEOUT)
}

/// Adds an extension's records. An inactive one is as good as deleted.
pub fn extension(builder: &mut Builder, extension: &Extension) -> Result<(), BuildError> {
    let scope = extension.tenant_id.into_bytes();
    let key = extension_key(&extension.extension);
    if !extension.is_active {
        return gone(builder, scope, &key);
    }
    let full_name = [extension.directory_first_name.as_str(), &extension.directory_last_name].join(" ");
    let record = record::Extension {
        id: extension.id.into_bytes(),
        number: &extension.extension,
        password: &extension.password,
        full_name: full_name.trim(),
        effective_caller_id_name: extension.effective_caller_id_name.as_deref().unwrap_or_default(),
        effective_caller_id_number: extension.effective_caller_id_number.as_deref().unwrap_or_default(),
        outbound_caller_id_name: extension.outbound_caller_id_name.as_deref().unwrap_or_default(),
        outbound_caller_id_number: extension.outbound_caller_id_number.as_deref().unwrap_or_default(),
        voicemail: extension.voicemail_enabled,
        voicemail_pin: extension.voicemail_pin.as_deref().unwrap_or_default(),
        toll_allow: Classes::of(Classes::DEFAULT),
        max_channels: 0,
        ring_timeout: 0,
    };
    builder.put(Kind::Extension, scope, &key, Some(&record.encode()))?;
    match &extension.cidr {
        Some(cidr) => builder.put(Kind::Network, scope, &key, Some(cidr.as_bytes())),
        None => delete(builder, Kind::Network, scope, &key),
    }
}

/// Adds the deletion of what was touched and is no more.
pub fn deleted(builder: &mut Builder, touched: &Touched) -> Result<(), BuildError> {
    match touched {
        Touched::Domain(domain) => {
            delete(builder, Kind::Tenant, PLATFORM, domain.to_ascii_lowercase().as_bytes())
        }
        Touched::Extension { tenant_id, extension } => {
            gone(builder, Uuid::into_bytes(*tenant_id), &extension_key(extension))
        }
    }
}

fn gone(builder: &mut Builder, scope: Scope, key: &[u8]) -> Result<(), BuildError> {
    delete(builder, Kind::Extension, scope, key)?;
    delete(builder, Kind::Network, scope, key)
}

/// A base has nothing below it to delete from.
fn delete(builder: &mut Builder, kind: Kind, scope: Scope, key: &[u8]) -> Result<(), BuildError> {
    if builder.is_overlay() { builder.put(kind, scope, key, None) } else { Ok(()) }
}

/// Extensions are found without regard to case, as FreeSWITCH compares user ids.
fn extension_key(number: &str) -> Vec<u8> {
    number.to_ascii_lowercase().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nizam_wire::image::{self, Image, Lookup};

    #[test]
    fn a_dial_string_reads_nothing_that_a_phone_chose() {
        let row = Tenant {
            id: Uuid::from_u128(1),
            name: "Acme".to_owned(),
            domain: "acme.example".to_owned(),
            slug: "acme".to_owned(),
            settings: serde_json::Map::new(),
            status: TenantStatus::Active,
            max_extensions: 0,
            max_concurrent_calls: 0,
            max_dids: 0,
            max_ring_groups: 0,
            is_active: true,
            version: 1,
            created_at: 0,
            updated_at: 0,
        };
        let mut builder = Builder::base(1, 2);
        tenant(&mut builder, &row).unwrap();
        let image = Image::from_vec(builder.finish().unwrap()).unwrap();
        let hash = image::hash(2, Kind::Tenant, &PLATFORM, b"acme.example").unwrap();
        let Lookup::Value(value) = image.get(hash, Kind::Tenant, &PLATFORM, b"acme.example") else {
            panic!("not found")
        };
        let dial_string = record::Tenant::decode(value).unwrap().dial_string.replace(USER_MARK, "1001");
        // `${sofia_contact(…)}` would put a registration's contact into it, commas and all.
        assert_eq!(
            dial_string,
            "{sip_invite_domain=acme.example,presence_id=1001@acme.example}sofia/internal/1001%acme.example"
        );
    }
}
