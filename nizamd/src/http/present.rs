//! Rows as clients see them.

use jiff::Timestamp;
use nizam_core::model::{Extension, Tenant, Token, User};
use nizam_core::resource::{Kind, Record, Resource};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// `2026-01-02T03:04:05.678901Z`
pub(super) fn time(micros: i64) -> String {
    let time = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.6}")
}

fn maybe_time(micros: Option<i64>) -> Option<String> {
    micros.map(time)
}

/// Clients know an empty map as `[]`.
pub(super) fn settings(settings: &Map<String, Value>) -> Value {
    if settings.is_empty() { json!([]) } else { json!(settings) }
}

pub(super) fn tenant(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "domain": tenant.domain,
        "slug": tenant.slug,
        "settings": settings(&tenant.settings),
        "status": tenant.status.as_str(),
        "max_extensions": tenant.max_extensions,
        "max_concurrent_calls": tenant.max_concurrent_calls,
        "max_dids": tenant.max_dids,
        "max_ring_groups": tenant.max_ring_groups,
        "max_calls_per_minute": tenant.max_calls_per_minute,
        "is_active": tenant.is_active,
        "created_at": time(tenant.created_at),
        "updated_at": time(tenant.updated_at),
    })
}

/// An extension as clients see it.
#[derive(Serialize)]
pub(super) struct ShownExtension<'e> {
    id: Uuid,
    tenant_id: Uuid,
    extension: &'e str,
    password: Option<&'e str>,
    directory_first_name: &'e str,
    directory_last_name: &'e str,
    effective_caller_id_name: Option<&'e str>,
    effective_caller_id_number: Option<&'e str>,
    outbound_caller_id_name: Option<&'e str>,
    outbound_caller_id_number: Option<&'e str>,
    voicemail_enabled: bool,
    voicemail_pin: Option<&'e str>,
    cidr: Option<&'e str>,
    toll_allow: Option<Vec<&'static str>>,
    max_channels: i64,
    ring_timeout: Option<i64>,
    is_active: bool,
    created_at: String,
    updated_at: String,
}

/// An extension with its secrets, for somebody who may view extensions: web phones need them.
pub(super) fn extension(extension: &Extension) -> ShownExtension<'_> {
    ShownExtension {
        password: Some(&extension.password),
        voicemail_pin: extension.voicemail_pin.as_deref(),
        ..without_secrets(extension)
    }
}

/// An extension for somebody who may change it, and perhaps no more.
pub(super) fn without_secrets(extension: &Extension) -> ShownExtension<'_> {
    ShownExtension {
        id: extension.id,
        tenant_id: extension.tenant_id,
        extension: &extension.extension,
        password: None,
        directory_first_name: &extension.directory_first_name,
        directory_last_name: &extension.directory_last_name,
        effective_caller_id_name: extension.effective_caller_id_name.as_deref(),
        effective_caller_id_number: extension.effective_caller_id_number.as_deref(),
        outbound_caller_id_name: extension.outbound_caller_id_name.as_deref(),
        outbound_caller_id_number: extension.outbound_caller_id_number.as_deref(),
        voicemail_enabled: extension.voicemail_enabled,
        voicemail_pin: None,
        cidr: extension.cidr.as_deref(),
        toll_allow: extension.class_names(),
        max_channels: extension.max_channels,
        ring_timeout: extension.ring_timeout,
        is_active: extension.is_active,
        created_at: time(extension.created_at),
        updated_at: time(extension.updated_at),
    }
}

pub(super) fn user(user: &User) -> Value {
    json!({
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "tenant_id": user.tenant_id,
        "role": user.role.as_str(),
        "email_verified_at": maybe_time(user.email_verified_at),
        "created_at": time(user.created_at),
        "updated_at": time(user.updated_at),
    })
}

pub(super) fn token(token: &Token) -> Value {
    json!({
        "id": token.id,
        "tokenable_type": "App\\Models\\User",
        "tokenable_id": token.user_id,
        "name": token.name,
        "abilities": token.abilities.names(),
        "last_used_at": maybe_time(token.last_used_at),
        "expires_at": maybe_time(token.expires_at),
        "created_at": time(token.created_at),
        "updated_at": time(token.updated_at),
    })
}

/// A row of a resource as clients see it.
pub(super) struct Shown<'r> {
    pub(super) resource: &'static Resource,
    pub(super) record: &'r Record,
    /// Fields that are shown although they are hidden otherwise.
    pub(super) also: &'static [&'static str],
    /// What is said beside its own fields.
    pub(super) extra: Option<&'r Map<String, Value>>,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.record;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &record.id)?;
        map.serialize_entry("tenant_id", &record.tenant_id)?;
        for field in self.resource.fields {
            if !field.shown && !self.also.contains(&field.name) {
                continue;
            }
            match (field.kind, record.value(field.name)) {
                (Kind::Time, value) => map.serialize_entry(field.name, &maybe_time(value.as_i64()))?,
                (_, value) => map.serialize_entry(field.name, value)?,
            }
        }
        for (name, value) in self.extra.into_iter().flatten() {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("created_at", &time(record.created_at))?;
        map.serialize_entry("updated_at", &time(record.updated_at))?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_six_digits_and_a_z() {
        assert_eq!(time(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(time(1_767_323_045_678_901), "2026-01-02T03:04:05.678901Z");
        assert_eq!(time(i64::MAX), "1970-01-01T00:00:00.000000Z");
    }
}
