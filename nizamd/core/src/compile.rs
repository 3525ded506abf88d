//! Model to image records. Pure: what comes out depends on the rows alone.

use crate::model::{Extension, Tenant, TenantStatus, Touched};
use nizam_wire::image::PLATFORM;
use nizam_wire::record::{self, PairsBuf, State, USER_MARK};
use nizam_wire::{Builder, Kind, Scope};
use uuid::Uuid;

pub use nizam_wire::image::BuildError;

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
        // Not `${dialed_user}`: nothing that a caller sends takes part in it.
        dial_string: &format!(
            "{{sip_invite_domain={domain},presence_id={USER_MARK}@{domain}}}${{sofia_contact(*/{USER_MARK}@{domain})}}"
        ),
        variables: variables.as_pairs(),
        // A domain and a UUID hold nothing that cannot be written.
        variables_xml: &variables.to_xml("variable").unwrap_or_default(),
    };
    builder.put(Kind::Tenant, PLATFORM, domain.to_ascii_lowercase().as_bytes(), Some(&record.encode()))
}

fn ring_timeout(tenant: &Tenant) -> u16 {
    let setting = tenant.settings.get("ring_timeout").and_then(serde_json::Value::as_u64);
    setting
        .and_then(|seconds| u16::try_from(seconds).ok())
        .filter(|seconds| (5..=300).contains(seconds))
        .unwrap_or(RING_TIMEOUT)
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
